// BatchNormalization: every channel with mean 0 and variance 1 over the batch, then scaled and shifted
// (S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015).
//
//   xhat = (x - mean) / sqrt(variance + epsilon),  y = gamma xhat + beta
//
// over all N values of a channel in the batch in training, by moving averages otherwise. Backward, in training, where
// mean and variance depend on x too (section 3 of the paper, collected):
//   dbeta = sum dy,  dgamma = sum dy xhat,
//   dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / N - xhat dgamma / N)
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "linnet/core/parallel.hpp"
#include "linnet/kernels/normalization.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// Any shape; the channels are its last axis. Parameters: gamma and beta {channels}, and moving_mean and
/// moving_variance, which each training step moves: moving = momentum * moving + (1 - momentum) * batch (Keras's
/// sense of momentum; PyTorch's is 1 - momentum), with the biased variance of the batch, as Keras has it.
struct BatchNormalization {
  static constexpr std::string_view kName = "BatchNormalization";

  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;  ///< with beta
  bool scale = true;   ///< with gamma

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("momentum", momentum);
    visit.field("epsilon", epsilon);
    visit.field("center", center);
    visit.field("scale", scale);
  }

  LayerPlan plan(const Shape& in) const {
    if (in.rank() < 1 || in.size() == 0) {
      throw ShapeError("BatchNormalization: expected an input of at least one axis and one element, got " +
                       in.to_string());
    }
    if (!(momentum >= 0 && momentum <= 1) || !(epsilon > 0)) {
      throw ValueError("BatchNormalization: expected a momentum in [0, 1] and an epsilon > 0, got " +
                       std::to_string(momentum) + " and " + std::to_string(epsilon));
    }
    const Shape channels{in.back()};
    LayerPlan plan{.output = in};
    if (scale) plan.parameters.push_back({"gamma", channels, ones});
    if (center) plan.parameters.push_back({"beta", channels, zeros});
    plan.parameters.push_back({"moving_mean", channels, zeros, false});
    plan.parameters.push_back({"moving_variance", channels, ones, false});
    plan.saved = checked_multiply(kSaved, in.back());
    plan.scratch = checked_multiply(3, in.back());
    plan.couples_batch = true;
    return plan;
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Index channels = x.shape().back();
    const Index rows = x.size() / channels;
    const std::size_t moving = moving_mean_index();
    const T* mean = w[moving].data();
    const T* variance = w[moving + 1].data();
    T* factor = context.scratch.data();
    if (context.training) {
      const Saved<T> saved(context, channels);
      for_channels(context.threads, channels, [&](Index first, Index last) {
        channel_statistics<T>(rows, channels, first, last, x.data(), saved.mean, saved.variance);
      });
      mean = saved.mean;
      variance = saved.variance;
      for (Index c = 0; c < channels; ++c) saved.inverse[c] = inverse_of(variance[c]);
    }
    for (Index c = 0; c < channels; ++c) factor[c] = inverse_of(variance[c]) * (scale ? w[0][c] : T(1));
    const T* shift = center ? w[moving - 1].data() : nullptr;
    constexpr Index kRows = 1024;  // a fixed piece of work; the rows are independent
    parallel_for((rows + kRows - 1) / kRows, context.threads, [&](Index piece, int) {
      const Index first = piece * kRows * channels;
      channel_affine<T>(std::min(kRows, rows - piece * kRows), channels, x.data() + first, mean, factor, shift,
                        y.data() + first);
    });
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T>, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    const Index channels = x.shape().back();
    const Index rows = x.size() / channels;
    const Saved<T> saved(context, channels);
    T* factor = context.scratch.data();
    T* d_sum = factor + channels;
    T* d_dot = d_sum + channels;
    for (Index c = 0; c < channels; ++c) factor[c] = saved.inverse[c] * (scale ? w[0][c] : T(1));
    for_channels(context.threads, channels, [&](Index first, Index last) {
      channel_gradient_sums<T>(rows, channels, first, last, x.data(), dy.data(), saved.mean, saved.inverse, d_sum,
                               d_dot);
      if (dx.empty()) return;
      channel_normalization_backward<T>(rows, channels, first, last, x.data(), dy.data(), saved.mean, saved.inverse,
                                        factor, d_sum, d_dot, dx.data());
    });
    const std::size_t moving = moving_mean_index();
    if (scale) add_to<T>(channels, d_dot, dw[0].data());
    if (center) add_to<T>(channels, d_sum, dw[moving - 1].data());
    // The batch's statistics travel to update_state() in the gradients of what no optimizer touches.
    add_to<T>(channels, saved.mean, dw[moving].data());
    add_to<T>(channels, saved.variance, dw[moving + 1].data());
  }

  template <class T>
  void update_state(Parameters<T> w, Parameters<const T> dw) const {
    for (std::size_t i = moving_mean_index(); i < w.size(); ++i) {
      linnet::scale<T>(w[i].size(), static_cast<T>(momentum), w[i].data(), w[i].data());
      axpy<T>(w[i].size(), static_cast<T>(1 - momentum), dw[i].data(), w[i].data());
    }
  }

 private:
  static constexpr Index kSaved = 3;
  template <class T>
  struct Saved {
    Saved(const Context<T>& context, Index channels)
        : mean(context.saved.data()), variance(mean + channels), inverse(variance + channels) {}
    T* mean;
    T* variance;
    T* inverse;  ///< 1 / sqrt(variance + epsilon)
  };
  std::size_t moving_mean_index() const { return (scale ? 1u : 0u) + (center ? 1u : 0u); }
  template <class T>
  T inverse_of(T variance) const {
    return T(1) / std::sqrt(variance + static_cast<T>(epsilon));
  }
  /// Shares the channels out: a channel's sums are one thread's, so they do not depend on the threads.
  template <class Work>
  static void for_channels(int threads, Index channels, const Work& work) {
    constexpr Index kChannels = 16;
    parallel_for((channels + kChannels - 1) / kChannels, threads,
                 [&](Index piece, int) { work(piece * kChannels, std::min(channels, (piece + 1) * kChannels)); });
  }
};

LINNET_NAMESPACE_END
