// Shape: the extents of one sample, with checked arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

#include "linnet/core/error.hpp"

LINNET_NAMESPACE_BEGIN

/// Sizes and indices are signed, so that differences are harmless.
using Index = std::ptrdiff_t;

/// a * b for sizes (both >= 0). Throws ShapeError when the product does not fit an Index.
inline Index checked_multiply(Index a, Index b) {
  if (a < 0 || b < 0) {
    throw ShapeError("size: expected extents >= 0, got " + std::to_string(a < 0 ? a : b));
  }
  constexpr Index kHalf = Index{1} << std::numeric_limits<Index>::digits / 2;  // products below need no division
  if ((a >= kHalf || b >= kHalf) && a != 0 && b > std::numeric_limits<Index>::max() / a) {
    throw ShapeError("size: " + std::to_string(a) + " * " + std::to_string(b) +
                     " is more than this machine can address");
  }
  return a * b;
}

/// a + b for sizes (both >= 0). Throws ShapeError when the sum does not fit an Index.
inline Index checked_add(Index a, Index b) {
  if (a < 0 || b < 0 || b > std::numeric_limits<Index>::max() - a) {
    throw ShapeError("size: " + std::to_string(a) + " + " + std::to_string(b) +
                     " is more than this machine can address");
  }
  return a + b;
}

/// `size` rounded up to a multiple of `unit`.
inline Index round_up(Index size, Index unit) { return checked_add(size, unit - 1) / unit * unit; }

/// The extents of a sample, a parameter or a tensor: up to `kMaxRank` of them, each >= 0. Images are
/// {height, width, channels}. A Shape without extents is a scalar (size 1).
class Shape {
 public:
  /// Six for a sample, and one more for the batch in front of it.
  static constexpr int kMaxRank = 7;

  Shape() = default;
  /// Throws ShapeError for a negative extent, more than kMaxRank of them, or a product that overflows.
  Shape(std::initializer_list<Index> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const Index> extents) {
    for (Index extent : extents) append(extent);
  }

  int rank() const { return rank_; }
  /// The number of elements: the product of the extents.
  Index size() const { return size_; }
  Index operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  /// The last extent: channels of an image, units of a vector; 1 for a scalar.
  Index back() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
  std::span<const Index> extents() const { return {extents_.data(), static_cast<std::size_t>(rank_)}; }

  /// This shape with `extent` in front: a batch of samples.
  Shape with_batch(Index extent) const {
    Shape result;
    result.append(extent);
    for (Index e : extents()) result.append(e);
    return result;
  }
  /// This shape without its first extent: one sample of a batch. Needs a rank of at least 1.
  Shape without_batch() const {
    if (rank_ == 0) throw ShapeError("without_batch: a scalar has no batch axis");
    return Shape(extents().subspan(1));
  }

  /// "(28, 28, 1)".
  std::string to_string() const {
    std::string text = "(";
    for (int axis = 0; axis < rank_; ++axis) {
      if (axis != 0) text += ", ";
      text += std::to_string((*this)[axis]);
    }
    return text + ")";
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank_; ++axis) {
      if (a[axis] != b[axis]) return false;
    }
    return true;
  }

 private:
  void append(Index extent) {
    if (rank_ == kMaxRank) {
      throw ShapeError("Shape: at most " + std::to_string(kMaxRank) + " extents");
    }
    size_ = checked_multiply(size_, extent);
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }

  std::array<Index, kMaxRank> extents_{};
  int rank_ = 0;
  Index size_ = 1;
};

LINNET_NAMESPACE_END
