// The register tile: the one inner loop of matrix products and of convolutions that are cut like them. See
// tile.inl.hpp.
#pragma once

#include <algorithm>
#include <span>

#include "linnet/kernels/epilogue.hpp"
#include "linnet/simd/dispatch.hpp"

LINNET_NAMESPACE_BEGIN

/// Which products one element of the result sums up: for each of rows x columns taps, `depth` consecutive products.
/// A matrix product has a single tap. All strides count scalars.
struct TileTaps {
  Index rows = 1, columns = 1, depth = 0;
  Index a_row = 0, a_column = 0, a_depth = 1;  ///< steps in A from tap to tap, and within a tap
  Index b_row = 0, b_column = 0, b_depth = 0;  ///< the same in B
  Index b_pack = 0;                            ///< from a pack of columns of B to the next
};

template <class T>
using TileFunction = void (*)(const TileTaps&, const T*, Index, const T*, T*, Index, Index, const Epilogue<T>&);

/// What an instruction set has.
template <class T>
struct TileKernels {
  std::span<const Index> sizes;   ///< in rows, one pack wide
  const TileFunction<T>* plain;   ///< they may read a whole pack of B
  const TileFunction<T>* masked;  ///< they read no more columns of B than are wanted
  Index wide_columns = 0;         ///< of wider tiles, which read all of them; 0 where there are none
  std::span<const Index> wide_sizes = {};
  const TileFunction<T>* wide = nullptr;
};

/// Columns of a pack, and of a panel of packed B.
template <class T>
inline constexpr Index kPanelWidth = static_cast<Index>(64 / sizeof(T));

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/tile.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// Any number of rows and columns; the arguments are those of a tile (tile.inl.hpp). `packed` says that all lanes of
/// the last pack of B may be read, though fewer columns are wanted.
template <class T>
void tile_all(const TileTaps& taps, Index rows, Index columns, const T* a, Index a_stride, const T* b, bool packed,
              T* c, Index c_stride, const Epilogue<T>& epilogue) {
  const TileKernels<T> kernels = LINNET_DISPATCH(tile_kernels<T>, ());
  for (Index j = 0, count; j < columns; j += count) {
    const bool wide = kernels.wide_columns > 0 && columns - j >= kernels.wide_columns;
    count = wide ? kernels.wide_columns : std::min(kPanelWidth<T>, columns - j);
    const bool masked = !packed && count < kPanelWidth<T>;
    const TileFunction<T>* tiles = wide ? kernels.wide : masked ? kernels.masked : kernels.plain;
    const Epilogue<T> of_pack = epilogue.at(j);
    const T* b_pack = b + j / kPanelWidth<T> * taps.b_pack;
    for_each_part(wide ? kernels.wide_sizes : kernels.sizes, rows, [&](Index r, std::size_t size) {
      tiles[size](taps, a + r * a_stride, a_stride, b_pack, c + r * c_stride + j, c_stride, count, of_pack);
    });
  }
}

LINNET_NAMESPACE_END
