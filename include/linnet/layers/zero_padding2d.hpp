// ZeroPadding2D: rows and columns of zeros around an image. Backward: the gradient without them.
#pragma once

#include <algorithm>
#include <string_view>

#include "linnet/layers/geometry.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// {height, width, channels} -> {height + top + bottom, width + left + right, channels}.
struct ZeroPadding2D {
  static constexpr std::string_view kName = "ZeroPadding2D";

  Padding padding = pad(1);  ///< an explicit one

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("padding", padding);
  }

  LayerPlan plan(const Shape& in) const {
    require_image(kName, in);
    const Padding& p = padding;
    if (p.kind != Padding::Kind::explicit_ || p.top < 0 || p.bottom < 0 || p.left < 0 || p.right < 0) {
      throw ValueError("ZeroPadding2D: expected an explicit padding >= 0, for example pad(1)");
    }
    return {.output = {checked_add(in[0], checked_add(p.top, p.bottom)),
                       checked_add(in[1], checked_add(p.left, p.right)), in[2]}};
  }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    std::fill(y.begin(), y.end(), T(0));
    for_each_row(x.shape(), y.shape(), [&](Index inner, Index outer, Index count) {
      std::copy_n(x.data() + inner, count, y.data() + outer);
    });
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (dx.empty()) return;
    for_each_row(dx.shape(), dy.shape(), [&](Index inner, Index outer, Index count) {
      std::copy_n(dy.data() + outer, count, dx.data() + inner);
    });
  }

 private:
  /// Visits the rows of the inner images: visit(place in the inner, place in the padded batch, scalars).
  template <class Visit>
  void for_each_row(const Shape& inner, const Shape& outer, const Visit& visit) const {
    const Index count = inner[2] * inner[3];
    for (Index n = 0; n < inner[0]; ++n) {
      for (Index row = 0; row < inner[1]; ++row) {
        visit((n * inner[1] + row) * count, ((n * outer[1] + row + padding.top) * outer[2] + padding.left) * outer[3],
              count);
      }
    }
  }
};

LINNET_NAMESPACE_END
