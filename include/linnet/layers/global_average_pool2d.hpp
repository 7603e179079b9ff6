// GlobalAveragePool2D: the mean of every channel. Backward: each pixel gets an equal share of the gradient.
#pragma once

#include <algorithm>
#include <string_view>

#include "linnet/kernels/pooling.hpp"
#include "linnet/layers/geometry.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {channels}.
struct GlobalAveragePool2D {
  static constexpr std::string_view kName = "GlobalAveragePool2D";

  template <class Visitor>
  void describe(Visitor&) {}

  LayerPlan plan(const Shape& in) const {
    require_image(kName, in);
    return {.output = {in[2]}};
  }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    average_pool_forward<T>(one_window(x.shape()), x.data(), y.data());
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    std::fill(dx.begin(), dx.end(), T(0));
    average_pool_backward<T>(one_window(dx.shape()), dy.data(), dx.data());
  }

 private:
  static PoolGeometry one_window(const Shape& x) {
    return {x[0], x[3], {x[1], 1, x[1], 1, 1, 0}, {x[2], 1, x[2], 1, 1, 0}};
  }
};

LINNET_NAMESPACE_END
