// Trains a model with what linnet::compiled has.
#include <linnet/linnet.hpp>

using namespace linnet;

#ifndef LINNET_COMPILED
#error "linnet::compiled does not say so"
#endif

int main() {
  Model<float> model = Sequential({2}, {Dense{.units = 1}});
  Trainer trainer(model, MeanSquaredError{}, SGD{.learning_rate = 0.1});
  const Tensor<float> x({4, 2}, 1.0f), y({4, 1}, 1.0f);
  const History history = trainer.fit(TensorSource<float>(x, y), {.epochs = 20, .batch_size = 4});
  return history["loss"].back() < history["loss"].front() ? 0 : 1;
}
