// PooledConv2D: a convolution and the max pooling after it, an image at a time, so that the large image between them
// stays in the cache and is never kept. A plan puts it in their place (model/fusion.hpp).
//
// An activation f that never falls commutes with the maximum: f is taken of the pooled image, a fraction of the work.
// Backward, the gradient of a pooled element is multiplied by f' there, and goes where the maximum was; the bias's
// gradient is the sum of these.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "linnet/layers/conv2d.hpp"
#include "linnet/layers/max_pool2d.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height'', width'', filters}. Parameters: those of the convolution.
struct PooledConv2D {
  static constexpr std::string_view kName = "Conv2D + MaxPool2D";
  static constexpr bool kEndsWithActivation = true;

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
    plan.scratch = checked_add(plan.scratch, round_to_pack(between));
    plan.kernels += ", pooled by image";
    return plan;
  }

  template <class T>
  void prepare(Parameters<const T> w, bool training, std::span<T> prepared) const {
    convolution.prepare(w, training, prepared);
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Between<T> between(*this, context, x);
    const PoolGeometry g = pool.geometry(between.image.shape());
    for (Index n = 0; n < x.batch(); ++n) {
      Context<T> inner = between.context;
      convolution.forward(inner, sample(x, n), w, between.image);
      max_pool_forward<T>(g, between.image.data(), sample(y, n).data(),
                          context.training ? context.saved.data() + n * y.sample_size() : nullptr);
    }
    activation.apply(y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    const Between<T> between(*this, context, x);
    const PoolGeometry g = pool.geometry(between.image.shape());
    activation.apply_backward(y, dy);
    if (convolution.use_bias)
      column_sums<T>(dy.size() / convolution.filters, convolution.filters, dy.data(), dw[1].data());
    for (Index n = 0; n < x.batch(); ++n) {
      Context<T> inner = between.context;
      max_pool_backward<T>(g, context.saved.data() + n * y.sample_size(), sample(dy, n).data(), between.image.data());
      convolution.backward_without_bias(inner, sample(x, n), TensorView<const T>(between.image), w,
                                        dx.empty() ? TensorView<T>{} : sample(dx, n), dw);
    }
  }

 private:
  static Index round_to_pack(Index scalars) { return checked_add(scalars, 15) / 16 * 16; }
  template <class V>
  static V sample(V batch, Index n) {
    return {batch.data() + n * batch.sample_size(), batch.shape().without_batch().with_batch(1)};
  }

  /// The image between the layers, at the beginning of the scratch memory, and what is left for the convolution.
  template <class T>
  struct Between {
    TensorView<T> image;
    Context<T> context;
    Between(const PooledConv2D& layer, const Context<T>& outer, TensorView<const T> x) : context(outer) {
      const Conv2DGeometry g = layer.convolution.geometry(x.shape().without_batch());
      image = {outer.scratch.data(), Shape{1, g.y.output, g.x.output, g.filters}};
      context.scratch = outer.scratch.subspan(static_cast<std::size_t>(round_to_pack(image.size())));
    }
  };
};

LINNET_NAMESPACE_END
