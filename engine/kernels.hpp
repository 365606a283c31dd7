// The kernels of one instruction set: the same source, compiled for each.
#pragma once

#include "plan.hpp"
#include "shape.hpp"

namespace tonecast {

// Plain pointers only: code that is compiled for one instruction set must not leave inline functions of the standard
// library behind, which the linker might then use everywhere.
struct TraceView {
    float* dry;
    float* activations;
    float* head_input;
    float* last_input;
    float* edges;
    float* pasts;
    float* output_gradient;
};

struct LayerView {
    int taps, dilation, span;
    std::size_t convolution, bias, mix, residual, residual_bias, edge, past;
};

struct NetworkView {
    int channels, layers, head_taps;
    float slope;
    std::size_t head, weight_count;
    const LayerView* layer;
};

struct PlanView {
    int frames, lead, length;
    std::ptrdiff_t stride;
    const int* begins;
    int back_to;  // backward ends here: what lies before it was heard, and is not learnt from
};

struct Kernels {
    const char* name;
    // Floats of scratch that one thread needs for any of the functions below.
    std::size_t (*scratch_size)(const NetworkView&);
    // Fills `wet` (frames) and the trace from trace.dry.
    void (*forward)(const NetworkView&, const PlanView&, const float* weights, const TraceView&, float* wet,
                    float* scratch);
    // Fills `gradient` (weight_count) from trace.output_gradient; uses the trace up.
    void (*backward)(const NetworkView&, const PlanView&, const float* weights, const TraceView&, float* gradient,
                     float* scratch);
    // Plays `frames` on from `state`, the inputs that each layer still hears, and moves it on. `film` is null, or a
    // scale and a shift for each pre-activation and frame: (layers, 2, channels, frames).
    void (*play)(const NetworkView&, const float* weights, const float* dry, const float* film, float* wet, int frames,
                 float* state, float* scratch);
};

extern const Kernels plain_kernels;
#ifdef TONECAST_X86
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif
#ifdef TONECAST_NEON
extern const Kernels neon_kernels;
#endif

}  // namespace tonecast
