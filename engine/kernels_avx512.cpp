// The kernels for avx512: vectors of 16 floats, blocks of 8 channels.
#include <cstddef>
#include <utility>

#include "kernels.hpp"

#define LANES 16
#define OUTS 8
#define REGISTER "v"

namespace tonecast {
namespace avx512 {
#include "blocks.inl"
#include "forward.inl"
#include "backward.inl"
}  // namespace avx512

extern const Kernels avx512_kernels = {"avx512", avx512::scratch_size, avx512::forward, avx512::backward, avx512::play};

}  // namespace tonecast
