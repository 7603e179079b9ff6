// Huber: e^2 / 2 for |e| <= delta, else delta (|e| - delta / 2), with e = y - t (P. Huber, Ann. Math. Stat. 35, 1964).
#pragma once

#include <string_view>

#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

struct Huber {
  static constexpr std::string_view kName = "Huber";

  double delta = 1;  ///< > 0
  Reduction reduction = Reduction::mean;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("delta", delta);
    visit.field("reduction", reduction);
  }

  /// The target has the shape of the output.
  Shape target_shape(const Shape& output) const {
    if (!(delta > 0)) throw ValueError("Huber: expected a delta > 0, got " + std::to_string(delta));
    return detail::require_elements(kName, output);
  }
  template <class T>
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    return detail::sum_over_samples<T>(reduction, batch, y.sample_size(), y, target, dy,
                                       [&](Index n, const T* p, const T* t, T factor, T* d) {
                                         return huber<T>(n, p, t, static_cast<T>(delta), factor, d);
                                       });
  }
};

LINNET_NAMESPACE_END
