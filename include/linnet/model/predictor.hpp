// Predictor<T>: a model to predict with, again and again, without an allocation.
#pragma once

#include <algorithm>
#include <utility>

#include "linnet/model/execute.hpp"
#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

/// Keeps the plan and the workspace between calls. One thread at a time may use a Predictor; any number of them
/// may share a model. The model must outlive it and keep its architecture; its weights may change
/// between calls.
template <class T>
class Predictor {
 public:
  /// For batches of up to `batch` samples; larger ones are cut. It uses up to `threads` threads: 1 where each thread of
  /// yours has a Predictor.
  Predictor(const Model<T>& model, Index batch, int threads = num_threads())
      : model_(&model), plan_(model, batch, Mode::inference), workspace_(plan_, threads) {}
  Predictor(Model<T>&&, Index, int = 0) = delete;  // it would outlive the model

  /// y {n, output_shape...} from x {n, input_shape...}. Throws ShapeError when a shape is another.
  void operator()(TensorView<const T> x, TensorView<T> y) {
    require("input", x, model_->input_shape());
    require("output", y, model_->output_shape());
    if (x.batch() != y.batch()) {
      throw ShapeError("predict: " + std::to_string(x.batch()) + " inputs, but room for " + std::to_string(y.batch()) +
                       " outputs");
    }
    for (Index done = 0; done < x.batch(); done += plan_.batch) {
      const Index count = std::min(plan_.batch, x.batch() - done);
      const auto feed = [&](Index first, TensorView<T> slice, TensorView<T>) {
        const auto from = x.samples(done + first, slice.batch());
        std::copy(from.begin(), from.end(), slice.begin());
      };
      const auto finish = [&](Index first, TensorView<const T> slice, TensorView<const T>) {
        std::copy(slice.begin(), slice.end(), y.samples(done + first, slice.batch()).begin());
      };
      Execution<T>(plan_, workspace_, model_->weights(), count, {}).run({feed, finish});
    }
  }
  Tensor<T> operator()(TensorView<const T> x) {
    require("input", x, model_->input_shape());
    Tensor<T> y(model_->output_shape().with_batch(x.batch()));
    (*this)(x, y);
    return y;
  }

 private:
  static void require(const char* what, TensorView<const T> view, const Shape& sample) {
    if (view.shape().rank() == 0 || view.shape().without_batch() != sample) {
      // "(n, 28, 28, 1)": with a batch of the view's own a forgotten batch axis would look like one.
      throw ShapeError(std::string("predict: expected ") + what + " of shape (n" + (sample.rank() > 0 ? ", " : "") +
                       sample.to_string().substr(1) + ", got " + view.shape().to_string());
    }
  }

  const Model<T>* model_;
  Plan<T> plan_;
  Workspace<T> workspace_;
};

template <class T>
Tensor<T> Model<T>::predict(TensorView<const T> x) const {
  constexpr Index kBatch = 128;
  return Predictor<T>(*this, std::clamp<Index>(x.shape().rank() == 0 ? 1 : x.batch(), 1, kBatch))(x);
}

LINNET_NAMESPACE_END
