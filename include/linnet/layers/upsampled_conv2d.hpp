// UpsampledConv2D: nearest upsampling by 2 and a 3x3 convolution after it, as one kernel on the small image. A plan
// puts it in their place (model/fusion.hpp).
//
// In one dimension, output 2 j of the pair is w0 x[j-1] + (w1 + w2) x[j] and output 2 j + 1 is (w0 + w1) x[j] + w2
// x[j+1]: pixel p counts in the outputs 2 p - 1 ... 2 p + 2 with the weights v = (w2, w1 + w2, w0 + w1, w0). That is
// a transposed convolution with four taps and stride 2, in two dimensions with the kernel v[ty, tx] = sum of m[ty,
// sy] m[tx, sx] w[sy, sx] for the 4x3 matrix m of that line. It has 4/9 of the products, and the large image is never
// made. Backward, dw[sy, sx] = sum of m[ty, sy] m[tx, sx] dv[ty, tx].
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "linnet/kernels/conv2d.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/conv2d.hpp"
#include "linnet/layers/up_sampling2d.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {2 height, 2 width, filters}. Parameters: those of the convolution.
struct UpsampledConv2D {
  static constexpr std::string_view kName = "UpSampling2D + Conv2D";

  Conv2D convolution;

  /// The two layers as one, if that can be.
  static std::optional<UpsampledConv2D> of(const UpSampling2D& upsampling, const Conv2D& convolution) {
    const auto is = [](const Size2D& size, Index extent) { return size.height == extent && size.width == extent; };
    const bool can = is(upsampling.size, 2) && upsampling.interpolation == Interpolation::nearest &&
                     is(convolution.kernel_size, 3) && is(convolution.strides, 1) && is(convolution.dilation_rate, 1) &&
                     convolution.groups == 1 && convolution.padding.kind == Padding::Kind::same;
    if (!can) return std::nullopt;
    return UpsampledConv2D{convolution};
  }

  LayerPlan plan(const Shape& in) const {
    LayerPlan plan = convolution.plan({checked_multiply(in[0], 2), checked_multiply(in[1], 2), in[2]});
    const Conv2DGeometry g = geometry(in[0], in[1], in[2]);
    plan.saved_per_sample = saved_for(convolution.activation, plan.output);
    plan.prepared = checked_add(g.kernel_size(), conv2d_packed_size(ConvDirection::backward_data, g));
    plan.prepared_dx = conv2d_packed_size(ConvDirection::forward, g);
    plan.scratch = checked_add(kernel_scratch(g), conv2d_scratch(g));
    plan.kernels = {with_epilogue(conv2d_kernel(ConvDirection::backward_data, g), convolution.activation),
                    conv2d_kernel(ConvDirection::backward_weights, g), conv2d_kernel(ConvDirection::forward, g)};
    return plan;
  }

  template <class T>
  void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const {
    const Index channels = w[0].shape()[2], filters = convolution.filters;
    const Conv2DGeometry g = geometry(1, 1, channels);  // the order of the weights is that of any image
    T* v = prepared.data();
    std::fill(v, v + g.kernel_size(), T(0));
    for_each_term([&](Index of_v, Index of_w) {
      const T* from = w[0].data() + of_w * channels * filters;
      T* to = v + of_v * channels * filters;
      for (Index c = 0; c < channels; ++c) {
        for (Index k = 0; k < filters; ++k) to[k * channels + c] += from[c * filters + k];
      }
    });
    conv2d_pack<T>(ConvDirection::backward_data, g, v, v + g.kernel_size());
    if (want_dx)
      conv2d_pack<T>(ConvDirection::forward, g, v,
                     v + g.kernel_size() + conv2d_packed_size(ConvDirection::backward_data, g));
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    const T* v = context.prepared.data();
    conv2d_backward_data<T>(choose_conv2d(ConvDirection::backward_data, g), g, x.data(), v, v + g.kernel_size(),
                            epilogue_with<T>(convolution.activation, convolution.use_bias, w), y.data(),
                            context.scratch.data() + kernel_scratch(g));
    finish_forward(convolution.activation, context, y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T>, TensorView<T> dx, Parameters<T> dw) const {
    const Conv2DGeometry g = batch_geometry(x.shape());
    const T* v = context.prepared.data();
    T* scratch = context.scratch.data() + kernel_scratch(g);
    start_backward(convolution.activation, context, y, dy);
    T* dv = context.scratch.data();
    std::fill(dv, dv + kernel_scratch(g), T(0));
    conv2d_backward_weights<T>(choose_conv2d(ConvDirection::backward_weights, g), g, dy.data(), x.data(), dv, scratch);
    add_weight_gradient(g, dv, dw[0].data());
    if (convolution.use_bias)
      column_sums<T>(dy.size() / convolution.filters, convolution.filters, dy.data(), dw[1].data());
    if (dx.empty()) return;
    const T* packed = v + g.kernel_size() + conv2d_packed_size(ConvDirection::backward_data, g);
    conv2d_forward<T>(choose_conv2d(ConvDirection::forward, g), g, dy.data(), v, packed, {}, dx.data(), scratch);
  }

 private:
  static constexpr Index kTaps = 4, kKernel = 3;

  /// Visits every term of v: visit(its place in {4, 4}, the place in {3, 3} of the weight that it adds).
  template <class Visit>
  static void for_each_term(const Visit& visit) {
    constexpr bool kAdds[kTaps][kKernel] = {{0, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 0}};
    for (Index ty = 0; ty < kTaps; ++ty) {
      for (Index sy = 0; sy < kKernel; ++sy) {
        for (Index tx = 0; tx < kTaps; ++tx) {
          for (Index sx = 0; sx < kKernel; ++sx) {
            if (kAdds[ty][sy] && kAdds[tx][sx]) visit(ty * kTaps + tx, sy * kKernel + sx);
          }
        }
      }
    }
  }

  /// dw {3, 3, channels, filters} += what dv {4, 4, filters, channels} gives. The terms are added up in the memory
  /// behind dv, which is 0, and turned at last.
  template <class T>
  void add_weight_gradient(const Conv2DGeometry& g, T* dv, T* dw) const {
    const Index filters = g.channels, channels = g.filters, size = filters * channels;
    T* sums = dv + g.kernel_size();
    for_each_term([&](Index of_v, Index of_w) { add_to<T>(size, dv + of_v * size, sums + of_w * size); });
    for (Index tap = 0; tap < kKernel * kKernel; ++tap, sums += size, dw += size) {
      for (Index c = 0; c < channels; ++c) {
        for (Index k = 0; k < filters; ++k) dw[c * filters + k] += sums[k * channels + c];
      }
    }
  }

  /// The transposed convolution as the convolution that it turns around, from the large image to the small one: its
  /// kernel v is {4, 4, filters, channels}.
  Conv2DGeometry geometry(Index height, Index width, Index channels) const {
    const auto axis = [](Index size) { return ConvAxis{2 * size, size, kTaps, 2, 1, 1}; };
    return {1, convolution.filters, channels, 1, axis(height), axis(width)};
  }
  Conv2DGeometry batch_geometry(const Shape& x) const {
    Conv2DGeometry g = geometry(x[1], x[2], x[3]);
    g.batch = x[0];
    return g;
  }
  /// For dv and its sums.
  static Index kernel_scratch(const Conv2DGeometry& g) {
    return checked_multiply(kTaps * kTaps + kKernel * kKernel, checked_multiply(g.channels, g.filters));
  }
};

LINNET_NAMESPACE_END
