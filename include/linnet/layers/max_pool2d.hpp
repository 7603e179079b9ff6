// MaxPool2D: the largest value of each window. Padding never wins.
//
// Backward: the gradient of an output goes to the first place of its window, row by row, that holds the maximum. It is
// found again from x and y, which are in cache, so nothing is saved.
#pragma once

#include <algorithm>
#include <string_view>

#include "linnet/layers/layer.hpp"
#include "linnet/layers/pool_geometry.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height', width', channels}.
struct MaxPool2D {
  static constexpr std::string_view kName = "MaxPool2D";

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
    max_pool_forward<T>(g, x.data(), y.data());
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    const PoolGeometry g = batch_geometry(x.shape());
    std::fill(dx.begin(), dx.end(), T(0));
    max_pool_backward<T>(g, x.data(), y.data(), dy.data(), dx.data());
  }

 private:
  PoolGeometry batch_geometry(const Shape& x) const {
    PoolGeometry g = pool_geometry(kName, {x[1], x[2], x[3]}, pool_size, strides, padding);
    g.batch = x[0];
    return g;
  }
};

LINNET_NAMESPACE_END
