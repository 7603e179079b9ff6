// The networks that are measured whole, and the work that is timed: for the benchmarks and the comparison with peers.
#pragma once

#include <string_view>

#include "model/networks.hpp"
#include "uniform_tensor.hpp"

namespace linnet::bench {

struct Network {
  Model<float> model;
  AnyLoss<float> loss;
};

struct NamedNetwork {
  std::string_view name;
  Network (*make)();
};
/// The denoiser of the original report (ML-PW-12), a variational autoencoder and a classifier of digits.
inline constexpr NamedNetwork kNetworks[] = {
    {"denoiser",
     [] {
       return Network{test::denoiser(), BinaryCrossentropy{}};
     }},
    {"autoencoder",
     [] {
       return Network{test::digit_autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}};
     }},
    {"classifier", [] {
       return Network{test::digit_classifier(), SparseCategoricalCrossentropy{}};
     }}};

/// Training steps on one batch: forward, loss, backward and Adam.
class Training {
 public:
  Training(const NamedNetwork& network, Index batch)
      : network_(network.make()),
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
  Prediction(const NamedNetwork& network, Index batch)
      : model_(network.make().model),
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
