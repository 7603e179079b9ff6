// AnyOptimizer<T>: holds any optimizer. Copies share it: an optimizer never changes, its state lies in the trainer.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "linnet/layers/layer.hpp"
#include "linnet/optimizers/clipping.hpp"
#include "linnet/optimizers/schedule.hpp"

LINNET_NAMESPACE_BEGIN

/// What an optimizer must have. `update` is element-wise: it may be called for parts of the arena in any order, with a
/// step that counts from 1 and advances once per training step.
template <class O, class T>
concept Optimizer = std::copyable<O> && requires(const O& optimizer, Index step, double rate, std::span<T> w,
                                                 std::span<const T> g, std::span<const std::span<T>> slots) {
  { O::kName } -> std::convertible_to<std::string_view>;
  { optimizer.slots() } -> std::same_as<int>;
  { optimizer.learning_rate } -> std::convertible_to<Schedule>;
  { optimizer.clip } -> std::convertible_to<GradientClipping>;
  optimizer.validate();
  optimizer.update(step, rate, w, g, slots);
};

template <class T>
class AnyOptimizer {
 public:
  template <class O>
  requires(!std::same_as<std::remove_cvref_t<O>, AnyOptimizer> && Optimizer<std::remove_cvref_t<O>, T>)
      AnyOptimizer(O&& optimizer)  // NOLINT: an optimizer is handed over as it is
      : learning_rate(optimizer.learning_rate), clip(optimizer.clip) {
    optimizer.validate();
    self_ = std::make_shared<const Holder<std::remove_cvref_t<O>>>(std::forward<O>(optimizer));
  }

  std::string_view kind() const { return self_->kind(); }
  /// How many scalars of state (momentum, ...) each weight has.
  int slots() const { return self_->slots(); }
  void update(Index step, double rate, std::span<T> w, std::span<const T> g,
              std::span<const std::span<T>> slots) const {
    self_->update(step, rate, w, g, slots);
  }

  /// The optimizer's own values, which callbacks may change during training.
  Schedule learning_rate;
  GradientClipping clip;

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view kind() const = 0;
    virtual int slots() const = 0;
    virtual void update(Index step, double rate, std::span<T> w, std::span<const T> g,
                        std::span<const std::span<T>> slots) const = 0;
  };
  template <class O>
  struct Holder final : Interface {
    explicit Holder(O o) : optimizer(std::move(o)) {}
    std::string_view kind() const override { return O::kName; }
    int slots() const override { return optimizer.slots(); }
    void update(Index step, double rate, std::span<T> w, std::span<const T> g,
                std::span<const std::span<T>> slots) const override {
      optimizer.update(step, rate, w, g, slots);
    }
    O optimizer;
  };

  std::shared_ptr<const Interface> self_;
};

LINNET_NAMESPACE_END
