// MaxPool2D: the largest value of each window. Padding never wins.
//
// Backward: the gradient of an output goes to the first place of its window, row by row, that holds the maximum. In
// training forward saves which that is.
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
    LayerPlan plan{.output = {g.y.output, g.x.output, g.channels}};
    plan.saved_per_sample = plan.output.size();
    return plan;
  }
  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    max_pool_forward<T>(geometry(x.shape()), x.data(), y.data(), context.training ? context.saved.data() : nullptr);
  }
  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    max_pool_backward<T>(geometry(x.shape()), context.saved.data(), dy.data(), dx.data());
  }

  /// The sizes for a batch of images.
  PoolGeometry geometry(const Shape& x) const {
    PoolGeometry g = pool_geometry(kName, {x[1], x[2], x[3]}, pool_size, strides, padding);
    g.batch = x[0];
    return g;
  }
};

LINNET_NAMESPACE_END
