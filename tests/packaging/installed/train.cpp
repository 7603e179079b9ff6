// Trains, saves and reads a model with what linnet::compiled has.
#include <linnet/io/model.hpp>
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
  save_model(model, "model.safetensors");
  const bool same = load_model("model.safetensors").predict(x)[0] == model.predict(x)[0];
  return same && history["loss"].back() < history["loss"].front() ? 0 : 1;
}
