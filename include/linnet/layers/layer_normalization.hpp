// LayerNormalization: the last axis of every sample with mean 0 and variance 1, then scaled and shifted
// (J. Ba, J. Kiros, G. Hinton, "Layer normalization", arXiv:1607.06450).
//
//   xhat = (x - mean) / sqrt(variance + epsilon),  y = gamma xhat + beta
//
// Backward, with g = dy gamma and means over the axis:
//   dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(variance + epsilon),  dgamma = sum dy xhat,  dbeta = sum dy
#pragma once

#include <string>
#include <string_view>

#include "linnet/kernels/normalization.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// Any shape. Parameters: gamma and beta {last extent}.
struct LayerNormalization {
  static constexpr std::string_view kName = "LayerNormalization";

  double epsilon = 1e-3;
  bool center = true;  ///< with beta
  bool scale = true;   ///< with gamma

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("epsilon", epsilon);
    visit.field("center", center);
    visit.field("scale", scale);
  }

  LayerPlan plan(const Shape& in) const {
    if (in.rank() < 1 || in.size() == 0) {
      throw ShapeError("LayerNormalization: expected an input of at least one axis and one element, got " +
                       in.to_string());
    }
    if (!(epsilon > 0)) {
      throw ValueError("LayerNormalization: expected an epsilon > 0, got " + std::to_string(epsilon));
    }
    LayerPlan plan{.output = in};
    if (scale) plan.parameters.push_back({"gamma", {in.back()}, ones});
    if (center) plan.parameters.push_back({"beta", {in.back()}, zeros});
    plan.saved_per_sample = checked_multiply(2, in.size() / in.back());
    return plan;
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Index n = x.shape().back();
    layer_normalization_forward<T>(x.size() / n, n, static_cast<T>(epsilon), x.data(), scale ? w[0].data() : nullptr,
                                   center ? w[beta()].data() : nullptr,
                                   context.training ? context.saved.data() : nullptr, y.data());
  }
  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T>, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    const Index n = x.shape().back();
    layer_normalization_backward<T>(x.size() / n, n, x.data(), scale ? w[0].data() : nullptr, context.saved.data(),
                                    dy.data(), dx.empty() ? nullptr : dx.data(), scale ? dw[0].data() : nullptr,
                                    center ? dw[beta()].data() : nullptr);
  }

 private:
  std::size_t beta() const { return scale ? 1 : 0; }
};

LINNET_NAMESPACE_END
