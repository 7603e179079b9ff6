// The tiles of conv2d_rows.hpp: see there.

template <class T>
LINNET_INLINE Pack<T> row_element(ByChannel, const T* x, Index, auto) {
  return broadcast(*x);
}
template <class T>
LINNET_INLINE Pack<T> row_element(ByPack, const T* x, Index left, auto whole) {
  return whole ? load(x) : masked_load(x, left);
}

/// Rows of x that will soon be wanted are fetched so many rows ahead: with few channels or a single filter there is so
/// little to do for each line of x that it would be waited for.
inline constexpr Index kRowsAhead = 3;

/// The pixels at the ends of a tile that lie within the image: the one before it, its first, its last, the one behind.
struct RowEnds {
  bool before, first, last, behind;
};
/// The same of the usual tiles, known to the compiler.
template <bool kBefore, bool kBehind>
struct KnownEnds {
  static constexpr bool before = kBefore, first = true, last = true, behind = kBehind;
};

/// A tile of kCount * Taps::kOutputs outputs. `x` is its first pixel in the first row of taps; w {rows, channels or
/// packs of them, taps, lanes}. `columns` filters; ByPack one. `kShort`: kShortRows rows of taps and one step over the
/// channels, without loops, which would take longer than so few products.
template <class Taps, class Channels, class T, int kCount, bool kShort, class Ends>
LINNET_INLINE void row_tile(const RowTaps& taps, const T* x, Ends ends, const T* w, const T* bias, T* y,
                            Index columns) {
  constexpr int kOutputs = kCount * Taps::kOutputs, kPixels = kCount * Taps::kPixels;
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr int kPointers = kPixels / 4 + 1;  // one for every fourth pixel: those between are at indexed addresses
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>;
  // Many registers hold the factors of all taps, and an element is loaded once. Few hold the sums of more outputs, one
  // factor, and elements for as long as there is room: AVX2 reaches nine tenths of its peak so, and two thirds else.
  constexpr bool kByFactor = kPartBytes == 32 && !kByPack;
  Pack<T> sums[kOutputs];
  const Pack<T> start = kByPack || bias == nullptr ? zero<T>() : load(bias, columns);
  LINNET_UNROLL
  for (int i = 0; i < kOutputs; ++i) sums[i] = start;
  // The products of one step over the channels, of which `left` are left: a whole pack, if it is said to be.
  const auto multiply_step = [&](const T** pixels, const T* factors, Index left, auto whole) LINNET_INLINE_LAMBDA {
    const auto at = [&](int p) LINNET_INLINE_LAMBDA {
      return p < 0 ? pixels[0] - taps.x_pixel : pixels[p / 4] + (p % 4) * taps.x_pixel;
    };
    const auto inside = [&](int p) LINNET_INLINE_LAMBDA {
      return p < 0 ? ends.before : p == 0 ? ends.first : p == kPixels ? ends.behind : p < kPixels - 1 || ends.last;
    };
    if constexpr (kByFactor) {
      unrolled<Taps::kTaps>([&](auto i) LINNET_INLINE_LAMBDA {
        constexpr int t = std::is_same_v<Taps, HalvingTaps> ? int(i) : Taps::kTaps - 1 - int(i);
        const Pack<T> factor = load(factors + t * kLanes);
        unrolled<kPixels + 2>([&](auto j) LINNET_INLINE_LAMBDA {
          constexpr int p = int(j) - 1, output = Taps::output(p, t);
          if constexpr (output >= 0 && output < kOutputs) {
            if (inside(p)) accumulate(sums[output], row_element(Channels{}, at(p), left, whole), factor);
          }
        });
      });
    } else {
      Pack<T> factor[Taps::kTaps];
      LINNET_UNROLL
      for (int t = 0; t < Taps::kTaps; ++t) factor[t] = load(factors + t * kLanes);
      unrolled<kPixels + 2>([&](auto j) LINNET_INLINE_LAMBDA {
        constexpr int p = int(j) - 1;
        if (!inside(p)) return;
        const Pack<T> e = row_element(Channels{}, at(p), left, whole);
        LINNET_UNROLL
        for (int t = 0; t < Taps::kTaps; ++t) {
          const int output = Taps::output(p, t);
          if (output >= 0 && output < kOutputs) sums[output] = multiply_add(e, factor[t], sums[output]);
        }
      });
    }
  };
  const auto pixels_of = [&](const T* row, const T** pixels) LINNET_INLINE_LAMBDA {
    LINNET_UNROLL
    for (int p = 0; p < kPointers; ++p) pixels[p] = row + 4 * p * taps.x_pixel;
  };
  const T* pixels[kPointers];
  if constexpr (kShort) {
    const Index left = taps.channels;
    unrolled<kShortRows>([&](auto row) LINNET_INLINE_LAMBDA {
      pixels_of(x + row * taps.x_row, pixels);
      multiply_step(pixels, w + row * taps.w_row, left, std::false_type{});
    });
  } else {
    for (Index row = 0; row < taps.rows; ++row) {
      pixels_of(x + row * taps.x_row, pixels);
      const T* factors = w + row * taps.w_row;
      const T* ahead = x + (row + kRowsAhead) * taps.x_row;
      for (Index left = taps.channels; left > 0; left -= kStep, factors += Taps::kTaps * kLanes) {
        if constexpr (!kByPack) {
          LINNET_PREFETCH(ahead);  // a line for each channel: about as many as the pixels of a tile have
          ahead += kLanes;
        }
        constexpr bool kTwice = kByPack && Pack<T>::kParts > 1;  // masks are slow there
        if (kTwice && left >= kLanes) {
          multiply_step(pixels, factors, left, std::bool_constant<kTwice>{});
        } else {
          multiply_step(pixels, factors, left, std::false_type{});
        }
        LINNET_UNROLL
        for (int p = 0; p < kPointers; ++p) pixels[p] += kStep;
      }
    }
  }
  if constexpr (kByPack) {
    for (Index c = 0; c < taps.channels; c += kLanes) {
      const T* ahead = x + (taps.rows - 1 + kRowsAhead) * taps.x_row + c;
      LINNET_UNROLL
      for (int p = 0; p < kPixels; ++p) LINNET_PREFETCH(ahead + p * taps.x_pixel);
    }
    const Pack<T> result = sums_of(sums) + (bias == nullptr ? zero<T>() : broadcast(*bias));
    if (taps.y_pixel == 1) return store(y, result, Index{kOutputs});
    alignas(64) T lanes[kLanes];
    store(lanes, result);
    for (int i = 0; i < kOutputs; ++i) y[i * taps.y_pixel] = lanes[i];
  } else if (columns >= kLanes) {
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) store(y + i * taps.y_pixel, sums[i]);
  } else {
    Pack<T> results[kOutputs];
    LINNET_UNROLL
    for (int i = 0; i < kOutputs; ++i) results[i] = sums[i];
    for (int i = 0; i < kOutputs; ++i) store(y + i * taps.y_pixel, results[i], columns);
  }
}

