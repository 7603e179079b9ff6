// Networks and data that several tests use.
#pragma once

#include <vector>

#include "linnet/linnet.hpp"

namespace linnet::test {

/// The denoiser of the original report (ML-PW-12): 7,265 parameters.
template <class T = float>
Model<T> denoiser(std::uint64_t seed = 0) {
  return Sequential<T>(
      {28, 28, 1},
      {Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 1, .kernel_size = 3, .padding = same, .activation = sigmoid}},
      seed);
}

/// A small net in which almost everything happens: branches, a node that three others read, batch
/// normalization (so the plan has segments), noise that only training has.
template <class T = float>
Model<T> branched(std::uint64_t seed = 0) {
  GraphBuilder<T> graph({6, 5, 3});
  const auto a =
      graph.add(Conv2D{.filters = 4, .kernel_size = 3, .padding = same, .activation = Activation::tanh}, graph.input());
  const auto b = graph.add(BatchNormalization{}, a);
  const auto c = graph.add(Conv2D{.filters = 4, .kernel_size = 1, .activation = silu}, b);
  const auto sum = graph.add(Add{}, {a, b, c});
  const auto both = graph.add(Concatenate{}, {sum, a});
  const auto drop = graph.add(Dropout{.rate = 0.25}, both);
  const auto flat = graph.add(Flatten{}, drop);
  const auto logits = graph.add(Dense{.units = 3, .activation = softmax}, flat);
  return graph.build(logits, seed);
}

/// What the others do not run: groups, depthwise and strided convolutions, few filters of many channels, the rarer
/// activations and poolings.
template <class T = float>
Model<T> assorted(std::uint64_t seed = 0) {
  return Sequential<T>(
      {15, 14, 6},
      {Conv2D{.filters = 18, .kernel_size = 5, .padding = same, .groups = 3, .activation = gelu},
       Conv2D{.filters = 18, .kernel_size = 3, .padding = same, .groups = 18, .activation = elu},
       AveragePool2D{.pool_size = 2, .padding = same}, LayerNormalization{},
       Conv2D{.filters = 20, .kernel_size = 2, .dilation_rate = 2, .activation = softplus},
       Conv2DTranspose{.filters = 12, .kernel_size = 4, .strides = 2, .padding = same, .activation = silu},
       Conv2D{.filters = 17, .kernel_size = 3, .strides = 2, .activation = selu}, ZeroPadding2D{.padding = pad(1)},
       Conv2D{.filters = 2, .kernel_size = 5, .activation = Activation::tanh},
       Conv2D{.filters = 33, .kernel_size = 1, .activation = leaky_relu}, GlobalAveragePool2D{}, Dense{.units = 4}},
      seed);
}

/// A variational autoencoder with a KL term, without coupling layers.
template <class T = float>
Model<T> autoencoder(std::uint64_t seed = 0) {
  return Sequential<T>({20},
                       {Dense{.units = 12, .activation = relu}, Dense{.units = 4}, GaussianLatent{},
                        Dense{.units = 12, .activation = relu}, Dense{.units = 20, .activation = sigmoid}},
                       seed);
}

/// The often-used variational autoencoder of MNIST: 784-400-20-400-784 (D. Kingma, M. Welling, arXiv:1312.6114).
template <class T = float>
Model<T> digit_autoencoder(std::uint64_t seed = 0) {
  return Sequential<T>({784},
                       {Dense{.units = 400, .activation = relu}, Dense{.units = 40}, GaussianLatent{},
                        Dense{.units = 400, .activation = relu}, Dense{.units = 784, .activation = sigmoid}},
                       seed);
}

/// The often-used classifier of MNIST: two convolutions and a head 9216-128-10.
template <class T = float>
Model<T> digit_classifier(std::uint64_t seed = 0) {
  return Sequential<T>({28, 28, 1},
                       {Conv2D{.filters = 32, .kernel_size = 3, .activation = relu},
                        Conv2D{.filters = 64, .kernel_size = 3, .activation = relu}, MaxPool2D{.pool_size = 2},
                        Flatten{}, Dense{.units = 128, .activation = relu}, Dense{.units = 10, .activation = softmax}},
                       seed);
}

/// Numbers in [low, high), the same on every machine.
template <class T>
Tensor<T> random_tensor(const Shape& shape, std::uint32_t stream, double low = 0, double high = 1) {
  Tensor<T> tensor(shape);
  const RandomKey key{17, stream};
  for (Index i = 0; i < tensor.size(); ++i) {
    tensor[i] = static_cast<T>(low + (high - low) * static_cast<double>(key.uniform(i)));
  }
  return tensor;
}

inline std::vector<float> weights_of(const Model<float>& model) {
  return {model.weights().begin(), model.weights().end()};
}

/// A class per sample, as one-hot rows.
template <class T>
Tensor<T> one_hot_targets(Index samples, Index classes, std::uint32_t stream) {
  Tensor<T> tensor(Shape{samples, classes});
  const RandomKey key{18, stream};
  Index word = 0;
  for (Index i = 0; i < samples; ++i) {
    const Index hot = static_cast<Index>(random_below(key, static_cast<std::uint32_t>(classes), word));
    tensor[i * classes + hot] = T(1);
  }
  return tensor;
}

}  // namespace linnet::test
