// The tiles of conv2d_rows.hpp: see there.

/// The filters of an output, or (ByPack) the channels that a step takes.
template <class Channels, class T>
using RowPack = std::conditional_t<std::is_same_v<Channels, ByHalf>, HalfPack<T>, Pack<T>>;

/// The bias of a row of outputs, which may be null.
template <class Channels, class T>
LINNET_INLINE RowPack<Channels, T> row_bias(const T* bias, Index columns) {
  using P = RowPack<Channels, T>;
  if (bias == nullptr) return zero_as<P>();
  if constexpr (std::is_same_v<Channels, ByPack>) {
    return broadcast(*bias + T(0));  // no sum ends as -0, whatever parts it has
  } else {
    return load_as<P>(bias, columns);
  }
}

/// Rows of x that will soon be wanted are fetched so many rows ahead: with few channels or a single filter there is so
/// little to do for each line of x that it would be waited for.
inline constexpr Index kRowsAhead = 3;

/// The pixels at the ends of a tile that lie within the image: the one before it, its first, its last, the one behind.
struct RowEnds {
  bool before, first, last, behind;
};
/// The same of the usual tiles, known to the compiler.
template <bool kBefore, bool kFirst, bool kLast, bool kBehind>
struct KnownEnds {
  static constexpr bool before = kBefore, first = kFirst, last = kLast, behind = kBehind;
};
using Inside = KnownEnds<true, true, true, true>;
using AtStart = KnownEnds<false, true, true, true>;
using AtEnd = KnownEnds<true, true, true, false>;
using BeyondStart = KnownEnds<false, false, true, true>;  // by data of a convolution without padding
using BeyondEnd = KnownEnds<true, true, false, false>;

/// Where the pixels of a tile are, which are kPixels and one at each end: every fourth has a pointer, those between are
/// at indexed addresses.
template <class T, int kPixels, class Ends>
struct TilePixels {
  static constexpr int kPointers = kPixels / 4 + 1;
  const T* pointers[kPointers];
  Index step;
  Ends ends;

  LINNET_INLINE TilePixels(const T* first, Index pixel_step, Ends the_ends) : step(pixel_step), ends(the_ends) {
    LINNET_UNROLL
    for (int i = 0; i < kPointers; ++i) pointers[i] = first + 4 * i * step;
  }
  LINNET_INLINE const T* at(int p) const { return p < 0 ? pointers[0] - step : pointers[p / 4] + (p % 4) * step; }
  LINNET_INLINE bool inside(int p) const {
    return p < 0 ? ends.before : p == 0 ? ends.first : p == kPixels ? ends.behind : p < kPixels - 1 || ends.last;
  }
  LINNET_INLINE void advance(Index scalars) {
    LINNET_UNROLL
    for (int i = 0; i < kPointers; ++i) pointers[i] += scalars;
  }
};

/// sums += the products of the elements load_element(address of a pixel) and of the factors of all taps. Where the
/// factors stay in registers beside the sums, an element is loaded once.
template <class Taps, class P, int kOutputs, class T, class Pixels, class LoadElement>
LINNET_INLINE void multiply_taps(const Pixels& pixels, const T* factors, const LoadElement& load_element,
                                 P (&sums)[kOutputs]) {
  constexpr int kPixels = kOutputs / Taps::kOutputs * Taps::kPixels;
  P factor[Taps::kTaps];
  LINNET_UNROLL
  for (int t = 0; t < Taps::kTaps; ++t) factor[t] = load_as<P>(factors + t * kPanelWidth<T>);
  LINNET_UNROLL
  for (int p = -1; p <= kPixels; ++p) {
    if (!pixels.inside(p)) continue;
    const P element = load_element(pixels.at(p));
    LINNET_UNROLL
    for (int t = 0; t < Taps::kTaps; ++t) {
      const int output = Taps::output(p, t);
      if (output >= 0 && output < kOutputs) accumulate(sums[output], element, factor[t]);
    }
  }
}
/// The same where registers are few: they hold the sums of more outputs, one factor, and elements, which are spread
/// over a pack, for as long as there is room. With whole packs AVX2 reaches nine tenths of its peak so, else two
/// thirds.
template <class Taps, class P, int kOutputs, class T, class Pixels>
LINNET_INLINE void multiply_tap_by_tap(const Pixels& pixels, const T* factors, P (&sums)[kOutputs]) {
  constexpr int kPixels = kOutputs / Taps::kOutputs * Taps::kPixels;
  LINNET_UNROLL
  for (int i = 0; i < Taps::kTaps; ++i) {
    const int t = Taps::tap(i);
    const P factor = load_as<P>(factors + t * kPanelWidth<T>);
    LINNET_UNROLL
    for (int p = -1; p <= kPixels; ++p) {
      const int output = Taps::output(p, t);
      if (output < 0 || output >= kOutputs || !pixels.inside(p)) continue;
      accumulate(sums[output], broadcast_as<P>(*pixels.at(p)), factor);
    }
  }
}

