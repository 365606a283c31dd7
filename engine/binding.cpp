// The Python module `profiler._engine`.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>

#include "network.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using tonecast::Network;

namespace {

using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using States = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Films = nb::ndarray<const float, nb::ndim<5>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<nb::numpy, float, nb::ndim<2>>;

constexpr std::size_t MOST_FRAMES = std::size_t{1} << 27;

void check(bool holds, const char* told) {
    if (!holds) throw nb::value_error(told);
}

Result empty(std::size_t rows, std::size_t columns) {
    float* floats = new float[rows * columns];
    const nb::capsule owner(floats, [](void* kept) noexcept { delete[] static_cast<float*>(kept); });
    return Result(floats, {rows, columns}, owner);
}

// A forward that can be gone back through once. Its memory goes back to the network with it.
class Pass {
public:
    Pass(std::shared_ptr<Network> network, std::unique_ptr<tonecast::Trace> trace)
        : network_(std::move(network)), trace_(std::move(trace)) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
        if (trace_) network_->give_back(*trace_);
    }

    Result backward(Rows wet_gradient) {
        check(trace_ != nullptr, "this pass has been gone back through");
        const std::size_t rows = trace_->rows.size();
        check(wet_gradient.shape(0) == rows && wet_gradient.shape(1) == static_cast<std::size_t>(trace_->plan->frames),
              "the gradient must have the shape of the wet");
        Result gradient = empty(rows, network_->shape().weight_count);
        {
            const nb::gil_scoped_release released;
            network_->backward(*trace_, wet_gradient.data(), gradient.data());
            network_->give_back(*trace_);
        }
        trace_.reset();
        return gradient;
    }

private:
    std::shared_ptr<Network> network_;
    std::unique_ptr<tonecast::Trace> trace_;
};

std::tuple<Result, std::unique_ptr<Pass>> forward(std::shared_ptr<Network> network, Rows dry, Rows weights,
                                                   std::optional<int> horizon) {
    const std::size_t history = network->shape().history, rows = dry.shape(0);
    check(!horizon || (*horizon >= 0 && *horizon < static_cast<int>(MOST_FRAMES)), "a horizon is 0 frames or more");
    check(rows > 0 && dry.shape(1) > history && dry.shape(1) < MOST_FRAMES, "a row must be longer than the history");
    check(weights.shape(0) == rows || weights.shape(0) == 1, "there must be one row of weights, or one for each row");
    check(weights.shape(1) == network->shape().weight_count, "a row of weights has `weight_count` of them");
    const std::size_t frames = dry.shape(1) - history;
    Result wet = empty(rows, frames);
    std::unique_ptr<tonecast::Trace> trace;
    {
        const nb::gil_scoped_release released;
        trace = network->forward(dry.data(), weights.data(), weights.shape(0) > 1, static_cast<int>(rows),
                                static_cast<int>(frames), horizon.value_or(static_cast<int>(history)), wet.data());
    }
    return {wet, std::make_unique<Pass>(network, std::move(trace))};
}

Result play(Network& network, Rows dry, Rows weights, States state, std::optional<Films> film) {
    const std::size_t rows = dry.shape(0), frames = dry.shape(1);
    check(frames < MOST_FRAMES, "too many frames for one call");
    check(weights.shape(0) == rows || weights.shape(0) == 1, "there must be one row of weights, or one for each row");
    check(weights.shape(1) == network.shape().weight_count, "a row of weights has `weight_count` of them");
    check(state.shape(0) == rows && state.shape(1) == network.state_size(), "the state must be (rows, state_size)");
    if (film)
        check((film->shape(0) == rows || film->shape(0) == 1) && film->shape(1) == network.shape().layers.size()
                  && film->shape(2) == 2 && film->shape(3) == static_cast<std::size_t>(network.shape().channels)
                  && film->shape(4) == frames,
              "film must be (rows or 1, layers, 2, channels, frames)");
    Result wet = empty(rows, frames);
    const nb::gil_scoped_release released;
    network.play(dry.data(), weights.data(), weights.shape(0) > 1, film ? film->data() : nullptr,
                 film && film->shape(0) > 1, static_cast<int>(rows), static_cast<int>(frames), state.data(), wet.data());
    return wet;
}

}  // namespace

NB_MODULE(_engine, m) {
    // Networks are kept for the life of a process, and at its end there is nobody to tell of it.
    nb::set_leak_warnings(false);
    m.doc() = "Kernels that train and play convolutional effects.";
    m.def(
        "simd_names",
        [] {
            std::vector<std::string> names;
            for (const auto* each : tonecast::usable_kernels()) names.emplace_back(each->name);
            return names;
        },
        "The instruction sets that this machine can run, best first.");
    nb::class_<Pass>(m, "Pass").def("backward", &Pass::backward, "wet_gradient"_a,
                                    "Return the gradient of every row's weights, (rows, weight_count). Once only.");
    nb::class_<Network>(m, "Network")
        .def(
            "__init__",
            [](Network* self, int channels, const std::vector<std::tuple<int, int>>& layers, int head_taps, float slope,
               const std::string& simd, int threads) {
                std::vector<tonecast::Layer> own;
                for (const auto& [taps, dilation] : layers) own.push_back({taps, dilation});
                new (self) Network(tonecast::Shape(channels, std::move(own), head_taps, slope), simd, threads);
            },
            "channels"_a, "layers"_a, "head_taps"_a, "slope"_a, "simd"_a = "", "threads"_a = 1)
        .def_prop_ro("weight_count", [](const Network& self) { return self.shape().weight_count; })
        .def_prop_ro("history", [](const Network& self) { return self.shape().history; })
        .def_prop_ro("state_size", &Network::state_size)
        .def_prop_ro("simd", &Network::simd)
        .def_prop_ro("threads", &Network::threads)
        .def("forward", &forward, "dry"_a, "weights"_a, "horizon"_a.none() = nb::none(),
             "Return wet (rows, frames) and the pass, for dry (rows, history + frames) and weights (rows or 1, any).")
        .def("play", &play, "dry"_a, "weights"_a, "state"_a, "film"_a.none() = nb::none(),
             "Return wet for dry (rows, frames), moving `state` on.");
}
