// The convolution as its definition says it, for any T: the oracle of the fast kernels, and the text to read first.
//
//     y[n, oy, ox, k] = bias[k] + sum over ty, tx, c of x[n, oy s + ty d - p, ox s + tx d - p, c] w[ty, tx, c, k]
//
// with x = 0 outside the image. Its derivatives move dy along the same index triples: to x times w, and to w times
// x. With groups, filter k reads only the channels of its group.
#pragma once

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/epilogue.hpp"

LINNET_NAMESPACE_BEGIN

/// Calls visit(x index, w index, y index) for every product of the convolution.
template <class Visit>
void for_each_product(const Conv2DGeometry& g, const Visit& visit) {
  const Index in = g.group_channels(), out = g.group_filters();
  for (Index n = 0; n < g.batch; ++n) {
    for (Index oy = 0; oy < g.y.output; ++oy) {
      for (Index ox = 0; ox < g.x.output; ++ox) {
        for (Index k = 0; k < g.filters; ++k) {
          const Index y_at = ((n * g.y.output + oy) * g.x.output + ox) * g.filters + k;
          for (Index ty = 0; ty < g.y.taps; ++ty) {
            const Index iy = g.y.pixel(oy, ty);
            if (iy < 0 || iy >= g.y.input) continue;
            for (Index tx = 0; tx < g.x.taps; ++tx) {
              const Index ix = g.x.pixel(ox, tx);
              if (ix < 0 || ix >= g.x.input) continue;
              for (Index c = 0; c < in; ++c) {
                const Index x_at = ((n * g.y.input + iy) * g.x.input + ix) * g.channels + k / out * in + c;
                const Index w_at = ((ty * g.x.taps + tx) * in + c) * g.filters + k;
                visit(x_at, w_at, y_at);
              }
            }
          }
        }
      }
    }
  }
}

namespace reference {

template <class T>
void conv2d_forward(const Conv2DGeometry& g, const T* x, const T* w, const Epilogue<T>& epilogue, T* y) {
  const Index size = g.batch * g.output_size();
  for (Index i = 0; i < size; ++i) y[i] = epilogue.bias == nullptr ? T(0) : epilogue.bias[i % g.filters];
  for_each_product(g, [&](Index x_at, Index w_at, Index y_at) { y[y_at] += x[x_at] * w[w_at]; });
  for (Index i = 0; i < size; ++i) y[i] = epilogue.finish(y[i]);
}

/// Adds to dx.
template <class T>
void conv2d_backward_data(const Conv2DGeometry& g, const T* dy, const T* w, T* dx) {
  for_each_product(g, [&](Index x_at, Index w_at, Index y_at) { dx[x_at] += dy[y_at] * w[w_at]; });
}

/// Adds to dw.
template <class T>
void conv2d_backward_weights(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  for_each_product(g, [&](Index x_at, Index w_at, Index y_at) { dw[w_at] += x[x_at] * dy[y_at]; });
}

}  // namespace reference

LINNET_NAMESPACE_END
