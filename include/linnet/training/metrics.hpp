// Metrics: figures about outputs and targets that training reports and does not follow.
#pragma once

#include <cmath>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "linnet/core/tensor.hpp"

LINNET_NAMESPACE_BEGIN

/// A metric is any type with a name (the column's title) and a value per sample; the mean over all samples is
/// reported. `y` and `target` hold one sample each. A metric that does not take every shape has, besides,
/// `void validate(const Shape& output, const Shape& target) const`, which throws ShapeError.
template <class M, class T>
concept Metric = std::copyable<M> && requires(const M& metric, TensorView<const T> sample) {
  { metric.name() } -> std::convertible_to<std::string>;
  { metric.evaluate(sample, sample) } -> std::convertible_to<double>;
};

/// The index of the largest element: the first, where several are.
template <class T>
Index argmax(TensorView<T> values) {
  Index best = 0;
  for (Index i = 1; i < values.size(); ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}
template <class T>
Index argmax(const Tensor<T>& values) {
  return argmax(values.view());
}

namespace detail {
inline void require_same_shape(const char* metric, const Shape& output, const Shape& target) {
  if (output == target) return;
  throw ShapeError(std::string(metric) + ": expected targets of the output's shape " + output.to_string() + ", got " +
                   target.to_string());
}
}  // namespace detail

/// The share of samples whose largest output is the target's class, a class index {1}.
struct SparseCategoricalAccuracy {
  std::string name() const { return "accuracy"; }
  void validate(const Shape& output, const Shape& target) const {
    if (target.size() == 1 && output.size() > 1) return;
    throw ShapeError("SparseCategoricalAccuracy: expected an output of several classes and a target {1}, got " +
                     output.to_string() + " and " + target.to_string());
  }
  template <class T>
  double evaluate(TensorView<const T> y, TensorView<const T> target) const {
    return static_cast<Index>(target[0]) == argmax(y) ? 1 : 0;
  }
};

/// The share of samples whose largest output is where the target's largest is.
struct CategoricalAccuracy {
  std::string name() const { return "accuracy"; }
  void validate(const Shape& output, const Shape& target) const {
    detail::require_same_shape("CategoricalAccuracy", output, target);
  }
  template <class T>
  double evaluate(TensorView<const T> y, TensorView<const T> target) const {
    return argmax(y) == argmax(target) ? 1 : 0;
  }
};

/// The share of elements that lie on the target's side of a threshold.
struct BinaryAccuracy {
  double threshold = 0.5;
  std::string name() const { return "accuracy"; }
  void validate(const Shape& output, const Shape& target) const {
    detail::require_same_shape("BinaryAccuracy", output, target);
  }
  template <class T>
  double evaluate(TensorView<const T> y, TensorView<const T> target) const {
    Index right = 0;
    for (Index i = 0; i < y.size(); ++i) {
      const bool expected = static_cast<double>(target[i]) > threshold;
      right += (static_cast<double>(y[i]) > threshold) == expected ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(y.size());
  }
};

/// The mean of (y - target)^2 over the elements.
struct MeanSquaredErrorMetric {
  std::string name() const { return "mse"; }
  void validate(const Shape& output, const Shape& target) const {
    detail::require_same_shape("MeanSquaredErrorMetric", output, target);
  }
  template <class T>
  double evaluate(TensorView<const T> y, TensorView<const T> target) const {
    double sum = 0;
    for (Index i = 0; i < y.size(); ++i) {
      const double error = static_cast<double>(y[i]) - static_cast<double>(target[i]);
      sum = std::fma(error, error, sum);
    }
    return sum / static_cast<double>(y.size());
  }
};

/// The mean of |y - target| over the elements.
struct MeanAbsoluteErrorMetric {
  std::string name() const { return "mae"; }
  void validate(const Shape& output, const Shape& target) const {
    detail::require_same_shape("MeanAbsoluteErrorMetric", output, target);
  }
  template <class T>
  double evaluate(TensorView<const T> y, TensorView<const T> target) const {
    double sum = 0;
    for (Index i = 0; i < y.size(); ++i) {
      sum += std::abs(static_cast<double>(y[i]) - static_cast<double>(target[i]));
    }
    return sum / static_cast<double>(y.size());
  }
};

/// Holds any metric. Copies share it: a metric never changes.
template <class T>
class AnyMetric {
 public:
  template <class M>
  requires(!std::same_as<std::remove_cvref_t<M>, AnyMetric> && Metric<std::remove_cvref_t<M>, T>)
      AnyMetric(M&& metric)  // NOLINT: a metric is put into a list as it is
      : self_(std::make_shared<const Holder<std::remove_cvref_t<M>>>(std::forward<M>(metric))), name_(self_->name()) {}

  const std::string& name() const { return name_; }
  void validate(const Shape& output, const Shape& target) const { self_->validate(output, target); }
  double evaluate(TensorView<const T> y, TensorView<const T> target) const { return self_->evaluate(y, target); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string name() const = 0;
    virtual void validate(const Shape& output, const Shape& target) const = 0;
    virtual double evaluate(TensorView<const T> y, TensorView<const T> target) const = 0;
  };
  template <class M>
  struct Holder final : Interface {
    explicit Holder(M m) : metric(std::move(m)) {}
    std::string name() const override { return metric.name(); }
    void validate(const Shape& output, const Shape& target) const override {
      if constexpr (requires { metric.validate(output, target); }) metric.validate(output, target);
    }
    double evaluate(TensorView<const T> y, TensorView<const T> target) const override {
      return metric.evaluate(y, target);
    }
    M metric;
  };
  std::shared_ptr<const Interface> self_;
  std::string name_;
};

LINNET_NAMESPACE_END
