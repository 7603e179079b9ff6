// The register tile: the one inner loop of matrix products and convolutions. See tile.inl.hpp.
#pragma once

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

/// What the sums of a tile begin with.
enum class TileStart { zero, bias, accumulate };

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/tile.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"
