#include "run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "linnet/data/idx.hpp"

namespace denoise {

using namespace linnet;

namespace {

/// The noise of the held-out digits is the same in every epoch and run, and none that training sees.
constexpr std::uint64_t kHeldOutNoise = 0x6865'6C64;

/// Counts the time of the training steps alone.
struct Stopwatch {
  double* seconds;
  template <class T>
  void on_epoch_end(TrainingState<T>& state) const {
    *seconds += state.seconds;
  }
};

double mean_squared_error(const Tensor<float>& a, const Tensor<float>& b) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum / static_cast<double>(a.size());
}

/// The least binary cross-entropy there is for grey targets: that of the targets themselves.
double entropy(const ImageDataset& images) {
  double sum = 0;
  for (const std::uint8_t byte : images.bytes()) {
    const double p = byte / 255.0;
    if (p > 0 && p < 1) sum -= p * std::log(p) + (1 - p) * std::log(1 - p);
  }
  return sum / static_cast<double>(images.bytes().size());
}

}  // namespace

double psnr(double mse) { return -10 * std::log10(mse); }

Digits load_digits(const Options& options) {
  if (!options.data.empty()) {
    return {load_idx_set(options.data, "train"), load_idx_set(options.data, "t10k"), options.data};
  }
  auto [train, held_out] = load_idx_set(LINNET_DATA_DIR, "mnist10k").split_every(5);
  return {std::move(train), std::move(held_out), "10,000 MNIST digits, every fifth of a class held out"};
}

Model<float> build_model(std::uint64_t seed) {
  return Sequential(
      {28, 28, 1},
      {Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 1, .kernel_size = 3, .padding = same, .activation = sigmoid}},
      seed);
}

Figures train(Model<float>& model, const Digits& digits, const Options& options) {
  const Corruption noise{.amount = options.noise};
  const DenoisingSource source(digits.train, noise, options.seed);
  const DenoisingSource held_out(digits.held_out, noise, kHeldOutNoise, false);
  const Index steps = (digits.train.size() + options.batch - 1) / options.batch;
  const CosineDecay schedule{.initial_learning_rate = options.learning_rate,
                             .decay_steps = std::max<Index>(1, steps * options.epochs)};
  Trainer trainer(model, BinaryCrossentropy{}, Adam{.learning_rate = schedule});

  Figures figures;
  double step_seconds = 0;
  const auto start = std::chrono::steady_clock::now();
  const History history = trainer.fit(
      source, {.epochs = options.epochs,
               .batch_size = options.batch,
               .validation = held_out,
               .callbacks = {ProgressBar{}, CsvHistory{options.out + "/history.csv"}, Stopwatch{&step_seconds}}});
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  figures.images_per_second = static_cast<double>(digits.train.size() * options.epochs) / step_seconds;
  figures.loss = history["loss"];
  figures.held_out_loss = history["val_loss"];
  figures.floor = entropy(digits.held_out);

  const Index n = digits.held_out.size();
  std::vector<Index> all(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i;
  const Shape shape = digits.held_out.image_shape().with_batch(n);
  Tensor<float> noisy(shape), clean(shape);
  held_out.fill<float>(all, 0, noisy, clean);
  figures.mse_noisy = mean_squared_error(noisy, clean);
  figures.mse_denoised = mean_squared_error(model.predict(noisy), clean);
  return figures;
}

Tensor<float> before_and_after(const Model<float>& model, const Digits& digits, const Options& options) {
  constexpr Index kClasses = 10;
  std::vector<Index> chosen;
  for (int digit = 0; digit < kClasses; ++digit) {
    const std::vector<Index> of_class = digits.held_out.indices_of(digit);
    if (!of_class.empty()) chosen.push_back(of_class[0]);
  }
  const Index n = static_cast<Index>(chosen.size());
  Tensor<float> rows(digits.held_out.image_shape().with_batch(3 * n));
  const DenoisingSource held_out(digits.held_out, Corruption{.amount = options.noise}, kHeldOutNoise, false);
  held_out.fill<float>(chosen, 0, rows.samples(n, n), rows.samples(0, n));
  const Tensor<float> denoised = model.predict(rows.samples(n, n));
  std::copy(denoised.begin(), denoised.end(), rows.samples(2 * n, n).begin());
  return rows;
}

}  // namespace denoise
