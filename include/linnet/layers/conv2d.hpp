// Conv2D: a two-dimensional convolution (in fact a correlation, as everywhere in the field).
//
// With z = x * w + b as in kernels/conv2d_reference.hpp and dz the gradient by z:
//   dw[t, c, k] = sum over outputs o of x[o s + t d - p, c] dz[o, k]      db[k] = sum over o of dz[o, k]
//   dx[i, c]    = sum over (o, t) with o s + t d - p = i, and k, of dz[o, k] w[t, c, k]
// (V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285).
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

/// {height, width, channels} -> {height', width', filters}. Parameters: kernel {kernel height, kernel width,
/// channels / groups, filters} and bias {filters}.
struct Conv2D {
  static constexpr std::string_view kName = "Conv2D";
  static constexpr bool kEndsWithActivation = true;

  Index filters = 0;  ///< to be given
  Size2D kernel_size = 3;
  Size2D strides = 1;
  Padding padding = valid;
  Size2D dilation_rate = 1;
  Index groups = 1;  ///< must divide the channels and the filters; as many as either: depthwise
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
    visit.field("dilation_rate", dilation_rate);
    visit.field("groups", groups);
    visit.field("activation", activation);
    visit.field("use_bias", use_bias);
    visit.field("kernel_initializer", kernel_initializer);
    visit.field("bias_initializer", bias_initializer);
  }

  LayerPlan plan(const Shape& in) const {
    activation.validate(kName);
    const Conv2DGeometry g = geometry(in);
    LayerPlan plan;
    plan.output = {g.y.output, g.x.output, filters};
    plan.parameters.push_back(
        {"kernel", {kernel_size.height, kernel_size.width, g.group_channels(), filters}, kernel_initializer});
    if (use_bias) plan.parameters.push_back({"bias", {filters}, bias_initializer});
    plan.saved_per_sample = saved_for(activation, plan.output);
    plan.prepared = conv2d_packed_size(ConvDirection::forward, g);
    plan.prepared_dx = conv2d_packed_size(ConvDirection::backward_data, g);
    plan.scratch = conv2d_scratch(g);
    plan.kernels = {with_epilogue(conv2d_kernel(ConvDirection::forward, g), activation),
                    conv2d_kernel(ConvDirection::backward_weights, g), conv2d_kernel(ConvDirection::backward_data, g)};
    return plan;
  }

  template <class T>
  void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const {
    const Conv2DGeometry g = kernel_geometry(w[0].shape());
    conv2d_pack<T>(ConvDirection::forward, g, w[0].data(), prepared.data());
    if (!want_dx) return;
    conv2d_pack<T>(ConvDirection::backward_data, g, w[0].data(),
                   prepared.data() + conv2d_packed_size(ConvDirection::forward, g));
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    conv2d_forward<T>(choose_conv2d(ConvDirection::forward, g), g, x.data(), w[0].data(), context.prepared.data(),
                      epilogue_with<T>(activation, use_bias, w), y.data(), context.scratch.data());
    finish_forward(activation, context, y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    start_backward(activation, context, y, dy);
    if (use_bias) column_sums<T>(dy.size() / filters, filters, dy.data(), dw[1].data());
    backward_without_bias(context, x, TensorView<const T>(dy), w, dx, dw);
  }

  /// The gradients by the kernel and by x, from that by the output before its activation.
  template <class T>
  void backward_without_bias(Context<T>& context, TensorView<const T> x, TensorView<const T> dz, Parameters<const T> w,
                             TensorView<T> dx, Parameters<T> dw) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    conv2d_backward_weights<T>(choose_conv2d(ConvDirection::backward_weights, g), g, x.data(), dz.data(), dw[0].data(),
                               context.scratch.data());
    if (dx.empty()) return;
    conv2d_backward_data<T>(choose_conv2d(ConvDirection::backward_data, g), g, dz.data(), w[0].data(),
                            context.prepared.data() + conv2d_packed_size(ConvDirection::forward, g), {}, dx.data(),
                            context.scratch.data());
  }

  /// The sizes for one sample of this shape. Throws ShapeError or ValueError naming the layer.
  Conv2DGeometry geometry(const Shape& in) const {
    require_image(kName, in);
    if (filters < 1 || groups < 1 || in[2] % groups != 0 || filters % groups != 0) {
      throw ValueError("Conv2D: expected filters >= 1 and groups >= 1 that divide the " + std::to_string(in[2]) +
                       " channels and the filters, got " + std::to_string(filters) + " filters and " +
                       std::to_string(groups) + " groups");
    }
    const auto axis = [&](const char* name, Index input, Index taps, Index stride, Index dilation, Index before,
                          Index after) -> ConvAxis {
      const WindowAxis window = resolve_window(kName, name, input, taps, stride, dilation, padding.kind, before, after);
      return {window.input, window.output, taps, stride, dilation, window.pad_before};
    };
    Conv2DGeometry g;
    g.channels = in[2];
    g.filters = filters;
    g.groups = groups;
    g.y = axis("height", in[0], kernel_size.height, strides.height, dilation_rate.height, padding.top, padding.bottom);
    g.x = axis("width", in[1], kernel_size.width, strides.width, dilation_rate.width, padding.left, padding.right);
    return g;
  }

 private:
  Conv2DGeometry batch_geometry(const Shape& x) const {
    Conv2DGeometry g = geometry({x[1], x[2], x[3]});
    g.batch = x[0];
    return g;
  }
  /// What packing, and the choice of the kernel, need to know: everything but the image's extents and its padding.
  Conv2DGeometry kernel_geometry(const Shape& kernel) const {
    Conv2DGeometry g;
    g.channels = kernel[2] * groups;
    g.filters = filters;
    g.groups = groups;
    g.y.taps = kernel_size.height;
    g.y.stride = strides.height;
    g.y.dilation = dilation_rate.height;
    g.x.taps = kernel_size.width;
    g.x.stride = strides.width;
    g.x.dilation = dilation_rate.width;
    return g;
  }
};

LINNET_NAMESPACE_END
