// Matrix products over the register tile; see gemm.hpp.

/// b {depth, columns} into panels of one pack of columns, each {depth, lanes}, padded with zeros.
template <class T>
void pack_panels(Index depth, Index columns, const T* b, Index b_depth, Index b_column, T* panels) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for (Index j = 0; j < columns; j += kLanes, panels += depth * kLanes) {
    const Index width = std::min(kLanes, columns - j);
    const T* from = b + j * b_column;
    if (b_column == 1) {
      for (Index k = 0; k < depth; ++k) store(panels + k * kLanes, load(from + k * b_depth, width));
      continue;
    }
    // Columns lie apart: in blocks, whose lines stay in the cache, they are read one by one.
    for (Index first = 0; first < depth; first += kLanes) {
      const Index last = std::min(depth, first + kLanes);
      for (Index l = 0; l < kLanes; ++l) {
        const T* column = from + l * b_column;
        T* lane = panels + l;
        for (Index k = first; k < last; ++k) lane[k * kLanes] = l < width ? column[k * b_depth] : T(0);
      }
    }
  }
}

/// So much of the inner index is taken at a time: the rows of A of a tile then stay in the first cache, and the
/// panels of B in the second.
inline constexpr Index kDepthBlock = 512;

template <class T>
void gemm_panels(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* panels, T* c, Index c_row,
                 TileStart start, const T* bias) {
  constexpr Index kLanes = Pack<T>::kLanes;
  TileTaps taps{.b_depth = kLanes, .b_pack = depth * kLanes};
  for (Index k = 0; k < depth || k == 0; k += kDepthBlock) {
    taps.depth = std::min(kDepthBlock, depth - k);
    for (Index j = 0, count; j < columns; j += count) {
      count = tile_columns<T>(columns - j);
      tile_rows(taps, rows, a + k, a_row, panels + j * depth + k * kLanes, true, c + j, c_row, count,
                k == 0 ? start : TileStart::accumulate, bias == nullptr ? nullptr : bias + j);
    }
  }
}

/// Columns of A, which become the rows of a tile, are copied side by side: where they lie, they may all fall into a few
/// lines of the first cache.
template <class T>
void gemm_transposed(Index rows, Index columns, Index depth, const T* a, Index a_depth, const T* b, Index b_depth, T* c,
                     Index c_row) {
  constexpr Index kMostRows = WideSizes::values[0];
  constexpr Index kBlock = 128;
  alignas(64) T strip[kBlock * kMostRows];
  for (Index k = 0; k < depth; k += kBlock) {
    TileTaps taps{.depth = std::min(kBlock, depth - k), .b_depth = b_depth, .b_pack = Pack<T>::kLanes};
    for_each_part(WideSizes::values, rows, [&](Index r, std::size_t size) {
      const Index count = WideSizes::values[size];
      taps.a_depth = count;
      for (Index i = 0; i < taps.depth; ++i) {
        for (Index j = 0; j < count; ++j) strip[i * count + j] = a[(k + i) * a_depth + r + j];
      }
      for (Index j = 0, wide; j < columns; j += wide) {
        wide = tile_columns<T>(columns - j);
        tile_rows(taps, count, static_cast<const T*>(strip), Index{1}, b + k * b_depth + j, false, c + r * c_row + j,
                  c_row, wide, TileStart::accumulate, static_cast<const T*>(nullptr));
      }
    });
  }
}
