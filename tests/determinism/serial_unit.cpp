#include "mixed_flags.hpp"

linnet::Predictor<float> serial_predictor(const linnet::Model<float>& model) { return {model, 64}; }

void train_in_serial_unit(linnet::Trainer<float>& trainer, const linnet::Tensor<float>& x) {
  for (int step = 0; step < 3; ++step) trainer.train_on_batch(x, x);
}
