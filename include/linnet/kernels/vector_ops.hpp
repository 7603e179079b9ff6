// Element-wise arithmetic on runs of memory, for layers and the execution of a plan.
#pragma once

#include "linnet/simd/dispatch.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/vector_ops.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// y += x, for n elements.
template <class T>
void add_to(Index n, const T* x, T* y) {
  LINNET_DISPATCH(add_to<T>, (n, x, y));
}
/// y += a * x.
template <class T>
void axpy(Index n, T a, const T* x, T* y) {
  LINNET_DISPATCH(axpy<T>, (n, a, x, y));
}
/// y = a * x.
template <class T>
void scale(Index n, T a, const T* x, T* y) {
  LINNET_DISPATCH(scale<T>, (n, a, x, y));
}
/// y = gate < least ? 0 : a * x, for n elements.
template <class T>
void scale_gated(Index n, T a, const T* gate, T least, const T* x, T* y) {
  LINNET_DISPATCH(scale_gated<T>, (n, a, gate, least, x, y));
}
/// sums[c] += the sum over the rows of x {rows, columns}.
template <class T>
void column_sums(Index rows, Index columns, const T* x, T* sums) {
  LINNET_DISPATCH(column_sums<T>, (rows, columns, x, sums));
}
/// The sum of x^2, in double.
template <class T>
double sum_of_squares(Index n, const T* x) {
  return LINNET_DISPATCH(sum_of_squares<T>, (n, x));
}

LINNET_NAMESPACE_END
