// c[r][j] = start + sum over the taps of a[r][.] * b[.][j], for kRows rows r and one pack of columns j, kept in
// registers. Every element is one chain of multiply_add in the order of the taps, whatever the tile's
// size is: tiles may be cut in any way without changing a bit.

/// The most rows whose sums fit in the registers, beside a pack of B and a broadcast element of A.
inline constexpr int kTileRows = kPartBytes == 64 ? 14 : kPartBytes == 32 ? 6 : 2;

template <class T, int kRows, bool kMasked>
LINNET_INLINE void tile(const TileTaps& taps, const T* a, Index a_stride, const T* b, T* c, Index c_stride,
                        Index columns, TileStart start, const T* bias) {
  Pack<T> sums[kRows];
  if (start == TileStart::accumulate) {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r] = load(c + r * c_stride, columns);
  } else {
    const Pack<T> first = start == TileStart::bias ? load(bias, columns) : zero<T>();
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r] = first;
  }
  for (Index row = 0; row < taps.rows; ++row) {
    for (Index column = 0; column < taps.columns; ++column) {
      const T* b_tap = b + row * taps.b_row + column * taps.b_column;
      // A pointer for every fourth row: the rows between are reached by indexed addresses.
      const T* a_tap[(kRows + 3) / 4];
      LINNET_UNROLL
      for (int g = 0; g < (kRows + 3) / 4; ++g) {
        a_tap[g] = a + row * taps.a_row + column * taps.a_column + 4 * g * a_stride;
      }
      for (Index k = 0; k < taps.depth; ++k) {
        Pack<T> factor;
        if constexpr (kMasked) {
          factor = load(b_tap, columns);
        } else {
          factor = load(b_tap);
        }
        LINNET_UNROLL
        for (int r = 0; r < kRows; ++r) {
          sums[r] = multiply_add(broadcast(a_tap[r / 4][(r % 4) * a_stride]), factor, sums[r]);
        }
        b_tap += taps.b_depth;
        LINNET_UNROLL
        for (int g = 0; g < (kRows + 3) / 4; ++g) a_tap[g] += taps.a_depth;
      }
    }
  }
  if (columns >= Pack<T>::kLanes) {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) store(c + r * c_stride, sums[r]);
  } else {
    LINNET_UNROLL
    for (int r = 0; r < kRows; ++r) store(c + r * c_stride, sums[r], columns);
  }
}

template <class T, bool kMasked, int kRows>
void tile_of(const TileTaps& taps, const T* a, Index a_stride, const T* b, T* c, Index c_stride, Index columns,
             TileStart start, const T* bias) {
  tile<T, kRows, kMasked>(taps, a, a_stride, b, c, c_stride, columns, start, bias);
}

template <class T>
using TileFunction = void (*)(const TileTaps&, const T*, Index, const T*, T*, Index, Index, TileStart, const T*);

/// The tiles of 1 to kTileRows rows.
template <class T, bool kMasked, int... kRows>
constexpr std::array<TileFunction<T>, sizeof...(kRows)> make_tiles(std::integer_sequence<int, kRows...>) {
  return {&tile_of<T, kMasked, kRows + 1>...};
}
template <class T, bool kMasked>
inline constexpr auto kTiles = make_tiles<T, kMasked>(std::make_integer_sequence<int, kTileRows>{});

/// Any number of rows and up to a pack of columns: rows are shared out evenly among the fewest tiles.
/// `packed` says that all lanes of B may be read, though fewer columns are wanted.
template <class T>
void tile_rows(const TileTaps& taps, Index rows, const T* a, Index a_stride, const T* b, bool packed, T* c,
               Index c_stride, Index columns, TileStart start, const T* bias) {
  const bool masked = !packed && columns < Pack<T>::kLanes;
  Index tiles = (rows + kTileRows - 1) / kTileRows;
  for (Index r = 0; r < rows; --tiles) {
    const Index count = (rows - r + tiles - 1) / tiles;
    const auto i = static_cast<std::size_t>(count - 1);
    const TileFunction<T> function = masked ? kTiles<T, true>[i] : kTiles<T, false>[i];
    function(taps, a + r * a_stride, a_stride, b, c + r * c_stride, c_stride, columns, start, bias);
    r += count;
  }
}
