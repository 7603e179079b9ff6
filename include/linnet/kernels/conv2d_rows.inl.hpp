// Direct convolutions with three taps a row, stride and dilation 1 along it: most convolutions there are. See
// conv2d.hpp.
//
// An element of x is a factor of three neighbouring outputs. It is loaded once for all of them, where a tile of a
// matrix product (tile.inl.hpp) loads it three times; and a tile is a run of outputs of one row, so what the padding
// leaves out costs nothing. Every output is one chain of multiply_add in the order (row of taps, channel, tap),
// wherever the tiles are cut.

/// The most outputs of a tile: their sums, three packs of weights and a broadcast element fill the registers.
inline constexpr int kRowOutputs = kPartBytes == 64 ? 14 : kPartBytes == 32 ? 4 : 2;

/// What all tiles of a row of outputs have in common. Steps count scalars.
struct RowTaps {
  Index rows = 0;  ///< of taps that lie within the image
  Index channels = 0;
  Index x_row = 0, x_pixel = 0;  ///< from tap to tap
  Index w_row = 0;
  Index y_pixel = 0;
};

/// How a tile takes the channels: one at a time, broadcast to the lanes of up to a pack of filters ...
struct ByChannel {
  template <class T>
  static constexpr Index kStep = 1;
  template <class T>
  static LINNET_INLINE Pack<T> element(const T* x, Index) {
    return broadcast(*x);
  }
};
/// ... or, for a single filter, a pack at a time, to be summed over the lanes in the end.
struct ByPack {
  template <class T>
  static constexpr Index kStep = Pack<T>::kLanes;
  template <class T>
  static LINNET_INLINE Pack<T> element(const T* x, Index left) {
    return load(x, left);
  }
};

/// Outputs [0, kOutputs) of a row: `x` is the pixel under the middle tap of the first. The middle taps lie within the
/// image, but for a single output, where `middle` says so; `left` and `right` say whether the outermost pixels do. w
/// {rows, channels or packs of them, 3, lanes}. `columns` filters; ByPack one.
template <class Channels, class T, int kOutputs>
void row_tile(const RowTaps& taps, const T* x, bool left, bool middle, bool right, const T* w, const T* bias, T* y,
              Index columns) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr int kPointers = kOutputs / 4 + 1;  // one for every fourth pixel: those between are at indexed addresses
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>;
  Pack<T> sums[kOutputs];
  const Pack<T> first = kByPack || bias == nullptr ? zero<T>() : load(bias, columns);
  LINNET_UNROLL
  for (int i = 0; i < kOutputs; ++i) sums[i] = first;
  for (Index row = 0; row < taps.rows; ++row) {
    const T* pixels[kPointers];
    LINNET_UNROLL
    for (int p = 0; p < kPointers; ++p) pixels[p] = x + row * taps.x_row + 4 * p * taps.x_pixel;
    const T* factors = w + row * taps.w_row;
    for (Index left_over = taps.channels; left_over > 0; left_over -= kStep, factors += 3 * kLanes) {
      const auto element = [&](const T* pixel) LINNET_INLINE_LAMBDA { return Channels::element(pixel, left_over); };
      const Pack<T> w0 = load(factors), w1 = load(factors + kLanes), w2 = load(factors + 2 * kLanes);
      if (left) sums[0] = multiply_add(element(pixels[0] - taps.x_pixel), w0, sums[0]);
      if constexpr (kOutputs == 1) {
        if (middle) sums[0] = multiply_add(element(pixels[0]), w1, sums[0]);
      } else {
        unrolled<kOutputs>([&](auto i) LINNET_INLINE_LAMBDA {
          const Pack<T> e = element(pixels[i / 4] + (i % 4) * taps.x_pixel);
          if constexpr (i > 0) sums[i - 1] = multiply_add(e, w2, sums[i - 1]);
          sums[i] = multiply_add(e, w1, sums[i]);
          if constexpr (i + 1 < kOutputs) sums[i + 1] = multiply_add(e, w0, sums[i + 1]);
        });
      }
      if (right) {
        constexpr int kLast = kOutputs - 1;
        sums[kLast] = multiply_add(element(pixels[kOutputs / 4] + (kOutputs % 4) * taps.x_pixel), w2, sums[kLast]);
      }
      LINNET_UNROLL
      for (int p = 0; p < kPointers; ++p) pixels[p] += kStep;
    }
  }
  if constexpr (kByPack) {
    Pack<T> all[kLanes];
    LINNET_UNROLL
    for (int i = 0; i < kLanes; ++i) all[i] = i < kOutputs ? sums[i < kOutputs ? i : 0] : zero<T>();
    const Pack<T> result = sums_of(all) + (bias == nullptr ? zero<T>() : broadcast(*bias));
    if (taps.y_pixel == 1) return store(y, result, Index{kOutputs});
    alignas(64) T lanes[kLanes];
    store(lanes, result);
    for (int i = 0; i < kOutputs; ++i) y[i * taps.y_pixel] = lanes[i];
  } else {
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) store(y + i * taps.y_pixel, sums[i], columns);
  }
}

