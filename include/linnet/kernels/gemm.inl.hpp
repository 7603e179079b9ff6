// Matrix products over the register tile; see gemm.hpp.

/// b {depth, columns} into panels of one pack of columns, each {depth, lanes}, padded with zeros.
template <class T>
void pack_panels(Index depth, Index columns, const T* b, Index b_depth, Index b_column, T* panels) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for (Index j = 0; j < columns; j += kLanes) {
    const Index width = std::min(kLanes, columns - j);
    for (Index k = 0; k < depth; ++k, panels += kLanes) {
      for (Index l = 0; l < kLanes; ++l) {
        panels[l] = l < width ? b[k * b_depth + (j + l) * b_column] : T(0);
      }
    }
  }
}

template <class T>
void gemm_panels(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* panels, T* c, Index c_row,
                 TileStart start, const T* bias) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const TileTaps taps{.depth = depth, .b_depth = kLanes};
  for (Index j = 0; j < columns; j += kLanes) {
    tile_rows(taps, rows, a, a_row, panels + j * depth, true, c + j, c_row, std::min(kLanes, columns - j), start,
              bias == nullptr ? nullptr : bias + j);
  }
}

template <class T>
void gemm_transposed(Index rows, Index columns, Index depth, const T* a, Index a_depth, const T* b, Index b_depth, T* c,
                     Index c_row) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const TileTaps taps{.depth = depth, .a_depth = a_depth, .b_depth = b_depth};
  for (Index j = 0; j < columns; j += kLanes) {
    tile_rows(taps, rows, a, Index{1}, b + j, false, c + j, c_row, std::min(kLanes, columns - j), TileStart::accumulate,
              static_cast<const T*>(nullptr));
  }
}
