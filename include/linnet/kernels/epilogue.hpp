// Epilogue: what a kernel makes of its sums of products before they leave the registers.
#pragma once

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// A result is f(bias + its products + what was there): with f and what was there only where they are asked for.
template <class T>
struct Epilogue {
  const T* bias = nullptr;  ///< for each column (filter) of the result; null for zeros
  bool relu = false;        ///< f(z) = max(0, z), else f(z) = z
  bool accumulate = false;  ///< matrix products only

  /// That of the columns from `column` on.
  Epilogue at(Index column) const { return {bias == nullptr ? nullptr : bias + column, relu, accumulate}; }
  /// f of a single result. A NaN is kept.
  T finish(T z) const { return relu && z < T(0) ? T(0) : z; }
};

LINNET_NAMESPACE_END
