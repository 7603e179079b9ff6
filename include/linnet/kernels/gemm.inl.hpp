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

template <class T>
void gemm_panels(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* panels, T* c, Index c_row,
                 TileStart start, const T* bias) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const TileTaps taps{.depth = depth, .b_depth = kLanes, .b_pack = depth * kLanes};
  for (Index j = 0, count; j < columns; j += count) {
    count = tile_columns<T>(columns - j);
    tile_rows(taps, rows, a, a_row, panels + j * depth, true, c + j, c_row, count, start,
              bias == nullptr ? nullptr : bias + j);
  }
}

template <class T>
void gemm_transposed(Index rows, Index columns, Index depth, const T* a, Index a_depth, const T* b, Index b_depth, T* c,
                     Index c_row) {
  const TileTaps taps{.depth = depth, .a_depth = a_depth, .b_depth = b_depth, .b_pack = Pack<T>::kLanes};
  for (Index j = 0, count; j < columns; j += count) {
    count = tile_columns<T>(columns - j);
    tile_rows(taps, rows, a, Index{1}, b + j, false, c + j, c_row, count, TileStart::accumulate,
              static_cast<const T*>(nullptr));
  }
}
