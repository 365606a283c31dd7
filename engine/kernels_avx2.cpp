// The kernels for avx2: vectors of 8 floats, blocks of 4 channels.
#include <cstddef>
#include <utility>

#include "kernels.hpp"

#define LANES 8
#define OUTS 4
#define REGISTER "x"

namespace tonecast {
namespace avx2 {
#include "blocks.inl"
#include "forward.inl"
#include "backward.inl"
}  // namespace avx2

extern const Kernels avx2_kernels = {"avx2", avx2::scratch_size, avx2::forward, avx2::backward, avx2::play};

}  // namespace tonecast
