// Matrix products, row-major. Every element of a result is one chain of fused multiply-adds in the order of the inner
// index, so it depends neither on the other rows nor on the instruction set.
#pragma once

#include "linnet/kernels/tile.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/gemm.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// Columns in a panel of packed B.
template <class T>
inline constexpr Index kPanelWidth = static_cast<Index>(64 / sizeof(T));

/// The scalars of a packed B {depth, columns}.
template <class T>
Index panels_size(Index depth, Index columns) {
  return checked_multiply(depth, checked_add(columns, kPanelWidth<T> - 1) / kPanelWidth<T> * kPanelWidth<T>);
}

/// Packs B, whose element (k, j) is b[k * b_depth + j * b_column], for gemm().
template <class T>
void pack_panels(Index depth, Index columns, const T* b, Index b_depth, Index b_column, T* panels) {
  LINNET_DISPATCH(pack_panels<T>, (depth, columns, b, b_depth, b_column, panels));
}

/// C {rows, columns} = A {rows, depth} B + bias, from packed B; a row of A begins every a_row scalars. Without a
/// bias the sums begin with 0, or (accumulate) with C.
template <class T>
void gemm(Index rows, Index columns, Index depth, const T* a, Index a_row, const T* panels, T* c, Index c_row,
          TileStart start = TileStart::zero, const T* bias = nullptr) {
  LINNET_DISPATCH(gemm_panels<T>, (rows, columns, depth, a, a_row, panels, c, c_row, start, bias));
}

/// C {rows, columns} += A^T B for A {depth, rows} and B {depth, columns}, as they lie in memory.
template <class T>
void gemm_transposed(Index rows, Index columns, Index depth, const T* a, Index a_depth, const T* b, Index b_depth, T* c,
                     Index c_row) {
  LINNET_DISPATCH(gemm_transposed<T>, (rows, columns, depth, a, a_depth, b, b_depth, c, c_row));
}

LINNET_NAMESPACE_END
