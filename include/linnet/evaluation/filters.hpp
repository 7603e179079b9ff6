// Simple filters: what a network that denoises has to beat.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/kernels/vector_ops.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

/// The weights of a Gaussian window of 2 * radius + 1 pixels, whose sum is 1.
inline std::vector<double> gaussian_window(int radius, double deviation) {
  std::vector<double> window;
  for (int i = -radius; i <= radius; ++i) window.push_back(std::exp(-0.5 * (i / deviation) * (i / deviation)));
  const double total = std::accumulate(window.begin(), window.end(), 0.0);
  for (double& w : window) w /= total;
  return window;
}

/// to[i] = the sum over k of window[k] * from[i + k * stride], for i < n.
inline void correlate(Index n, const std::vector<double>& window, Index stride, const double* from, double* to) {
  scale(n, window[0], from, to);
  for (std::size_t k = 1; k < window.size(); ++k) axpy(n, window[k], from + static_cast<Index>(k) * stride, to);
}

/// Images {n, height, width, channels} under a filter of an odd number of weights, first along the rows, then down the
/// columns. Beyond the border the outermost pixel repeats.
template <class T>
Tensor<T> separable_filter(const char* who, TensorView<const T> images, const std::vector<double>& window) {
  if (images.shape().rank() != 4) {
    throw ShapeError(std::string(who) + ": expected images {n, height, width, channels}, got " +
                     images.shape().to_string());
  }
  const Index height = images.shape()[1], width = images.shape()[2], channels = images.shape()[3];
  const Index radius = std::ssize(window) / 2;
  Tensor<T> result(images.shape());
  parallel_for(images.batch(), [&](Index n, int) {
    const auto from = images.samples(n, 1);
    std::vector<double> image(from.begin(), from.end()), padded;
    // Lines of `extent` positions, `stride` elements apart: `padded` has the same with the border's repetitions.
    const auto pass = [&](Index extent, Index stride) {
      padded.resize(static_cast<std::size_t>((extent + 2 * radius) * stride));
      for (double* line = image.data(); line != image.data() + image.size(); line += extent * stride) {
        for (Index at = 0; at < extent + 2 * radius; ++at) {
          std::copy_n(line + std::clamp<Index>(at - radius, 0, extent - 1) * stride, stride,
                      padded.data() + at * stride);
        }
        correlate(extent * stride, window, stride, padded.data(), line);
      }
    };
    pass(width, channels);
    pass(height, width * channels);
    std::transform(image.begin(), image.end(), result.samples(n, 1).begin(),
                   [](double v) { return static_cast<T>(v); });
  });
  return result;
}

}  // namespace detail

/// Each pixel becomes the mean of the square of `size` x `size` pixels around it; beyond the border the outermost pixel
/// repeats (scipy.ndimage.uniform_filter with mode="nearest"). Throws ValueError unless `size` is odd and positive,
/// ShapeError for anything but images {n, height, width, channels}.
template <class T>
Tensor<T> box_filter(TensorView<const T> images, Index size) {
  if (size < 1 || size % 2 == 0) {
    throw ValueError("box_filter: expected an odd size of at least 1, got " + std::to_string(size));
  }
  return detail::separable_filter("box_filter", images,
                                  std::vector(static_cast<std::size_t>(size), 1 / static_cast<double>(size)));
}
template <class T>
Tensor<T> box_filter(const Tensor<T>& images, Index size) {
  return box_filter(images.view(), size);
}

/// A Gaussian blur of standard deviation `deviation` (pixels), cut off beyond 4 deviations; beyond the border the
/// outermost pixel repeats (scipy.ndimage.gaussian_filter with mode="nearest"). Throws ValueError for a deviation
/// that is not in (0, 1000], ShapeError for anything but images {n, height, width, channels}.
template <class T>
Tensor<T> gaussian_filter(TensorView<const T> images, double deviation) {
  if (!(deviation > 0) || !(deviation <= 1000)) {
    throw ValueError("gaussian_filter: expected a deviation in (0, 1000] pixels, got " + std::to_string(deviation));
  }
  return detail::separable_filter("gaussian_filter", images,
                                  detail::gaussian_window(static_cast<int>(4 * deviation + 0.5), deviation));
}
template <class T>
Tensor<T> gaussian_filter(const Tensor<T>& images, double deviation) {
  return gaussian_filter(images.view(), deviation);
}

LINNET_NAMESPACE_END
