// Dense: y = f(x W + b) on the last axis.
//
// Backward, with dz the gradient by z = x W + b: dx = dz W^T, dW = x^T dz, db = the sum of dz over the rows
// (I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", 2016, section 6.5.6).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "linnet/kernels/gemm.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/activation.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// {..., n} -> {..., units}. Parameters: kernel {n, units} and bias {units}.
struct Dense {
  static constexpr std::string_view kName = "Dense";
  static constexpr bool kEndsWithActivation = true;

  Index units = 0;  ///< to be given
  Activation activation = linear;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("units", units);
    visit.field("activation", activation);
    visit.field("use_bias", use_bias);
    visit.field("kernel_initializer", kernel_initializer);
    visit.field("bias_initializer", bias_initializer);
  }

  LayerPlan plan(const Shape& in) const {
    activation.validate(kName);
    if (in.rank() < 1 || in.size() == 0) {
      throw ShapeError("Dense: expected an input of at least one axis and one element, got " + in.to_string());
    }
    if (units < 1) throw ValueError("Dense: expected units >= 1, got " + std::to_string(units));
    std::vector<Index> extents(in.extents().begin(), in.extents().end());
    extents.back() = units;
    LayerPlan plan{.output = Shape(extents)};
    plan.parameters.push_back({"kernel", {in.back(), units}, kernel_initializer});
    if (use_bias) plan.parameters.push_back({"bias", {units}, bias_initializer});
    plan.saved_per_sample = saved_for(activation, plan.output);
    plan.scratch_dx = gemm_a_bt_scratch(units);
    plan.kernels = {with_epilogue("matrix product", activation), "matrix product", "matrix product"};
    // Where the kernel is larger than x and dy of so many samples, which is more than most slices have.
    constexpr Index kSamples = 64;
    if (in.back() * units >= checked_multiply(kSamples, checked_add(in.size(), plan.output.size()))) {
      plan.weight_pieces = (in.back() + rows_of_piece() - 1) / rows_of_piece();
    }
    return plan;
  }

  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T> w, TensorView<T> y) const {
    const Index n = x.shape().back();
    gemm<T>(x.size() / n, units, n, x.data(), n, w[0].data(), units, y.data(), units,
            epilogue_with<T>(activation, use_bias, w));
    finish_forward(activation, context, y);
  }

  template <class T>
  void backward(Context<T>& context, TensorView<const T> x, TensorView<const T> y, TensorView<T> dy,
                Parameters<const T> w, TensorView<T> dx, Parameters<T> dw) const {
    const Index n = x.shape().back();
    const Index rows = x.size() / n;
    start_backward(activation, context, y, dy);
    if (!dw.empty()) {
      gemm_at_b<T>(n, units, rows, x.data(), n, dy.data(), units, dw[0].data(), units);
      if (use_bias) column_sums<T>(rows, units, dy.data(), dw[1].data());
    }
    if (dx.empty()) return;
    gemm_a_bt<T>(rows, n, units, dy.data(), units, w[0].data(), units, dx.data(), n, context.scratch.data());
  }

  /// A piece is some rows of the kernel's gradient; the first has the bias besides.
  template <class T>
  void backward_weights(Index piece, TensorView<const T> x, TensorView<const T> dy, Parameters<T> dw) const {
    const Index n = x.shape().back();
    const Index rows = x.size() / n;
    const Index first = piece * rows_of_piece();
    gemm_at_b<T>(std::min(rows_of_piece(), n - first), units, rows, x.data() + first, n, dy.data(), units,
                 dw[0].data() + first * units, units, false);
    if (piece > 0 || !use_bias) return;
    std::fill(dw[1].begin(), dw[1].end(), T(0));
    constexpr Index kBlock = 128;  // a sum over a large batch would lose its last digits
    for (Index r = 0; r < rows; r += kBlock) {
      column_sums<T>(std::min(kBlock, rows - r), units, dy.data() + r * units, dw[1].data());
    }
  }

 private:
  /// About 16,384 scalars, in whole tiles.
  Index rows_of_piece() const { return round_up(std::max<Index>(1, 16384 / units), kStripRows); }
};

LINNET_NAMESPACE_END
