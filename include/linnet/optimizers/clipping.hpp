// Gradient clipping, which every optimizer has as its field `clip`.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "linnet/core/error.hpp"
#include "linnet/kernels/optimizer.hpp"
#include "linnet/kernels/vector_ops.hpp"

LINNET_NAMESPACE_BEGIN

/// Both may be used; values are clipped first. 0 means off.
struct GradientClipping {
  double value = 0;        ///< every element is held within [-value, value] (Keras's clipvalue)
  double global_norm = 0;  ///< all gradients together are scaled down to this Euclidean norm at most

  void validate(const std::string& who) const {
    if (!(value >= 0) || !(global_norm >= 0)) {
      throw ValueError(who + ": expected clipping limits >= 0 (0 is off), got " + std::to_string(value) + " and " +
                       std::to_string(global_norm));
    }
  }

  template <class T>
  void clip_values(std::span<T> g) const {
    if (value > 0) linnet::clip_values<T>(static_cast<Index>(g.size()), static_cast<T>(value), g.data());
  }

  /// What all gradients are multiplied by, given the sum of their squares: 1, or less.
  double norm_factor(double square_sum) const {
    const double norm = std::sqrt(square_sum);
    return global_norm > 0 && norm > global_norm ? global_norm / norm : 1;
  }
};

LINNET_NAMESPACE_END
