// How close one image is to another: mean squared error, PSNR, SSIM, binary cross-entropy and what it can reach at best.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"
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
  std::array<double, kWindow> window;
  double total = 0;
  for (Index i = 0; i < kWindow; ++i) {
    const double x = static_cast<double>(i - kWindow / 2) / kDeviation;
    total += window[static_cast<std::size_t>(i)] = std::exp(-0.5 * x * x);
  }
  for (double& w : window) w /= total;

  const Index height = a.shape()[1], width = a.shape()[2], channels = a.shape()[3];
  const Index columns = width - kWindow + 1, rows = height - kWindow + 1;
  std::vector<double> result(static_cast<std::size_t>(a.batch()));
  parallel_for(a.batch(), [&](Index n, int) {
    // Weighted means over windows of a, b, a^2, b^2 and ab: first along the rows, then down the columns.
    std::vector<std::array<double, 5>> across(static_cast<std::size_t>(height * columns));
    double sum = 0;
    for (Index c = 0; c < channels; ++c) {
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < columns; ++x) {
          std::array<double, 5>& means = across[static_cast<std::size_t>(y * columns + x)];
          means = {};
          for (Index i = 0; i < kWindow; ++i) {
            const Index at = ((n * height + y) * width + x + i) * channels + c;
            const double w = window[static_cast<std::size_t>(i)];
            const double u = static_cast<double>(a[at]), v = static_cast<double>(b[at]);
            means[0] = std::fma(w, u, means[0]);
            means[1] = std::fma(w, v, means[1]);
            means[2] = std::fma(w * u, u, means[2]);
            means[3] = std::fma(w * v, v, means[3]);
            means[4] = std::fma(w * u, v, means[4]);
          }
        }
      }
      for (Index y = 0; y < rows; ++y) {
        for (Index x = 0; x < columns; ++x) {
          std::array<double, 5> m = {};
          for (Index i = 0; i < kWindow; ++i) {
            const auto& means = across[static_cast<std::size_t>((y + i) * columns + x)];
            for (std::size_t k = 0; k < 5; ++k) m[k] = std::fma(window[static_cast<std::size_t>(i)], means[k], m[k]);
          }
          const double variance_a = m[2] - m[0] * m[0], variance_b = m[3] - m[1] * m[1];
          const double covariance = m[4] - m[0] * m[1];
          sum += (2 * m[0] * m[1] + kC1) * (2 * covariance + kC2) /
                 ((m[0] * m[0] + m[1] * m[1] + kC1) * (variance_a + variance_b + kC2));
        }
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
