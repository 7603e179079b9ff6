// AnyLayer<T>: holds any layer by value. The model knows layers only through it.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "linnet/layers/activation.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

// std::copyable comes last: asked of a type that wraps AnyLayer it would ask for AnyLayer's constructors again.

/// A layer that reads one node.
template <class L, class T>
concept SingleInputLayer = requires(const L& layer, const Shape& in, Context<T>& context, TensorView<const T> input,
                                    TensorView<T> output, Parameters<const T> w, Parameters<T> dw) {
  { L::kName } -> std::convertible_to<std::string_view>;
  { layer.plan(in) } -> std::same_as<LayerPlan>;
  layer.forward(context, input, w, output);
  layer.backward(context, input, input, output, w, output, dw);
}
&&std::copyable<L>;

/// A layer that reads several nodes, such as Add and Concatenate.
template <class L, class T>
concept MultiInputLayer = requires(const L& layer, std::span<const Shape> in, Context<T>& context, Inputs<const T> x,
                                   TensorView<const T> y, TensorView<T> dy, Parameters<const T> w, Inputs<T> dx,
                                   Parameters<T> dw) {
  { L::kName } -> std::convertible_to<std::string_view>;
  { layer.plan(in) } -> std::same_as<LayerPlan>;
  layer.forward(context, x, w, dy);
  layer.backward(context, x, y, dy, w, dx, dw);
}
&&std::copyable<L>;

/// What may stand in a model. layers/layer.hpp says what the functions must do.
template <class L, class T>
concept Layer = SingleInputLayer<L, T> || MultiInputLayer<L, T>;

/// Whether the layer lists its configuration, so that a model with it can be saved.
template <class L>
concept DescribedLayer = requires(L& layer, ConfigVisitor& visit) {
  layer.describe(visit);
};

