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

template <class T>
void max_pool_forward(const PoolGeometry& g, const T* x, T* y) {
  LINNET_DISPATCH(max_pool_forward<T>, (g, x, y));
}
/// dx must be 0 before; the first maximum of a window, row by row, gets its gradient.
template <class T>
void max_pool_backward(const PoolGeometry& g, const T* x, const T* y, const T* dy, T* dx) {
  LINNET_DISPATCH(max_pool_backward<T>, (g, x, y, dy, dx));
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
