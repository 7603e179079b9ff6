// What needs the full MNIST: the denoiser of the original report (ML-PW-12), half a minute a level of noise, and
// published figures of the digits' diversity.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "linnet/data/idx.hpp"
#include "linnet/evaluation/diversity.hpp"
#include "model/networks.hpp"

using namespace linnet;

namespace {

/// The folder that LINNET_MNIST_DIR names, or where cmake/FetchMnist.cmake or a shared data folder puts it; or "", and says so.
std::string mnist_folder() {
  if (const char* named = std::getenv("LINNET_MNIST_DIR")) return named;
  for (const char* folder : {LINNET_SOURCE_DIR "/data/mnist", LINNET_SOURCE_DIR "/../shared/data/mnist"}) {
    if (std::filesystem::exists(folder)) return folder;
  }
  MESSAGE("SKIPPED: the full MNIST is not here (cmake -P cmake/FetchMnist.cmake, or LINNET_MNIST_DIR)");
  return "";
}

/// Trains for ten epochs at a constant rate and checks the held-out loss.
void check_ten_epochs(double amount, double bound) {
  const std::string folder = mnist_folder();
  if (folder.empty()) return;
  const ImageDataset train = load_idx_set(folder, "train"), held_out = load_idx_set(folder, "t10k");
  REQUIRE(train.size() == 60000);
  REQUIRE(held_out.size() == 10000);
  Model<float> model = test::denoiser();
  Trainer trainer(model, BinaryCrossentropy{}, Adam{.learning_rate = 3e-3});
  const Corruption noise{.amount = amount};
  trainer.fit(DenoisingSource(train, noise), {.epochs = 10, .batch_size = 128, .callbacks = {ProgressBar{}}});
  const double loss = trainer.evaluate(DenoisingSource(held_out, noise, 1, false))["loss"];
  MESSAGE("noise ", amount, ": held-out binary cross-entropy after 10 epochs: ", loss);
  CHECK(loss <= bound);
  CHECK(loss > 0.0581);  // what a perfect copy scores: less would be a mistake
}

}  // namespace

// The bounds are a little above what the same network reached with PyTorch 1.13 at a rate of 1e-3: 0.1028, 0.1307 (another
// seed: 0.1294) and 0.1578. At 1e-3 linnet's figures are 0.1027, 0.1316 and 0.1578; 3e-3 was chosen on a part of the
// training set.

TEST_CASE("held-out cross-entropy at noise 0.5") { check_ten_epochs(0.5, 0.1035); }

// Half a minute each, and nothing that the first would not show: run by hand, `test_models --no-skip -tc="held-out*"`.
TEST_CASE("held-out cross-entropy at noise 0.7" * doctest::skip()) { check_ten_epochs(0.7, 0.1315); }
TEST_CASE("held-out cross-entropy at noise 0.9" * doctest::skip()) { check_ten_epochs(0.9, 0.1590); }

namespace {

/// Images of bytes {n, 28, 28} at 32 x 32, as Pillow's bicubic filter makes them (R. Keys, "Cubic convolution
/// interpolation for digital image processing", 1981, with a = -0.5), rows first, bytes in between.
Tensor<double> resized(const ImageDataset& images) {
  constexpr Index kFrom = 28, kTo = 32;
  constexpr double kScale = double{kFrom} / kTo;
  const auto cubic = [](double x) {
    x = std::abs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0.0;
  };
  // The rows of {rows, 28} at 32 columns, transposed.
  const auto pass = [&](const std::vector<double>& from, Index rows) {
    std::vector<double> to(static_cast<std::size_t>(rows * kTo));
    for (Index i = 0; i < kTo; ++i) {
      const double center = (static_cast<double>(i) + 0.5) * kScale;
      for (Index r = 0; r < rows; ++r) {
        double sum = 0, weights = 0;
        for (Index j = 0; j < kFrom; ++j) {
          const double w = cubic(static_cast<double>(j) + 0.5 - center);
          sum += w * from[static_cast<std::size_t>(r * kFrom + j)];
          weights += w;
        }
        to[static_cast<std::size_t>(i * rows + r)] = std::clamp(std::floor(sum / weights + 0.5), 0.0, 255.0);
      }
    }
    return to;
  };
  Tensor<double> result({images.size(), kTo, kTo});
  for (Index n = 0; n < images.size(); ++n) {
    const auto bytes = images.image(n);
    const std::vector<double> across = pass({bytes.begin(), bytes.end()}, kFrom), down = pass(across, kTo);
    std::copy(down.begin(), down.end(), result.samples(n, 1).begin());
  }
  return result;
}

}  // namespace

// Vendi scores: D. Friedman, A. B. Dieng, 2023, who resize to 32 x 32. Distances: SciPy's pdist.
TEST_CASE("the diversity of the real digits is the published one") {
  const std::string folder = mnist_folder();
  if (folder.empty()) return;
  const ImageDataset test = load_idx_set(folder, "t10k");
  struct Published {
    int digit;
    double vendi, distance;
  };
  for (const Published& p : {Published{2, 12.18, 9.92}, Published{3, 9.97, 9.24}, Published{8, 9.69, 9.41}}) {
    const ImageDataset digits = test.subset(test.indices_of(p.digit)).shuffled(RandomKey{1});
    CHECK(std::abs(vendi_score_cosine(resized(digits)) - p.vendi) < 0.006);
    const Tensor<float> images = digits.images();
    CHECK(std::abs(mean_pairwise_distance(images) - p.distance) < 0.006);
    // Two halves of one set cover each other about as 1 - 2^-k (shuffled: the first half of the files is easier).
    const Index half = images.batch() / 2;
    for (const Index k : {1, 3, 5}) {
      const double coverage = density_coverage<float>(images.samples(0, half), images.samples(half, half), k).coverage;
      CHECK(std::abs(coverage - (1 - std::pow(2, -static_cast<double>(k)))) < 0.05);
      CHECK(coverage <= 1);
    }
  }
}
