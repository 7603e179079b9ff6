// SparseCategoricalCrossentropy: - log of the probability of the right class, which the target names by its index.
//
// It is CategoricalCrossentropy with the target 1 at that class and 0 elsewhere, and is computed in the same way.
#pragma once

#include <optional>
#include <string_view>

#include "linnet/layers/activation.hpp"
#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

struct SparseCategoricalCrossentropy {
  static constexpr std::string_view kName = "SparseCategoricalCrossentropy";

  bool from_logits = false;  ///< the output is what softmax would be applied to

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("from_logits", from_logits);
  }

  /// One index, {1}, for an output {classes}.
  Shape target_shape(const Shape& output) const {
    if (output.rank() != 1 || output.size() == 0) {
      throw ShapeError("SparseCategoricalCrossentropy: expected an output {classes}, got " + output.to_string());
    }
    return {1};
  }

  std::optional<SparseCategoricalCrossentropy> from_logits_of(const Activation& activation) const {
    if (from_logits || activation != softmax) return std::nullopt;
    return SparseCategoricalCrossentropy{.from_logits = true};
  }

  /// Throws ValueError for a target that is no index of a class, or outputs that are no probabilities.
  template <class T>
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    if (!from_logits) detail::require_output_probabilities<T>(kName, y);
    const Index classes = y.sample_size();
    const T scale = static_cast<T>(1 / static_cast<double>(batch));
    double total = 0;
    for (Index s = 0; s < y.batch(); ++s) {
      const T label = target[s];
      if (!(label >= T(0) && label < static_cast<T>(classes)) || static_cast<T>(static_cast<Index>(label)) != label) {
        throw ValueError("SparseCategoricalCrossentropy: expected a class, a whole number in [0, " +
                         std::to_string(classes) + "), got " + std::to_string(label));
      }
      const T* p = y.data() + s * classes;
      T* d = dy.empty() ? nullptr : dy.data() + s * classes;
      const T epsilon = static_cast<T>(detail::kProbabilityEpsilon);
      total += from_logits ? sparse_crossentropy_logits<T>(classes, p, static_cast<Index>(label), scale, d)
                           : sparse_crossentropy<T>(classes, p, static_cast<Index>(label), epsilon, scale, d);
    }
    return total;
  }
};

LINNET_NAMESPACE_END
