// What the layers on images have in common: pairs of extents, and padding.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/core/names.hpp"
#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// A height and a width: a kernel's size, a stride, a factor. One number means both.
struct Size2D {
  Index height = 1;
  Index width = 1;

  constexpr Size2D() = default;
  constexpr Size2D(Index both) : height(both), width(both) {}  // NOLINT: kernel_size = 3
  constexpr Size2D(Index h, Index w) : height(h), width(w) {}

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("height", height);
    visit.field("width", width);
  }
  std::string to_string() const {
    // Begun with a std::string: "(" + std::to_string() draws a false -Wrestrict from g++ 12 (GCC bug 105651).
    return std::string("(") + std::to_string(height) + ", " + std::to_string(width) + ")";
  }
  friend bool operator==(const Size2D&, const Size2D&) = default;
};

/// How an image is continued with zeros past its edges.
struct Padding {
  enum class Kind {
    valid,     ///< not at all
    same,      ///< so that the output has ceil(input / stride) pixels; an odd pixel goes to the end, as in Keras
    explicit_  ///< by the given numbers of pixels
  };
  Kind kind = Kind::valid;
  Index top = 0, bottom = 0, left = 0, right = 0;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("kind", kind);
    visit.field("top", top);
    visit.field("bottom", bottom);
    visit.field("left", left);
    visit.field("right", right);
  }
  friend bool operator==(const Padding&, const Padding&) = default;
};

inline constexpr auto names(Padding::Kind) {
  return std::array{NameOf{Padding::Kind::valid, "valid"}, NameOf{Padding::Kind::same, "same"},
                    NameOf{Padding::Kind::explicit_, "explicit"}};
}

inline constexpr Padding valid{Padding::Kind::valid};
inline constexpr Padding same{Padding::Kind::same};
/// `pixels` on every side.
constexpr Padding pad(Index pixels) { return {Padding::Kind::explicit_, pixels, pixels, pixels, pixels}; }
/// Each side its own number of pixels.
constexpr Padding pad(Index top, Index bottom, Index left, Index right) {
  return {Padding::Kind::explicit_, top, bottom, left, right};
}

/// One axis of a sliding window, resolved: where windows start, and how many there are.
struct WindowAxis {
  Index input = 0, output = 0;
  Index window = 1, stride = 1, dilation = 1;
  Index pad_before = 0, pad_after = 0;
};

/// The most that a stride or a dilation may be, so that a step of a kernel from row to row cannot overflow.
inline constexpr Index kMostStep = 1 << 20;

/// Resolves one axis, "height" or "width". The window covers (window - 1) * dilation + 1 pixels. Throws ShapeError
/// (naming the layer `who`) when it does not fit, ValueError when a size is not positive or a padding negative.
inline WindowAxis resolve_window(std::string_view who, std::string_view axis_name, Index input, Index window,
                                 Index stride, Index dilation, Padding::Kind kind, Index before, Index after) {
  const auto place = [&] { return std::string(who) + " (" + std::string(axis_name) + ")"; };
  if (window < 1 || stride < 1 || dilation < 1) {
    throw ValueError(place() + ": expected window, stride and dilation >= 1, got " + std::to_string(window) + ", " +
                     std::to_string(stride) + ", " + std::to_string(dilation));
  }
  if (stride > kMostStep || dilation > kMostStep) {
    throw ValueError(place() + ": expected stride and dilation of at most " + std::to_string(kMostStep) + ", got " +
                     std::to_string(stride) + ", " + std::to_string(dilation));
  }
  if (before < 0 || after < 0) {
    throw ValueError(place() + ": expected a padding >= 0, got " + std::to_string(before) + ", " +
                     std::to_string(after));
  }
  const Index covered = checked_add(checked_multiply(window - 1, dilation), 1);
  WindowAxis axis{input, 0, window, stride, dilation, 0, 0};
  if (kind == Padding::Kind::same) {
    axis.output = input / stride + (input % stride != 0 ? 1 : 0);
    const Index needed = checked_add(checked_multiply(axis.output - 1 < 0 ? 0 : axis.output - 1, stride), covered);
    const Index total = needed > input ? needed - input : 0;
    axis.pad_before = total / 2;
    axis.pad_after = total - total / 2;
  } else {
    if (kind == Padding::Kind::explicit_) {
      axis.pad_before = before;
      axis.pad_after = after;
    }
    const Index padded = checked_add(checked_add(input, axis.pad_before), axis.pad_after);
    if (padded < covered) {
      throw ShapeError(place() + ": a window of " + std::to_string(covered) + " pixels does not fit an input of " +
                       std::to_string(padded));
    }
    axis.output = (padded - covered) / stride + 1;
  }
  if (input < 1) throw ShapeError(place() + ": expected an image of at least 1 pixel, got none");
  return axis;
}

/// Throws ShapeError unless `in` is an image {height, width, channels} with no empty extent.
inline void require_image(std::string_view who, const Shape& in) {
  if (in.rank() != 3 || in.size() == 0) {
    throw ShapeError(std::string(who) + ": expected an image (height, width, channels), got " + in.to_string());
  }
}

LINNET_NAMESPACE_END
