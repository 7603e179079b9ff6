// The variational autoencoder: the network, its evidence lower bound, and images drawn from it.
//
// ELBO = E[log p(x | z)] - beta KL(q(z | x) || N(0, 1)). What is reported is -ELBO with beta = 1, in nats an image: the
// reconstruction (binary cross-entropy, summed over the pixels, with one z drawn from q for each image) and the KL
// divergence, each apart (D. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "linnet/linnet.hpp"

namespace augment {

using namespace linnet;

/// "small": for 28x28 images and two latents 415,893 parameters; "large": twice as wide in the middle, 825,253, for a
/// model of all classes. Throws ShapeError for an image whose height or width is no multiple of 4.
inline Model<float> build_vae(const Shape& image, const std::string& network, Index latent, double beta,
                              std::uint64_t seed) {
  if (image[0] % 4 != 0 || image[1] % 4 != 0 || image[2] != 1) {
    throw ShapeError("expected grey images whose height and width are multiples of 4, got " + image.to_string());
  }
  const bool large = network == "large";
  const Index height = image[0] / 4, width = image[1] / 4, units = large ? 256 : 128, filters = large ? 32 : 16;
  return Sequential(
      image,
      {Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 32, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Flatten{}, Dense{.units = units, .activation = relu}, Dense{.units = 2 * latent},
       GaussianLatent{.kl_weight = beta}, Dense{.units = units, .activation = relu},
       Dense{.units = height * width * 32, .activation = relu}, Reshape{.target_shape = {height, width, 32}},
       UpSampling2D{.size = 2}, Conv2D{.filters = filters, .kernel_size = 3, .padding = same, .activation = relu},
       UpSampling2D{.size = 2}, Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu},
       Conv2D{.filters = 1, .kernel_size = 3, .padding = same, .activation = sigmoid}},
      seed);
}

/// -ELBO in its two terms, in nats an image.
struct Elbo {
  double reconstruction = 0, kl = 0;
  double negative() const { return reconstruction + kl; }
};

/// The two halves of a trained model.
class Vae {
 public:
  explicit Vae(const Model<float>& model)
      : encoder_(part_of(model, 0, find_node(model, "GaussianLatent"))),
        decoder_(part_of(model, find_node(model, "GaussianLatent") + 1, static_cast<int>(model.nodes().size()))) {}

  Index latent() const { return decoder_.input_shape()[0]; }
  /// Images {n, ...} to {n, 2 * latent}: means, then log variances.
  Tensor<float> encode(TensorView<const float> images) const { return encoder_.predict(images); }
  /// Latents {n, latent} to images.
  Tensor<float> decode(TensorView<const float> z) const { return decoder_.predict(z); }

  /// The means of encoded images.
  Tensor<float> means(TensorView<const float> encoded) const {
    Tensor<float> z({encoded.batch(), latent()});
    for (Index i = 0; i < z.batch(); ++i) {
      std::copy_n(encoded.samples(i, 1).data(), latent(), z.samples(i, 1).data());
    }
    return z;
  }
  /// A latent drawn for each encoded image; the key and its place decide it.
  Tensor<float> draw(TensorView<const float> encoded, const RandomKey& key) const {
    Tensor<float> z({encoded.batch(), latent()});
    for (Index i = 0; i < z.batch(); ++i) {
      const auto of_sample = z.samples(i, 1);
      fill_normal<float>(key.with_sample(static_cast<std::uint32_t>(i)), of_sample.span());
      const float* mean = encoded.samples(i, 1).data();
      for (Index k = 0; k < latent(); ++k) {
        const double deviation = std::exp(double{mean[latent() + k]} / 2);
        of_sample[k] = static_cast<float>(std::fma(deviation, double{of_sample[k]}, double{mean[k]}));
      }
    }
    return z;
  }
  /// Latents {n, latent} of the prior, the standard normal distribution.
  Tensor<float> draw_prior(Index n, const RandomKey& key) const {
    Tensor<float> z({n, latent()});
    for (Index i = 0; i < n; ++i) {
      fill_normal<float>(key.with_sample(static_cast<std::uint32_t>(i)), z.samples(i, 1).span());
    }
    return z;
  }

  /// Images along the latents [first, last), `steps` for each, from -range to range; the other latents are 0.
  Tensor<float> along(Index first, Index last, double range, Index steps) const {
    Tensor<float> z({(last - first) * steps, latent()});
    for (Index k = first; k < last; ++k) {
      for (Index i = 0; i < steps; ++i) {
        const double value = range * (2 * share_of(i, steps) - 1);
        z[((k - first) * steps + i) * latent() + k] = static_cast<float>(value);
      }
    }
    return decode(z.view());
  }
  /// Two images {1, ...}, and between them `steps` images on the straight line from the mean of one's latent to that of
  /// the other's.
  Tensor<float> between(TensorView<const float> first, TensorView<const float> last, Index steps) const {
    const Tensor<float> from = means(encode(first).view()), to = means(encode(last).view());
    Tensor<float> z({steps, latent()});
    for (Index i = 0; i < steps; ++i) {
      const double share = share_of(i, steps);
      for (Index k = 0; k < latent(); ++k) {
        z[i * latent() + k] = static_cast<float>(std::fma(share, double{to[k]} - double{from[k]}, double{from[k]}));
      }
    }
    const Tensor<float> line = decode(z.view());
    Tensor<float> all(first.shape().without_batch().with_batch(steps + 2));
    auto end = std::copy(first.begin(), first.end(), all.begin());
    end = std::copy(line.begin(), line.end(), end);
    std::copy(last.begin(), last.end(), end);
    return all;
  }

  Elbo elbo(TensorView<const float> images, const RandomKey& key) const {
    const Tensor<float> encoded = encode(images), z = draw(encoded.view(), key);
    const double n = static_cast<double>(images.batch());
    Elbo result;
    // A Trainer computes the loss from the last layer's logits, however sure they are: no logarithm is cut off.
    Model<float> decoder = decoder_;
    result.reconstruction = Trainer(decoder, BinaryCrossentropy{.reduction = Reduction::sum}, Adam{})
                                .evaluate(TensorSource<float>(z.view(), images))["loss"];
    for (Index i = 0; i < encoded.batch(); ++i) {
      const float* mean = encoded.samples(i, 1).data();
      for (Index k = 0; k < latent(); ++k) {
        const double m = double{mean[k]}, log_variance = double{mean[latent() + k]};
        result.kl += std::fma(m, m, std::exp(log_variance) - log_variance - 1) / 2 / n;
      }
    }
    return result;
  }

 private:
  /// How far step i is from 0 to 1, of two steps or more.
  static double share_of(Index i, Index steps) { return static_cast<double>(i) / static_cast<double>(steps - 1); }
  Model<float> encoder_, decoder_;
};

}  // namespace augment
