// Direct convolutions with three taps a row and stride 1 along it, most convolutions there are, and with four taps and
// stride 2, which halve an image or, by data, double it. No dilation along the row. See conv2d.hpp.
//
// An element of x is a factor of several neighbouring outputs. It is loaded once for all of them, where a tile of a
// matrix product (tile.inl.hpp) loads it once for each (or, where registers are few, a factor is loaded once for all
// outputs of a tile); and a tile is a run of outputs of one row, so what the padding leaves out costs nothing. Every
// output is one chain of multiply_add in the order (row of taps, channel, pixel), or one for each lane of channels,
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
  static constexpr int tap(int i) { return kTaps - 1 - i; }
  static constexpr int output(int pixel, int tap) { return pixel + tap - 1; }
  static constexpr bool aligned(Index, Index) { return true; }
  static constexpr Index first_pixel(Index o, Index pad) { return o + pad - 1; }
  static constexpr Index pixel_of(Index o, Index tap, Index pad) { return o + pad - tap; }
};
/// Output 2 p + tap - pad of pixel p: by data.
struct DoublingTaps {
  static constexpr int kTaps = 4, kPixels = 1, kOutputs = 2;
  static constexpr int tap(int i) { return kTaps - 1 - i; }
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
  static constexpr int tap(int i) { return i; }
  static constexpr int output(int pixel, int tap) { return (pixel + 1 - tap) % 2 == 0 ? (pixel + 1 - tap) / 2 : -1; }
  static constexpr bool aligned(Index, Index) { return true; }
  static constexpr Index first_pixel(Index o, Index pad) { return 2 * o + 1 - pad; }
  static constexpr Index pixel_of(Index o, Index tap, Index pad) { return 2 * o + tap - pad; }
};

/// How rows of outputs are cut: after `first` single outputs, tiles of a larger and of a smaller size, then single
/// outputs again.
struct RowCut {
  Index first = 0;
  Index first_pixel = 0;                          ///< of the tiles
  Index tiled = 0;                                ///< outputs, by counts of Taps::kOutputs
  Index larger = 0;                               ///< of them, those in larger tiles
  std::size_t larger_tile = 0, smaller_tile = 0;  ///< the sizes' numbers
};

/// What a row of outputs is made of. Steps count scalars.
struct RowTaps {
  RowCut cut;
  Index rows = 0;    ///< of taps that lie within the image
  Index pixels = 0;  ///< of a row
  Index channels = 0;
  Index x_row = 0, x_pixel = 0;  ///< from row to row of taps, and from pixel to pixel
  Index w_row = 0;
  Index y_pixel = 0;
  bool relu = false;  ///< of the outputs
};

/// How a tile takes the channels: one at a time, broadcast to the lanes of up to a pack of filters; ...
struct ByChannel {
  template <class T>
  static constexpr Index kStep = 1;
};
/// ... or to those of half a pack, where it holds all filters;
struct ByHalf {
  template <class T>
  static constexpr Index kStep = 1;
};
/// ... or, for a single filter, a pack at a time, to be summed over the lanes in the end.
struct ByPack {
  template <class T>
  static constexpr Index kStep = kPanelWidth<T>;
};

template <class T>
using RowTilesFunction = void (*)(const RowTaps&, Index, Index, const T*, const T*, const T*, T*, Index);
template <class T>
using RowOutputFunction = void (*)(const RowTaps&, const ConvAxis&, Index, const T*, const T*, const T*, T*, Index);

inline constexpr int kShortRows = 3;

