// Trains five small models on every instruction set that there is and prints a hash of the bits of their weights and
// of the losses that were reported. Built by several compilers at several levels, it must print the same each time.
#include <bit>
#include <cstdio>

#include "model/networks.hpp"

using namespace linnet;

namespace {

std::uint64_t hash(std::span<const float> weights, const History& history) {  // FNV-1a, 64 bits
  std::uint64_t h = 0xCBF29CE484222325u;
  for (const float w : weights) h = (h ^ std::bit_cast<std::uint32_t>(w)) * 0x100000001B3u;
  for (const Logs& logs : history.epochs) {
    for (const auto& [name, value] : logs) h = (h ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001B3u;
  }
  return h;
}

template <class L, class O>
std::uint64_t train(Model<float> model, L loss, O optimizer, const Tensor<float>& x, const Tensor<float>& target) {
  Trainer trainer(model, loss, optimizer);
  const TensorSource<float> source(x, target);
  const History history =
      trainer.fit(source, {.epochs = 2, .batch_size = 24, .validation = source, .metrics = {MeanSquaredErrorMetric{}}});
  return hash(model.weights(), history);
}

}  // namespace

int main() {
  for (const Isa set : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (!supported(set)) continue;
    set_isa(set);
    const Tensor<float> images = test::random_tensor<float>(Shape{40, 28, 28, 1}, 1);
    std::printf("%s denoiser %016llx\n", to_string(set),
                static_cast<unsigned long long>(train(test::denoiser(), BinaryCrossentropy{}, Adam{}, images, images)));
    std::printf("%s branched %016llx\n", to_string(set),
                static_cast<unsigned long long>(train(
                    test::branched(), CategoricalCrossentropy{}, RMSprop{.momentum = 0.5, .clip = {.global_norm = 1}},
                    test::random_tensor<float>(Shape{40, 6, 5, 3}, 2), test::one_hot_targets<float>(40, 3, 3))));
    std::printf("%s assorted %016llx\n", to_string(set),
                static_cast<unsigned long long>(train(test::assorted(), MeanSquaredError{}, Adam{},
                                                      test::random_tensor<float>(Shape{40, 15, 14, 6}, 5, -1, 1),
                                                      test::random_tensor<float>(Shape{40, 4}, 6, -1, 1))));
    const Tensor<float> vectors = test::random_tensor<float>(Shape{60, 20}, 4);
    std::printf("%s autoencoder %016llx\n", to_string(set),
                static_cast<unsigned long long>(
                    train(test::autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum},
                          AdamW{.learning_rate = CosineDecay{.decay_steps = 9}}, vectors, vectors)));
    const Tensor<float> digits = test::random_tensor<float>(Shape{40, 784}, 7);
    std::printf(
        "%s digit_autoencoder %016llx\n", to_string(set),
        static_cast<unsigned long long>(
            train(test::digit_autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}, Adam{}, digits, digits)));
  }
}