/// A usual tile, with registers of its own: beside other tiles in one function, a compiler has too few for either.
template <class Taps, class Channels, class T, int kCount, class Ends>
LINNET_NOINLINE void row_tile_alone(const RowTaps& taps, const T* x, Ends ends, const T* w, const T* bias, T* y,
                                    Index columns) {
  row_tile<Taps, Channels, T, kCount, false>(taps, x, ends, w, bias, y, columns);
}

/// The outputs [from, to), by counts of Taps::kOutputs, in tiles, of which the last ends where it must and may overlap
/// the one before: what is computed twice is the same. `x` is the image's first pixel in the first row of taps.
template <class Taps, class Channels, class T, int kCount, bool kShort>
void row_tiles(const RowTaps& taps, Index from, Index to, const T* x, const T* w, const T* bias, T* y, Index columns) {
  const auto within = [&](Index pixel) { return pixel >= 0 && pixel < taps.pixels; };
  for (Index done = from; done < to; done += kCount) {
    const Index at = std::min(done, to - kCount);
    const Index first = taps.cut.first_pixel + at * Taps::kPixels, end = first + kCount * Taps::kPixels;
    const RowEnds ends{within(first - 1), within(first), within(end - 1), within(end)};
    const T* tile_x = x + first * taps.x_pixel;
    T* tile_y = y + at * Taps::kOutputs * taps.y_pixel;
    if constexpr (kPartBytes == 32 && kCount * Taps::kOutputs >= 4) {
      if (ends.first && ends.last && (ends.before || ends.behind)) {
        const auto tile = [&](auto known) {
          row_tile_alone<Taps, Channels, T, kCount>(taps, tile_x, known, w, bias, tile_y, columns);
        };
        if (!ends.before) {
          tile(KnownEnds<false, true>{});
        } else if (!ends.behind) {
          tile(KnownEnds<true, false>{});
        } else {
          tile(KnownEnds<true, true>{});
        }
        continue;
      }
    }
    row_tile<Taps, Channels, T, kCount, kShort>(taps, tile_x, ends, w, bias, tile_y, columns);
  }
}

