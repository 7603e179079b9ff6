// Conv2DTranspose: the convolution's backward pass by data, used forward. It makes images larger.
//
// Take the convolution C from our output to our input. Then z = C's gradient by data at x, plus the bias; so
// dx = C applied to dz, and dw = C's gradient by weights, with dz as its image and x as its gradient
// (V. Dumoulin, F. Visin, arXiv:1603.07285, section 4).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "linnet/kernels/conv2d.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/activation.hpp"
#include "linnet/layers/geometry.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height', width', filters}: with padding `same` height * stride, with `valid`
/// height * stride + max(kernel - stride, 0), with an explicit one (height - 1) * stride + kernel - padding +
/// output_padding (kernel: the dilated one). Parameters: kernel {kernel height, kernel width, filters, channels}, as in
/// Keras, and bias {filters}.
struct Conv2DTranspose {
  static constexpr std::string_view kName = "Conv2DTranspose";
  static constexpr bool kEndsWithActivation = true;

  Index filters = 0;  ///< to be given
  Size2D kernel_size = 3;
  Size2D strides = 1;
  Padding padding = valid;
  Size2D output_padding = Size2D(0, 0);  ///< further pixels at the end; only with an explicit padding
  Size2D dilation_rate = 1;
  Activation activation = linear;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("filters", filters);
    visit.field("kernel_size", kernel_size);
    visit.field("strides", strides);
    visit.field("padding", padding);
    visit.field("output_padding", output_padding);
    visit.field("dilation_rate", dilation_rate);
    visit.field("activation", activation);
    visit.field("use_bias", use_bias);
    visit.field("kernel_initializer", kernel_initializer);
    visit.field("bias_initializer", bias_initializer);
  }

  LayerPlan plan(const Shape& in) const {
    activation.validate(kName);
    const Conv2DGeometry g = geometry(in);
    LayerPlan plan;
    plan.output = {g.y.input, g.x.input, filters};
    plan.parameters.push_back({"kernel", {kernel_size.height, kernel_size.width, filters, in[2]}, kernel_initializer});
    if (use_bias) plan.parameters.push_back({"bias", {filters}, bias_initializer});
    plan.saved_per_sample = saved_for(activation, plan.output);
    plan.prepared = conv2d_packed_size(ConvDirection::backward_data, g);
    plan.prepared_dx = conv2d_packed_size(ConvDirection::forward, g);
    plan.scratch = conv2d_scratch(g);
    plan.kernels = {with_epilogue(conv2d_kernel(ConvDirection::backward_data, g), activation),
                    conv2d_kernel(ConvDirection::backward_weights, g), conv2d_kernel(ConvDirection::forward, g)};
    return plan;
  }

  template <class T>
  void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const {
    Conv2DGeometry g;
    g.channels = filters;
    g.filters = w[0].shape()[3];
    g.y.taps = kernel_size.height;
    g.y.stride = strides.height;
    g.y.dilation = dilation_rate.height;
    g.x.taps = kernel_size.width;
    g.x.stride = strides.width;
    g.x.dilation = dilation_rate.width;
    conv2d_pack<T>(ConvDirection::backward_data, g, w[0].data(), prepared.data());
    if (!want_dx) return;
    conv2d_pack<T>(ConvDirection::forward, g, w[0].data(),
                   prepared.data() + conv2d_packed_size(ConvDirection::backward_data, g));
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    conv2d_backward_data<T>(choose_conv2d(ConvDirection::backward_data, g), g, x.data(), w[0].data(),
                            context.prepared.data(), epilogue_with<T>(activation, use_bias, w), y.data(),
                            context.scratch.data());
    finish_forward(activation, context, y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    start_backward(activation, context, y, dy);
    conv2d_backward_weights<T>(choose_conv2d(ConvDirection::backward_weights, g), g, dy.data(), x.data(), dw[0].data(),
                               context.scratch.data());
    if (use_bias) column_sums<T>(dy.size() / filters, filters, dy.data(), dw[1].data());
    if (dx.empty()) return;
    conv2d_forward<T>(choose_conv2d(ConvDirection::forward, g), g, dy.data(), w[0].data(),
                      context.prepared.data() + conv2d_packed_size(ConvDirection::backward_data, g), {}, dx.data(),
                      context.scratch.data());
  }

 private:
  /// The convolution from our output to our input `in`.
  Conv2DGeometry geometry(const Shape& in) const {
    require_image(kName, in);
    if (filters < 1) {
      throw ValueError("Conv2DTranspose: expected filters >= 1, got " + std::to_string(filters));
    }
    Conv2DGeometry g;
    g.channels = filters;
    g.filters = in[2];
    g.y = axis("height", in[0], kernel_size.height, strides.height, dilation_rate.height, padding.top, padding.bottom,
               output_padding.height);
    g.x = axis("width", in[1], kernel_size.width, strides.width, dilation_rate.width, padding.left, padding.right,
               output_padding.width);
    return g;
  }
  ConvAxis axis(const char* name, Index in, Index taps, Index stride, Index dilation, Index before, Index after,
                Index more) const {
    const auto who = [&] { return std::string("Conv2DTranspose (") + name + ")"; };
    const bool is_explicit = padding.kind == Padding::Kind::explicit_;
    if (taps < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0 || more < 0 ||
        (more > 0 && (!is_explicit || more >= std::max(stride, dilation)))) {
      throw ValueError(who() +
                       ": expected kernel, stride and dilation >= 1, padding >= 0 and an output "
                       "padding below the stride (0 unless the padding is explicit), got " +
                       std::to_string(taps) + ", " + std::to_string(stride) + ", " + std::to_string(dilation) + ", " +
                       std::to_string(before) + "/" + std::to_string(after) + " and " + std::to_string(more));
    }
    if (stride > kMostStep || dilation > kMostStep) {
      throw ValueError(who() + ": expected stride and dilation of at most " + std::to_string(kMostStep) + ", got " +
                       std::to_string(stride) + ", " + std::to_string(dilation));
    }
    const Index covered = checked_add(checked_multiply(taps - 1, dilation), 1);
    const Index beyond = std::max<Index>(covered - stride, 0);
    ConvAxis axis{0, in, taps, stride, dilation, 0};
    if (padding.kind == Padding::Kind::same) {
      axis.input = checked_multiply(in, stride);
      axis.pad = beyond / 2;
    } else if (is_explicit) {
      const Index whole = checked_add(checked_multiply(in - 1, stride), checked_add(covered, more));
      axis.input = whole - checked_add(before, after);
      axis.pad = before;
    } else {
      axis.input = checked_add(checked_multiply(in, stride), beyond);
    }
    if (axis.input < 1) {
      throw ShapeError(who() + ": a padding of " + std::to_string(before) + " and " + std::to_string(after) +
                       " leaves nothing of the output");
    }
    return axis;
  }
  Conv2DGeometry batch_geometry(const Shape& x) const {
    Conv2DGeometry g = geometry({x[1], x[2], x[3]});
    g.batch = x[0];
    return g;
  }
};

LINNET_NAMESPACE_END