/// A tile of kCount * Taps::kOutputs outputs of `columns` filters. `x` is its first pixel in the first row of taps; w
/// {rows, channels, taps, lanes}. `kShort`: kShortRows rows of taps and one step over the channels, without loops,
/// which would take longer than so few products.
template <class Taps, int kCount, bool kShort, class Channels, class T, class Ends>
LINNET_INLINE void row_tile(Channels, const RowTaps& taps, const T* x, Ends ends, const T* w,
                            const RowPack<Channels, T>& bias, T* y, Index columns) {
  using P = RowPack<Channels, T>;
  constexpr int kOutputs = kCount * Taps::kOutputs, kPixels = kCount * Taps::kPixels;
  constexpr Index kLanes = kPanelWidth<T>;
  using Pixels = TilePixels<T, kPixels, Ends>;
  P sums[kOutputs];
  LINNET_UNROLL
  for (int i = 0; i < kOutputs; ++i) sums[i] = bias;
  const auto multiply_channel = [&](const Pixels& pixels, const T* factors) LINNET_INLINE_LAMBDA {
    if constexpr (kPartBytes == 32 && P::kParts > 1) {
      multiply_tap_by_tap<Taps>(pixels, factors, sums);
    } else {
      multiply_taps<Taps>(
          pixels, factors, [](const T* at) LINNET_INLINE_LAMBDA { return broadcast_as<P>(*at); }, sums);
    }
  };
  if constexpr (kShort) {
    LINNET_UNROLL
    for (int row = 0; row < kShortRows; ++row) {
      multiply_channel(Pixels(x + row * taps.x_row, taps.x_pixel, ends), w + row * taps.w_row);
    }
  } else {
    for (Index row = 0; row < taps.rows; ++row) {
      Pixels pixels(x + row * taps.x_row, taps.x_pixel, ends);
      const T* factors = w + row * taps.w_row;
      const T* ahead = x + (row + kRowsAhead) * taps.x_row;
      for (Index channel = 0; channel < taps.channels; ++channel, factors += Taps::kTaps * kLanes) {
        LINNET_PREFETCH(ahead);  // a line for each channel: about as many as the pixels of a tile have
        ahead += kLanes;
        multiply_channel(pixels, factors);
        pixels.advance(1);
      }
    }
  }
  if (taps.relu) {
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) sums[i] = rectify(sums[i]);
  }
  if (columns >= P::kLanes) {
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) store(y + i * taps.y_pixel, sums[i]);
  } else {
    P results[kOutputs];
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) results[i] = sums[i];
    store_packs(results, kOutputs, y, taps.y_pixel, columns);
  }
}

