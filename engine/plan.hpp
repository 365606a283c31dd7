// The plan of a training row: where each layer begins, and where everything that backward needs is kept.
#pragma once

#include <new>
#include <vector>

#include "shape.hpp"

namespace tonecast {

constexpr int STEP = 48;   // frames; a multiple of every kernel's register block
constexpr int TILE = 720;  // frames that all layers go through before the next; what they touch stays in the L2 cache

inline int rounded_down(int frames) { return (frames >= 0 ? frames : frames - STEP + 1) / STEP * STEP; }
constexpr int MOST_LANES = 16;
inline int rounded_to_lanes(int frames) { return (frames + MOST_LANES - 1) / MOST_LANES * MOST_LANES; }
inline int rounded_up(int frames) { return (frames + STEP - 1) / STEP * STEP; }

// Channels that lie a multiple of 4 KiB apart would all map to the same lines of the L1 cache.
inline std::ptrdiff_t spaced(std::ptrdiff_t frames) {
    std::ptrdiff_t stride = (frames + 15) / 16 * 16;
    return stride % 256 == 0 ? stride + 16 : stride;
}

// Floats that begin on a cache line, so that vectors that do as well load in one go.
template <class T>
struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t line{64};
    LineAllocator() = default;
    template <class Other>
    LineAllocator(const LineAllocator<Other>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
    void deallocate(T* at, std::size_t) { ::operator delete(at, line); }
    bool operator==(const LineAllocator&) const { return true; }
};
using Floats = std::vector<float, LineAllocator<float>>;

// Frames count from the plan's own beginning. Layer l is computed from `begins[l + 1]` on, rounded down so that all it
// reads has been computed; its input begins at `begins[l]`. What is computed before it is needed never reaches an
// output, and its gradient is zero.
struct Plan {
    Plan(const Shape& shape, int frames) : frames(frames) {
        const int count = static_cast<int>(shape.layers.size());
        begins.assign(count + 1, 0);
        begins[count] = rounded_down(-(shape.head_taps - 1));
        int longest = shape.head_taps - 1;
        for (int l = count - 1; l >= 0; --l) {
            begins[l] = rounded_down(begins[l + 1] - shape.layers[l].span());
            longest = shape.layers[l].span() > longest ? shape.layers[l].span() : longest;
        }
        lead = -begins[0];
        for (int& begin : begins) begin += lead;
        length = lead + rounded_up(frames);
        stride = spaced(length + longest + STEP);
        for (int l = 0; l < count; ++l) {
            edges.push_back(edge_size);
            edge_size += static_cast<std::size_t>(shape.channels) * (begins[l + 1] - begins[l]);
            pasts.push_back(past_size);
            past_size += static_cast<std::size_t>(shape.channels) * rounded_to_lanes(shape.layers[l].span());
        }
    }

    int frames;  // outputs asked for
    int lead;    // frames before the first output
    int length;  // lead and outputs, rounded up
    std::ptrdiff_t stride;
    std::vector<int> begins;
    std::vector<std::size_t> edges;  // where the inputs of layer l between begins[l] and begins[l + 1] are kept
    std::size_t edge_size = 0;
    std::vector<std::size_t> pasts;  // where the inputs of layer l that lie just before a horizon are kept
    std::size_t past_size = 0;
};

// What one row's forward leaves for its backward.
struct RowTrace {
    RowTrace(const Shape& shape, const Plan& plan)
        : dry(plan.stride, 0.0f),
          activations(shape.layers.size() * shape.channels * plan.stride, 0.0f),
          head_input(shape.channels * plan.stride, 0.0f),
          last_input(shape.channels * plan.stride, 0.0f),
          edges(plan.edge_size, 0.0f),
          pasts(plan.past_size, 0.0f),
          output_gradient(plan.stride, 0.0f) {}

    Floats dry;
    Floats activations;  // (layers, channels, stride); backward puts gradients in their place
    Floats head_input;
    Floats last_input;  // of the last layer; the others' are worked out from it on the way back
    Floats edges;
    Floats pasts;
    Floats output_gradient;
};

}  // namespace tonecast
