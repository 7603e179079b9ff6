// The kernels of the optimizers, for n weights. Slots that are not used are null. The formulas stand at the kernels.
#pragma once

#include "linnet/simd/dispatch.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/optimizer.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
void sgd_update(Index n, T rate, T momentum, bool nesterov, T decay, T* w, const T* g, T* v) {
  LINNET_DISPATCH(sgd_update<T>, (n, rate, momentum, nesterov, decay, w, g, v));
}
template <class T>
void rmsprop_update(Index n, T rate, T rho, T one_minus_rho, T momentum, T epsilon, T* w, const T* g, T* s, T* v) {
  LINNET_DISPATCH(rmsprop_update<T>, (n, rate, rho, one_minus_rho, momentum, epsilon, w, g, s, v));
}
template <class T>
void adam_update(Index n, T rate_m, T inverse_root, T beta_1, T one_minus_1, T beta_2, T one_minus_2, T epsilon, T keep,
                 T* w, const T* g, T* m, T* v) {
  LINNET_DISPATCH(adam_update<T>,
                  (n, rate_m, inverse_root, beta_1, one_minus_1, beta_2, one_minus_2, epsilon, keep, w, g, m, v));
}
/// Holds g within [-limit, limit].
template <class T>
void clip_values(Index n, T limit, T* g) {
  LINNET_DISPATCH(clip_values<T>, (n, limit, g));
}

LINNET_NAMESPACE_END