/// The same of a single filter; w {rows, packs of channels, taps, lanes}. One part of the packs is taken through all
/// taps before the next: with AVX2 the sums of ten outputs stay in registers so, and of four if it were whole packs.
/// `kShort`: as above, and without masks whole packs of channels.
template <class Taps, int kCount, bool kShort, class T, class Ends>
LINNET_INLINE void row_tile(ByPack, const RowTaps& taps, const T* x, Ends ends, const T* w,
                            const RowPack<ByPack, T>& bias, T* y, Index) {
  constexpr int kOutputs = kCount * Taps::kOutputs, kPixels = kCount * Taps::kPixels;
  constexpr Index kLanes = Pack<T>::kLanes, kPartLanes = Pack<T>::kPartLanes;
  using P = Pack<T, 1>;
  constexpr bool kMaskLess = Pack<T>::kParts > 1;  // with AVX-512 masks cost nothing
  using Pixels = TilePixels<T, kPixels, Ends>;
  Pack<T> totals[kOutputs];
  const auto take_part = [&](int part) LINNET_INLINE_LAMBDA {
    P sums[kOutputs];
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) sums[i] = zero_as<P>();
    const auto multiply_whole = [&](const Pixels& pixels, const T* factors) LINNET_INLINE_LAMBDA {
      multiply_taps<Taps>(
          pixels, factors, [](const T* at) LINNET_INLINE_LAMBDA { return load_as<P>(at); }, sums);
    };
    const auto multiply_first = [&](const Pixels& pixels, const T* factors, Index n) LINNET_INLINE_LAMBDA {
      multiply_taps<Taps>(
          pixels, factors, [n](const T* at) LINNET_INLINE_LAMBDA { return masked_load_as<P>(at, n); }, sums);
    };
    const T* part_x = x + part * kPartLanes;
    const T* part_w = w + part * kPartLanes;
    const Index channels = taps.channels - part * kPartLanes;
    if constexpr (kShort) {
      LINNET_UNROLL
      for (int row = 0; row < kShortRows; ++row) {
        const Pixels pixels(part_x + row * taps.x_row, taps.x_pixel, ends);
        if constexpr (kMaskLess) {
          multiply_whole(pixels, part_w + row * taps.w_row);
        } else {
          multiply_first(pixels, part_w + row * taps.w_row, channels);
        }
      }
    } else {
      for (Index row = 0; row < taps.rows; ++row) {
        Pixels pixels(part_x + row * taps.x_row, taps.x_pixel, ends);
        const T* factors = part_w + row * taps.w_row;
        for (Index left = channels; left > 0; left -= kLanes) {
          if (kMaskLess && left >= kPartLanes) {
            multiply_whole(pixels, factors);
          } else {
            multiply_first(pixels, factors, left);
          }
          factors += Taps::kTaps * kLanes;
          pixels.advance(kLanes);
        }
      }
    }
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) totals[i].part[part] = sums[i].part[0];
  };
  if constexpr (kShort) {
    LINNET_UNROLL
    for (int part = 0; part < Pack<T>::kParts; ++part) take_part(part);
  } else {
    for (int part = 0; part < Pack<T>::kParts; ++part) take_part(part);
  }
  for (Index c = 0; c < taps.channels; c += kLanes) {
    const T* ahead = x + (taps.rows - 1 + kRowsAhead) * taps.x_row + c;
    LINNET_UNROLL
    for (int p = 0; p < kPixels; ++p) LINNET_PREFETCH(ahead + p * taps.x_pixel);
  }
  Pack<T> result = sums_of(totals) + bias;
  if (taps.relu) result = rectify(result);
  if (taps.y_pixel == 1) return store(y, result, Index{kOutputs});
  alignas(64) T lanes[kLanes];
  store(lanes, result);
  for (int i = 0; i < kOutputs; ++i) y[i * taps.y_pixel] = lanes[i];
}

/// A usual tile, with registers of its own: beside other tiles in one function, a compiler has too few for either.
template <class Taps, class Channels, int kCount, bool kShort, class T, class Ends>
LINNET_NOINLINE void row_tile_alone(const RowTaps& taps, const T* x, Ends ends, const T* w,
                                    const RowPack<Channels, T>& bias, T* y, Index columns) {
  row_tile<Taps, kCount, kShort>(Channels{}, taps, x, ends, w, bias, y, columns);
}

