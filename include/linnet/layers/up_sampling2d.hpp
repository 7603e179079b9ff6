// UpSampling2D: an image `size` times as large.
//
// `nearest` repeats every pixel; backward sums the gradients of its copies. `bilinear` places pixel centres at half
// units (as Keras, tf.image.resize, and PyTorch with align_corners = false): output o lies at
// (o + 1/2) / size - 1/2 of the input, held at the edges, and is the weighted mean of the four pixels around;
// backward gives these four the same weights.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "linnet/kernels/upsampling.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/geometry.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

enum class Interpolation { nearest, bilinear };

inline constexpr auto names(Interpolation) {
  return std::array{NameOf{Interpolation::nearest, "nearest"}, NameOf{Interpolation::bilinear, "bilinear"}};
}

/// {height, width, channels} -> {height * size, width * size, channels}.
struct UpSampling2D {
  static constexpr std::string_view kName = "UpSampling2D";

  Size2D size = 2;
  Interpolation interpolation = Interpolation::nearest;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("size", size);
    visit.field("interpolation", interpolation);
  }

  LayerPlan plan(const Shape& in) const {
    require_image(kName, in);
    if (size.height < 1 || size.width < 1) {
      throw ValueError("UpSampling2D: expected a size >= 1, got " + size.to_string());
    }
    return {.output = {checked_multiply(in[0], size.height), checked_multiply(in[1], size.width), in[2]}};
  }

  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    if (interpolation == Interpolation::nearest) return upsample_nearest<T>(blocks(x.shape()), x.data(), y.data());
    const Index channels = x.shape()[3];
    for_each_pixel(x.shape(), [&](Index to, const Neighbours& near) {
      scale<T>(channels, static_cast<T>(near.weight[0]), x.data() + near.place[0], y.data() + to);
      for (std::size_t i = 1; i < 4; ++i) {
        axpy<T>(channels, static_cast<T>(near.weight[i]), x.data() + near.place[i], y.data() + to);
      }
    });
  }

  template <class T>
  void backward(Context<T>&, TensorView<const T> x, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    if (interpolation == Interpolation::nearest) {
      return upsample_nearest_backward<T>(blocks(x.shape()), dy.data(), dx.data());
    }
    const Index channels = x.shape()[3];
    std::fill(dx.begin(), dx.end(), T(0));
    for_each_pixel(x.shape(), [&](Index from, const Neighbours& near) {
      for (std::size_t i = 0; i < 4; ++i) {
        axpy<T>(channels, static_cast<T>(near.weight[i]), dy.data() + from, dx.data() + near.place[i]);
      }
    });
  }

 private:
  BlockGeometry blocks(const Shape& x) const { return {x[0], x[1], x[2], x[3], size.height, size.width}; }

  // Bilinear interpolation:

  /// The four input pixels that an output pixel is made of, with their weights.
  struct Neighbours {
    std::array<Index, 4> place{};
    std::array<double, 4> weight{};
  };
  struct Pair {
    Index first, second;
    double weight;  ///< of the second
  };
  Pair along(Index output, Index factor, Index extent) const {
    const double at = (static_cast<double>(output) + 0.5) / static_cast<double>(factor) - 0.5;
    const double held = std::max(at, 0.0);
    const Index first = std::min(static_cast<Index>(held), extent - 1);
    return {first, std::min(first + 1, extent - 1), held - static_cast<double>(first)};
  }
  /// Calls visit(place of the output pixel, its neighbours) for a batch of inputs of shape x.
  template <class Visit>
  void for_each_pixel(const Shape& x, const Visit& visit) const {
    const Index height = x[1], width = x[2], channels = x[3];
    Index to = 0;
    for (Index n = 0; n < x[0]; ++n) {
      const Index image = n * height * width * channels;
      for (Index oy = 0; oy < height * size.height; ++oy) {
        const Pair v = along(oy, size.height, height);
        for (Index ox = 0; ox < width * size.width; ++ox, to += channels) {
          const Pair h = along(ox, size.width, width);
          const auto place = [&](Index row, Index column) { return image + (row * width + column) * channels; };
          visit(to, Neighbours{{place(v.first, h.first), place(v.first, h.second), place(v.second, h.first),
                                place(v.second, h.second)},
                               {(1 - v.weight) * (1 - h.weight), (1 - v.weight) * h.weight, v.weight * (1 - h.weight),
                                v.weight * h.weight}});
        }
      }
    }
  }
};

LINNET_NAMESPACE_END
