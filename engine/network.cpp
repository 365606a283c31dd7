#include "network.hpp"

#include <algorithm>

namespace tonecast {

std::vector<const Kernels*> usable_kernels() {
    std::vector<const Kernels*> usable;
#ifdef TONECAST_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma")) usable.push_back(&avx512_kernels);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable.push_back(&avx2_kernels);
#endif
#ifdef TONECAST_NEON
    usable.push_back(&neon_kernels);  // every 64-bit ARM has it
#endif
    usable.push_back(&plain_kernels);
    return usable;
}

namespace {

const Kernels* chosen(const std::string& simd) {
    const auto usable = usable_kernels();
    if (simd.empty()) return usable.front();
    for (const Kernels* each : usable)
        if (simd == each->name) return each;
    throw std::invalid_argument("this machine has no " + simd + " kernels");
}

PlanView view_of(const Plan& plan, int horizon) {
    const int back_to = plan.begins.back() - std::min(rounded_up(horizon), plan.begins.back());
    return {plan.frames, plan.lead, plan.length, plan.stride, plan.begins.data(), back_to};
}

TraceView view_of(RowTrace& row) {
    return {row.dry.data(),        row.activations.data(), row.head_input.data(),
            row.last_input.data(), row.edges.data(),       row.pasts.data(),
            row.output_gradient.data()};
}

}  // namespace

Network::Network(Shape shape, const std::string& simd, int threads)
    : shape_(std::move(shape)), kernels_(chosen(simd)), pool_(std::clamp(threads, 1, 256)) {
    const Plan edges(shape_, STEP);  // edges do not depend on the frames
    for (std::size_t l = 0; l < shape_.layers.size(); ++l) {
        const Layer& layer = shape_.layers[l];
        const LayerWeights& at = shape_.weights[l];
        layers_.push_back({layer.taps, layer.dilation, layer.span(), at.convolution, at.bias, at.mix, at.residual,
                           at.residual_bias, edges.edges[l], edges.pasts[l]});
    }
    view_ = {shape_.channels, static_cast<int>(layers_.size()), shape_.head_taps, shape_.slope,
             shape_.head,     shape_.weight_count,              layers_.data()};
    scratch_.resize(pool_.threads());
}

float* Network::scratch(int thread) {
    if (scratch_[thread].empty()) scratch_[thread].resize(kernels_->scratch_size(view_));
    return scratch_[thread].data();
}

std::unique_ptr<Trace> Network::forward(const float* dry, const float* weights, bool weights_per_row, int rows,
                                        int frames, int horizon, float* wet) {
    const std::lock_guard lock(one_at_a_time_);
    if (!plan_ || plan_->frames != frames) {
        plan_ = std::make_shared<Plan>(shape_, frames);
        spare_.clear();
    }
    auto trace = std::make_unique<Trace>();
    trace->plan = plan_;
    trace->weights_per_row = weights_per_row;
    trace->horizon = horizon;
    trace->weights.assign(weights, weights + shape_.weight_count * (weights_per_row ? rows : 1));
    for (int row = 0; row < rows; ++row) {
        if (spare_.empty()) {
            trace->rows.push_back(std::make_unique<RowTrace>(shape_, *plan_));
        } else {
            trace->rows.push_back(std::move(spare_.back()));
            spare_.pop_back();
        }
    }
    const PlanView plan = view_of(*plan_, horizon);
    const std::size_t heard = shape_.history + static_cast<std::size_t>(frames);
    pool_.run(rows, [&](int row, int thread) {
        RowTrace& own = *trace->rows[row];
        std::copy_n(dry + row * heard, heard, own.dry.data() + plan.lead - shape_.history);
        std::fill(own.pasts.begin(), own.pasts.end(), 0.0f);  // what is not filled meets zeros, and must not be NaN
        kernels_->forward(view_, plan, trace->weights.data() + (weights_per_row ? row * shape_.weight_count : 0),
                          view_of(own), wet + static_cast<std::size_t>(row) * frames, scratch(thread));
    });
    return trace;
}

void Network::backward(Trace& trace, const float* wet_gradient, float* gradient) {
    const std::lock_guard lock(one_at_a_time_);
    const PlanView plan = view_of(*trace.plan, trace.horizon);
    pool_.run(static_cast<int>(trace.rows.size()), [&](int row, int thread) {
        RowTrace& own = *trace.rows[row];
        float* into = own.output_gradient.data() + plan.lead;
        std::copy_n(wet_gradient + static_cast<std::size_t>(row) * plan.frames, plan.frames, into);
        std::fill(into + plan.frames, own.output_gradient.data() + plan.length, 0.0f);
        const std::size_t first = trace.weights_per_row ? row * shape_.weight_count : 0;
        kernels_->backward(view_, plan, trace.weights.data() + first, view_of(own),
                           gradient + row * shape_.weight_count, scratch(thread));
    });
}

void Network::play(const float* dry, const float* weights, bool weights_per_row, const float* film, bool film_per_row,
                   int rows, int frames, float* state, float* wet) {
    const std::lock_guard lock(one_at_a_time_);
    const std::size_t films = 2 * static_cast<std::size_t>(shape_.channels) * shape_.layers.size() * frames;
    pool_.run(rows, [&](int row, int thread) {
        const std::size_t first = static_cast<std::size_t>(row) * frames;
        kernels_->play(view_, weights + (weights_per_row ? row * shape_.weight_count : 0), dry + first,
                       film ? film + (film_per_row ? row * films : 0) : nullptr, wet + first, frames,
                       state + row * state_size(), scratch(thread));
    });
}

void Network::give_back(Trace& trace) {
    const std::lock_guard lock(one_at_a_time_);
    if (trace.plan == plan_)
        for (auto& row : trace.rows) spare_.push_back(std::move(row));
    trace.rows.clear();
}

}  // namespace tonecast
