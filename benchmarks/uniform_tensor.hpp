#pragma once

#include "linnet/core/random.hpp"
#include "linnet/core/tensor.hpp"

namespace linnet::bench {

/// A tensor of uniform numbers in [0, 1).
inline Tensor<float> uniform_tensor(const Shape& shape, std::uint32_t stream) {
  Tensor<float> tensor(shape);
  const RandomKey key{1, stream};
  for (Index i = 0; i < tensor.size(); ++i) tensor[i] = key.uniform(i);
  return tensor;
}

}  // namespace linnet::bench
