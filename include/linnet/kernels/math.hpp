// Elementary functions over memory: float results have the same bits on every machine, which the C library's
// have not. The comments give the largest error against the exact value in units in the last place
// (ULP), found by tests/kernels/math_test.cpp at every 1,021st float there is; double goes through the C++ library.
#pragma once

#include <limits>

#include "linnet/simd/dispatch.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/math.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// y = e^x; 2 ULP.
template <class T>
void vector_exp(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_exp<T>, (n, x, y));
}
/// y = e^x - 1; 3 ULP.
template <class T>
void vector_expm1(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_expm1<T>, (n, x, y));
}
/// y = log x; 2 ULP.
template <class T>
void vector_log(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_log<T>, (n, x, y));
}
/// y = log(1 + x); 3 ULP.
template <class T>
void vector_log1p(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_log1p<T>, (n, x, y));
}
/// y = 1 / (1 + e^-x); 4 ULP.
template <class T>
void vector_sigmoid(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_sigmoid<T>, (n, x, y));
}
/// y = tanh x; 4 ULP.
template <class T>
void vector_tanh(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_tanh<T>, (n, x, y));
}
/// y = log(1 + e^x); 4 ULP.
template <class T>
void vector_softplus(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_softplus<T>, (n, x, y));
}
/// y = erf x; 4 ULP.
template <class T>
void vector_erf(Index n, const T* x, T* y) {
  LINNET_DISPATCH(vector_erf<T>, (n, x, y));
}

LINNET_NAMESPACE_END
