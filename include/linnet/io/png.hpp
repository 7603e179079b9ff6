// PNG files by libpng: grey and RGB images of 8 bits.
#pragma once

#include <png.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "linnet/core/shape.hpp"
#include "linnet/io/file.hpp"

LINNET_NAMESPACE_BEGIN

/// An image of 8-bit pixels, row by row; 1 channel (grey) or 3 (red, green, blue).
struct PngImage {
  Index width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
  bool reduced = false;  ///< whether the file that it was read from holds more: colors, transparency or 16 bits

  /// The channels of the pixel in column x and row y.
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

/// libpng's simplified interface, which has no longjmp to live with.
struct PngHandle {
  png_image image = {};

  PngHandle() { image.version = PNG_IMAGE_VERSION; }
  ~PngHandle() { png_image_free(&image); }
  PngHandle(const PngHandle&) = delete;
  PngHandle& operator=(const PngHandle&) = delete;
};

/// Throws FormatError when the file, whose header libpng has accepted, is too short for the pixels that it claims to
/// hold: deflate makes nothing smaller than 1/1032 of its size.
inline void check_png_size(const std::string& path, const Bytes& content, const png_image& png) {
  constexpr double kMostExpansion = 1032;
  constexpr std::size_t kDepthAt = 24, kColorTypeAt = 25;         // after signature, chunk header, width and height
  constexpr std::array<int, 7> kSamples = {1, 0, 3, 1, 2, 0, 4};  // a pixel of each color type
  if (content.size() <= kColorTypeAt || content[kColorTypeAt] >= kSamples.size()) {
    throw FormatError(path + ": damaged (its header has no color type)");
  }
  const double bits = content[kDepthAt] * kSamples[content[kColorTypeAt]];
  const double bytes = static_cast<double>(png.width) * static_cast<double>(png.height) * bits / 8;
  if (bytes > kMostExpansion * static_cast<double>(content.size())) {
    throw FormatError(path + ": damaged or truncated (its " + std::to_string(content.size()) +
                      " bytes cannot hold the " + std::to_string(png.width) + " x " + std::to_string(png.height) +
                      " pixels of its header)");
  }
}
}  // namespace detail

/// Writes a PNG file. Throws FileError when it cannot be written, ShapeError for an impossible image.
inline void write_png(const std::string& path, const PngImage& image) {
  detail::check_png(path, image);
  detail::PngHandle handle;
  png_image& png = handle.image;
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

/// Reads a PNG file as grey (1 channel) or RGB (3), converted if need be. Throws FileError or FormatError naming it,
/// ValueError for another number of channels.
inline PngImage read_png(const std::string& path, Index channels = 1) {
  if (channels != 1 && channels != 3) {
    throw ValueError(path + ": expected to be asked for 1 channel (grey) or 3 (RGB), got " + std::to_string(channels));
  }
  const Bytes content = read_file(path);
  detail::PngHandle handle;
  png_image& png = handle.image;
  if (png_image_begin_read_from_memory(&png, content.data(), content.size()) == 0) {
    throw FormatError(path + ": not a PNG file (" + png.message + ")");
  }
  detail::check_png_size(path, content, png);
  // libpng stops reading after the last pixel, so it does not notice that a file lacks its end.
  constexpr std::uint8_t kEnd[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
  if (std::search(content.begin(), content.end(), std::begin(kEnd), std::end(kEnd)) == content.end()) {
    throw FormatError(path + ": truncated (its end is missing)");
  }
  const png_uint_32 kept = channels == 3 ? PNG_FORMAT_FLAG_COLOR : 0;
  PngImage image{static_cast<Index>(png.width), static_cast<Index>(png.height), channels, {}};
  image.reduced = (png.format & (PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_LINEAR) & ~kept) != 0;
  png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const Index pixels = checked_multiply(image.width, image.height);
  image.pixels.resize(static_cast<std::size_t>(checked_multiply(pixels, channels)));
  const png_color black = {0, 0, 0};
  if (png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr) == 0) {
    throw FormatError(path + ": damaged or truncated (" + png.message + ")");
  }
  return image;
}

LINNET_NAMESPACE_END
