// Nearest upsampling: every pixel becomes a block of equal ones.
#pragma once

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// Images {batch, height, width, channels}, whose pixels become blocks of `down` rows by `right` columns.
struct BlockGeometry {
  Index batch = 1, height = 1, width = 1, channels = 1;
  Index down = 1, right = 1;
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/upsampling.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
void upsample_nearest(const BlockGeometry& g, const T* x, T* y) {
  LINNET_DISPATCH(upsample_nearest<T>, (g, x, y));
}
/// dx = the sum over each block, row by row.
template <class T>
void upsample_nearest_backward(const BlockGeometry& g, const T* dy, T* dx) {
  LINNET_DISPATCH(upsample_nearest_backward<T>, (g, dy, dx));
}

LINNET_NAMESPACE_END
