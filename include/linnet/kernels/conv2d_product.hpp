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

/// Brings `count` scalars into the caches little by little, while `outputs` of something else are computed.
template <class T>
class GradualFetch {
 public:
  GradualFetch(const T* from, Index count, Index outputs)
      : from_(from), count_(count), share_(static_cast<double>(count) / static_cast<double>(outputs)) {}
  void operator()(Index outputs) {
    due_ += share_ * static_cast<double>(outputs);
    constexpr Index kLine = static_cast<Index>(64 / sizeof(T));
    for (const Index due = std::min(count_, static_cast<Index>(due_)); fetched_ < due; fetched_ += kLine) {
      LINNET_PREFETCH(from_ + fetched_);
    }
  }

 private:
  const T* from_;
  Index count_, fetched_ = 0;
  double share_, due_ = 0;
};

/// Forward from weights in panels (conv2d_pack).
template <class T>
void conv2d_forward_product(const Conv2DGeometry& g, const T* x, const T* panels, const Epilogue<T>& epilogue, T* y) {
  // So many pixels at a time (whole tiles of every set): up to 256 channels of them stay in the second cache while the
  // panels of all filters pass.
  constexpr Index kPixels = 168;
  const Index in = g.group_channels(), out = g.group_filters();
  const Index pixels = g.batch * g.y.output * g.x.output;
  for (Index from = 0; from < pixels; from += kPixels) {
    const Index count = std::min(kPixels, pixels - from);
    // Every tile writes a line of each of its pixels: the order in which memory is slowest. So the next block is
    // fetched meanwhile, in its order.
    const Index next = std::min(kPixels, pixels - from - count);
    const Index outputs = count * g.filters * ((in + kPackedDepth - 1) / kPackedDepth);  // of every block of channels
    GradualFetch<T> fetch_x(x + (from + count) * g.channels, next * g.channels, outputs);
    GradualFetch<T> fetch_y(y + (from + count) * g.filters, next * g.filters, outputs);
    const auto fetch = [&](Index rows, Index columns) {
      fetch_x(rows * columns);
      fetch_y(rows * columns);
    };
    for (Index group = 0; group < g.groups; ++group) {
      gemm_packed<T>(count, out, in, x + from * g.channels + group * in, g.channels,
                     panels + group * panels_size<T>(in, out), y + from * g.filters + group * out, g.filters,
                     epilogue.at(group * out), fetch);
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
