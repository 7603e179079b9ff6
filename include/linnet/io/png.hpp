// PNG files by libpng: grey and RGB images of 8 bits, and grids of images.
#pragma once

#include <png.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/tensor.hpp"
#include "linnet/io/file.hpp"

LINNET_NAMESPACE_BEGIN

/// An image of 8-bit pixels, row by row; 1 channel (grey) or 3 (red, green, blue).
struct PngImage {
  Index width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;

  std::uint8_t* pixel(Index x, Index y) { return pixels.data() + (y * width + x) * channels; }
};

namespace detail {
inline void check_png(const std::string& path, const PngImage& image) {
  const bool sizes = image.width > 0 && image.height > 0 && image.width < (1 << 24) && image.height < (1 << 24) &&
                     (image.channels == 1 || image.channels == 3);
  if (!sizes || static_cast<Index>(image.pixels.size()) !=
                    checked_multiply(checked_multiply(image.width, image.height), image.channels)) {
    throw ShapeError(path + ": expected width * height * (1 or 3) pixels, got " + std::to_string(image.width) + " x " +
                     std::to_string(image.height) + " x " + std::to_string(image.channels) + " and " +
                     std::to_string(image.pixels.size()) + " bytes");
  }
}
}  // namespace detail

/// Writes a PNG file. Throws FileError when it cannot be written, ShapeError for an impossible image.
inline void write_png(const std::string& path, const PngImage& image) {
  detail::check_png(path, image);
  png_image png = {};  // libpng's simplified interface: no longjmp to live with
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  Bytes content(size);
  if (png_image_write_to_memory(&png, content.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    throw FileError(path + ": cannot be encoded: " + png.message);
  }
  content.resize(size);
  write_file(path, content);
}

/// Reads a PNG file as grey (1 channel) or RGB (3), converted if need be. Throws FileError or FormatError naming it.
inline PngImage read_png(const std::string& path, Index channels = 1) {
  const Bytes content = read_file(path);
  // libpng is content once it has all pixels; a file without its end has been cut all the same.
  constexpr std::uint8_t kEnd[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
  const bool whole = std::search(content.begin(), content.end(), std::begin(kEnd), std::end(kEnd)) != content.end();
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&png, content.data(), content.size()) == 0) {
    throw FormatError(path + ": not a PNG file (" + png.message + ")");
  }
  if (!whole) {
    png_image_free(&png);
    throw FormatError(path + ": truncated (its end is missing)");
  }
  PngImage image;
  image.width = static_cast<Index>(png.width);
  image.height = static_cast<Index>(png.height);
  image.channels = channels == 3 ? 3 : 1;
  png.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  image.pixels.resize(static_cast<std::size_t>(
      checked_multiply(checked_multiply(image.width, image.height), image.channels)));
  const png_color black = {0, 0, 0};
  if (png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr) == 0) {
    const std::string reason = png.message;
    png_image_free(&png);
    throw FormatError(path + ": damaged or truncated (" + reason + ")");
  }
  return image;
}

/// How a grid of images is drawn.
struct GridStyle {
  Index columns = 10;
  Index scale = 3;           ///< every pixel becomes a square of so many
  Index gap = 4;             ///< pixels between images and around them
  std::uint8_t ground = 96;  ///< grey of the gaps
};

/// Draws a batch {n, height, width, 1 or 3} with values in [0, 1] (others are held within it) row by row.
/// Throws ShapeError for another shape.
template <class T>
PngImage draw_grid(TensorView<const T> images, const GridStyle& style = {}) {
  const Shape& shape = images.shape();
  if (shape.rank() != 4 || images.size() == 0 || (shape[3] != 1 && shape[3] != 3) || style.columns < 1 ||
      style.scale < 1 || style.gap < 0) {
    throw ShapeError("draw_grid: expected images {n, height, width, 1 or 3} and positive sizes, got " + shape.to_string());
  }
  const Index rows = (shape[0] + style.columns - 1) / style.columns;
  const Index columns = std::min(style.columns, shape[0]);
  const Index cell_height = shape[1] * style.scale + style.gap, cell_width = shape[2] * style.scale + style.gap;
  PngImage grid{columns * cell_width + style.gap, rows * cell_height + style.gap, shape[3], {}};
  grid.pixels.assign(static_cast<std::size_t>(grid.width * grid.height * grid.channels), style.ground);
  for (Index i = 0; i < shape[0]; ++i) {
    const Index left = i % style.columns * cell_width + style.gap, top = i / style.columns * cell_height + style.gap;
    for (Index y = 0; y < shape[1] * style.scale; ++y) {
      for (Index x = 0; x < shape[2] * style.scale; ++x) {
        const Index source = ((i * shape[1] + y / style.scale) * shape[2] + x / style.scale) * shape[3];
        for (Index c = 0; c < shape[3]; ++c) {
          const T value = std::min(std::max(images[source + c], T(0)), T(1));
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
