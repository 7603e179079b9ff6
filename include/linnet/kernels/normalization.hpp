// The kernels of batch and layer normalization. Channel kernels take x as {rows, channels}, with lanes over the
// channels; they work on channels [first, last), so that threads can share a batch.
#pragma once

#include "linnet/simd/dispatch.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/normalization.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
void channel_statistics(Index rows, Index channels, Index first, Index last, const T* x, T* mean, T* variance) {
  LINNET_DISPATCH(channel_statistics<T>, (rows, channels, first, last, x, mean, variance));
}
template <class T>
void channel_affine(Index rows, Index channels, const T* x, const T* mean, const T* factor, const T* shift, T* y) {
  LINNET_DISPATCH(channel_affine<T>, (rows, channels, x, mean, factor, shift, y));
}
template <class T>
void channel_gradient_sums(Index rows, Index channels, Index first, Index last, const T* x, const T* dy, const T* mean,
                           const T* inverse, T* d_sum, T* d_dot) {
  LINNET_DISPATCH(channel_gradient_sums<T>, (rows, channels, first, last, x, dy, mean, inverse, d_sum, d_dot));
}
template <class T>
void channel_normalization_backward(Index rows, Index channels, Index first, Index last, const T* x, const T* dy,
                                    const T* mean, const T* inverse, const T* factor, const T* d_sum, const T* d_dot,
                                    T* dx) {
  LINNET_DISPATCH(channel_normalization_backward<T>,
                  (rows, channels, first, last, x, dy, mean, inverse, factor, d_sum, d_dot, dx));
}
template <class T>
void layer_normalization_forward(Index rows, Index n, T epsilon, const T* x, const T* gamma, const T* beta,
                                 T* statistics, T* y) {
  LINNET_DISPATCH(layer_normalization_forward<T>, (rows, n, epsilon, x, gamma, beta, statistics, y));
}
template <class T>
void layer_normalization_backward(Index rows, Index n, const T* x, const T* gamma, const T* statistics, T* dy, T* dx,
                                  T* dgamma, T* dbeta) {
  LINNET_DISPATCH(layer_normalization_backward<T>, (rows, n, x, gamma, statistics, dy, dx, dgamma, dbeta));
}

LINNET_NAMESPACE_END
