// Direct convolutions with three taps a row and stride 1 along it, most convolutions there are, and with four taps and
// stride 2, which halve an image or, by data, double it. No dilation along the row. See conv2d.hpp.
//
// An element of x is a factor of several neighbouring outputs. It is loaded once for all of them, where a tile of a
// matrix product (tile.inl.hpp) loads it once for each; and a tile is a run of outputs of one row, so what the padding
// leaves out costs nothing. Every output is one chain of multiply_add in the order (row of taps, channel, pixel),
// wherever the tiles are cut.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/gemm.hpp"

LINNET_NAMESPACE_BEGIN

// How pixels and outputs of a row meet. A tile has kPixels pixels for every kOutputs outputs, [0, n) of them, and uses
// the pixel before and the one behind as well: pixel p is a factor of output(p, tap), if that is an output of the tile.
// `pad` is such that output o begins with pixel first_pixel(o, pad), where it is aligned.

/// Output p + tap - pad of pixel p: by data, or forward with the taps turned.
struct ThreeTaps {
  static constexpr int kTaps = 3, kPixels = 1, kOutputs = 1;
  static constexpr int output(int pixel, int tap) { return pixel + tap - 1; }
  static constexpr bool aligned(Index, Index) { return true; }
  static constexpr Index first_pixel(Index o, Index pad) { return o + pad - 1; }
  static constexpr Index pixel_of(Index o, Index tap, Index pad) { return o + pad - tap; }
};
/// Output 2 p + tap - pad of pixel p: by data.
struct DoublingTaps {
  static constexpr int kTaps = 4, kPixels = 1, kOutputs = 2;
  static constexpr int output(int pixel, int tap) { return 2 * pixel + tap - 1; }
  static constexpr bool aligned(Index o, Index pad) { return (o + pad) % 2 != 0; }
  static constexpr Index first_pixel(Index o, Index pad) { return (o + pad - 1) / 2; }
  static constexpr Index pixel_of(Index o, Index tap, Index pad) {
    return (o + pad - tap) % 2 == 0 ? (o + pad - tap) / 2 : Index{-1};
  }
};
/// Pixel 2 o + tap - pad of output o: forward.
struct HalvingTaps {
  static constexpr int kTaps = 4, kPixels = 2, kOutputs = 1;
  static constexpr int output(int pixel, int tap) { return (pixel + 1 - tap) % 2 == 0 ? (pixel + 1 - tap) / 2 : -1; }
  static constexpr bool aligned(Index, Index) { return true; }
  static constexpr Index first_pixel(Index o, Index pad) { return 2 * o + 1 - pad; }
  static constexpr Index pixel_of(Index o, Index tap, Index pad) { return 2 * o + tap - pad; }
};

/// What all tiles of a row of outputs have in common. Steps count scalars.
struct RowTaps {
  Index rows = 0;  ///< of taps that lie within the image
  Index channels = 0;
  Index x_row = 0, x_pixel = 0;  ///< from row to row of taps, and from pixel to pixel
  Index w_row = 0;
  Index y_pixel = 0;
};

/// How a tile takes the channels: one at a time, broadcast to the lanes of up to a pack of filters ...
struct ByChannel {
  template <class T>
  static constexpr Index kStep = 1;
};
/// ... or, for a single filter, a pack at a time, to be summed over the lanes in the end.
struct ByPack {
  template <class T>
  static constexpr Index kStep = kPanelWidth<T>;
};

/// The pixels at the ends of a tile that lie within the image: the one before it, its first, its last, the one behind.
struct RowEnds {
  bool before, first, last, behind;
};

template <class T>
using RowTileFunction = void (*)(const RowTaps&, const T*, RowEnds, const T*, const T*, T*, Index);
template <class T>
using RowOutputFunction = void (*)(const RowTaps&, const ConvAxis&, Index, const T*, const T*, const T*, T*, Index);

inline constexpr int kShortRows = 3;

