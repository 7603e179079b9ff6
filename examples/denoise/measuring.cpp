// What is measured: figures, pictures and failures of the held-out images.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "linnet/evaluation/filters.hpp"
#include "linnet/evaluation/image_quality.hpp"
#include "linnet/io/image_grid.hpp"
#include "study.hpp"

namespace denoise {

using figures::counted, figures::rows_of, figures::strip;
using nlohmann::json;

namespace {

constexpr int kSweepLevels = 13;  // 0, 0.1, ..., 1.2

/// The deviation, in pixels, of the Gaussian blur that comes closest (by its mean squared error) to the clean images of
/// a part of the training set.
double best_blur(const Options& options, const ImageDataset& train, double noise) {
  constexpr Index kMost = 2000;
  const Pairs pairs = pairs_of(data::evenly(train, kMost), corruption_of(options, noise), options.seed);
  double best = 0, least = std::numeric_limits<double>::infinity();
  const auto widest = static_cast<double>(train.image_shape()[0]);
  // Wider and wider, until it has been worse for a pixel.
  for (int k = 6; 0.05 * k <= std::min(best + 1, widest); ++k) {
    const double deviation = 0.05 * k;
    const double mse = mean_squared_error(gaussian_filter(pairs.noisy, deviation), pairs.clean);
    if (mse < least) least = mse, best = deviation;
  }
  return best;
}

Tensor<float> absolute_error(const Tensor<float>& a, const Tensor<float>& b) {
  Tensor<float> error(a.shape());
  for (Index i = 0; i < a.size(); ++i) error[i] = std::abs(a[i] - b[i]);
  return error;
}

/// One image of each class, or the first ten.
std::vector<Index> chosen_images(const ImageDataset& images) {
  std::vector<Index> chosen;
  if (images.labelled()) {
    for (int digit = 0; digit < classifier::kClasses; ++digit) {
      const std::vector<Index> of_class = images.indices_of(digit);
      if (!of_class.empty()) chosen.push_back(of_class[0]);
    }
  } else {
    for (Index i = 0; i < std::min<Index>(10, images.size()); ++i) chosen.push_back(i);
  }
  return chosen;
}

std::vector<int> labels_of(const ImageDataset& images, const std::vector<Index>& indices) {
  std::vector<int> labels;
  for (const Index i : indices) labels.push_back(images.labelled() ? images.label(i) : -1);
  return labels;
}

/// The outputs of a relu that the logarithm cuts off, where the target says otherwise: exactly 0, or 1 and more. There
/// the loss is that of 1e-7, 16.1 nats times the distance to the target, and has no gradient.
json cut_off(const Tensor<float>& y, const Tensor<float>& clean) {
  const double nats = -std::log(linnet::detail::kProbabilityEpsilon), all = static_cast<double>(y.size());
  double zeros = 0, zeros_cost = 0, ones = 0, ones_cost = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const double t = double{clean[i]};
    if (y[i] <= 0 && t > 0) ++zeros, zeros_cost += t * nats;
    if (y[i] >= 1 && t < 1) ++ones, ones_cost += (1 - t) * nats;
  }
  return {{"zeros", zeros / all}, {"zeros_bce", zeros_cost / all}, {"ones", ones / all}, {"ones_bce", ones_cost / all}};
}

json figures_of(const Tensor<float>& y, const Tensor<float>& clean, const ImageDataset& images,
                const Model<float>* judge) {
  json result = closeness(y, clean);
  if (judge != nullptr) result.update(recognition(classifier::judge(*judge, y.view()), images));
  return result;
}

/// Of the digits that only one of two ways recognizes, how many each does.
json discordant(const classifier::Verdicts& first, const classifier::Verdicts& second, const ImageDataset& truth) {
  Index first_only = 0, second_only = 0;
  for (Index i = 0; i < truth.size(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    const bool by_first = first.digit[k] == truth.label(i), by_second = second.digit[k] == truth.label(i);
    first_only += by_first && !by_second;
    second_only += by_second && !by_first;
  }
  return {{"denoised_only", first_only}, {"classifier_only", second_only}, {"of", truth.size()}};
}

}  // namespace

json recognition(const classifier::Verdicts& verdicts, const ImageDataset& truth) {
  const ConfusionMatrix matrix = classifier::confusion(verdicts, truth);
  Index confident_wrong = 0;
  for (Index i = 0; i < truth.size(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    confident_wrong += verdicts.digit[k] != truth.label(i) && verdicts.confidence[k] >= kConfident;
  }
  return {{"recognized", counted(matrix.correct(), matrix.total())},
          {"confident_wrong", counted(confident_wrong, matrix.total())},
          {"confusion", figures::matrix(matrix)}};
}

Corruption corruption_of(const Options& options, double amount, bool blind) {
  return {.kind = parse_name<Corruption::Kind>(options.noise_kind), .amount = amount, .blind = blind};
}

Pairs pairs_of(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed) {
  std::vector<Index> all(static_cast<std::size_t>(images.size()));
  std::iota(all.begin(), all.end(), Index{0});
  const Shape shape = images.image_shape().with_batch(images.size());
  Pairs pairs{Tensor<float>(shape), Tensor<float>(shape)};
  DenoisingSource(images, corruption, seed, false).fill<float>(all, 0, pairs.noisy, pairs.clean);
  return pairs;
}

/// The PSNR; null for images that are the same, which JSON has no number for.
static json decibels(double mse) { return mse > 0 ? json(psnr(mse)) : json(nullptr); }

json closeness(const Tensor<float>& y, const Tensor<float>& clean) {
  const double mse = mean_squared_error(y, clean);
  const std::vector<double> ssim = structural_similarity(y, clean);
  return {{"bce", binary_crossentropy(y, clean)},
          {"mse", mse},
          {"psnr", decibels(mse)},
          {"ssim", std::accumulate(ssim.begin(), ssim.end(), 0.0) / static_cast<double>(ssim.size())}};
}

json clean_strip(const run::Folder& folder, const ImageDataset& images, const Model<float>* judge) {
  const std::vector<Index> chosen = chosen_images(images);
  return strip(folder, "clean", "clean", images.subset(chosen).images(), judge, labels_of(images, chosen));
}

namespace {

json noisy_figures(const run::Folder& folder, const std::string& name, const Pairs& pairs, const ImageDataset& images,
                   const Model<float>* judge) {
  const std::vector<Index> chosen = chosen_images(images);
  return {{"noisy", figures_of(pairs.noisy, pairs.clean, images, judge)},
          {"noisy_strip",
           strip(folder, "noisy", "noisy-" + name, rows_of(pairs.noisy, chosen), judge, labels_of(images, chosen))}};
}

}  // namespace

json measure_noisy(const run::Folder& folder, const Trained& trained, const Options& options,
                   const ImageDataset& images, const Model<float>* judge) {
  const Pairs pairs = pairs_of(images, corruption_of(options, trained.noise, trained.blind), kHeldOutNoise);
  return noisy_figures(folder, trained.blind ? "blind" : level_text(trained.noise), pairs, images, judge);
}

json measure_level(const run::Folder& folder, const Options& options, double noise, const data::Images& images,
                   const Model<float>* judge, const Model<float>* noisy_judge) {
  const Pairs pairs = pairs_of(images.held_out, corruption_of(options, noise), kHeldOutNoise);
  const double deviation = best_blur(options, images.train, noise);
  const auto figures = [&](const Tensor<float>& y) { return figures_of(y, pairs.clean, images.held_out, judge); };
  json level = noisy_figures(folder, level_text(noise), pairs, images.held_out, judge);
  level.update({{"noise", noise},
                {"box", figures(box_filter(pairs.noisy, 3))},
                {"blur", figures(gaussian_filter(pairs.noisy, deviation))},
                {"blur_deviation", deviation}});
  if (noisy_judge != nullptr) {
    level["noisy_classifier"] = recognition(classifier::judge(*noisy_judge, pairs.noisy.view()), images.held_out);
  }
  return level;
}

json measure(const run::Folder& folder, const Trained& trained, const Options& options, const ImageDataset& images,
             const Model<float>* judge, const Model<float>* noisy_judge) {
  const Pairs pairs = pairs_of(images, corruption_of(options, trained.noise, trained.blind), kHeldOutNoise);
  const Tensor<float> y = trained.model.predict(pairs.noisy.view());
  json result = closeness(y, pairs.clean);
  result["noise"] = trained.noise;
  result["seed"] = trained.model.seed();
  result["dead_seeds"] = trained.dead_seeds;
  result.update(trained.history.json());
  const double seconds = trained.history.total_seconds();
  result["timing"] = {{"seconds", seconds},
                      {"images_per_second", static_cast<double>(trained.job->train.size() * trained.recipe->epochs) /
                                                std::max(seconds, 1e-9)}};
  if (trained.recipe->output == "relu") result["cut_off"] = cut_off(y, pairs.clean);

  const std::vector<Index> chosen = chosen_images(images);
  const std::vector<int> labels = labels_of(images, chosen);
  const std::string file = trained.name;
  const Tensor<float> clean = rows_of(pairs.clean, chosen), out = rows_of(y, chosen);
  result["strips"] = {strip(folder, "denoised", file + "-denoised", out, judge, labels),
                      strip(folder, "absolute error", file + "-error", absolute_error(clean, out), nullptr, {})};
  if (judge == nullptr) return result;

  const classifier::Verdicts verdicts = classifier::judge(*judge, y.view());
  result.update(recognition(verdicts, images));
  if (noisy_judge != nullptr) {
    result["beside_noisy_classifier"] =
        discordant(verdicts, classifier::judge(*noisy_judge, pairs.noisy.view()), images);
  }
  // The worst: not recognized, and farthest from the clean image.
  std::vector<std::pair<double, Index>> failures;
  for (Index i = 0; i < images.size(); ++i) {
    if (verdicts.digit[static_cast<std::size_t>(i)] == images.label(i)) continue;
    failures.emplace_back(-mean_squared_error(y.samples(i, 1), pairs.clean.samples(i, 1)), i);
  }
  std::sort(failures.begin(), failures.end());
  for (std::size_t first = 0; first < std::min<std::size_t>(20, failures.size()); first += 10) {
    std::vector<Index> worst;
    for (std::size_t i = first; i < std::min(first + 10, failures.size()); ++i) worst.push_back(failures[i].second);
    const std::vector<int> truth = labels_of(images, worst);
    const std::string part = file + "-worst-" + std::to_string(first / 10 + 1);
    result["worst"].push_back({strip(folder, "clean", part + "-clean", rows_of(pairs.clean, worst), judge, truth),
                               strip(folder, "noisy", part + "-noisy", rows_of(pairs.noisy, worst), nullptr, {}),
                               strip(folder, "denoised", part + "-denoised", rows_of(y, worst), judge, truth)});
  }
  return result;
}

std::vector<double> sweep_levels(const Options& options) {
  std::vector<double> levels;
  for (int k = 0; k < kSweepLevels; ++k) {
    if (options.noise_kind == "gaussian" || k <= 10) levels.push_back(k / 10.0);
  }
  return levels;
}

json sweep_of(const std::deque<Trained>& models, const Options& options, const ImageDataset& images,
              const Model<float>* judge, const std::function<void(double)>& measuring) {
  json sweep = {{"noise", json::array()}, {"series", json::array()}};
  const auto add = [&](const std::string& name, const std::string& title, const std::string& recipe) {
    sweep["series"].push_back(
        {{"name", name}, {"title", title}, {"recipe", recipe}, {"psnr", json::array()}, {"recognized", json::array()}});
  };
  add("noisy", "not denoised", "");
  for (const Trained& trained : models) add(trained.name, trained.job->title, trained.recipe->name);
  for (const double noise : sweep_levels(options)) {
    measuring(noise);
    sweep["noise"].push_back(noise);
    const Pairs pairs = pairs_of(images, corruption_of(options, noise), kHeldOutNoise);
    for (std::size_t s = 0; s <= models.size(); ++s) {
      const Tensor<float> y = s == 0 ? pairs.noisy : models[s - 1].model.predict(pairs.noisy.view());
      json& to = sweep["series"][s];
      const double mse = mean_squared_error(y, pairs.clean);
      to["psnr"].push_back(decibels(mse));
      if (judge == nullptr) continue;
      const ConfusionMatrix matrix = classifier::confusion(classifier::judge(*judge, y.view()), images);
      to["recognized"].push_back(matrix.accuracy());
    }
  }
  return sweep;
}

double mean_image_bce(const ImageDataset& train, const Tensor<float>& held_out) {
  const Index n = train.image_shape().size();
  std::vector<double> sum(static_cast<std::size_t>(n), 0.0);
  for (Index i = 0; i < train.size(); ++i) {
    const auto bytes = train.image(i);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += bytes[k];
  }
  Tensor<float> y(held_out.shape());
  for (Index i = 0; i < y.size(); ++i) {
    y[i] = static_cast<float>(sum[static_cast<std::size_t>(i % n)] / 255 / static_cast<double>(train.size()));
  }
  return binary_crossentropy(y, held_out);
}

}  // namespace denoise
