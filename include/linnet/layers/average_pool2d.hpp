// AveragePool2D: the mean of each window. Padding is not counted, as in Keras.
//
// Backward: every pixel of a window gets an equal share of its gradient.
#pragma once

#include <algorithm>
#include <string_view>

#include "linnet/layers/layer.hpp"
#include "linnet/layers/pool_geometry.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height', width', channels}.
struct AveragePool2D {
  static constexpr std::string_view kName = "AveragePool2D";

  Size2D pool_size = 2;
  Size2D strides = 0;  ///< 0: the size of the window
  Padding padding = valid;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("pool_size", pool_size);
    visit.field("strides", strides);
    visit.field("padding", padding);
  }

  LayerPlan plan(const Shape& in) const {
    const PoolGeometry g = pool_geometry(kName, in, pool_size, strides, padding);
    return {.output = {g.y.output, g.x.output, g.channels}};
  }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    const PoolGeometry g = batch_geometry(x.shape());
    average_pool_forward<T>(g, x.data(), y.data());
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T> x, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    const PoolGeometry g = batch_geometry(x.shape());
    std::fill(dx.begin(), dx.end(), T(0));
    average_pool_backward<T>(g, dy.data(), dx.data());
  }

 private:
  PoolGeometry batch_geometry(const Shape& x) const {
    PoolGeometry g = pool_geometry(kName, {x[1], x[2], x[3]}, pool_size, strides, padding);
    g.batch = x[0];
    return g;
  }
};

LINNET_NAMESPACE_END
