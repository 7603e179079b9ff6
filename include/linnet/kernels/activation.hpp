// The kernels of the activations, in place.
#pragma once

#include "linnet/kernels/math.hpp"

LINNET_NAMESPACE_BEGIN

enum class ActivationKind { linear, relu, leaky_relu, elu, selu, gelu, silu, sigmoid, tanh, softplus, softmax };

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/activation.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// y = f(y) for n elements, in rows of `row` elements (which only softmax looks at).
template <class T>
void activate(ActivationKind kind, T alpha, Index n, Index row, T* y) {
  if (kind == ActivationKind::softmax) {
    LINNET_DISPATCH(activate_softmax<T>, (row == 0 ? 0 : n / row, row, y));
  } else {
    LINNET_DISPATCH(activate<T>, (kind, alpha, n, y));
  }
}

/// dy = dy * f'(z), from f's output v = f(z), or from v = z where activation_needs_input() says so.
template <class T>
void activate_backward(ActivationKind kind, T alpha, Index n, Index row, const T* v, T* dy) {
  if (kind == ActivationKind::softmax) {
    LINNET_DISPATCH(activate_softmax_backward<T>, (row == 0 ? 0 : n / row, row, v, dy));
  } else {
    LINNET_DISPATCH(activate_backward<T>, (kind, alpha, n, v, dy));
  }
}

/// True where two inputs can have the same output but not the same derivative.
constexpr bool activation_needs_input(ActivationKind kind) {
  return kind == ActivationKind::gelu || kind == ActivationKind::silu;
}

LINNET_NAMESPACE_END
