// Activation: an element-wise function (or softmax). It is the field of a layer,
// `Conv2D{.filters = 16, .activation = relu}`, and a layer by itself.
//
// Backward: dz = dy f'(z). For most functions f'(z) is a simple expression of the output y = f(z)
// (sigmoid: y (1 - y)), so nothing is saved; gelu and silu are not monotonic and keep z.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "linnet/core/names.hpp"
#include "linnet/kernels/activation.hpp"
#include "linnet/kernels/epilogue.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

inline constexpr auto names(ActivationKind) {
  using Kind = ActivationKind;
  return std::array{
      NameOf{Kind::linear, "linear"},     NameOf{Kind::relu, "relu"},       NameOf{Kind::leaky_relu, "leaky_relu"},
      NameOf{Kind::elu, "elu"},           NameOf{Kind::selu, "selu"},       NameOf{Kind::gelu, "gelu"},
      NameOf{Kind::silu, "silu"},         NameOf{Kind::sigmoid, "sigmoid"}, NameOf{Kind::tanh, "tanh"},
      NameOf{Kind::softplus, "softplus"}, NameOf{Kind::softmax, "softmax"},
  };
}

struct Activation {
  using Kind = ActivationKind;
  static constexpr std::string_view kName = "Activation";

  Kind kind = Kind::linear;
  /// leaky_relu: the slope below 0. elu: minus the limit at -infinity. No meaning for the others.
  double alpha = 0;

  /// A namespace-level `tanh` would hide ::tanh from those who use the whole namespace.
  static const Activation tanh;

  /// The same function with another alpha: leaky_relu.with(0.01).
  constexpr Activation with(double new_alpha) const { return {kind, new_alpha}; }

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("kind", kind);
    visit.field("alpha", alpha);
  }
  friend bool operator==(const Activation&, const Activation&) = default;

  /// Whether apply_backward() needs the input z, not the output y.
  constexpr bool needs_input() const { return activation_needs_input(kind); }

  /// Whether x < y gives f(x) <= f(y), element by element.
  constexpr bool never_falls() const { return !needs_input() && kind != Kind::softmax; }

  /// Whether kernels of convolutions and of products take it (Epilogue): the others are a pass over the output of a
  /// layer, which is in the cache then.
  constexpr bool in_kernel() const { return kind == Kind::relu; }

  /// y = f(y), in place; softmax is over the last axis.
  template <class T>
  void apply(TensorView<T> y) const {
    activate<T>(kind, static_cast<T>(alpha), y.size(), y.shape().back(), y.data());
  }
  /// dy = dy f'(z), in place, from z if needs_input(), else from y.
  template <class T>
  void apply_backward(TensorView<const T> z_or_y, TensorView<T> dy) const {
    activate_backward<T>(kind, static_cast<T>(alpha), dy.size(), dy.shape().back(), z_or_y.data(), dy.data());
  }

  /// Throws ValueError for an alpha that makes the function fall where it should not.
  void validate(std::string_view who) const {
    if (!(alpha >= 0 && std::isfinite(alpha))) {
      throw ValueError(std::string(who) + ": expected an activation with a finite alpha >= 0, got " +
                       std::to_string(alpha));
    }
  }

  // As a layer by itself.

  LayerPlan plan(const Shape& in) const {
    validate(kName);
    return {.output = in};
  }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    std::copy(x.begin(), x.end(), y.begin());
    apply(y);
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    std::copy(dy.begin(), dy.end(), dx.begin());
    apply_backward(needs_input() ? x : y, dx);
  }
};

inline constexpr Activation Activation::tanh{ActivationKind::tanh};
inline constexpr Activation linear{ActivationKind::linear};
inline constexpr Activation relu{ActivationKind::relu};
inline constexpr Activation leaky_relu{ActivationKind::leaky_relu, 0.2};
inline constexpr Activation elu{ActivationKind::elu, 1};
inline constexpr Activation selu{ActivationKind::selu};
inline constexpr Activation gelu{ActivationKind::gelu};
inline constexpr Activation silu{ActivationKind::silu};
inline constexpr Activation sigmoid{ActivationKind::sigmoid};
inline constexpr Activation softplus{ActivationKind::softplus};
inline constexpr Activation softmax{ActivationKind::softmax};

// For a layer that ends with an activation:

/// The scalars per sample that it saves: z, where the derivative needs it.
inline Index saved_for(const Activation& activation, const Shape& output) {
  return activation.needs_input() ? output.size() : 0;
}

/// What the kernel of a layer makes of its sums: it adds the bias (if `use_bias`), and takes a relu besides.
template <class T>
Epilogue<T> epilogue_with(const Activation& activation, bool use_bias, Parameters<const T> w) {
  return {.bias = use_bias ? w[1].data() : nullptr, .relu = activation.in_kernel()};
}

/// The name of that kernel: "rows", "rows + relu".
inline std::string with_epilogue(std::string kernel, const Activation& activation) {
  return activation.in_kernel() ? std::move(kernel) + " + relu" : std::move(kernel);
}

/// y holds what the kernel made of z with epilogue_with(); saves z, where backward() will need it, and makes it f(z).
template <class T>
void finish_forward(const Activation& activation, const Context<T>& context, TensorView<T> y) {
  if (activation.needs_input() && context.training) std::copy(y.begin(), y.end(), context.saved.begin());
  if (!activation.in_kernel()) activation.apply(y);
}

/// Turns dy into dz, in place.
template <class T>
void start_backward(const Activation& activation, const Context<T>& context, TensorView<const T> y, TensorView<T> dy) {
  if (activation.needs_input()) {
    activation.apply_backward(TensorView<const T>(context.saved.data(), dy.shape()), dy);
  } else {
    activation.apply_backward(y, dy);
  }
}

LINNET_NAMESPACE_END