template <class T>
class AnyLayer {
 public:
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyLayer> && Layer<std::remove_cvref_t<L>, T>)
      AnyLayer(L&& layer)  // NOLINT: a layer is put into a list as it is
      : self_(std::make_unique<Holder<std::remove_cvref_t<L>>>(std::forward<L>(layer))) {}
  AnyLayer(const AnyLayer& other) : self_(other.self_->clone()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  AnyLayer& operator=(AnyLayer other) noexcept {
    self_ = std::move(other.self_);
    return *this;
  }
  ~AnyLayer() = default;

  /// The kind of layer, for example "Conv2D".
  std::string_view kind() const { return self_->kind(); }
  /// Throws ShapeError or ValueError when the layer cannot work on these inputs.
  LayerPlan plan(std::span<const Shape> in) const { return self_->plan(in); }
  void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const {
    self_->prepare(w, want_dx, prepared);
  }
  void forward(Context<T>& context, Inputs<const T> x, Parameters<const T> w, TensorView<T> y) const {
    self_->forward(context, x, w, y);
  }
  void backward(Context<T>& context, Inputs<const T> x, TensorView<const T> y, TensorView<T> dy, Parameters<const T> w,
                Inputs<T> dx, Parameters<T> dw) const {
    self_->backward(context, x, y, dy, w, dx, dw);
  }
  /// A piece of LayerPlan::weight_pieces.
  void backward_weights(Index piece, TensorView<const T> x, TensorView<const T> dy, Parameters<T> dw) const {
    self_->backward_weights(piece, x, dy, dw);
  }
  void update_state(Parameters<T> w, Parameters<const T> dw) const { self_->update_state(w, dw); }
  /// Reads the configuration's fields, or sets them. Throws ValueError if the layer does not list them.
  void describe(ConfigVisitor& visit) { self_->describe(visit); }
  /// The layer itself if it is an L, else null.
  template <class L>
  const L* get_if() const {
    return self_->type() == &kTypeTag<L> ? &static_cast<const Holder<L>&>(*self_).layer : nullptr;
  }
  /// The activation that the layer ends with, if it is known to.
  std::optional<Activation> activation() const { return self_->activation(); }
  /// This layer without the activation at its end.
  AnyLayer without_activation() const { return AnyLayer(self_->without_activation()); }

 private:
  template <class L>
  inline static char kTypeTag = 0;  // its address stands for the type; a constant might share it with another

  struct Interface {
    virtual ~Interface() = default;
    virtual const void* type() const = 0;
    virtual std::unique_ptr<Interface> clone() const = 0;
    virtual std::string_view kind() const = 0;
    virtual LayerPlan plan(std::span<const Shape> in) const = 0;
    virtual void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const = 0;
    virtual void forward(Context<T>&, Inputs<const T> x, Parameters<const T> w, TensorView<T> y) const = 0;
    virtual void backward(Context<T>&, Inputs<const T> x, TensorView<const T> y, TensorView<T> dy,
                          Parameters<const T> w, Inputs<T> dx, Parameters<T> dw) const = 0;
    virtual void backward_weights(Index piece, TensorView<const T> x, TensorView<const T> dy,
                                  Parameters<T> dw) const = 0;
    virtual void update_state(Parameters<T> w, Parameters<const T> dw) const = 0;
    virtual void describe(ConfigVisitor& visit) = 0;
    virtual std::optional<Activation> activation() const = 0;
    virtual std::unique_ptr<Interface> without_activation() const = 0;
  };

  template <class L>
  struct Holder final : Interface {
    static constexpr bool kHasBackwardWeights =
        SingleInputLayer<L, T> && requires(const L& l, TensorView<const T> x, Parameters<T> dw) {
      l.backward_weights(Index{}, x, x, dw);
    };

    explicit Holder(L l) : layer(std::move(l)) {}
    std::unique_ptr<Interface> clone() const override { return std::make_unique<Holder>(layer); }
    const void* type() const override { return &kTypeTag<L>; }
    std::string_view kind() const override { return L::kName; }

    LayerPlan plan(std::span<const Shape> in) const override {
      LayerPlan plan;
      if constexpr (SingleInputLayer<L, T>) {
        if (in.size() != 1) {
          throw ShapeError(std::string(L::kName) + ": expected 1 input, got " + std::to_string(in.size()));
        }
        plan = layer.plan(in[0]);
      } else {
        plan = layer.plan(in);
      }
      if (plan.weight_pieces != 0 && (plan.weight_pieces < 0 || plan.couples_batch || !kHasBackwardWeights)) {
        throw ValueError(std::string(L::kName) + ": LayerPlan::weight_pieces is " + std::to_string(plan.weight_pieces) +
                         "; expected 0, or a layer with a const backward_weights() and one input that does not couple "
                         "the batch");
      }
      return plan;
    }
    void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const override {
      if constexpr (requires { layer.prepare(w, want_dx, prepared); }) {
        layer.prepare(w, want_dx, prepared);
      } else {
        static_assert(
            !requires(L & l) { l.prepare(w, want_dx, prepared); }, "prepare() must be const");
      }
    }
    void forward(Context<T>& context, Inputs<const T> x, Parameters<const T> w, TensorView<T> y) const override {
      if constexpr (SingleInputLayer<L, T>) {
        layer.forward(context, x[0], w, y);
      } else {
        layer.forward(context, x, w, y);
      }
    }
    void backward(Context<T>& context, Inputs<const T> x, TensorView<const T> y, TensorView<T> dy,
                  Parameters<const T> w, Inputs<T> dx, Parameters<T> dw) const override {
      if constexpr (SingleInputLayer<L, T>) {
        layer.backward(context, x[0], y, dy, w, dx[0], dw);
      } else {
        layer.backward(context, x, y, dy, w, dx, dw);
      }
    }
    void backward_weights(Index piece, TensorView<const T> x, TensorView<const T> dy, Parameters<T> dw) const override {
      if constexpr (kHasBackwardWeights) layer.backward_weights(piece, x, dy, dw);
    }
    void update_state(Parameters<T> w, Parameters<const T> dw) const override {
      if constexpr (requires { layer.update_state(w, dw); }) {
        layer.update_state(w, dw);
      } else {
        static_assert(
            !requires(L & l) { l.update_state(w, dw); }, "update_state() must be const");
      }
    }
    void describe(ConfigVisitor& visit) override {
      if constexpr (DescribedLayer<L>) {
        layer.describe(visit);
      } else {
        throw ValueError(std::string(L::kName) + ": has no describe(), so a model with it cannot be saved");
      }
    }
    std::optional<Activation> activation() const override {
      if constexpr (std::same_as<L, Activation>) {
        return layer;
      } else if constexpr (requires { requires L::kEndsWithActivation; }) {
        return layer.activation;
      } else {
        return std::nullopt;
      }
    }
    std::unique_ptr<Interface> without_activation() const override {
      L bare = layer;
      if constexpr (std::same_as<L, Activation>) {
        bare = linear;
      } else if constexpr (requires { requires L::kEndsWithActivation; }) {
        bare.activation = linear;
      }
      return std::make_unique<Holder>(std::move(bare));
    }

    L layer;
  };

  explicit AnyLayer(std::unique_ptr<Interface> self) : self_(std::move(self)) {}

  std::unique_ptr<Interface> self_;
};

LINNET_NAMESPACE_END
