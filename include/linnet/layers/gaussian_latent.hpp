// GaussianLatent: the sampling step of a variational autoencoder (D. Kingma, M. Welling, "Auto-encoding variational
// Bayes", ICLR 2014, section 3 and appendix B).
//
// The input of a sample is {mean, log variance}, side by side. In training z = mean + sigma eps with sigma =
// e^(log variance / 2) and eps standard normal; otherwise z = mean. In both the layer adds to the loss
//   kl_weight * KL,   KL = -1/2 sum(1 + log variance - mean^2 - e^(log variance))
// (sum over the latents, mean over the batch of N samples). Backward:
//   d mean = dz + kl_weight mean / N
//   d log variance = dz eps sigma / 2 + kl_weight (e^(log variance) - 1) / (2 N)
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "linnet/kernels/latent.hpp"
#include "linnet/kernels/random.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// {2 * latents} -> {latents}.
struct GaussianLatent {
  static constexpr std::string_view kName = "GaussianLatent";

  double kl_weight = 1;  ///< beta of a beta-VAE; >= 0

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("kl_weight", kl_weight);
  }

  LayerPlan plan(const Shape& in) const {
    if (in.rank() != 1 || in[0] < 2 || in[0] % 2 != 0) {
      throw ShapeError("GaussianLatent: expected an input {2 * latents} (means, then log variances), got " +
                       in.to_string());
    }
    if (!(kl_weight >= 0 && std::isfinite(kl_weight))) {
      throw ValueError("GaussianLatent: expected a finite KL weight >= 0, got " + std::to_string(kl_weight));
    }
    return {.output = {in[0] / 2}, .saved_per_sample = in[0] / 2};
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    const Index n = y.sample_size();
    for (Index s = 0; s < x.batch(); ++s) {
      T* noise = nullptr;
      if (context.training) {
        noise = context.saved.data() + s * n;
        fill_normal<T>(context.random(s), std::span<T>(noise, static_cast<std::size_t>(n)));
      }
      const T* mean = x.data() + 2 * s * n;
      const double divergence = latent_forward<T>(n, mean, mean + n, noise, y.data() + s * n);
      context.loss = std::fma(kl_weight, divergence, context.loss);
    }
  }
  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T>, TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    const Index n = y.sample_size();
    const T factor = static_cast<T>(kl_weight / static_cast<double>(context.batch));
    for (Index s = 0; s < x.batch(); ++s) {
      const T* mean = x.data() + 2 * s * n;
      const T* noise = context.saved.data() + s * n;
      T* d_mean = dx.data() + 2 * s * n;
      latent_backward<T>(n, factor, mean, mean + n, noise, dy.data() + s * n, d_mean, d_mean + n);
    }
  }
};

LINNET_NAMESPACE_END