template <class T>
using RowTileFunction = void (*)(const RowTaps&, const T*, bool, bool, bool, const T*, const T*, T*, Index);

/// The tiles of 1 to kRowOutputs outputs.
template <class Channels, class T, int... kOutputs>
constexpr std::array<RowTileFunction<T>, sizeof...(kOutputs)> make_row_tiles(std::integer_sequence<int, kOutputs...>) {
  return {&row_tile<Channels, T, kOutputs + 1>...};
}
/// A tile has no more outputs than a pack has lanes, to which they are summed ByPack.
template <class Channels, class T>
inline constexpr int kMostOutputs = std::is_same_v<Channels, ByPack> ? std::min<int>(kRowOutputs, Pack<T>::kLanes)
                                                                     : kRowOutputs;
template <class Channels, class T>
inline constexpr auto kRowTiles =
    make_row_tiles<Channels, T>(std::make_integer_sequence<int, kMostOutputs<Channels, T>>{});

/// A row of outputs, cut into tiles as even as can be. `x` is the first pixel of the first row of taps.
template <class Channels, class T>
void row_of_outputs(const RowTaps& taps, const ConvAxis& axis, const T* x, const T* w, const T* bias, T* y,
                    Index columns) {
  constexpr Index kMost = kMostOutputs<Channels, T>;
  // The outputs whose middle tap lies within the image; without it, at the outside of wide padding, they come one by
  // one.
  const Index first = std::clamp<Index>(axis.pad - 1, 0, axis.output);
  const Index last = std::clamp<Index>(axis.input + axis.pad - 1, first, axis.output);
  Index tiles = (last - first + kMost - 1) / kMost;
  for (Index o = 0; o < axis.output;) {
    const bool middle = o >= first && o < last;
    const Index count = middle ? (last - o + tiles - 1) / tiles : 1;
    if (middle) --tiles;
    const Index pixel = o - axis.pad + 1;
    const auto within = [&](Index p) { return p >= 0 && p < axis.input; };
    kRowTiles<Channels, T>[static_cast<std::size_t>(count - 1)](taps, x + pixel * taps.x_pixel, within(pixel - 1),
                                                                middle, within(pixel + count), w, bias,
                                                                y + o * taps.y_pixel, columns);
    o += count;
  }
}

/// Forward, ByChannel from weights {group, panel of filters, row, channel, 3, lanes}, ByPack (one group) from weights
/// {filter, row, pack of channels, 3, lanes}.
template <class Channels, class T>
LINNET_INLINE void forward_rows(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr Index kColumns = kStep == 1 ? kLanes : 1;  // filters at a time
  const Index in = g.group_channels(), out = g.group_filters();
  RowTaps taps;
  taps.channels = in;
  taps.x_row = g.y.dilation * g.x.input * g.channels;
  taps.x_pixel = g.channels;
  taps.w_row = (in + kStep - 1) / kStep * 3 * kLanes;
  taps.y_pixel = g.filters;
  for (Index group = 0; group < g.groups; ++group) {
    for (Index j = 0; j < out; j += kColumns, w += g.y.taps * taps.w_row) {
      const Index k = group * out + j;
      for (Index n = 0; n < g.batch; ++n) {
        for (Index oy = 0; oy < g.y.output; ++oy) {
          const ConvAxis::Range rows = g.y.taps_of(oy);
          taps.rows = rows.last - rows.first;
          const T* first_row = x + n * g.input_size() + group * in +
                               (taps.rows == 0 ? 0 : g.y.pixel(oy, rows.first) * g.x.input * g.channels);
          row_of_outputs<Channels>(
              taps, g.x, first_row, w + rows.first * taps.w_row, bias == nullptr ? nullptr : bias + k,
              y + n * g.output_size() + oy * g.x.output * g.filters + k, std::min(kColumns, out - j));
        }
      }
    }
  }
}

