// A convolutional network on batches of rows, each with weights of its own, over the threads of a pool.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "plan.hpp"
#include "pool.hpp"
#include "shape.hpp"

namespace tonecast {

// The instruction sets that this build and this processor both have, best first.
std::vector<const Kernels*> usable_kernels();

// What a batch's forward leaves for its backward.
struct Trace {
    std::shared_ptr<const Plan> plan;
    std::vector<std::unique_ptr<RowTrace>> rows;
    std::vector<float> weights;  // (weight rows, weight count)
    bool weights_per_row = false;
    int horizon = 0;
};

class Network {
public:
    // `simd` is the name of one of the usable kernels, or empty for the best. Throws std::invalid_argument.
    Network(Shape shape, const std::string& simd, int threads);

    const Shape& shape() const { return shape_; }
    const char* simd() const { return kernels_->name; }
    int threads() const { return pool_.threads(); }
    std::size_t state_size() const { return static_cast<std::size_t>(shape_.channels) * shape_.history; }

    // `dry` is (rows, history + frames), `weights` (rows or 1, weight_count), `wet` (rows, frames). Backward goes
    // `horizon` frames back from the first that the head reads, rounded up; activations before that are not kept.
    std::unique_ptr<Trace> forward(const float* dry, const float* weights, bool weights_per_row, int rows, int frames,
                                   int horizon, float* wet);
    // `wet_gradient` is (rows, frames), `gradient` (rows, weight_count). The trace is used up.
    void backward(Trace& trace, const float* wet_gradient, float* gradient);
    // Rows play on from their states (rows, state_size). `film` is null or (rows or 1, layers, 2, channels, frames).
    void play(const float* dry, const float* weights, bool weights_per_row, const float* film, bool film_per_row,
              int rows, int frames, float* state, float* wet);
    // Keeps a trace's memory for the next forward.
    void give_back(Trace& trace);

private:
    float* scratch(int thread);

    Shape shape_;
    const Kernels* kernels_;
    Pool pool_;
    std::mutex one_at_a_time_;
    std::vector<LayerView> layers_;
    NetworkView view_{};
    std::shared_ptr<const Plan> plan_;
    std::vector<std::unique_ptr<RowTrace>> spare_;  // for `plan_`
    std::vector<Floats> scratch_;
};

}  // namespace tonecast
