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
using TileFunction = void (*)(const TileTaps&, const T*, Index, const T*, T*, Index, Index, bool, const Epilogue<T>&);

/// Tiles of some width.
template <class T>
struct TileSet {
  Index columns = 0;
  std::span<const Index> sizes = {};  ///< in rows
  const TileFunction<T>* tiles = nullptr;
};
/// What an instruction set has: tiles of several packs, of one and of half of one (where there are no others, those of
/// one). All but `masked` may read as many columns of B as they are wide, though fewer are wanted.
template <class T>
struct TileKernels {
  TileSet<T> wide, pack, half, masked;
};

/// Columns of a pack, and of a panel of packed B.
template <class T>
inline constexpr Index kPanelWidth = static_cast<Index>(64 / sizeof(T));

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/tile.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// For tile_all(): nothing happens before a tile.
struct NoTileHook {
  void operator()(Index, Index) const {}
};

/// Any number of rows and columns; the arguments are those of a tile (tile.inl.hpp). `packed` says that all lanes of
/// the last pack of B may be read, though fewer columns are wanted; `accumulate` adds to what C held. Before each tile,
/// before_tile(its rows, its columns).
template <class T, class BeforeTile = NoTileHook>
void tile_all(const TileTaps& taps, Index rows, Index columns, const T* a, Index a_stride, const T* b, bool packed,
              T* c, Index c_stride, bool accumulate, const Epilogue<T>& epilogue, const BeforeTile& before_tile = {}) {
  const TileKernels<T> kernels = LINNET_DISPATCH(tile_kernels<T>, ());
  const auto set_for = [&](Index left) -> const TileSet<T>& {
    if (left >= kernels.wide.columns) return kernels.wide;
    if (!packed && left < kPanelWidth<T> && left != kernels.half.columns) return kernels.masked;
    return left <= kernels.half.columns ? kernels.half : kernels.pack;
  };
  for (Index j = 0; j < columns;) {
    const TileSet<T>& set = set_for(columns - j);
    const Index count = std::min(set.columns, columns - j);
    const Epilogue<T> of_pack = epilogue.at(j);
    const T* b_pack = b + j / kPanelWidth<T> * taps.b_pack;
    for_each_part(set.sizes, rows, [&](Index r, std::size_t size) {
      before_tile(set.sizes[size], count);
      set.tiles[size](taps, a + r * a_stride, a_stride, b_pack, c + r * c_stride + j, c_stride, count, accumulate,
                      of_pack);
    });
    j += count;
  }
}

LINNET_NAMESPACE_END
