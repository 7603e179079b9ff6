// AnyLoss<T>: holds any loss by value.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "linnet/core/tensor.hpp"
#include "linnet/layers/activation.hpp"

LINNET_NAMESPACE_BEGIN

/// What a loss must have; losses/loss.hpp says what the functions do.
template <class L, class T>
concept Loss = std::copyable<L> &&
    requires(const L& loss, Index batch, const Shape& output, TensorView<const T> y, TensorView<T> dy) {
  { L::kName } -> std::convertible_to<std::string_view>;
  { loss.target_shape(output) } -> std::same_as<Shape>;
  { loss.evaluate(batch, y, y, dy) } -> std::same_as<double>;
};

template <class T>
class AnyLoss {
 public:
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyLoss> && Loss<std::remove_cvref_t<L>, T>)
      AnyLoss(L&& loss)  // NOLINT: a loss is handed over as it is
      : self_(std::make_shared<const Holder<std::remove_cvref_t<L>>>(std::forward<L>(loss))) {}

  std::string_view kind() const { return self_->kind(); }
  /// The shape of a sample's target for this shape of output. Throws ShapeError if there is none.
  Shape target_shape(const Shape& output) const { return self_->target_shape(output); }
  /// The sum of the samples' losses; dy, unless empty, becomes the gradient of that sum / batch.
  double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const {
    return self_->evaluate(batch, y, target, dy);
  }
  /// The same loss computed, more exactly, from what `activation` is applied to, if there is such a form.
  std::optional<AnyLoss> from_logits_of(const Activation& activation) const {
    return self_->from_logits_of(activation);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view kind() const = 0;
    virtual Shape target_shape(const Shape& output) const = 0;
    virtual double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const = 0;
    virtual std::optional<AnyLoss> from_logits_of(const Activation& activation) const = 0;
  };
  template <class L>
  struct Holder final : Interface {
    explicit Holder(L l) : loss(std::move(l)) {}
    std::string_view kind() const override { return L::kName; }
    Shape target_shape(const Shape& output) const override { return loss.target_shape(output); }
    double evaluate(Index batch, TensorView<const T> y, TensorView<const T> target, TensorView<T> dy) const override {
      return loss.evaluate(batch, y, target, dy);
    }
    std::optional<AnyLoss> from_logits_of(const Activation& activation) const override {
      if constexpr (requires { loss.from_logits_of(activation); }) {
        if (auto fused = loss.from_logits_of(activation)) return AnyLoss(*std::move(fused));
      }
      return std::nullopt;
    }
    L loss;
  };

  std::shared_ptr<const Interface> self_;  // a loss never changes, so copies share it
};

LINNET_NAMESPACE_END
