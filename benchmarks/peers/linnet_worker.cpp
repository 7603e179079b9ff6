// linnet's side of the comparison. Threads: OMP_NUM_THREADS.
#include <memory>
#include <string>

#include "convolution.hpp"
#include "kernels/conv2d_cases.hpp"
#include "model/networks.hpp"
#include "worker.hpp"

using namespace linnet;

namespace {

struct Network {
  Model<float> model;
  AnyLoss<float> loss;
};

Network make_network(const std::string& name) {
  if (name == "denoiser") return {test::denoiser(), BinaryCrossentropy{}};
  if (name == "autoencoder") return {test::digit_autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}};
  return {test::digit_classifier(), SparseCategoricalCrossentropy{}};
}

peers::Call train(const std::string& name, Index batch) {
  struct State {
    Network network;
    Trainer<float> trainer;
    Tensor<float> x, target;
    explicit State(const std::string& name, Index batch)
        : network(make_network(name)),
          trainer(network.model, network.loss, Adam{}),
          x(test::random_tensor<float>(network.model.input_shape().with_batch(batch), 1)),
          target(test::random_tensor<float>(network.loss.target_shape(network.model.output_shape()).with_batch(batch),
                                            2)) {
      if (target.size() == batch) {  // classes
        for (float& label : target) label = static_cast<float>(static_cast<int>(label * 10));
      }
    }
  };
  const auto state = std::make_shared<State>(name, batch);
  return [state] { state->trainer.train_on_batch(state->x, state->target); };
}

peers::Call predict(const std::string& name, Index batch) {
  struct State {
    Model<float> model;
    Predictor<float> predictor;
    Tensor<float> x, y;
    explicit State(const std::string& name, Index batch)
        : model(make_network(name).model),
          predictor(model, batch),
          x(test::random_tensor<float>(model.input_shape().with_batch(batch), 1)),
          y(model.output_shape().with_batch(batch)) {}
  };
  const auto state = std::make_shared<State>(name, batch);
  return [state] { state->predictor(state->x, state->y); };
}

peers::Call convolve(Index size, Index kernel, Index channels, Index filters, Index batch, const std::string& name) {
  const ConvDirection direction = name == "forward"   ? ConvDirection::forward
                                  : name == "by_data" ? ConvDirection::backward_data
                                                      : ConvDirection::backward_weights;
  const Conv2DGeometry g = test::same_conv(size, kernel, channels, filters, batch);
  const auto convolution = std::make_shared<bench::Convolution>(direction, choose_conv2d(direction, g), g);
  return [convolution] { convolution->run(); };
}

}  // namespace

int main() {
  peers::serve([](std::istringstream& words) -> peers::Call {
    std::string what, name;
    words >> what;
    if (what == "conv") {
      Index size = 0, kernel = 0, channels = 0, filters = 0, batch = 0;
      words >> size >> kernel >> channels >> filters >> batch >> name;
      return convolve(size, kernel, channels, filters, batch, name);
    }
    Index batch = 0;
    words >> name >> batch;
    return what == "train" ? train(name, batch) : predict(name, batch);
  });
}
