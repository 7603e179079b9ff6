// Pooling of images {height, width, channels}: the lanes run over the channels.
#pragma once

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/simd/dispatch.hpp"

LINNET_NAMESPACE_BEGIN

/// The sizes of a pooling. Taps outside the image take no part.
struct PoolGeometry {
  Index batch = 1, channels = 1;
  ConvAxis y, x;
  Index input_size() const { return y.input * x.input * channels; }
  Index output_size() const { return y.output * x.output * channels; }
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/pooling.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// y, and (unless null) which tap of its window each element came from, the windows' taps within the image being
/// counted row by row: the first that holds the maximum. Where a window holds a NaN, y is NaN and the place is any.
template <class T>
void max_pool_forward(const PoolGeometry& g, const T* x, T* y, T* places) {
  LINNET_DISPATCH(max_pool_forward<T>, (g, x, y, places));
}
/// dx = the gradients, where their maxima were.
template <class T>
void max_pool_backward(const PoolGeometry& g, const T* places, const T* dy, T* dx) {
  LINNET_DISPATCH(max_pool_backward<T>, (g, places, dy, dx));
}
template <class T>
void average_pool_forward(const PoolGeometry& g, const T* x, T* y) {
  LINNET_DISPATCH(average_pool_forward<T>, (g, x, y));
}
/// dx must be 0 before.
template <class T>
void average_pool_backward(const PoolGeometry& g, const T* dy, T* dx) {
  LINNET_DISPATCH(average_pool_backward<T>, (g, dy, dx));
}

LINNET_NAMESPACE_END