/// Output o by itself, wherever its taps fall: where wide or odd padding leaves a part of a tile. `x` is the image's
/// first pixel in the first row of taps.
template <class Taps, class Channels, class T>
void row_output(const RowTaps& taps, const ConvAxis& axis, Index o, const T* x, const T* w, const T* bias, T* y,
                Index columns) {
  constexpr Index kStep = Channels::template kStep<T>;
  constexpr bool kByPack = std::is_same_v<Channels, ByPack>;
  Pack<T> total = kByPack || bias == nullptr ? zero<T>() : load(bias, columns);
  for (Index row = 0; row < taps.rows; ++row) {
    const T* factors = w + row * taps.w_row;
    for (Index c = 0; c < taps.channels; c += kStep) {
      for (Index i = 0; i < Taps::kTaps; ++i) {  // by pixels, as in a tile
        const Index tap = std::is_same_v<Taps, HalvingTaps> ? i : Taps::kTaps - 1 - i;
        const Index p = Taps::pixel_of(o, tap, axis.pad);
        if (p < 0 || p >= axis.input) continue;
        const T* at = x + row * taps.x_row + p * taps.x_pixel + c;
        const Pack<T> factor = load(factors + tap * Pack<T>::kLanes);
        total = multiply_add(row_element(Channels{}, at, taps.channels - c, std::false_type{}), factor, total);
      }
      factors += Taps::kTaps * Pack<T>::kLanes;
    }
  }
  if constexpr (kByPack) {
    y[o * taps.y_pixel] = sum(total) + (bias == nullptr ? T(0) : *bias);
  } else {
    store(y + o * taps.y_pixel, total, columns);
  }
}

/// The tiles that are compiled, by counts of Taps::kOutputs outputs. A tile has no more outputs than fit in the
/// registers (or, ByPack, than the pack has lanes to which they are summed).
template <class Taps, class Channels, class T>
constexpr auto row_tile_sizes() {
  if constexpr (kPartBytes == 64 && Pack<T>::kLanes < 14 && std::is_same_v<Channels, ByPack>) {
    return Sizes<4, 2, 1>{};
  } else if constexpr (kPartBytes == 64 && std::is_same_v<Taps, DoublingTaps>) {
    return Sizes<7, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64 && std::is_same_v<Taps, ThreeTaps> && std::is_same_v<Channels, ByChannel>) {
    return Sizes<14, 12, 10, 8, 7, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64) {
    return Sizes<14, 7, 4, 1>{};
  } else if constexpr (kPartBytes == 32 && std::is_same_v<Taps, DoublingTaps>) {
    return Sizes<3, 2, 1>{};
  } else if constexpr (kPartBytes == 32 && std::is_same_v<Channels, ByPack>) {
    return Sizes<4, 2, 1>{};
  } else if constexpr (kPartBytes == 32) {
    return Sizes<5, 4, 2, 1>{};
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
  if constexpr (kPartBytes == 64 && std::is_same_v<Taps, ThreeTaps> && kCount == 14) {
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
  // With two multiply-adds a cycle, each of four cycles, eight sums are under way.
  constexpr Index kEnough = 8 / Taps::kOutputs / Pack<T>::kParts;
  return {row_tile_sizes<Taps, Channels, T>().values, kEnough, kRowTiles<Taps, Channels, T>.data(),
          kShortRowTiles<Taps, Channels, T>.data(), &row_output<Taps, Channels, T>};
}
