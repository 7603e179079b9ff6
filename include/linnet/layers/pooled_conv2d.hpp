// PooledConv2D: a convolution and the max pooling after it, an image at a time, so that the large image between them
// stays in the cache and is never kept. (Where the weights are larger than that image it is several at a time, so that
// the weights are not streamed for every one.) A plan puts it in their place (model/fusion.hpp).
//
// An activation f that never falls commutes with the maximum: f is taken of the pooled image, a fraction of the work.
// Backward, the gradient of a pooled element is multiplied by f' there, and goes where the maximum was; the bias's
// gradient is the sum of these. The results are those of the two layers up to rounding: where f rounds two values to
// one, the maximum may be found at another of the places that hold it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "linnet/layers/conv2d.hpp"
#include "linnet/layers/max_pool2d.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height'', width'', filters}. Parameters: those of the convolution.
struct PooledConv2D {
  static constexpr std::string_view kName = "Conv2D + MaxPool2D";

  Conv2D convolution;  ///< without its activation
  MaxPool2D pool;
  Activation activation;

  /// The two layers as one, if that can be.
  static std::optional<PooledConv2D> of(const Conv2D& convolution, const MaxPool2D& pool) {
    if (!convolution.activation.never_falls()) return std::nullopt;
    PooledConv2D both{convolution, pool, convolution.activation};
    both.convolution.activation = linear;
    return both;
  }

  LayerPlan plan(const Shape& in) const {
    LayerPlan plan = convolution.plan(in);
    const Index between = plan.output.size();
    plan.output = pool.plan(plan.output).output;
    plan.saved_per_sample = plan.output.size();  // where the maxima were
    const Index images = images_at_once(plan.parameters[0].shape.size(), between);
    plan.scratch = checked_add(plan.scratch, checked_multiply(images, between) + kAlignment);
    plan.kernels.forward += images == 1 ? " pooled by image" : " pooled by " + std::to_string(images) + " images";
    return plan;
  }

  template <class T>
  void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const {
    convolution.prepare(w, want_dx, prepared);
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    for_each_part(context, x, w, [&](Index n, Context<T>& inner, TensorView<T> between) {
      convolution.forward(inner, x.samples(n, between.batch()), w, between);
      max_pool_forward<T>(pool.geometry(between.shape()), between.data(), y.samples(n, between.batch()).data(),
                          context.training ? context.saved.data() + n * y.sample_size() : nullptr);
    });
    activation.apply(y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    activation.apply_backward(y, dy);
    if (convolution.use_bias) {
      column_sums<T>(dy.size() / convolution.filters, convolution.filters, dy.data(), dw[1].data());
    }
    for_each_part(context, x, w, [&](Index n, Context<T>& inner, TensorView<T> between) {
      const Index count = between.batch();
      max_pool_backward<T>(pool.geometry(between.shape()), context.saved.data() + n * y.sample_size(),
                           dy.samples(n, count).data(), between.data());
      convolution.backward_without_bias(inner, x.samples(n, count), TensorView<const T>(between), w,
                                        dx.empty() ? dx : dx.samples(n, count), dw);
    });
  }

 private:
  static constexpr Index kAlignment = 16;  // scalars: of what lies behind the images in the scratch memory

  static Index images_at_once(Index weights, Index image) { return std::clamp<Index>(weights / image, 1, 16); }

  /// Cuts the slice: visit(first sample, the context of the convolution, the images between the layers), with these
  /// images at the beginning of the scratch memory and the convolution's own behind them.
  template <class T, class Visit>
  void for_each_part(const Context<T>& context, TensorView<const T> x, Parameters<const T> w,
                     const Visit& visit) const {
    const Conv2DGeometry g = convolution.geometry(x.shape().without_batch());
    const Index most = images_at_once(w[0].size(), g.output_size());
    Context<T> inner = context;
    const Index behind = most * g.output_size() / kAlignment * kAlignment + kAlignment;
    inner.scratch = context.scratch.subspan(static_cast<std::size_t>(behind));
    for (Index n = 0; n < x.batch(); n += most) {
      const Index count = std::min(most, x.batch() - n);
      visit(n, inner, TensorView<T>(context.scratch.data(), Shape{count, g.y.output, g.x.output, g.filters}));
    }
  }
};

LINNET_NAMESPACE_END
