// Add: the sum of several nodes of one shape. Backward: each of them gets the gradient.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

struct Add {
  static constexpr std::string_view kName = "Add";

  template <class Visitor>
  void describe(Visitor&) {}

  LayerPlan plan(std::span<const Shape> in) const {
    if (in.size() < 2) throw ShapeError("Add: expected at least 2 inputs, got " + std::to_string(in.size()));
    for (const Shape& shape : in) {
      if (shape == in[0]) continue;
      throw ShapeError("Add: expected inputs of one shape, got " + in[0].to_string() + " and " + shape.to_string());
    }
    return {.output = in[0]};
  }
  template <class T>
  void forward(Context<T>&, Inputs<const T> x, Parameters<const T>, TensorView<T> y) const {
    std::copy(x[0].begin(), x[0].end(), y.begin());
    for (std::size_t i = 1; i < x.size(); ++i) add_to<T>(y.size(), x[i].data(), y.data());
  }
  template <class T>
  void backward(Context<T>&, Inputs<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>, Inputs<T> dx,
                Parameters<T>) const {
    for (const TensorView<T>& d : dx) {
      if (!d.empty()) std::copy(dy.begin(), dy.end(), d.begin());
    }
  }
};

LINNET_NAMESPACE_END