/// What an instruction set has for one kind of taps and channels.
template <class T>
struct RowKernels {
  std::span<const Index> sizes;  ///< of the tiles, in counts of Taps::kOutputs
  const RowTileFunction<T>* tiles;
  const RowTileFunction<T>* short_tiles;  ///< for kShortRows rows of taps and one step over the channels; some are null
  RowOutputFunction<T> output;            ///< a single one
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_rows.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// How rows of outputs are cut: after `first` single outputs, tiles of one size, then single outputs again. The last
/// tile ends where it must and may overlap the one before: what is computed twice is the same.
struct RowCut {
  Index first = 0;
  Index all = 0;  ///< in tiles, by counts of Taps::kOutputs
  Index tile = 0, size = 0;
};
template <class Taps>
RowCut cut_row(const ConvAxis& axis, std::span<const Index> sizes) {
  constexpr Index kEnough = 8 / Taps::kOutputs;  // smaller tiles take as long: their sums wait for each other
  RowCut cut;
  // The pixels of a tile lie within the image, but for one at each end.
  const auto begins_tile = [&](Index o) { return Taps::aligned(o, axis.pad) && Taps::first_pixel(o, axis.pad) >= -1; };
  while (cut.first < axis.output && !begins_tile(cut.first)) ++cut.first;
  const Index pixels = axis.input + 1 - Taps::first_pixel(cut.first, axis.pad);
  cut.all = std::max<Index>(0, std::min(pixels / Taps::kPixels, (axis.output - cut.first) / Taps::kOutputs));
  Index least = std::numeric_limits<Index>::max(), tile = 0;
  for (const Index size : sizes) {
    const Index cost = (cut.all + size - 1) / size * std::max(size, kEnough);
    if (size <= cut.all && cost < least) {
      least = cost;
      cut.tile = tile;
      cut.size = size;
    }
    ++tile;
  }
  return cut;
}

/// A row of outputs. `x` is the image's first pixel in the first row of taps; `axis` has the pixels as its input; `step`
/// is that of the tiles over the channels.
template <class Taps, class T>
void row_of_outputs(const RowKernels<T>& kernels, const RowTaps& taps, const ConvAxis& axis, const RowCut& cut,
                    Index step, const T* x, const T* w, const T* bias, T* y, Index columns) {
  const auto within = [&](Index p) { return p >= 0 && p < axis.input; };
  Index o = 0;
  for (; o < cut.first; ++o) kernels.output(taps, axis, o, x, w, bias, y, columns);
  const Index first_pixel = Taps::first_pixel(o, axis.pad);
  RowTileFunction<T> tile = cut.all == 0 ? nullptr : kernels.tiles[cut.tile];
  if (tile != nullptr && taps.rows == kShortRows && taps.channels <= step) {
    if (const RowTileFunction<T> shorter = kernels.short_tiles[cut.tile]) tile = shorter;
  }
  for (Index done = 0; done < cut.all; done += cut.size) {
    const Index at = std::min(done, cut.all - cut.size);
    const Index pixel = first_pixel + at * Taps::kPixels, end = pixel + cut.size * Taps::kPixels;
    tile(taps, x + pixel * taps.x_pixel, {within(pixel - 1), within(pixel), within(end - 1), within(end)}, w, bias,
         y + (o + at * Taps::kOutputs) * taps.y_pixel, columns);
  }
  o += cut.all * Taps::kOutputs;
  for (; o < axis.output; ++o) kernels.output(taps, axis, o, x, w, bias, y, columns);
}

/// The rows of taps of output row o that lie within the image: the first of them, its pixel row, how many there are,
/// and the steps to the next.
struct RowRange {
  Index first = 0, pixel_row = 0, rows = 0, tap_step = 1, pixel_step = 0;
};
inline RowRange forward_range(const ConvAxis& axis, Index o) {
  const ConvAxis::Range taps = axis.taps_of(o);
  if (taps.first == taps.last) return {};
  return {taps.first, axis.pixel(o, taps.first), taps.last - taps.first, 1, axis.dilation};
}
/// By data, `axis` being that of the convolution: input row o comes from output rows (o + pad - tap * dilation) /
/// stride. The taps that meet an output row at all are `step` apart, the first of them below it.
inline RowRange by_data_range(const ConvAxis& axis, Index step, Index o) {
  Index tap = 0;
  while (tap < std::min(step, axis.taps) && (o + axis.pad - tap * axis.dilation) % axis.stride != 0) ++tap;
  RowRange range{0, 0, 0, step, -(axis.dilation / std::gcd(axis.stride, axis.dilation))};
  if (tap >= std::min(step, axis.taps)) return range;
  range.first = tap;
  range.pixel_row = (o + axis.pad - tap * axis.dilation) / axis.stride;
  for (; tap < axis.taps; tap += step) {
    const Index row = range.pixel_row + range.rows * range.pixel_step;
    if (row < 0) break;
    if (row < axis.output) {
      ++range.rows;
    } else {  // not yet
      range.first = tap + step;
      range.pixel_row = row + range.pixel_step;
    }
  }
  if (range.rows == 0) return {};
  // From the upper pixel row to the lower, as forward: the row that was not used before is then waited for last.
  range.first += (range.rows - 1) * range.tap_step;
  range.pixel_row += (range.rows - 1) * range.pixel_step;
  range.tap_step = -range.tap_step;
  range.pixel_step = -range.pixel_step;
  return range;
}

/// y from x, which are dx and dy by data. ByChannel from weights {group, panel of outputs, row, input, taps, lanes},
/// ByPack (one group) from {output, row, pack of inputs, taps, lanes}.
template <class Taps, class Channels, bool kByData, class T>
void all_rows(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  constexpr Index kLanes = kPanelWidth<T>;
  constexpr Index kStep = Channels::template kStep<T>;
  const RowKernels<T> kernels = LINNET_DISPATCH(row_kernels<T>, (Taps{}, Channels{}));
  constexpr Index kColumns = kStep == 1 ? kLanes : 1;  // outputs at a time
  constexpr Index kRowsAtATime = 64;
  const Index x_channels = kByData ? g.filters : g.channels, y_channels = kByData ? g.channels : g.filters;
  const Index in = x_channels / g.groups, out = y_channels / g.groups;
  const Index x_size = kByData ? g.output_size() : g.input_size(), y_size = kByData ? g.input_size() : g.output_size();
  ConvAxis axis = g.x;
  if constexpr (kByData) std::swap(axis.input, axis.output);
  if constexpr (std::is_same_v<Taps, ThreeTaps> && !kByData) axis.pad = 2 - axis.pad;
  const RowCut cut = cut_row<Taps>(axis, kernels.sizes);
  const Index y_rows = kByData ? g.y.input : g.y.output;
  const Index tap_step = g.y.stride / std::gcd(g.y.stride, g.y.dilation);
  RowTaps taps;
  taps.channels = in;
  taps.x_pixel = x_channels;
  taps.y_pixel = y_channels;
  const Index w_row = (in + kStep - 1) / kStep * Taps::kTaps * kLanes;
  const Index x_row = axis.input * x_channels, y_row = axis.output * y_channels;
  for (Index group = 0; group < g.groups; ++group) {
    for (Index j = 0; j < out; j += kColumns, w += g.y.taps * w_row) {
      const Index k = group * out + j;
      for (Index from = 0; from < y_rows; from += kRowsAtATime) {
        // Which rows of taps there are takes divisions, and is the same for all images.
        RowRange ranges[kRowsAtATime];
        const Index count = std::min(kRowsAtATime, y_rows - from);
        for (Index i = 0; i < count; ++i) {
          ranges[i] = kByData ? by_data_range(g.y, tap_step, from + i) : forward_range(g.y, from + i);
        }
        for (Index n = 0; n < g.batch; ++n) {
          for (Index i = 0; i < count; ++i) {
            const RowRange& range = ranges[i];
            taps.rows = range.rows;
            taps.x_row = range.pixel_step * x_row;
            taps.w_row = range.tap_step * w_row;
            const T* first_row = x + n * x_size + group * in + (range.rows == 0 ? 0 : range.pixel_row * x_row);
            row_of_outputs<Taps>(kernels, taps, axis, cut, kStep, first_row, w + range.first * w_row,
                                 bias == nullptr ? nullptr : bias + k, y + n * y_size + (from + i) * y_row + k,
                                 std::min(kColumns, out - j));
          }
        }
      }
    }
  }
}

template <class T>
void conv2d_forward_rows(const Conv2DGeometry& g, const T* x, const T* panels, const T* bias, T* y) {
  if (g.x.stride == 2) return all_rows<HalvingTaps, ByChannel, false>(g, x, panels, bias, y);
  all_rows<ThreeTaps, ByChannel, false>(g, x, panels, bias, y);
}
template <class T>
void conv2d_backward_data_rows(const Conv2DGeometry& g, const T* dy, const T* panels, const T* bias, T* dx) {
  if (g.x.stride == 2) return all_rows<DoublingTaps, ByChannel, true>(g, dy, panels, bias, dx);
  all_rows<ThreeTaps, ByChannel, true>(g, dy, panels, bias, dx);
}
template <class T>
void conv2d_forward_narrow_rows(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  all_rows<ThreeTaps, ByPack, false>(g, x, w, bias, y);
}
template <class T>
void conv2d_backward_data_narrow_rows(const Conv2DGeometry& g, const T* dy, const T* w, const T* bias, T* dx) {
  if (g.x.stride == 2) return all_rows<DoublingTaps, ByPack, true>(g, dy, w, bias, dx);
  all_rows<ThreeTaps, ByPack, true>(g, dy, w, bias, dx);
}

LINNET_NAMESPACE_END
