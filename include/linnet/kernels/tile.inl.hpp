// The tiles of tile.hpp:
//
// c[r][j] = bias[j] + sum over the taps of a[r][.] * b[.][j], for kRows rows r and kPacks packs of columns j, kept in
// registers. Every element is one chain of multiply_add in the order of the taps (to which, in the end, what c held
// may be added), whatever the tile's size is: tiles may be cut in any way without changing a bit.

/// The rows of the tiles that are compiled: their sums fit in the registers, beside a pack of B and a broadcast element
/// of A.
template <class P>
constexpr auto tile_sizes() {
  if constexpr (kPartBytes == 64) {
    return Sizes<14, 8, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 32 && P::kParts == 1) {
    return Sizes<12, 10, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 32) {
    return Sizes<6, 4, 2, 1>{};
  } else {
    return Sizes<2, 1>{};
  }
}
/// With many registers a tile may be two packs wide: every element of A is then loaded for two products. Loads bound
/// the narrower tile.
inline constexpr int kWidePacks = kPartBytes == 64 ? 2 : 1;

/// P is a pack, or the first half of one. kMasked: B may have no more than `columns` columns, fewer than a pack. Else
/// all lanes of B may be read.
template <class T, class P, int kRows, int kPacks, bool kMasked>
void tile(const TileTaps& taps, const T* a, Index a_stride, const T* b, T* c, Index c_stride, Index columns, bool add,
          const Epilogue<T>& epilogue) {
  constexpr Index kLanes = P::kLanes;
  constexpr int kPointers = (kRows + 3) / 4;  // one for every fourth row: those between are at indexed addresses
  if (add) {                                  // read at the end
    for (int r = 0; r < kRows; ++r) {
      for (int p = 0; p < kPacks; ++p) LINNET_PREFETCH(c + r * c_stride + p * kLanes);
    }
  }
  P sums[kRows][kPacks];
  LINNET_UNROLL
  for (int p = 0; p < kPacks; ++p) {
    const Index left = columns - p * kLanes;
    const P first = epilogue.bias == nullptr ? zero_as<P>() : load_as<P>(epilogue.bias + p * kLanes, left);
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r][p] = first;
  }
  for (Index row = 0; row < taps.rows; ++row) {
    for (Index column = 0; column < taps.columns; ++column) {
      const T* b_tap = b + row * taps.b_row + column * taps.b_column;
      const T* a_tap[kPointers];
      LINNET_UNROLL
      for (int g = 0; g < kPointers; ++g) {
        a_tap[g] = a + row * taps.a_row + column * taps.a_column + 4 * g * a_stride;
      }
      const auto multiply_step = [&]() LINNET_INLINE_LAMBDA {
        P factors[kPacks];
        LINNET_UNROLL
        for (int p = 0; p < kPacks; ++p) {
          if constexpr (kMasked) {
            factors[p] = masked_load_as<P>(b_tap + p * taps.b_pack, columns);
          } else {
            factors[p] = load_as<P>(b_tap + p * taps.b_pack);
          }
        }
        LINNET_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const P element = broadcast_as<P>(a_tap[r / 4][(r % 4) * a_stride]);
          LINNET_UNROLL
          for (int p = 0; p < kPacks; ++p) accumulate(sums[r][p], element, factors[p]);
        }
        b_tap += taps.b_depth;
        LINNET_UNROLL
        for (int g = 0; g < kPointers; ++g) a_tap[g] += taps.a_depth;
      };
      repeat(taps.depth, multiply_step);
    }
  }
  if (epilogue.relu && !add) {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      LINNET_UNROLL
      for (int p = 0; p < kPacks; ++p) sums[r][p] = rectify(sums[r][p]);
    }
  }
  if (columns >= kPacks * kLanes && !add) {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      LINNET_UNROLL
      for (int p = 0; p < kPacks; ++p) store(c + r * c_stride + p * kLanes, sums[r][p]);
    }
    return;
  }
  P totals[kPacks][kRows];
  LINNET_UNROLL
  for (int p = 0; p < kPacks; ++p) {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) totals[p][r] = sums[r][p];
  }
  for (int p = 0; p < kPacks; ++p) {
    T* to = c + p * kLanes;
    const Index left = columns - p * kLanes;
    if (add) {
      add_packs(totals[p], kRows, to, c_stride, left, epilogue.relu);
    } else {
      store_packs(totals[p], kRows, to, c_stride, left);
    }
  }
}

template <class T, class P, int kPacks, bool kMasked, int... kRows>
constexpr std::array<TileFunction<T>, sizeof...(kRows)> make_tiles(Sizes<kRows...>) {
  return {&tile<T, P, kRows, kPacks, kMasked>...};
}
template <class T, class P, int kPacks, bool kMasked, class RowSizes>
inline constexpr auto kTiles = make_tiles<T, P, kPacks, kMasked>(RowSizes{});
template <class T, class P, int kPacks, bool kMasked, class RowSizes>
TileSet<T> tile_set(RowSizes) {
  return {kPacks * P::kLanes, RowSizes::values, kTiles<T, P, kPacks, kMasked, RowSizes>.data()};
}

template <class T>
TileKernels<T> tile_kernels() {
  using P = Pack<T>;
  // With AVX-512 masks cost nothing.
  const TileSet<T> pack = tile_set<T, P, 1, kPartBytes == 64>(tile_sizes<P>());
  TileKernels<T> kernels{.wide = pack, .pack = pack, .half = pack, .masked = tile_set<T, P, 1, true>(tile_sizes<P>())};
  if constexpr (kWidePacks > 1) kernels.wide = tile_set<T, P, kWidePacks, false>(Sizes<12, 8, 4, 2, 1>{});
  // Elsewhere half a pack has no more rows in a tile, or is no less than a whole one.
  if constexpr (kPartBytes == 32) kernels.half = tile_set<T, HalfPack<T>, 1, false>(tile_sizes<HalfPack<T>>());
  return kernels;
}
