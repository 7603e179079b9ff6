// Reshape: the same elements under another shape. Backward: the gradient under the shape before.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

struct Reshape {
  static constexpr std::string_view kName = "Reshape";

  /// The extents of a sample; one of them may be -1: what is left over.
  std::vector<Index> target_shape = {-1};

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("target_shape", target_shape);
  }

  LayerPlan plan(const Shape& in) const {
    std::vector<Index> extents = target_shape;
    Index known = 1;
    Index* open = nullptr;
    std::string text;
    for (Index& extent : extents) {
      text += (text.empty() ? "" : ", ") + std::to_string(extent);
      if (extent == -1 && open == nullptr) {
        open = &extent;
      } else {
        known = checked_multiply(known, extent);
      }
    }
    if (open != nullptr) *open = known == 0 ? 0 : in.size() / known;
    const Shape output{std::span<const Index>(extents)};
    if (output.size() != in.size()) {
      throw ShapeError("Reshape: an input of shape " + in.to_string() + " (" + std::to_string(in.size()) +
                       " elements) cannot become (" + text + ")");
    }
    return {.output = output};
  }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    std::copy(x.begin(), x.end(), y.begin());
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (!dx.empty()) std::copy(dy.begin(), dy.end(), dx.begin());
  }
};

LINNET_NAMESPACE_END
