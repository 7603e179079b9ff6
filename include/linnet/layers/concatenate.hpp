// Concatenate: several nodes side by side along one axis. Backward: each gets its part of the gradient.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

struct Concatenate {
  static constexpr std::string_view kName = "Concatenate";

  Index axis = -1;  ///< of a sample, without the batch; negative ones count from the last

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("axis", axis);
  }

  LayerPlan plan(std::span<const Shape> in) const {
    if (in.size() < 2) {
      throw ShapeError("Concatenate: expected at least 2 inputs, got " + std::to_string(in.size()));
    }
    const int rank = in[0].rank();
    if (axis < -rank || axis >= rank) {
      throw ValueError("Concatenate: expected an axis in [" + std::to_string(-rank) + ", " + std::to_string(rank) +
                       "), got " + std::to_string(axis));
    }
    const int joined = resolved(rank);
    std::vector<Index> extents(in[0].extents().begin(), in[0].extents().end());
    for (const Shape& shape : in.subspan(1)) {
      bool fits = shape.rank() == rank;
      for (int a = 0; fits && a < rank; ++a) fits = a == joined || shape[a] == in[0][a];
      if (!fits) {
        throw ShapeError("Concatenate: expected inputs that differ only in axis " + std::to_string(joined) + ", got " +
                         in[0].to_string() + " and " + shape.to_string());
      }
      Index& extent = extents[static_cast<std::size_t>(joined)];
      extent = checked_add(extent, shape[joined]);
    }
    return {.output = Shape{std::span<const Index>(extents)}};
  }
  template <class T>
  void forward(Context<T>&, Inputs<const T> x, Parameters<const T>, TensorView<T> y) const {
    for_each_run(x, y.shape(), [&](std::size_t i, Index part, Index whole, Index count) {
      std::copy_n(x[i].data() + part, count, y.data() + whole);
    });
  }
  template <class T>
  void backward(Context<T>&, Inputs<const T> x, TensorView<const T> y, TensorView<T> dy, Parameters<const T>,
                Inputs<T> dx, Parameters<T>) const {
    for_each_run(x, y.shape(), [&](std::size_t i, Index part, Index whole, Index count) {
      if (!dx[i].empty()) std::copy_n(dy.data() + whole, count, dx[i].data() + part);
    });
  }

 private:
  int resolved(int rank) const { return static_cast<int>(axis < 0 ? axis + rank : axis); }

  /// Visits the runs of consecutive elements: visit(input, place in it, place in the whole, scalars).
  template <class T, class Visit>
  void for_each_run(Inputs<const T> x, const Shape& y, const Visit& visit) const {
    const int joined = resolved(y.rank() - 1) + 1;  // with the batch in front
    Index outer = 1, inner = 1;
    for (int a = 0; a < joined; ++a) outer *= y[a];
    for (int a = joined + 1; a < y.rank(); ++a) inner *= y[a];
    Index whole = 0;
    for (Index o = 0; o < outer; ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Index count = x[i].shape()[joined] * inner;
        visit(i, o * count, whole, count);
        whole += count;
      }
    }
  }
};

LINNET_NAMESPACE_END
