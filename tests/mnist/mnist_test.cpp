// The denoiser of the original report on the full MNIST: needs the database, and most of a minute.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "linnet/data/idx.hpp"
#include "model/networks.hpp"

using namespace linnet;

namespace {

/// The folder that LINNET_MNIST_DIR names, or where cmake/FetchMnist.cmake or a shared data folder puts it; or "".
std::string mnist_folder() {
  if (const char* named = std::getenv("LINNET_MNIST_DIR")) return named;
  for (const char* folder : {LINNET_SOURCE_DIR "/data/mnist", LINNET_SOURCE_DIR "/../shared/data/mnist"}) {
    if (std::filesystem::exists(folder)) return folder;
  }
  return "";
}

}  // namespace

TEST_CASE("ten epochs at noise 0.5 reach a held-out binary cross-entropy of 0.1035") {
  const std::string folder = mnist_folder();
  if (folder.empty()) {
    MESSAGE("SKIPPED: the full MNIST is not here (cmake -P cmake/FetchMnist.cmake, or LINNET_MNIST_DIR)");
    return;
  }
  const ImageDataset train = load_idx_set(folder, "train"), held_out = load_idx_set(folder, "t10k");
  REQUIRE(train.size() == 60000);
  REQUIRE(held_out.size() == 10000);
  Model<float> model = test::denoiser();
  Trainer trainer(model, BinaryCrossentropy{}, Adam{.learning_rate = 1e-3});
  const Corruption noise{.amount = 0.5};
  trainer.fit(DenoisingSource(train, noise), {.epochs = 10, .batch_size = 128, .callbacks = {ProgressBar{}}});
  const double loss = trainer.evaluate(DenoisingSource(held_out, noise, 1, false))["loss"];
  MESSAGE("held-out binary cross-entropy after 10 epochs: ", loss);
  CHECK(loss <= 0.1035);
  CHECK(loss > 0.0581);  // what a perfect copy scores: less would be a mistake
}
