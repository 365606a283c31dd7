// The kernels for plain: vectors of 4 floats, blocks of 4 channels.
#include <cstddef>
#include <utility>

#include "kernels.hpp"

#define LANES 4
#define OUTS 4

namespace tonecast {
namespace plain {
#include "blocks.inl"
#include "forward.inl"
#include "backward.inl"
}  // namespace plain

extern const Kernels plain_kernels = {"plain", plain::scratch_size, plain::forward, plain::backward, plain::play};

}  // namespace tonecast
