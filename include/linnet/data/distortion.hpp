// Distortion: random affine and elastic changes of images, which make a few training images count as many.
//
// Elastic distortions of digits: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks
// applied to visual document analysis", ICDAR 2003. Here the field of displacements is a cubic B-spline over a few
// random control points instead of smoothed noise: as smooth, and without a buffer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "linnet/core/random.hpp"
#include "linnet/kernels/random.hpp"

LINNET_NAMESPACE_BEGIN

struct Distortion {
  double rotation = 0;  ///< degrees: the angle is uniform in [-rotation, rotation]
  double scale = 0;     ///< of each axis: a factor uniform in [1 - scale, 1 + scale]
  double shear = 0;     ///< columns for each row from the centre: uniform in [-shear, shear]
  double shift = 0;     ///< of each axis: a share of its extent, uniform in [-shift, shift]
  double elastic = 0;   ///< pixels: the standard deviation of the control points' displacements

  bool none() const { return rotation == 0 && scale == 0 && shear == 0 && shift == 0 && elastic == 0; }

  /// Throws ValueError for an angle outside [0, 180], a scale or a shift outside [0, 1), a shear or a displacement outside
  /// [0, 1000].
  void validate() const {
    const auto require = [](const char* name, double value, double most, bool included) {
      if (value >= 0 && (included ? value <= most : value < most)) return;
      throw ValueError(std::string("Distortion: expected a ") + name + " in [0, " + std::to_string(most) +
                       (included ? "]" : ")") + ", got " + std::to_string(value));
    };
    require("rotation", rotation, 180, true);
    require("scale", scale, 1, false);
    require("shear", shear, 1e3, true);
    require("shift", shift, 1, false);
    require("elastic displacement", elastic, 1e3, true);
  }

  /// Where the pixels of a distorted image come from: the pixel in row i and column j shows the image at {y, x} =
  /// centre + matrix {i, j} - matrix centre + shift + the elastic displacement. Numbers are fixed-point, kOne to the
  /// pixel, so that all machines compute the same.
  struct Map {
    static constexpr int kControls = 7;                       ///< along each axis: a cubic B-spline over four intervals
    std::array<std::int64_t, 4> matrix = {kOne, 0, 0, kOne};  ///< {y of i, y of j, x of i, x of j}
    std::array<std::int64_t, 2> shift = {};                   ///< {y, x}
    std::array<std::int64_t, 2 * kControls* kControls> controls = {};  ///< of y, then of x
    bool elastic = false;
  };
  static constexpr int kFraction = 16;
  static constexpr std::int64_t kOne = std::int64_t{1} << kFraction;

  /// A random map for images of `shape` {height, width, channels}; the key decides it.
  Map random_map(const RandomKey& key, const Shape& shape) const {
    const RandomKey own = key.with_stream(random_stream::kDistortion);
    const auto around = [&](Index i, double centre, double most) {
      return std::fma(most, std::fma(2.0, double{own.uniform(i)}, -1.0), centre);
    };
    const auto fixed = [](double x) { return static_cast<std::int64_t>(std::llround(x * double{kOne})); };
    const double angle = around(0, 0, rotation) * (3.14159265358979323846 / 180);
    const double s = sine(angle), c = sine(3.14159265358979323846 / 2 - std::abs(angle));
    const double high = around(1, 1, scale), wide = around(2, 1, scale), lean = around(3, 0, shear);
    Map map;
    // The image is scaled, sheared, then turned.
    map.matrix = {fixed(high * std::fma(s, lean, c)), fixed(wide * s), fixed(high * std::fma(c, lean, -s)),
                  fixed(wide * c)};
    map.shift = {fixed(around(4, 0, shift) * static_cast<double>(shape[0])),
                 fixed(around(5, 0, shift) * static_cast<double>(shape[1]))};
    map.elastic = elastic > 0;
    if (map.elastic) {
      std::array<float, std::tuple_size_v<decltype(map.controls)>> normal;
      fill_normal<float>(key.with_stream(random_stream::kElastic), normal);
      for (std::size_t i = 0; i < normal.size(); ++i) map.controls[i] = fixed(elastic * double{normal[i]});
    }
    return map;
  }

