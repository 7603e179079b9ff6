// What the losses share.
//
// A loss is a value with
//
//     static constexpr std::string_view kName;
//     Shape target_shape(const Shape& output) const;
//     template <class T> double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target,
//                                        TensorView<T> dy) const;
//
// y and target hold some samples of a batch of `batch`. evaluate() returns the sum of these samples' losses and
// makes dy, unless it is empty, the gradient of (the sum over the batch) / batch: losses are always averaged
// over the batch. A loss on probabilities may have `std::optional<...> from_logits_of(const Activation&) const`:
// itself on what the activation is applied to, which the model then uses in its place.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "linnet/core/names.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/kernels/loss.hpp"

LINNET_NAMESPACE_BEGIN

/// How the elements of one sample become its loss.
enum class Reduction {
  mean,  ///< as Keras: the mean over a sample's elements (crossentropies over classes: over its positions)
  sum    ///< their sum: the negative ELBO of a variational autoencoder
};

inline constexpr auto names(Reduction) {
  return std::array{NameOf{Reduction::mean, "mean"}, NameOf{Reduction::sum, "sum"}};
}

namespace detail {

/// What probabilities are kept away from 0 and 1 by, as in Keras.
inline constexpr double kProbabilityEpsilon = 1e-7;

/// The losses that sum a function over the elements of a sample: kernel(n, y, target, factor, dy).
template <class T, class Kernel>
double sum_over_samples(Reduction reduction, Index batch, Index terms, TensorView<const T> y,
                        TensorView<const T> target, TensorView<T> dy, const Kernel& kernel) {
  const Index n = y.sample_size();
  const double count = reduction == Reduction::mean ? static_cast<double>(terms) : 1.0;
  const T factor = static_cast<T>(1 / (count * static_cast<double>(batch)));
  double total = 0;
  for (Index s = 0; s < y.batch(); ++s) {
    total += kernel(n, y.data() + s * n, target.data() + s * n, factor, dy.empty() ? nullptr : dy.data() + s * n);
  }
  return total / count;
}

/// Throws ValueError unless all targets are in [0, 1].
template <class T>
void require_probabilities(std::string_view who, TensorView<const T> target) {
  const Index place = find_outside<T>(target.size(), target.data(), T(0), T(1));
  if (place < 0) return;
  throw ValueError(std::string(who) + ": expected targets in [0, 1], got " + std::to_string(target[place]) +
                   " (element " + std::to_string(place % target.sample_size()) + " of a sample)");
}

/// Throws ValueError for outputs that cannot be probabilities: most often those of a network that ends without a
/// softmax. (A NaN is not reported here but where losses that are not finite are.)
template <class T>
void require_output_probabilities(std::string_view who, TensorView<const T> y, const char* activation = "softmax",
                                  T most = 1) {
  constexpr T kSlack = static_cast<T>(1e-3);
  const Index place = find_outside<T>(y.size(), y.data(), -kSlack, most + kSlack);
  if (place < 0 || y[place] != y[place]) return;
  throw ValueError(std::string(who) + ": expected outputs that are probabilities, got " + std::to_string(y[place]) +
                   "; is a " + activation + " missing, or from_logits = true?");
}

/// Throws ShapeError unless an output can be compared with a target at all.
inline Shape require_elements(std::string_view who, const Shape& output) {
  if (output.size() == 0) {
    throw ShapeError(std::string(who) + ": expected an output with elements, got " + output.to_string());
  }
  return output;
}

}  // namespace detail

LINNET_NAMESPACE_END
