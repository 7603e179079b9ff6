// Convolutions that read every pixel by one tap (1x1, stride 1): matrix products, with a row for each pixel of the
// batch. They are a case of the direct ones, not a choice of their own, which packed weights would depend on: whether
// there is padding is not known when they are packed.
#pragma once

#include <algorithm>

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/gemm.hpp"

LINNET_NAMESPACE_BEGIN

inline bool conv2d_is_product(const Conv2DGeometry& g) {
  return g.taps() == 1 && g.y.stride == 1 && g.x.stride == 1 && g.y.pad == 0 && g.x.pad == 0 &&
         g.y.output == g.y.input && g.x.output == g.x.input;
}

/// Forward from weights in panels (conv2d_pack).
template <class T>
void conv2d_forward_product(const Conv2DGeometry& g, const T* x, const T* panels, const Epilogue<T>& epilogue, T* y) {
  // So many pixels at a time (whole tiles of every set): up to 256 channels of them stay in the second cache while the
  // panels of all filters pass.
  constexpr Index kPixels = 168;
  const Index in = g.group_channels(), out = g.group_filters();
  const Index pixels = g.batch * g.y.output * g.x.output;
  for (Index from = 0; from < pixels; from += kPixels) {
    for (Index group = 0; group < g.groups; ++group) {
      gemm_packed<T>(std::min(kPixels, pixels - from), out, in, x + from * g.channels + group * in, g.channels,
                     panels + group * panels_size<T>(in, out), y + from * g.filters + group * out, g.filters,
                     epilogue.at(group * out));
    }
  }
}

/// dw += x^T dy.
template <class T>
void conv2d_backward_weights_product(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  const Index in = g.group_channels(), out = g.group_filters();
  for (Index group = 0; group < g.groups; ++group) {
    gemm_at_b<T>(in, out, g.batch * g.y.output * g.x.output, x + group * in, g.channels, dy + group * out, g.filters,
                 dw + group * out, g.filters);
  }
}

LINNET_NAMESPACE_END
