// LayerRunner: runs one layer alone, with memory of its own: for tests of layers, yours included.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/layers/layer.hpp"
#include "linnet/model/any_layer.hpp"

LINNET_NAMESPACE_BEGIN
namespace testing {

/// Plans a layer for a batch of inputs and holds all that it works on. Fill x(i), weights(i) and dy(); call forward()
/// and backward(); read y(), dx(i) and dw(i).
template <class T>
class LayerRunner {
 public:
  /// `inputs` are the shapes of a sample of each input. Throws what the layer's plan() throws.
  LayerRunner(AnyLayer<T> layer, std::vector<Shape> inputs, Index batch)
      : layer_(std::move(layer)), plan_(layer_.plan(inputs)) {
    for (const Shape& shape : inputs) {
      x_.emplace_back(shape.with_batch(batch));
      dx_.emplace_back(shape.with_batch(batch));
    }
    for (const ParameterSpec& spec : plan_.parameters) {
      weights_.emplace_back(spec.shape);
      dw_.emplace_back(spec.shape);
    }
    y_ = dy_ = Tensor<T>(plan_.output.with_batch(batch));
    prepared_.resize(static_cast<std::size_t>(plan_.prepared + plan_.prepared_dx));
    saved_.resize(static_cast<std::size_t>(plan_.saved + batch * plan_.saved_per_sample));
    scratch_.resize(static_cast<std::size_t>(plan_.scratch + plan_.scratch_dx));
    context.batch = batch;
    context.threads = num_threads();
  }

  const LayerPlan& plan() const { return plan_; }
  std::size_t inputs() const { return x_.size(); }
  std::size_t parameters() const { return weights_.size(); }
  Tensor<T>& x(std::size_t i = 0) { return x_[i]; }
  Tensor<T>& weights(std::size_t i) { return weights_[i]; }
  Tensor<T>& y() { return y_; }
  Tensor<T>& dy() { return dy_; }
  Tensor<T>& dx(std::size_t i = 0) { return dx_[i]; }
  Tensor<T>& dw(std::size_t i) { return dw_[i]; }

  /// Returns what the layer adds to the loss of the batch.
  double forward(bool training = true) {
    prepare_context(training, true);
    context.loss = 0;
    constexpr T kUntouched = T(77);  // in inference nothing may be saved
    std::fill(saved_.begin(), saved_.end(), training ? std::numeric_limits<T>::quiet_NaN() : kUntouched);
    layer_.forward(context, views<const T>(x_, const_x_), const_weights_, y_);
    saves_in_inference_ = !training && std::any_of(saved_.begin(), saved_.end(), [](T v) { return v != kUntouched; });
    return context.loss / static_cast<double>(context.batch);
  }

  /// After a forward() in training (else ValueError). dx(i) are overwritten (none of them, unless want_dx), dw(i) added
  /// to; dy() is kept.
  void backward(bool want_dx = true) {
    std::vector<TensorView<T>> dw;
    for (Tensor<T>& d : dw_) dw.push_back(d);
    run_backward(want_dx, dw);
  }

  /// The same as a plan runs a layer with LayerPlan::weight_pieces, with one of the pieces: its part of dw(i) is
  /// overwritten.
  void backward_piece(Index piece, bool want_dx = true) {
    const Tensor<T> dy = run_backward(want_dx, {});
    std::vector<TensorView<T>> dw;
    for (Tensor<T>& d : dw_) dw.push_back(d);
    layer_.backward_weights(piece, x_[0], dy, dw);
  }

  /// Whether the last forward() was in inference and wrote to memory for backward().
  bool saves_in_inference() const { return saves_in_inference_; }

  /// Moves the parameters that no optimizer touches, as after a training step.
  void update_state() {
    std::vector<TensorView<T>> w;
    std::vector<TensorView<const T>> dw;
    for (Tensor<T>& t : weights_) w.push_back(t);
    for (const Tensor<T>& d : dw_) dw.push_back(d);
    layer_.update_state(w, dw);
  }

  /// What the layer is given besides; its random key may be set.
  Context<T> context;

 private:
  /// Returns what is left of dy: the layer may use it up.
  Tensor<T> run_backward(bool want_dx, std::span<const TensorView<T>> dw) {
    if (!context.training) throw ValueError("LayerRunner: expected a forward() in training before backward()");
    prepare_context(true, want_dx);
    Tensor<T> dy = dy_;
    std::vector<TensorView<T>> dx(dx_.size());
    for (std::size_t i = 0; i < dx_.size() && want_dx; ++i) dx[i] = dx_[i];
    layer_.backward(context, views<const T>(x_, const_x_), y_, dy, views<const T>(weights_, const_weights_), dx, dw);
    return dy;
  }
  /// As a plan does: without dx, what only dx needs is not there.
  void prepare_context(bool training, bool want_dx) {
    context.training = training;
    context.saved = std::span<T>(saved_).first(training ? saved_.size() : 0);
    const auto part = [&](AlignedVector<T>& memory, Index size, Index size_dx) {
      std::fill(memory.begin(), memory.end(), std::numeric_limits<T>::quiet_NaN());  // nothing may rely on it
      return std::span<T>(memory).first(static_cast<std::size_t>(size + (want_dx ? size_dx : 0)));
    };
    context.scratch = part(scratch_, plan_.scratch, plan_.scratch_dx);
    const std::span<T> prepared = part(prepared_, plan_.prepared, plan_.prepared_dx);
    layer_.prepare(views<const T>(weights_, const_weights_), want_dx, prepared);
    context.prepared = prepared;
  }
  template <class Element>
  static std::span<const TensorView<Element>> views(std::vector<Tensor<T>>& tensors,
                                                    std::vector<TensorView<Element>>& storage) {
    storage.assign(tensors.begin(), tensors.end());
    return storage;
  }

  AnyLayer<T> layer_;
  LayerPlan plan_;
  std::vector<Tensor<T>> x_, dx_, weights_, dw_;
  Tensor<T> y_, dy_;
  AlignedVector<T> prepared_, saved_, scratch_;
  bool saves_in_inference_ = false;
  std::vector<TensorView<const T>> const_x_, const_weights_;
};

}  // namespace testing
LINNET_NAMESPACE_END