/// The outputs [from, to), by counts of Taps::kOutputs, in tiles, of which the last ends where it must and may overlap
/// the one before: what is computed twice is the same. `x` is the image's first pixel in the first row of taps.
template <class Taps, class Channels, class T, int kCount, bool kShort>
void row_tiles(const RowTaps& taps, Index from, Index to, const T* x, const T* w, const T* bias, T* y, Index columns) {
  const auto within = [&](Index pixel) { return pixel >= 0 && pixel < taps.pixels; };
  const RowPack<Channels, T> start = row_bias<Channels>(bias, columns);
  for (Index done = from; done < to; done += kCount) {
    const Index at = std::min(done, to - kCount);
    const Index first = taps.cut.first_pixel + at * Taps::kPixels, end = first + kCount * Taps::kPixels;
    const RowEnds ends{within(first - 1), within(first), within(end - 1), within(end)};
    const T* tile_x = x + first * taps.x_pixel;
    T* tile_y = y + at * Taps::kOutputs * taps.y_pixel;
    if constexpr (kPartBytes == 32 && kCount * Taps::kOutputs >= (std::is_same_v<Channels, ByHalf> ? 8 : 4)) {
      constexpr bool kBeyond = std::is_same_v<Taps, ThreeTaps> && std::is_same_v<Channels, ByChannel>;
      const auto done_with = [&](auto known) {
        const bool same = known.before == ends.before && known.first == ends.first && known.last == ends.last &&
                          known.behind == ends.behind;
        if (same) row_tile_alone<Taps, Channels, kCount, kShort>(taps, tile_x, known, w, start, tile_y, columns);
        return same;
      };
      if (done_with(Inside{}) || done_with(AtStart{}) || done_with(AtEnd{})) continue;
      if constexpr (kBeyond) {
        if (done_with(BeyondStart{}) || done_with(BeyondEnd{})) continue;
      }
    }
    row_tile<Taps, kCount, kShort>(Channels{}, taps, tile_x, ends, w, start, tile_y, columns);
  }
}

/// Output o by itself, wherever its taps fall: where wide or odd padding leaves a part of a tile. `x` is the image's
/// first pixel in the first row of taps.
template <class Taps, class Channels, class T>
void row_output(const RowTaps& taps, const ConvAxis& axis, Index o, const T* x, const T* w, const T* bias, T* y,
                Index columns) {
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>;
  using P = RowPack<Channels, T>;
  P total = kByPack ? zero_as<P>() : row_bias<Channels>(bias, columns);
  for (Index row = 0; row < taps.rows; ++row) {
    const T* factors = w + row * taps.w_row;
    for (Index c = 0; c < taps.channels; c += kStep) {
      for (int i = 0; i < Taps::kTaps; ++i) {  // by pixels, as in a tile
        const int tap = Taps::tap(i);
        const Index p = Taps::pixel_of(o, tap, axis.pad);
        if (p < 0 || p >= axis.input) continue;
        const T* at = x + row * taps.x_row + p * taps.x_pixel + c;
        const P factor = load_as<P>(factors + tap * kPanelWidth<T>);
        accumulate(total, kByPack ? load_as<P>(at, taps.channels - c) : broadcast_as<P>(*at), factor);
      }
      factors += Taps::kTaps * kPanelWidth<T>;
    }
  }
  if constexpr (kByPack) total = broadcast(sum(total)) + row_bias<Channels>(bias, columns);
  store(y + o * taps.y_pixel, taps.relu ? rectify(total) : total, columns);
}

