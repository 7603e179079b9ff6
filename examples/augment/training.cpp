// What is trained: the recipes, their images and their trainings.
#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include "augment.hpp"

namespace augment {

namespace {

/// The images that the two terms of -ELBO are computed of after each epoch, at most.
constexpr Index kProbed = 500;

/// After each epoch: both terms of -ELBO, of training images as they are and of held-out ones.
struct ElboFigures {
  std::shared_ptr<const Tensor<float>> train, held_out;

  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    const Vae vae(state.model);
    const Elbo own = vae.elbo(train->view(), kElboKey), other = vae.elbo(held_out->view(), kElboKey);
    state.logs.set("reconstruction", own.reconstruction);
    state.logs.set("kl", own.kl);
    state.logs.set("val_reconstruction", other.reconstruction);
    state.logs.set("val_kl", other.kl);
  }
};

}  // namespace

Recipe recipe_of(const Options& options, const std::string& name) {
  const bool improved = name == "improved";
  return {.name = name,
          .network = options.network.value_or("small"),
          .latent = options.latent.value_or(improved ? 16 : 2),
          .beta = options.beta,
          .epochs = options.epochs.value_or(kEpochs),
          .batch = options.batch.value_or(32),
          .learning_rate = options.learning_rate.value_or(3e-3),
          .distorted = improved};
}

Distortion distortion_for(Index images) {
  const double elastic = images <= 30 ? 2.5 : images <= 300 ? 1.5 : 1.0;
  return {.rotation = 14, .scale = 0.2, .shear = 0.25, .shift = 0.08, .elastic = elastic};
}

Index whole_number(const std::string& option, const std::string& text, Index least) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least) return value;
  throw ValueError(option + ": expected a whole number of at least " + std::to_string(least) + ", got \"" + text +
                   "\"");
}
std::string digit_text(int digit) { return digit == kAllDigits ? "all" : std::to_string(digit); }
int digit_of(const std::string& text) {
  if (text == "all") return kAllDigits;
  const Index digit = whole_number("--digit", text, 0);
  if (digit < classifier::kClasses) return static_cast<int>(digit);
  throw ValueError("--digit: expected digits 0 to 9, or all, got \"" + text + "\"");
}
Index samples_of(const std::string& text) { return text == "all" ? kAll : whole_number("--samples", text, 2); }

namespace {

std::vector<Index> indices_of_class(const ImageDataset& images, int digit) {
  if (images.labelled()) return images.indices_of(digit);
  throw ValueError("class " + digit_text(digit) +
                   ": the images have no labels: expected PNG files in subfolders 0 to 9, or --digit all");
}

}  // namespace

std::vector<Index> training_indices(const ImageDataset& train, int digit, Index samples, Index subset) {
  std::vector<Index> all(static_cast<std::size_t>(train.size()));
  std::iota(all.begin(), all.end(), Index{0});
  if (digit != kAllDigits) all = indices_of_class(train, digit);
  if (all.empty()) throw ValueError("class " + digit_text(digit) + ": there are no training images of it");
  if (samples == kAll) return all;
  if (samples > std::ssize(all)) {
    throw ValueError("--samples " + std::to_string(samples) + ": there are " + std::to_string(all.size()) +
                     " training images" + (digit == kAllDigits ? "" : " of class " + std::to_string(digit)));
  }
  std::vector<Index> order =
      random_permutation(RandomKey{static_cast<std::uint64_t>(subset), random_stream::kSubset}, std::ssize(all));
  order.resize(static_cast<std::size_t>(samples));
  for (Index& i : order) i = all[static_cast<std::size_t>(i)];
  return order;
}
ImageDataset training_subset(const ImageDataset& train, int digit, Index samples, Index subset) {
  return train.subset(training_indices(train, digit, samples, subset));
}
ImageDataset held_out_of(const ImageDataset& held_out, int digit) {
  if (digit == kAllDigits) return held_out;
  const std::vector<Index> indices = indices_of_class(held_out, digit);
  if (indices.empty()) {
    throw ValueError("class " + digit_text(digit) +
                     ": there are no held-out images of it (of PNG files, every fifth of a class is held out)");
  }
  return held_out.subset(indices);
}

