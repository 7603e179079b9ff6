// CategoricalCrossentropy: - sum over the classes of t log p; the classes are the last axis.
//
// From logits z, p = softmax(z): log p = z - max z - log sum e^(z - max z), and the derivative is p sum(t) - t. From
// probabilities, p is kept in [1e-7, 1 - 1e-7], and the derivative is 0 where that changes p.
#pragma once

#include <optional>
#include <string_view>

#include "linnet/layers/activation.hpp"
#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

struct CategoricalCrossentropy {
  static constexpr std::string_view kName = "CategoricalCrossentropy";

  bool from_logits = false;  ///< the output is what softmax would be applied to
  Reduction reduction = Reduction::mean;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("from_logits", from_logits);
    visit.field("reduction", reduction);
  }

  /// The target, a distribution over the classes at each position, has the shape of the output.
  Shape target_shape(const Shape& output) const {
    if (output.rank() < 1) throw ShapeError("CategoricalCrossentropy: expected an axis of classes, got a scalar");
    return detail::require_elements(kName, output);
  }

  std::optional<CategoricalCrossentropy> from_logits_of(const Activation& activation) const {
    if (from_logits || activation != softmax) return std::nullopt;
    return CategoricalCrossentropy{.from_logits = true, .reduction = reduction};
  }

  /// Throws ValueError for a target outside [0, 1].
  template <class T>
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    detail::require_probabilities<T>(kName, target);
    if (!from_logits) detail::require_output_probabilities<T>(kName, y);
    const Index classes = y.shape().back();
    const Index positions = y.sample_size() / classes;
    return detail::sum_over_samples<T>(
        reduction, batch, positions, y, target, dy, [&](Index n, const T* p, const T* t, T factor, T* d) {
          double total = 0;
          for (Index i = 0; i < n; i += classes) {
            T* to = d == nullptr ? nullptr : d + i;
            total += from_logits ? categorical_crossentropy_logits<T>(classes, p + i, t + i, factor, to)
                                 : categorical_crossentropy<T>(classes, p + i, t + i,
                                                               static_cast<T>(detail::kProbabilityEpsilon), factor, to);
          }
          return total;
        });
  }
};

LINNET_NAMESPACE_END