template <class T>
void conv2d_forward_rows(const Conv2DGeometry& g, const T* x, const T* panels, const T* bias, T* y) {
  forward_rows<ByChannel>(g, x, panels, bias, y);
}
template <class T>
void conv2d_forward_narrow_rows(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  forward_rows<ByPack>(g, x, w, bias, y);
}

/// The most channels whose sums, three packs each, stay in the registers.
inline constexpr int kRowChannels = kPartBytes == 64 ? 8 : 2;

/// dw {3, channels, filters} += the products of one row of taps, kChannels channels by up to a pack of filters: every
/// element of x meets the three outputs that it is a factor of, which move along with it. Steps count scalars.
template <class T, int kChannels>
void row_weights(const ConvAxis& axis, Index rows, const T* x, Index x_row, Index x_pixel, const T* dy, Index dy_row,
                 Index dy_pixel, Index columns, T* dw, Index dw_tap, Index dw_channel) {
  Pack<T> sums[3][kChannels];
  LINNET_UNROLL
  for (int t = 0; t < 3; ++t) {
    LINNET_UNROLL
    for (int c = 0; c < kChannels; ++c) sums[t][c] = load(dw + t * dw_tap + c * dw_channel, columns);
  }
  // Pixel i is under tap t of output i + pad - t.
  const Index first = std::max<Index>(0, -axis.pad), last = std::min(axis.input, axis.output - axis.pad + 2);
  for (Index row = 0; row < rows; ++row, x += x_row, dy += dy_row) {
    const auto output = [&](Index o) {
      return o >= 0 && o < axis.output ? load(dy + o * dy_pixel, columns) : zero<T>();
    };
    Pack<T> d2 = output(first + axis.pad - 2), d1 = output(first + axis.pad - 1);
    for (Index i = first; i < last; ++i) {
      const Pack<T> d0 = output(i + axis.pad);
      const T* pixel = x + i * x_pixel;
      LINNET_UNROLL
      for (int c = 0; c < kChannels; ++c) {
        const Pack<T> element = broadcast(pixel[c]);
        sums[0][c] = multiply_add(element, d0, sums[0][c]);
        sums[1][c] = multiply_add(element, d1, sums[1][c]);
        sums[2][c] = multiply_add(element, d2, sums[2][c]);
      }
      d2 = d1;
      d1 = d0;
    }
  }
  LINNET_UNROLL
  for (int t = 0; t < 3; ++t) {
    LINNET_UNROLL
    for (int c = 0; c < kChannels; ++c) store(dw + t * dw_tap + c * dw_channel, sums[t][c], columns);
  }
}

template <class T>
using RowWeightsFunction = void (*)(const ConvAxis&, Index, const T*, Index, Index, const T*, Index, Index, Index, T*,
                                    Index, Index);
template <class T, int... kChannels>
constexpr std::array<RowWeightsFunction<T>, sizeof...(kChannels)> make_row_weights(
    std::integer_sequence<int, kChannels...>) {
  return {&row_weights<T, kChannels + 1>...};
}
template <class T>
inline constexpr auto kRowWeights = make_row_weights<T>(std::make_integer_sequence<int, kRowChannels>{});

/// dw += x^T dy.
template <class T>
void conv2d_backward_weights_rows(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const Index in = g.group_channels(), out = g.group_filters();
  const Index x_row = g.y.stride * g.x.input * g.channels;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index k = 0; k < g.filters;) {
      const Index group = k / out;
      const Index columns = std::min(kLanes, (group + 1) * out - k);
      for (Index ty = 0; ty < g.y.taps; ++ty) {
        const ConvAxis::Range rows = g.y.outputs_of(ty);
        if (rows.first == rows.last) continue;
        const T* pixels = x + n * g.input_size() + g.y.pixel(rows.first, ty) * g.x.input * g.channels + group * in;
        const T* outputs = dy + n * g.output_size() + rows.first * g.x.output * g.filters + k;
        Index blocks = (in + kRowChannels - 1) / kRowChannels;
        for (Index c = 0; c < in; --blocks) {
          const Index count = (in - c + blocks - 1) / blocks;
          kRowWeights<T>[static_cast<std::size_t>(count - 1)](
              g.x, rows.last - rows.first, pixels + c, x_row, g.channels, outputs, g.x.output * g.filters, g.filters,
              columns, dw + (ty * 3 * in + c) * g.filters + k, in * g.filters, g.filters);
          c += count;
        }
      }
      k += columns;
    }
  }
}
