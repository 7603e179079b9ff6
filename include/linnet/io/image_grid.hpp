// Image grids: many small images drawn into a large one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "linnet/core/tensor.hpp"
#include "linnet/io/png.hpp"

LINNET_NAMESPACE_BEGIN

/// How a grid of images is drawn.
struct GridStyle {
  Index columns = 10;        ///< images in a row
  Index scale = 3;           ///< side of the square that each pixel becomes
  Index gap = 4;             ///< pixels between images and around them
  std::uint8_t ground = 96;  ///< grey of the gaps
};

/// Draws a batch {n, height, width, 1 or 3} with values in [0, 1] row by row. Other values are held within [0, 1], and
/// NaN is drawn as 0. Throws ShapeError for another shape.
template <class T>
PngImage draw_grid(TensorView<const T> images, const GridStyle& style = {}) {
  const Shape& shape = images.shape();
  if (shape.rank() != 4 || images.size() == 0 || (shape[3] != 1 && shape[3] != 3) || style.columns < 1 ||
      style.scale < 1 || style.gap < 0) {
    throw ShapeError("draw_grid: expected images {n, height, width, 1 or 3} and positive sizes, got " +
                     shape.to_string());
  }
  const Index rows = (shape[0] + style.columns - 1) / style.columns;
  const Index columns = std::min(style.columns, shape[0]);
  const auto cell = [&](Index extent) { return checked_add(checked_multiply(extent, style.scale), style.gap); };
  const Index cell_height = cell(shape[1]), cell_width = cell(shape[2]);
  PngImage grid{checked_add(checked_multiply(columns, cell_width), style.gap),
                checked_add(checked_multiply(rows, cell_height), style.gap),
                shape[3],
                {}};
  const Index pixels = checked_multiply(grid.width, grid.height);
  grid.pixels.assign(static_cast<std::size_t>(checked_multiply(pixels, grid.channels)), style.ground);
  for (Index i = 0; i < shape[0]; ++i) {
    const Index left = i % style.columns * cell_width + style.gap, top = i / style.columns * cell_height + style.gap;
    for (Index y = 0; y < shape[1] * style.scale; ++y) {
      for (Index x = 0; x < shape[2] * style.scale; ++x) {
        const Index source = ((i * shape[1] + y / style.scale) * shape[2] + x / style.scale) * shape[3];
        for (Index c = 0; c < shape[3]; ++c) {
          const T value = images[source + c] > T(0) ? std::min(images[source + c], T(1)) : T(0);  // NaN is not > 0
          grid.pixel(left + x, top + y)[c] = static_cast<std::uint8_t>(value * T(255) + T(0.5));
        }
      }
    }
  }
  return grid;
}

/// Draws a grid into a PNG file.
template <class T>
void write_grid(const std::string& path, TensorView<const T> images, const GridStyle& style = {}) {
  write_png(path, draw_grid<T>(images, style));
}
template <class T>
void write_grid(const std::string& path, const Tensor<T>& images, const GridStyle& style = {}) {
  write_grid<T>(path, images.view(), style);
}

LINNET_NAMESPACE_END
