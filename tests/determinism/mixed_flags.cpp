// Objects that were built with different flags work on the same model.
#include "mixed_flags.hpp"

#include <algorithm>
#include <cstdio>

#include "model/networks.hpp"

using namespace linnet;

int main() try {
  Model<float> here = test::denoiser(), there = test::denoiser();
  const Tensor<float> x = test::random_tensor<float>(Shape{100, 28, 28, 1}, 1);
  set_num_threads(1);
  Predictor<float> serial = serial_predictor(here);
  Trainer<float> other(there, BinaryCrossentropy{}, Adam{});
  train_in_serial_unit(other, x);  // plans for one thread
  set_num_threads(4);
  const Tensor<float> y = serial(x), expected = here.predict(x);
  Trainer<float> trainer(here, BinaryCrossentropy{}, Adam{});
  for (int step = 0; step < 3; ++step) trainer.train_on_batch(x, x);
  const bool same_outputs = std::equal(y.begin(), y.end(), expected.begin());
  const bool same_weights = std::equal(here.weights().begin(), here.weights().end(), there.weights().begin());
  std::printf("outputs %s, weights %s\n", same_outputs ? "equal" : "differ", same_weights ? "equal" : "differ");
  return same_outputs && same_weights ? 0 : 1;
} catch (const Error& error) {  // of LINNET_ISA, say
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