std::vector<std::string> in_order(std::vector<std::string> samples) {
  const auto place = [](const std::string& text) {
    return text == "all" ? std::numeric_limits<Index>::max() : samples_of(text);
  };
  std::stable_sort(samples.begin(), samples.end(),
                   [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
  const auto same = [&](const std::string& a, const std::string& b) { return place(a) == place(b); };
  samples.erase(std::unique(samples.begin(), samples.end(), same), samples.end());
  return samples;
}

RepeatedSource<AutoencodingSource> source_of(const ImageDataset& images, const Recipe& recipe, std::uint64_t seed) {
  const Distortion distortion = recipe.distorted ? distortion_for(images.size()) : Distortion{};
  constexpr Index kLeastBatches = 100;
  return {AutoencodingSource(images, distortion, seed), std::max(images.size(), kLeastBatches * recipe.batch)};
}

Tensor<float> drawn_images(const ImageDataset& images, const Distortion& distortion, Index count,
                           const RandomKey& key) {
  const PhiloxCounter words = key.block(0);
  const AutoencodingSource source(images, distortion, std::uint64_t{words[0]} << 32 | words[1]);
  Tensor<float> x(images.image_shape().with_batch(count)), target(x.shape());
  Index word = 4;
  for (Index i = 0; i < count; ++i) {
    const Index one = random_below(key, static_cast<std::uint32_t>(images.size()), word);
    source.fill<float>(std::span(&one, 1), static_cast<std::uint32_t>(i), x.samples(i, 1), target.samples(i, 1));
  }
  return x;
}

double add_training(std::deque<Trained>& all, const Recipe& recipe, int digit, Index samples, Index subset,
                    const ImageDataset& held_out, const Options& options, const data::Images& images) {
  const std::string of = digit_text(digit), size = samples == kAll ? "all" : std::to_string(samples);
  Trained& trained = all.emplace_back(Trained{
      .name = recipe.name + "-" + of + "-" + size + "-" + std::to_string(subset),
      .recipe = &recipe,
      .digit = digit,
      .all = samples == kAll,
      .subset = subset,
      .train = training_subset(images.train, digit, samples, subset),
      .held_out = &held_out,
      .model = build_vae(images.train.image_shape(), recipe.network, recipe.latent, recipe.beta, options.seed)});
  const auto source = source_of(trained.train, recipe, options.seed);
  const Index steps = recipe.epochs * steps_per_epoch(source.size(), recipe.batch);
  auto about = data::provenance(kProgram, images, "");
  about.insert({{"digit", of}, {"samples", size}, {"subset", std::to_string(subset)}, {"recipe", recipe.name}});
  trained.job = run::Job{
      .name = trained.name,
      .title = "digit " + of + ", " + size + " images, " + recipe.name +
               (samples == kAll || samples > kLargestWithSubsets ? "" : " (subset " + std::to_string(subset + 1) + ")"),
      .model = &trained.model,
      .loss = BinaryCrossentropy{.reduction = Reduction::sum},
      .optimizer = Adam{.learning_rate =
                            Schedule(CosineDecay{.initial_learning_rate = recipe.learning_rate, .decay_steps = steps})},
      .train = SourceRef<float>(RepeatedSource(source)),
      .held_out = {},
      .epochs = recipe.epochs,
      .batch = recipe.batch,
      .callbacks = {ElboFigures{std::make_shared<const Tensor<float>>(evenly(trained.train, kProbed).images()),
                                std::make_shared<const Tensor<float>>(evenly(held_out, kProbed).images())}},
      .about = about,
      .figures = {"loss", "reconstruction", "kl", "val_reconstruction", "val_kl"}};
  return trained.job->work();
}

}  // namespace augment
