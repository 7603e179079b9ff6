// The kernels of the losses, one sample of n elements each: they return the sum over the elements and write `factor`
// times the derivative to dy, unless that is null. The formulas stand at the kernels.
#pragma once

#include "linnet/kernels/math.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/loss.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
double binary_crossentropy(Index n, const T* y, const T* target, T epsilon, T factor, T* dy) {
  return LINNET_DISPATCH(binary_crossentropy<T>, (n, y, target, epsilon, factor, dy));
}
template <class T>
double binary_crossentropy_logits(Index n, const T* z, const T* target, T factor, T* dz) {
  return LINNET_DISPATCH(binary_crossentropy_logits<T>, (n, z, target, factor, dz));
}
template <class T>
double categorical_crossentropy(Index n, const T* y, const T* target, T epsilon, T factor, T* dy) {
  return LINNET_DISPATCH(categorical_crossentropy<T>, (n, y, target, epsilon, factor, dy));
}
template <class T>
double categorical_crossentropy_logits(Index n, const T* z, const T* target, T factor, T* dz) {
  return LINNET_DISPATCH(categorical_crossentropy_logits<T>, (n, z, target, factor, dz));
}
template <class T>
double sparse_crossentropy(Index n, const T* y, Index label, T epsilon, T factor, T* dy) {
  return LINNET_DISPATCH(sparse_crossentropy<T>, (n, y, label, epsilon, factor, dy));
}
template <class T>
double sparse_crossentropy_logits(Index n, const T* z, Index label, T factor, T* dz) {
  return LINNET_DISPATCH(sparse_crossentropy_logits<T>, (n, z, label, factor, dz));
}
template <class T>
double squared_error(Index n, const T* y, const T* target, T factor, T* dy) {
  return LINNET_DISPATCH(squared_error<T>, (n, y, target, factor, dy));
}
template <class T>
double absolute_error(Index n, const T* y, const T* target, T factor, T* dy) {
  return LINNET_DISPATCH(absolute_error<T>, (n, y, target, factor, dy));
}
template <class T>
double huber(Index n, const T* y, const T* target, T delta, T factor, T* dy) {
  return LINNET_DISPATCH(huber<T>, (n, y, target, delta, factor, dy));
}
/// The place of the first of n values that is not in [low, high], where low <= 0 <= high, or -1.
template <class T>
Index find_outside(Index n, const T* values, T low, T high) {
  return LINNET_DISPATCH(find_outside<T>, (n, values, low, high));
}

LINNET_NAMESPACE_END
