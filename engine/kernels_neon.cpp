// The kernels for neon: vectors of 4 floats, blocks of 8 channels.
#include <cstddef>
#include <utility>

#include "kernels.hpp"

#define LANES 4
#define OUTS 8
#define REGISTER "w"

namespace tonecast {
namespace neon {
#include "blocks.inl"
#include "forward.inl"
#include "backward.inl"
}  // namespace neon

extern const Kernels neon_kernels = {"neon", neon::scratch_size, neon::forward, neon::backward, neon::play};

}  // namespace tonecast