/// The tiles that are compiled, by counts of Taps::kOutputs outputs. A tile has no more outputs than fit in the
/// registers (or, ByPack, than the pack has lanes to which they are summed).
template <class Taps, class Channels, class T>
constexpr auto row_tile_sizes() {
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>, kDoubling = std::is_same_v<Taps, DoublingTaps>;
  if constexpr (kPartBytes == 64 && kByPack && Pack<T>::kLanes == 8) {
    return std::conditional_t<kDoubling, Sizes<4, 2, 1>, Sizes<8, 4, 1>>{};
  } else if constexpr (kPartBytes == 64 && kDoubling) {
    return Sizes<7, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64 && std::is_same_v<Taps, ThreeTaps> && !kByPack) {
    return Sizes<14, 12, 10, 8, 7, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64) {
    return Sizes<14, 7, 4, 1>{};
  } else if constexpr (kPartBytes == 32 && std::is_same_v<Channels, ByHalf>) {
    return std::conditional_t<kDoubling, Sizes<5, 2, 1>, Sizes<10, 4, 1>>{};
  } else if constexpr (kPartBytes == 32 && kByPack && Pack<T>::kLanes == 8) {
    return std::conditional_t<kDoubling, Sizes<4, 2, 1>, Sizes<8, 4, 1>>{};
  } else if constexpr (kPartBytes == 32 && kByPack) {
    return std::conditional_t<kDoubling, Sizes<5, 4, 2, 1>, Sizes<10, 8, 4, 1>>{};
  } else if constexpr (kPartBytes == 32) {
    return std::conditional_t<kDoubling, Sizes<3, 2, 1>, Sizes<5, 4, 2, 1>>{};
  } else if constexpr (!std::is_same_v<Channels, ByChannel> && !kDoubling) {
    return Sizes<4, 1>{};
  } else {
    return Sizes<2, 1>{};
  }
}
template <class Taps, class Channels, class T, int... kCounts>
constexpr std::array<RowTilesFunction<T>, sizeof...(kCounts)> make_row_tiles(Sizes<kCounts...>) {
  return {&row_tiles<Taps, Channels, T, kCounts, false>...};
}
template <class Taps, class Channels, class T>
inline constexpr auto kRowTiles = make_row_tiles<Taps, Channels, T>(row_tile_sizes<Taps, Channels, T>());

/// The large tiles once more for few products, where there are registers enough for such tiles; null for the others.
template <class Taps, class Channels, class T, int kCount>
constexpr RowTilesFunction<T> short_row_tile() {
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>;
  if constexpr (std::is_same_v<Taps, ThreeTaps> &&
                ((kPartBytes == 64 && kCount == 14) || (kPartBytes == 32 && kByPack && kCount >= 8))) {
    return &row_tiles<Taps, Channels, T, kCount, true>;
  } else {
    return nullptr;
  }
}
template <class Taps, class Channels, class T, int... kCounts>
constexpr std::array<RowTilesFunction<T>, sizeof...(kCounts)> make_short_row_tiles(Sizes<kCounts...>) {
  return {short_row_tile<Taps, Channels, T, kCounts>()...};
}
template <class Taps, class Channels, class T>
inline constexpr auto kShortRowTiles = make_short_row_tiles<Taps, Channels, T>(row_tile_sizes<Taps, Channels, T>());

template <class T, class Taps, class Channels>
RowKernels<T> row_kernels(Taps, Channels) {
  // Half packs are compiled where they are less than whole ones, for the usual taps.
  constexpr bool kHalves = Pack<T>::kParts > 1 && !std::is_same_v<Taps, HalvingTaps>;
  if constexpr (std::is_same_v<Channels, ByHalf> && !kHalves) {
    return row_kernels<T>(Taps{}, ByChannel{});
  } else {
    using P = RowPack<Channels, T>;
    // With two multiply-adds a cycle, each of four cycles, eight sums are under way.
    constexpr Index kSums = Taps::kOutputs * (std::is_same_v<Channels, ByPack> ? 1 : P::kParts);
    constexpr Index kEnough = 8 / kSums;
    constexpr Index kShortFrom = kPartBytes == 64 ? 1 : Channels::template kStep<T>;
    return {row_tile_sizes<Taps, Channels, T>().values,
            kEnough,
            kRowTiles<Taps, Channels, T>.data(),
            kShortRowTiles<Taps, Channels, T>.data(),
            kShortFrom,
            &row_output<Taps, std::conditional_t<std::is_same_v<Channels, ByHalf>, ByChannel, Channels>, T>,
            P::kLanes};
  }
}
