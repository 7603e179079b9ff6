// What a user's first program costs to compile: it includes linnet and trains the denoiser of the original report
// (ML-PW-12). From the top of the repository:
//
//     time g++ -std=c++20 -O2 -fopenmp -I include -c benchmarks/compile_time.cpp -o /dev/null
//
// With -DLINNET_COMPILED it is what a further file costs, once include/linnet/instances.cpp is compiled.
#include <cstdio>

#include "linnet/linnet.hpp"

using namespace linnet;

int main() {
  Model<float> model = Sequential(
      {28, 28, 1},
      {Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 1, .kernel_size = 3, .padding = same, .activation = sigmoid}});
  const Tensor<float> images({256, 28, 28, 1}, 0.5f);
  Trainer trainer(model, BinaryCrossentropy{}, Adam{.learning_rate = 1e-3});
  const History history = trainer.fit(TensorSource(images, images), {.epochs = 1, .batch_size = 128});
  std::printf("loss %.4f\n", history.epochs.back()["loss"]);
}