  /// Draws the image of `shape` {height, width, channels} as the map has it, in [0, 1]. Between pixels it is
  /// interpolated linearly; outside it is 0.
  template <class T>
  static void draw(const Map& map, const Shape& shape, std::span<const std::uint8_t> image, T* to) {
    const Index height = shape[0], width = shape[1], channels = shape[2];
    constexpr Index kColumns = 64;  // at a time: their splines are on the stack
    std::array<Spline, kColumns> splines;
    for (Index first = 0; first < width; first += kColumns) {
      const Index last = std::min(first + kColumns, width);
      for (Index j = first; map.elastic && j < last; ++j)
        splines[static_cast<std::size_t>(j - first)] = spline(j, width);
      for (Index i = 0; i < height; ++i) {
        const RowOfControls row = map.elastic ? row_of(map, i, height) : RowOfControls{};
        // Twice the distance from the centre, which may lie between two pixels.
        const std::int64_t v = 2 * i - (height - 1);
        for (Index j = first; j < last; ++j) {
          const std::int64_t u = 2 * j - (width - 1);
          std::int64_t y = (height - 1) * kOne + map.matrix[0] * v + map.matrix[1] * u;
          std::int64_t x = (width - 1) * kOne + map.matrix[2] * v + map.matrix[3] * u;
          y = (y >> 1) + map.shift[0];
          x = (x >> 1) + map.shift[1];
          if (map.elastic) {
            const Spline& at = splines[static_cast<std::size_t>(j - first)];
            for (std::size_t k = 0; k < 4; ++k) {
              y += at.weight[k] * row.y[at.first + k] >> kFraction;
              x += at.weight[k] * row.x[at.first + k] >> kFraction;
            }
          }
          sample(shape, image, y, x, to + (i * width + j) * channels);
        }
      }
    }
  }

 private:
  /// The weights of the four control points around pixel `i` of `extent`, and the first of them.
  struct Spline {
    std::size_t first;
    std::array<std::int64_t, 4> weight;
  };
  static Spline spline(Index i, Index extent) {
    constexpr Index kIntervals = Map::kControls - 3;
    const Index numerator = (2 * i + 1) * kIntervals, denominator = 2 * extent;
    const double t = static_cast<double>(numerator % denominator) / static_cast<double>(denominator), s = 1 - t;
    const auto weight = [](double w) { return static_cast<std::int64_t>(std::llround(w / 6 * double{kOne})); };
    return {static_cast<std::size_t>(numerator / denominator),
            {weight(s * s * s), weight(std::fma(t * t, std::fma(3.0, t, -6.0), 4.0)),
             weight(std::fma(s * s, std::fma(3.0, s, -6.0), 4.0)), weight(t * t * t)}};
  }
  /// The control points of a row of pixels.
  struct RowOfControls {
    std::array<std::int64_t, Map::kControls> y = {}, x = {};
  };
  static RowOfControls row_of(const Map& map, Index i, Index height) {
    RowOfControls row;
    const Spline at = spline(i, height);
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::size_t j = 0; j < Map::kControls; ++j) {
        const std::size_t control = (at.first + k) * Map::kControls + j;
        row.y[j] += at.weight[k] * map.controls[control] >> kFraction;
        row.x[j] += at.weight[k] * map.controls[Map::kControls * Map::kControls + control] >> kFraction;
      }
    }
    return row;
  }
  template <class T>
  static void sample(const Shape& shape, std::span<const std::uint8_t> image, std::int64_t y, std::int64_t x, T* to) {
    constexpr std::int64_t kParts = 256;  // of a pixel; the products of two weights and a byte are exact in a float
    const Index height = shape[0], width = shape[1], channels = shape[2];
    const Index top = static_cast<Index>(y >> kFraction), left = static_cast<Index>(x >> kFraction);
    const std::int64_t down = (y & (kOne - 1)) / (kOne / kParts), right = (x & (kOne - 1)) / (kOne / kParts);
    for (Index c = 0; c < channels; ++c) {
      const auto pixel = [&](Index i, Index j) -> std::int64_t {
        const bool inside = i >= 0 && i < height && j >= 0 && j < width;
        return inside ? image[static_cast<std::size_t>((i * width + j) * channels + c)] : 0;
      };
      const std::int64_t above = (kParts - right) * pixel(top, left) + right * pixel(top, left + 1);
      const std::int64_t below = (kParts - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1);
      to[c] = static_cast<T>((kParts - down) * above + down * below) / T(255 * kParts * kParts);
    }
  }
  /// The Taylor series, exact to the last bits of a float for |x| <= pi: C libraries' sines differ.
  static double sine(double x) {
    double sum = 0;
    for (int n = 23; n >= 1; n -= 2) sum = std::fma(-x * x / ((n + 1) * (n + 2)), sum, 1.0);
    return x * sum;
  }
};

LINNET_NAMESPACE_END