/// What an instruction set has for one kind of taps and channels.
template <class T>
struct RowKernels {
  std::span<const Index> sizes;  ///< of the tiles, in counts of Taps::kOutputs, the largest first
  Index enough;                  ///< smaller tiles take as long: their sums wait for each other
  const RowTilesFunction<T>* tiles;
  /// For kShortRows rows of taps and one step over the channels; some are null.
  const RowTilesFunction<T>* short_tiles;
  Index short_from;             ///< the fewest channels of those
  RowOutputFunction<T> output;  ///< a single one
  Index lanes;                  ///< the most filters (or channels in a step)
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_rows.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

template <class Taps>
RowCut cut_row(const ConvAxis& axis, std::span<const Index> sizes, Index enough) {
  RowCut cut;
  // The pixels of a tile lie within the image, but for one at each end.
  const auto begins_tile = [&](Index o) { return Taps::aligned(o, axis.pad) && Taps::first_pixel(o, axis.pad) >= -1; };
  while (cut.first < axis.output && !begins_tile(cut.first)) ++cut.first;
  cut.first_pixel = Taps::first_pixel(cut.first, axis.pad);
  const Index pixels = axis.input + 1 - cut.first_pixel;
  cut.tiled = std::max<Index>(0, std::min(pixels / Taps::kPixels, (axis.output - cut.first) / Taps::kOutputs));
  // As few tiles as there can be, or some more, if the sizes that there are fit those better.
  const Index fewest = std::max<Index>(1, (cut.tiled + sizes.front() - 1) / sizes.front());
  Index least = std::numeric_limits<Index>::max();
  const auto found = [&] { return least < std::numeric_limits<Index>::max(); };
  for (Index tiles = fewest; tiles <= cut.tiled && least > cut.tiled; ++tiles) {
    if (found() && tiles > std::min(2 * fewest, fewest + 8)) break;
    const Index size = cut.tiled / tiles, larger_tiles = cut.tiled % tiles;
    const auto tile_of = [&](Index outputs) {  // the smallest that takes them
      std::size_t tile = sizes.size() - 1;
      while (sizes[tile] < outputs) --tile;
      return tile;
    };
    const std::size_t larger = tile_of(size + (larger_tiles > 0 ? 1 : 0)), smaller = tile_of(size);
    const Index cost =
        larger_tiles * std::max(sizes[larger], enough) + (tiles - larger_tiles) * std::max(sizes[smaller], enough);
    if (sizes[larger] > cut.tiled || cost >= least) continue;
    least = cost;
    cut.larger = std::min(cut.tiled, larger_tiles * sizes[larger]);
    cut.larger_tile = larger;
    cut.smaller_tile = smaller;
  }
  return cut;
}

/// A row of outputs. `x` is the image's first pixel in the first row of taps; `axis` has the pixels as its input;
/// `step` is that of the tiles over the channels.
template <class Taps, class T>
void row_of_outputs(const RowKernels<T>& kernels, const RowTaps& taps, const ConvAxis& axis, Index step, const T* x,
                    const T* w, const T* bias, T* y, Index columns) {
  const RowCut& cut = taps.cut;
  const auto output = [&](Index o) { kernels.output(taps, axis, o, x, w, bias, y, columns); };
  for (Index o = 0; o < cut.first; ++o) output(o);
  const bool few_products = taps.rows == kShortRows && taps.channels <= step && taps.channels >= kernels.short_from;
  const auto tiles = [&](std::size_t tile, Index from, Index to) {
    if (from == to) return;
    const bool shorter = few_products && kernels.short_tiles[tile] != nullptr;
    (shorter ? kernels.short_tiles : kernels.tiles)[tile](taps, from, to, x, w, bias, y + cut.first * taps.y_pixel,
                                                          columns);
  };
  tiles(cut.larger_tile, 0, cut.larger);
  tiles(cut.smaller_tile, cut.larger, cut.tiled);
  for (Index o = cut.first + cut.tiled * Taps::kOutputs; o < axis.output; ++o) output(o);
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
void all_rows(const Conv2DGeometry& g, const T* x, const T* w, const Epilogue<T>& epilogue, T* y) {
  constexpr Index kLanes = kPanelWidth<T>;
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr Index kColumns = kStep == 1 ? kLanes : 1;  // outputs at a time
  constexpr Index kMostRows = 64;
  constexpr Index kBlockBytes = 256 * 1024, kMostWeightBytes = 512 * 1024;
  const Index x_channels = kByData ? g.filters : g.channels, y_channels = kByData ? g.channels : g.filters;
  const Index in = x_channels / g.groups, out = y_channels / g.groups;
  const Index x_size = kByData ? g.output_size() : g.input_size(), y_size = kByData ? g.input_size() : g.output_size();
  ConvAxis axis = g.x;
  if constexpr (kByData) std::swap(axis.input, axis.output);
  if constexpr (std::is_same_v<Taps, ThreeTaps> && !kByData) axis.pad = 2 - axis.pad;
  const Index y_rows = kByData ? g.y.input : g.y.output;
  const Index tap_step = g.y.stride / std::gcd(g.y.stride, g.y.dilation);
  struct Tiles {
    RowKernels<T> kernels;
    RowCut cut;
  };
  const auto tiles_of = [&](const RowKernels<T>& kernels) -> Tiles {
    return {kernels, cut_row<Taps>(axis, kernels.sizes, kernels.enough)};
  };
  const Tiles whole = tiles_of(LINNET_DISPATCH(row_kernels<T>, (Taps{}, Channels{})));
  Tiles half = whole;
  if constexpr (std::is_same_v<Channels, ByChannel>) {
    half = tiles_of(LINNET_DISPATCH(row_kernels<T>, (Taps{}, ByHalf{})));
  }
  RowTaps taps;
  taps.pixels = axis.input;
  taps.channels = in;
  taps.x_pixel = x_channels;
  taps.y_pixel = y_channels;
  taps.relu = epilogue.relu;
  const Index w_row = (in + kStep - 1) / kStep * Taps::kTaps * kLanes, w_pack = g.y.taps * w_row;
  const Index x_row = axis.input * x_channels, y_row = axis.output * y_channels;
  // A block of rows and images stays in the cache while it is taken through all outputs; unless the weights do not:
  // then each of them is taken through all rows and images.
  const Index row_bytes = (x_row * (kByData ? 1 : g.y.stride) + y_row) * static_cast<Index>(sizeof(T));
  const Index group_w = (out + kColumns - 1) / kColumns * w_pack;
  const bool blocks = g.groups * group_w * static_cast<Index>(sizeof(T)) <= kMostWeightBytes;
  const Index most_rows = std::min(kMostRows, y_rows);
  const Index block_rows = blocks ? std::clamp<Index>(kBlockBytes / row_bytes, 1, most_rows) : most_rows;
  const Index block_images = blocks ? std::max<Index>(1, kBlockBytes / (block_rows * row_bytes)) : g.batch;
  const auto visit_row = [&](const RowKernels<T>& kernels, Index n, Index row, const RowRange& range, Index group,
                             Index j) {
    const T* panel = w + group * group_w + j / kColumns * w_pack;
    const Index k = group * out + j;
    taps.rows = range.rows;
    taps.x_row = range.pixel_step * x_row;
    taps.w_row = range.tap_step * w_row;
    const T* first_row = x + n * x_size + group * in + (range.rows == 0 ? 0 : range.pixel_row * x_row);
    row_of_outputs<Taps>(kernels, taps, axis, kStep, first_row, panel + range.first * w_row, epilogue.at(k).bias,
                         y + n * y_size + row * y_row + k, std::min(kColumns, out - j));
  };
  for (Index from = 0; from < y_rows; from += kMostRows) {
    // Which rows of taps there are takes divisions, and is the same for all images.
    RowRange ranges[kMostRows];
    const Index to = std::min(y_rows, from + kMostRows);
    for (Index row = from; row < to; ++row) {
      ranges[row - from] = kByData ? by_data_range(g.y, tap_step, row) : forward_range(g.y, row);
    }
    const auto visit_block = [&](Index first_image, Index last_image, Index first_row, Index last_row) {
      for (Index group = 0; group < g.groups; ++group) {
        for (Index j = 0; j < out; j += kColumns) {
          const Tiles& tiles = out - j <= half.kernels.lanes ? half : whole;
          taps.cut = tiles.cut;
          for (Index n = first_image; n < last_image; ++n) {
            for (Index row = first_row; row < last_row; ++row)
              visit_row(tiles.kernels, n, row, ranges[row - from], group, j);
          }
        }
      }
    };
    for (Index n = 0; n < g.batch; n += block_images) {
      for (Index row = from; row < to; row += block_rows) {
        visit_block(n, std::min(g.batch, n + block_images), row, std::min(to, row + block_rows));
      }
    }
  }
}

template <class T>
void conv2d_forward_rows(const Conv2DGeometry& g, const T* x, const T* panels, const Epilogue<T>& epilogue, T* y) {
  if (g.x.stride == 2) return all_rows<HalvingTaps, ByChannel, false>(g, x, panels, epilogue, y);
  all_rows<ThreeTaps, ByChannel, false>(g, x, panels, epilogue, y);
}
template <class T>
void conv2d_backward_data_rows(const Conv2DGeometry& g, const T* dy, const T* panels, const Epilogue<T>& epilogue,
                               T* dx) {
  if (g.x.stride == 2) return all_rows<DoublingTaps, ByChannel, true>(g, dy, panels, epilogue, dx);
  all_rows<ThreeTaps, ByChannel, true>(g, dy, panels, epilogue, dx);
}
template <class T>
void conv2d_forward_narrow_rows(const Conv2DGeometry& g, const T* x, const T* w, const Epilogue<T>& epilogue, T* y) {
  all_rows<ThreeTaps, ByPack, false>(g, x, w, epilogue, y);
}
template <class T>
void conv2d_backward_data_narrow_rows(const Conv2DGeometry& g, const T* dy, const T* w, const Epilogue<T>& epilogue,
                                      T* dx) {
  if (g.x.stride == 2) return all_rows<DoublingTaps, ByPack, true>(g, dy, w, epilogue, dx);
  all_rows<ThreeTaps, ByPack, true>(g, dy, w, epilogue, dx);
}

LINNET_NAMESPACE_END
