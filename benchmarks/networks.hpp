// The networks that are measured whole, and the work that is timed: for the benchmarks and the comparison with peers.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "model/networks.hpp"
#include "uniform_tensor.hpp"

namespace linnet::bench {

struct Network {
  Model<float> model;
  AnyLoss<float> loss;
};

/// The denoiser of the original report (ML-PW-12), a variational autoencoder and a classifier of digits.
inline constexpr std::array kNetworks = {std::string_view("denoiser"), std::string_view("autoencoder"),
                                         std::string_view("classifier")};

/// The network of that name; the last for any other.
inline Network make_network(std::string_view name) {
  if (name == "denoiser") return {test::denoiser(), BinaryCrossentropy{}};
  if (name == "autoencoder") return {test::digit_autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}};
  return {test::digit_classifier(), SparseCategoricalCrossentropy{}};
}

/// Training steps on one batch: forward, loss, backward and Adam.
class Training {
 public:
  Training(std::string_view name, Index batch)
      : network_(make_network(name)),
        trainer_(network_.model, network_.loss, Adam{}),
        x_(uniform_tensor(network_.model.input_shape().with_batch(batch), 1)),
        target_(uniform_tensor(network_.loss.target_shape(network_.model.output_shape()).with_batch(batch), 2)) {
    if (target_.size() == batch) {  // classes
      for (float& label : target_) label = static_cast<float>(static_cast<int>(label * 10));
    }
  }
  Training(const Training&) = delete;  // the trainer refers to the model
  Training& operator=(const Training&) = delete;

  void run() { trainer_.train_on_batch(x_, target_); }

 private:
  Network network_;
  Trainer<float> trainer_;
  Tensor<float> x_, target_;
};

/// Predictions of one batch.
class Prediction {
 public:
  Prediction(std::string_view name, Index batch)
      : model_(make_network(name).model),
        predictor_(model_, batch),
        x_(uniform_tensor(model_.input_shape().with_batch(batch), 1)),
        y_(model_.output_shape().with_batch(batch)) {}
  Prediction(const Prediction&) = delete;  // the predictor refers to the model
  Prediction& operator=(const Prediction&) = delete;

  void run() { predictor_(x_, y_); }

 private:
  Model<float> model_;
  Predictor<float> predictor_;
  Tensor<float> x_, y_;
};

}  // namespace linnet::bench
