// MeanSquaredError: (y - t)^2.
#pragma once

#include <string_view>

#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

struct MeanSquaredError {
  static constexpr std::string_view kName = "MeanSquaredError";

  Reduction reduction = Reduction::mean;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("reduction", reduction);
  }

  /// The target has the shape of the output.
  Shape target_shape(const Shape& output) const { return detail::require_elements(kName, output); }
  template <class T>
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    return detail::sum_over_samples<T>(
        reduction, batch, y.sample_size(), y, target, dy,
        [&](Index n, const T* p, const T* t, T factor, T* d) { return squared_error<T>(n, p, t, factor, d); });
  }
};

LINNET_NAMESPACE_END
