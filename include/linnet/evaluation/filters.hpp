// Simple filters: what a network that denoises has to beat.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

/// Images {n, height, width, channels} under a symmetric filter, first along the rows, then down the columns. `half` has
/// its weights from the middle on. Beyond the border the outermost pixel repeats.
template <class T>
Tensor<T> separable_filter(const char* who, TensorView<const T> images, const std::vector<double>& half) {
  if (images.shape().rank() != 4) {
    throw ShapeError(std::string(who) + ": expected images {n, height, width, channels}, got " +
                     images.shape().to_string());
  }
  const Index height = images.shape()[1], width = images.shape()[2], channels = images.shape()[3];
  const auto radius = static_cast<Index>(half.size()) - 1;
  Tensor<T> across(images.shape()), result(images.shape());
  // The pixels of a line have `extent` positions, `stride` elements apart.
  const auto pass = [&](TensorView<const T> from, TensorView<T> to, Index extent, Index stride) {
    parallel_for(images.batch(), [&](Index n, int) {
      const Index first = n * images.sample_size();
      for (Index i = 0; i < images.sample_size(); ++i) {
        const Index at = i / stride % extent;
        double sum = 0;
        for (Index d = -radius; d <= radius; ++d) {
          const Index neighbour = std::clamp<Index>(at + d, 0, extent - 1);
          sum = std::fma(half[static_cast<std::size_t>(std::abs(d))],
                         static_cast<double>(from[first + i + (neighbour - at) * stride]), sum);
        }
        to[first + i] = static_cast<T>(sum);
      }
    });
  };
  pass(images, across, width, channels);
  pass(across, result, height, width * channels);
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
                                  std::vector(static_cast<std::size_t>(size / 2 + 1), 1 / static_cast<double>(size)));
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
  std::vector<double> half;
  double total = 0;
  for (int i = 0; i <= static_cast<int>(4 * deviation + 0.5); ++i) {
    half.push_back(std::exp(-0.5 * (i / deviation) * (i / deviation)));
    total += i == 0 ? half.back() : 2 * half.back();
  }
  for (double& w : half) w /= total;
  return detail::separable_filter("gaussian_filter", images, half);
}
template <class T>
Tensor<T> gaussian_filter(const Tensor<T>& images, double deviation) {
  return gaussian_filter(images.view(), deviation);
}

LINNET_NAMESPACE_END
