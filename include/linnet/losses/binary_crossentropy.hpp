// BinaryCrossentropy: -t log p - (1 - t) log(1 - p) for every element, with targets t anywhere in [0, 1].
//
// From logits z, p = sigmoid(z): max(z, 0) - z t + log(1 + e^-|z|), whose derivative is p - t. From probabilities, p is
// kept in [1e-7, 1 - 1e-7], as in Keras, and the derivative is 0 where that changes p.
#pragma once

#include <optional>
#include <string_view>

#include "linnet/layers/activation.hpp"
#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

struct BinaryCrossentropy {
  static constexpr std::string_view kName = "BinaryCrossentropy";

  bool from_logits = false;  ///< the output is what sigmoid would be applied to
  Reduction reduction = Reduction::mean;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("from_logits", from_logits);
    visit.field("reduction", reduction);
  }

  /// The target has the shape of the output.
  Shape target_shape(const Shape& output) const { return detail::require_elements(kName, output); }

  std::optional<BinaryCrossentropy> from_logits_of(const Activation& activation) const {
    if (from_logits || activation != sigmoid) return std::nullopt;
    return BinaryCrossentropy{.from_logits = true, .reduction = reduction};
  }

  /// Throws ValueError for a target outside [0, 1], and for an output below 0. (One above 1, as a relu may give,
  /// counts as 1.)
  template <class T>
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    detail::require_probabilities<T>(kName, target);
    if (!from_logits) {
      detail::require_output_probabilities<T>(kName, y, "sigmoid", std::numeric_limits<T>::infinity());
    }
    return detail::sum_over_samples<T>(
        reduction, batch, y.sample_size(), y, target, dy, [&](Index n, const T* p, const T* t, T factor, T* d) {
          if (from_logits) return binary_crossentropy_logits<T>(n, p, t, factor, d);
          return binary_crossentropy<T>(n, p, t, static_cast<T>(detail::kProbabilityEpsilon), factor, d);
        });
  }
};

LINNET_NAMESPACE_END
