// Matrix products, row-major. Every element of a result is the sum of chains of fused multiply-adds, each over a
// block of the inner index in its order, so it depends neither on the other rows nor, where the set fuses, on the set.
#pragma once

#include <algorithm>

#include "linnet/kernels/tile.hpp"

LINNET_NAMESPACE_BEGIN

/// The scalars of a packed B {depth, columns}.
template <class T>
Index panels_size(Index depth, Index columns) {
  return checked_multiply(depth, round_up(columns, kPanelWidth<T>));
}

/// Packs B, whose element (k, j) is b[k * b_depth + j * b_column], for gemm_packed(): into panels of one pack of
/// columns, each {depth, lanes}, padded with zeros.
template <class T>
void pack_panels(Index depth, Index columns, const T* b, Index b_depth, Index b_column, T* panels) {
  constexpr Index kLanes = kPanelWidth<T>;
  for (Index j = 0; j < columns; j += kLanes, panels += depth * kLanes) {
    const Index width = std::min(kLanes, columns - j);
    const T* from = b + j * b_column;
    if (b_column == 1 && width == kLanes) {
      for (Index k = 0; k < depth; ++k) std::copy_n(from + k * b_depth, kLanes, panels + k * kLanes);
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

/// The epilogue of the products [from, last) of `depth`, which are added to those before.
template <class T>
Epilogue<T> epilogue_of_block(const Epilogue<T>& epilogue, Index from, Index last, Index depth) {
  return {from == 0 ? epilogue.bias : nullptr, epilogue.relu && last == depth};
}

/// C {rows, columns} = A {rows, depth} B {depth, columns}, with its epilogue; the rows of A, B and C begin every a_row,
/// b_row and c_row scalars.
template <class T>
void gemm(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* b, Index b_row, T* c, Index c_row,
          const Epilogue<T>& epilogue = {}) {
  // So much of the inner index at a time: rows of B may all fall into a few sets of the caches, which hold no more.
  constexpr Index kBlock = 128;
  TileTaps taps{.b_depth = b_row, .b_pack = kPanelWidth<T>};
  for (Index k = 0; k < depth || k == 0; k += kBlock) {
    taps.depth = std::min(kBlock, depth - k);
    tile_all(taps, rows, columns, a + k, a_row, b + k * b_row, false, c, c_row, k > 0,
             epilogue_of_block(epilogue, k, k + taps.depth, depth));
  }
}

/// gemm_packed() takes so much of the inner index at a time: the rows of A of a tile then stay in the first cache, the
/// panels of B in the second.
inline constexpr Index kPackedDepth = 512;

/// The same from B that pack_panels() has packed. `before_tile` is that of tile_all().
template <class T, class BeforeTile = NoTileHook>
void gemm_packed(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* panels, T* c, Index c_row,
                 const Epilogue<T>& epilogue = {}, const BeforeTile& before_tile = {}) {
  constexpr Index kLanes = kPanelWidth<T>;
  TileTaps taps{.b_depth = kLanes, .b_pack = depth * kLanes};
  for (Index k = 0; k < depth || k == 0; k += kPackedDepth) {
    taps.depth = std::min(kPackedDepth, depth - k);
    tile_all(taps, rows, columns, a + k, a_row, panels + k * kLanes, true, c, c_row, k > 0,
             epilogue_of_block(epilogue, k, k + taps.depth, depth), before_tile);
  }
}

/// The rows of A, and columns of C, that gemm_a_bt() transposes at a time, and the scalars of its scratch.
inline constexpr Index kTransposedRows = 64, kTransposedColumns = 96;
inline Index gemm_a_bt_scratch(Index depth) {
  return checked_multiply(kTransposedRows, checked_add(kTransposedColumns, depth));
}

/// C {rows, columns} = A {rows, depth} B^T for B {columns, depth}. B is meant to be the larger: it is read as it lies
/// in memory, rows of the others are transposed, C^T = B A^T. Rows count as whole packs: fewer cost as much.
template <class T>
void gemm_a_bt(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* b, Index b_row, T* c,
               Index c_row, T* scratch) {
  constexpr Index kLanes = kPanelWidth<T>;
  static_assert(kTransposedRows % kLanes == 0);
  T* panels = scratch;
  T* c_transposed = scratch + depth * kTransposedRows;
  for (Index from = 0; from < rows;
       from += kTransposedRows, a += kTransposedRows * a_row, c += kTransposedRows * c_row) {
    const Index count = std::min(kTransposedRows, rows - from);
    const Index padded = round_up(count, kLanes);
    pack_panels(depth, count, a, Index{1}, a_row, panels);
    for (Index j = 0; j < columns; j += kTransposedColumns) {  // so much of C^T stays in a cache
      const Index width = std::min(kTransposedColumns, columns - j);
      gemm_packed(width, padded, depth, b + j * b_row, b_row, static_cast<const T*>(panels), c_transposed, padded);
      for (Index first = 0; first < width; first += kLanes) {  // whose lines stay in the first
        const Index last = std::min(width, first + kLanes);
        for (Index r = 0; r < count; ++r) {
          for (Index i = first; i < last; ++i) c[r * c_row + j + i] = c_transposed[i * padded + r];
        }
      }
    }
  }
}

/// The columns of A, which become the rows of tiles, that gemm_at_b() copies side by side: where they lie, they may all
/// fall into a few lines of the first cache.
inline constexpr Index kStripRows = 12;
/// As many as it takes at a time where it copies none: whole tiles of every set.
inline constexpr Index kUncopiedRows = 168;

/// C {rows, columns} += A^T B for A {depth, rows} and B {depth, columns}; unless `accumulate`, C = A^T B.
template <class T>
void gemm_at_b(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* b, Index b_row, T* c,
               Index c_row, bool accumulate = true) {
  constexpr Index kBlock = 128;
  // A single pack of columns reads every element of A once: to copy it would take as long.
  const bool copied = columns > kPanelWidth<T>;
  const Index rows_at_a_time = copied ? kStripRows : kUncopiedRows;
  alignas(64) T strip[kBlock * kStripRows];
  for (Index k = 0; k < depth || k == 0; k += kBlock) {
    TileTaps taps{.depth = std::min(kBlock, depth - k), .b_depth = b_row, .b_pack = kPanelWidth<T>};
    for (Index r = 0; r < rows; r += rows_at_a_time) {
      const Index count = std::min(rows_at_a_time, rows - r);
      const T* from = a + k * a_row + r;
      taps.a_depth = copied ? count : a_row;
      if (copied && count == kStripRows) {  // copies of a size that the compiler knows are a few loads and stores
        for (Index i = 0; i < taps.depth; ++i) std::copy_n(from + i * a_row, kStripRows, strip + i * kStripRows);
      } else if (copied) {
        for (Index i = 0; i < taps.depth; ++i) std::copy_n(from + i * a_row, count, strip + i * count);
      }
      // Tiles bring C to memory a line of each row at a time; fetched in their order the lines come sooner.
      for (Index next = r + count; next < std::min(rows, r + 2 * rows_at_a_time); ++next) {
        for (Index j = 0; j < columns; j += kPanelWidth<T>) LINNET_PREFETCH(c + next * c_row + j);
      }
      tile_all(taps, count, columns, copied ? static_cast<const T*>(strip) : from, Index{1}, b + k * b_row, false,
               c + r * c_row, c_row, accumulate || k > 0, Epilogue<T>{});
    }
  }
}

LINNET_NAMESPACE_END
