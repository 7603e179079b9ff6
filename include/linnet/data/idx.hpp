// IDX files, plain or gzip-compressed: the format of MNIST (Y. LeCun, C. Cortes, C. Burges). Needs zlib.
//
// Four bytes {0, 0, element type, number of axes}, a big-endian 32-bit extent for each axis, and the elements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/shape.hpp"
#include "linnet/data/image_dataset.hpp"
#include "linnet/io/file.hpp"
#include "linnet/io/inflate.hpp"

LINNET_NAMESPACE_BEGIN

/// The content of an IDX file of bytes.
struct IdxFile {
  Shape shape;
  std::vector<std::uint8_t> bytes;
};

namespace detail {

/// The shape in the header of an IDX file, which `content` begins with. Throws FormatError.
inline Shape read_idx_header(const std::string& path, std::span<const std::uint8_t> content) {
  if (content.size() < 4 || content[0] != 0 || content[1] != 0 || content[3] < 1) {
    throw FormatError(path +
                      ": not an IDX file (expected it to begin with two zero bytes, a type and a number of axes)");
  }
  constexpr int kUnsignedByte = 0x08;
  if (content[2] != kUnsignedByte) {
    throw FormatError(path + ": expected an IDX file of unsigned bytes (type 8), got type " +
                      std::to_string(content[2]));
  }
  const std::size_t axes = content[3];
  if (axes > static_cast<std::size_t>(Shape::kMaxRank)) {
    throw FormatError(path + ": expected at most " + std::to_string(Shape::kMaxRank) + " axes, got " +
                      std::to_string(axes));
  }
  const std::size_t header = 4 + 4 * axes;
  if (content.size() < header) {
    throw FormatError(path + ": truncated: expected a header of " + std::to_string(header) + " bytes, got " +
                      std::to_string(content.size()));
  }
  std::vector<Index> extents;
  for (std::size_t at = 4; at < header; at += 4) {
    const std::uint32_t extent = static_cast<std::uint32_t>(content[at]) << 24 |
                                 static_cast<std::uint32_t>(content[at + 1]) << 16 |
                                 static_cast<std::uint32_t>(content[at + 2]) << 8 | content[at + 3];
    if (static_cast<std::uint64_t>(extent) > static_cast<std::uint64_t>(std::numeric_limits<Index>::max())) {
      throw FormatError(path + ": an extent of " + std::to_string(extent) + " is too large for this machine");
    }
    extents.push_back(static_cast<Index>(extent));
  }
  try {
    return Shape(std::span<const Index>(extents));
  } catch (const ShapeError& error) {
    throw FormatError(path + ": " + error.what());
  }
}

inline std::size_t idx_header_size(int axes) { return 4 + 4 * static_cast<std::size_t>(axes); }

}  // namespace detail

/// Reads an IDX file of unsigned bytes; a gzip-compressed one is recognized by its first bytes. Throws FileError when
/// there is none, FormatError when it is no such file, truncated, or followed by other bytes.
inline IdxFile read_idx(const std::string& path) {
  Bytes content = read_file(path);
  const bool packed = content.size() >= 2 && content[0] == 0x1F && content[1] == 0x8B;
  const Bytes beginning =
      packed ? inflate_beginning(path, content, Compression::gzip, detail::idx_header_size(Shape::kMaxRank)) : Bytes();
  const Shape shape = detail::read_idx_header(path, packed ? beginning : content);
  const std::size_t header = detail::idx_header_size(shape.rank()), size = static_cast<std::size_t>(shape.size());
  // No more than the header claims: a few bytes unpack to a thousand times as many.
  if (packed) content = inflate_bytes(path, content, Compression::gzip, header + size);
  const std::size_t data = content.size() - header;
  if (data != size) {
    throw FormatError(path + ": expected " + std::to_string(size) + " bytes for the shape " + shape.to_string() +
                      ", got " + std::to_string(data) + (data < size ? " (truncated?)" : ""));
  }
  content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(header));
  return {shape, std::move(content)};
}

/// Writes an IDX file of unsigned bytes, uncompressed. Throws ShapeError when the bytes are not those of the shape.
inline void write_idx(const std::string& path, const Shape& shape, std::span<const std::uint8_t> bytes) {
  if (shape.rank() < 1 || static_cast<std::size_t>(shape.size()) != bytes.size()) {
    throw ShapeError(path + ": " + std::to_string(bytes.size()) + " bytes do not fill the shape " + shape.to_string());
  }
  Bytes content = {0, 0, 0x08, static_cast<std::uint8_t>(shape.rank())};
  for (const Index extent : shape.extents()) {
    if (static_cast<std::uint64_t>(extent) > 0xFFFFFFFFu) {
      throw ShapeError(path + ": an extent of " + std::to_string(extent) + " does not fit an IDX file");
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
      content.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(extent) >> shift));
    }
  }
  content.insert(content.end(), bytes.begin(), bytes.end());
  write_file(path, content);
}

/// Images (three axes) and their labels (one axis). Throws FileError or FormatError naming the file: for a missing or
/// damaged one, for labels where images are expected and the other way round, and for different counts.
inline ImageDataset load_idx(const std::string& images_path, const std::string& labels_path) {
  IdxFile images = read_idx(images_path);
  if (images.shape.rank() != 3) {
    throw FormatError(images_path + ": expected images (3 axes), got " + std::to_string(images.shape.rank()) +
                      (images.shape.rank() == 1 ? " axis: are these the labels?" : " axes"));
  }
  IdxFile labels = read_idx(labels_path);
  if (labels.shape.rank() != 1) {
    throw FormatError(labels_path + ": expected labels (1 axis), got " + std::to_string(labels.shape.rank()) +
                      (labels.shape.rank() == 3 ? " axes: are these the images?" : " axes"));
  }
  if (images.shape[0] != labels.shape[0]) {
    throw FormatError(labels_path + ": " + std::to_string(labels.shape[0]) + " labels for the " +
                      std::to_string(images.shape[0]) + " images of " + images_path);
  }
  if (images.shape[1] == 0 || images.shape[2] == 0) {
    throw FormatError(images_path + ": expected images with pixels, got " + images.shape.to_string());
  }
  return ImageDataset({images.shape[1], images.shape[2], 1}, std::move(images.bytes), std::move(labels.bytes));
}

/// A set in a folder: `name`-images-idx3-ubyte and `name`-labels-idx1-ubyte, with or without .gz. MNIST's names are
/// "train" and "t10k". Throws FileError when a file is missing, and as load_idx().
inline ImageDataset load_idx_set(const std::string& folder, const std::string& name) {
  const auto find = [&](const std::string& kind) {
    const std::string plain = (std::filesystem::path(folder) / (name + kind)).string();
    std::error_code error;
    for (const std::string& path : {plain, plain + ".gz"}) {
      if (std::filesystem::exists(path, error)) return path;
    }
    throw FileError(plain + ": there is no such file, nor one with .gz behind its name");
  };
  const std::string images = find("-images-idx3-ubyte");
  return load_idx(images, find("-labels-idx1-ubyte"));
}

LINNET_NAMESPACE_END
