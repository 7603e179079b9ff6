// How close one image is to another: mean squared error, PSNR, SSIM, binary cross-entropy and the least it can be.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/evaluation/filters.hpp"
#include "linnet/losses/loss.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {
template <class T>
void require_same_images(const char* who, const TensorView<const T>& a, const TensorView<const T>& b) {
  if (a.shape() != b.shape() || a.size() == 0) {
    throw ShapeError(std::string(who) + ": expected two batches of the same shape with at least one element, got " +
                     a.shape().to_string() + " and " + b.shape().to_string());
  }
}
}  // namespace detail

/// The mean of (a - b)^2 over all elements. Throws ShapeError when the shapes differ.
template <class T>
double mean_squared_error(TensorView<const T> a, TensorView<const T> b) {
  detail::require_same_images("mean_squared_error", a, b);
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum = std::fma(difference, difference, sum);
  }
  return sum / static_cast<double>(a.size());
}

template <class T>
double mean_squared_error(const Tensor<T>& a, const Tensor<T>& b) {
  return mean_squared_error(a.view(), b.view());
}

/// The peak signal-to-noise ratio of values in [0, 1], in decibels: -10 log10(MSE); infinite for equal images.
inline double psnr(double mean_squared_error) { return -10 * std::log10(mean_squared_error); }

/// The mean over elements of the entropy of targets in [0, 1], in nats: the least binary cross-entropy that any output
/// can have with them, reached by a perfect copy. 0 only if all of them are 0 or 1. Throws ShapeError for no targets,
/// ValueError for one outside [0, 1].
template <class T>
double binary_entropy(TensorView<const T> target) {
  detail::require_same_images("binary_entropy", target, target);
  double sum = 0;
  for (Index i = 0; i < target.size(); ++i) {
    const double p = static_cast<double>(target[i]);
    if (!(p >= 0 && p <= 1)) {
      throw ValueError("binary_entropy: expected targets in [0, 1], got " + std::to_string(p));
    }
    if (p > 0 && p < 1) sum -= std::fma(p, std::log(p), (1 - p) * std::log(1 - p));
  }
  return sum / static_cast<double>(target.size());
}

template <class T>
double binary_entropy(const Tensor<T>& target) {
  return binary_entropy(target.view());
}

/// The mean over elements of the binary cross-entropy of `y` with targets in [0, 1], in nats: of outputs rather than
/// logits, with double's precision. Outputs are held within [1e-7, 1 - 1e-7], as the loss of that name does. Throws
/// ShapeError when the shapes differ.
template <class T>
double binary_crossentropy(TensorView<const T> y, TensorView<const T> target) {
  constexpr double kLeast = detail::kProbabilityEpsilon;
  detail::require_same_images("binary_crossentropy", y, target);
  double sum = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const double p = std::clamp(static_cast<double>(y[i]), kLeast, 1 - kLeast), t = static_cast<double>(target[i]);
    sum -= std::fma(t, std::log(p), (1 - t) * std::log1p(-p));
  }
  return sum / static_cast<double>(y.size());
}
template <class T>
double binary_crossentropy(const Tensor<T>& y, const Tensor<T>& target) {
  return binary_crossentropy(y.view(), target.view());
}

/// The structural similarity index of each pair of images {n, height, width, channels} with values in [0, 1]: 1 for
/// equal images. Gaussian windows of 11x11 with a standard deviation of 1.5 pixels that lie within the image, K1 =
/// 0.01, K2 = 0.03, population variances; the mean over windows and channels (Z. Wang, A. Bovik, H. Sheikh, E.
/// Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE Transactions on Image
/// Processing 13, 2004). Throws ShapeError for other shapes and for images smaller than a window.
template <class T>
std::vector<double> structural_similarity(TensorView<const T> a, TensorView<const T> b) {
  constexpr Index kWindow = 11;
  constexpr double kDeviation = 1.5, kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
  detail::require_same_images("structural_similarity", a, b);
  if (a.shape().rank() != 4 || a.shape()[1] < kWindow || a.shape()[2] < kWindow) {
    throw ShapeError("structural_similarity: expected images of at least 11x11 {n, height, width, channels}, got " +
                     a.shape().to_string());
  }
  const std::vector<double> window = detail::gaussian_window(kWindow / 2, kDeviation);
  const Index height = a.shape()[1], width = a.shape()[2], channels = a.shape()[3];
  const Index columns = width - kWindow + 1, rows = height - kWindow + 1;
  std::vector<double> result(static_cast<std::size_t>(a.batch()));
  parallel_for(a.batch(), [&](Index n, int) {
    const auto image_a = a.samples(n, 1), image_b = b.samples(n, 1);
    // Weighted means over windows of a, b, a^2, b^2 and ab; each at the window's first pixel. An image is one long
    // line: windows that reach from one row into the next are computed, and not used.
    const Index row = width * channels, across_size = height * row - (kWindow - 1) * channels,
                size = rows * row - (kWindow - 1) * channels;
    std::vector<double> product(static_cast<std::size_t>(height * row)), across(static_cast<std::size_t>(across_size));
    std::array<std::vector<double>, 5> means;
    const auto mean_of = [&](std::vector<double>& mean, auto value) {
      for (Index i = 0; i < height * row; ++i) {
        product[static_cast<std::size_t>(i)] = value(static_cast<double>(image_a[i]), static_cast<double>(image_b[i]));
      }
      mean.resize(static_cast<std::size_t>(size));
      detail::correlate(across_size, window, channels, product.data(), across.data());
      detail::correlate(size, window, row, across.data(), mean.data());
    };
    mean_of(means[0], [](double u, double) { return u; });
    mean_of(means[1], [](double, double v) { return v; });
    mean_of(means[2], [](double u, double) { return u * u; });
    mean_of(means[3], [](double, double v) { return v * v; });
    mean_of(means[4], [](double u, double v) { return u * v; });
    double sum = 0;
    for (Index y = 0; y < rows; ++y) {
      for (Index x = 0; x < columns * channels; ++x) {
        std::array<double, 5> m;
        for (std::size_t k = 0; k < m.size(); ++k) m[k] = means[k][static_cast<std::size_t>(y * row + x)];
        const double variance_a = m[2] - m[0] * m[0], variance_b = m[3] - m[1] * m[1];
        const double covariance = m[4] - m[0] * m[1];
        sum += (2 * m[0] * m[1] + kC1) * (2 * covariance + kC2) /
               ((m[0] * m[0] + m[1] * m[1] + kC1) * (variance_a + variance_b + kC2));
      }
    }
    result[static_cast<std::size_t>(n)] = sum / static_cast<double>(rows * columns * channels);
  });
  return result;
}
template <class T>
std::vector<double> structural_similarity(const Tensor<T>& a, const Tensor<T>& b) {
  return structural_similarity(a.view(), b.view());
}

LINNET_NAMESPACE_END
