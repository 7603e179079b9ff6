// Epilogue: what a kernel makes of its sums of products before they leave the registers.
#pragma once

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// A result is f(bias + its products).
template <class T>
struct Epilogue {
  const T* bias = nullptr;  ///< of each filter, or column of a product; null for zeros
  bool relu = false;        ///< f(z) = max(0, z), else f(z) = z

  /// That of the filters from `filter` on.
  Epilogue at(Index filter) const { return {bias == nullptr ? nullptr : bias + filter, relu}; }
  /// f of a single result. A NaN is kept.
  T finish(T z) const { return relu && z < T(0) ? T(0) : z; }
};

LINNET_NAMESPACE_END
