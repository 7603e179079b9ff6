// Conv2DGeometry: the sizes of a convolution of images {height, width, channels}.
#pragma once

#include <algorithm>
#include <string>

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// a / b rounded down, for b > 0.
constexpr Index floor_divide(Index a, Index b) { return a / b - (a % b < 0 ? 1 : 0); }

/// One axis: the pixel that tap t of output o reads is o * stride + t * dilation - pad.
struct ConvAxis {
  Index input = 1, output = 1;
  Index taps = 1, stride = 1, dilation = 1;
  Index pad = 0;  ///< before the first pixel; may be negative

  /// [first, last).
  struct Range {
    Index first, last;
    bool operator==(const Range&) const = default;
  };
  /// The taps of output o that lie within the input.
  Range taps_of(Index o) const {
    const Index before = pad - o * stride;          // pixels from its first tap to the input
    const Index behind = input + pad - o * stride;  // and to the input's end
    Index first = 0;
    Index last = taps;
    if (dilation == 1) {
      first = std::clamp<Index>(before, 0, taps);
      last = std::clamp<Index>(behind, 0, taps);
    } else {
      if (before > 0) first = std::min(taps, (before + dilation - 1) / dilation);
      last = behind <= 0 ? 0 : std::min(taps, (behind + dilation - 1) / dilation);
    }
    return {first, std::max(first, last)};
  }
  /// The outputs [first, last) for which tap t lies within the input.
  Range outputs_of(Index t) const {
    const Index shift = t * dilation - pad;
    const Index first = shift >= 0 ? 0 : std::min(output, (-shift + stride - 1) / stride);
    const Index last = shift >= input ? 0 : std::min(output, (input - shift + stride - 1) / stride);
    return {first, std::max(first, last)};
  }
  Index pixel(Index o, Index t) const { return o * stride + t * dilation - pad; }
};

struct Conv2DGeometry {
  Index batch = 1;
  Index channels = 1;  ///< of the input
  Index filters = 1;   ///< channels of the output
  Index groups = 1;
  ConvAxis y, x;

  Index group_channels() const { return channels / groups; }
  Index group_filters() const { return filters / groups; }
  Index taps() const { return y.taps * x.taps; }
  Index input_size() const { return y.input * x.input * channels; }  ///< of a sample
  Index output_size() const { return y.output * x.output * filters; }
  Index kernel_size() const { return taps() * group_channels() * filters; }
  bool depthwise() const { return groups > 1 && channels == groups && filters == groups; }

  /// "3x3 16->16 at 14x14": for tables and messages.
  std::string to_string() const {
    const auto by = [](Index a, Index b) { return std::to_string(a) + "x" + std::to_string(b); };
    std::string text = by(y.taps, x.taps) + " " + std::to_string(channels) + "->" + std::to_string(filters) + " at " +
                       by(y.input, x.input);
    if (y.stride != 1 || x.stride != 1) text += ", stride " + by(y.stride, x.stride);
    if (y.dilation != 1 || x.dilation != 1) text += ", dilation " + by(y.dilation, x.dilation);
    if (groups != 1) text += ", " + std::to_string(groups) + " groups";
    return text;
  }
};

LINNET_NAMESPACE_END
