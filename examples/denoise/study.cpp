// The study: trains, measures, and writes everything that the report needs into metrics.json and pictures/.
#include "study.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>

#include "../common/classifier.hpp"
#include "linnet/evaluation/image_quality.hpp"
#include "linnet/io/image_grid.hpp"

namespace denoise {

using nlohmann::json;

namespace {

constexpr int kSweepLevels = 13;  // 0, 0.1, ..., 1.2

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* kCompiler = "g++ " __VERSION__;
#else
constexpr const char* kCompiler = "unknown";
#endif

/// Mean binary cross-entropy a pixel of outputs in [0, 1], in double; what is 0 or 1 counts as 1e-7 and 1 - 1e-7.
double cross_entropy(const Tensor<float>& y, const Tensor<float>& target) {
  const double low = linnet::detail::kProbabilityEpsilon;
  double sum = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const double p = std::clamp(double{y[i]}, low, 1 - low), t = double{target[i]};
    sum -= std::fma(t, std::log(p), (1 - t) * std::log1p(-p));
  }
  return sum / static_cast<double>(y.size());
}

/// A training that may find its network dead: with a relu at the end some initializations give 0 everywhere, and then
/// no gradient either. Looks every hundred steps of the first epoch, and after each epoch.
struct DeadOutput {
  std::shared_ptr<const Tensor<float>> images;
  std::shared_ptr<double> loss;  ///< of the dead network; negative while it lives

  template <class T>
  void on_step_end(TrainingState<T>& state) {
    if (state.epoch == 0 && state.step % 100 == 0) look(state);
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    look(state);
  }
  template <class T>
  void look(TrainingState<T>& state) {
    const Tensor<T> y = state.model.predict(images->view());
    const auto [low, high] = std::minmax_element(y.begin(), y.end());
    if (*high - *low > T(1e-6)) return;
    *loss = state.logs["loss"];
    state.stop = true;
  }
};

/// A model of the study.
struct Trained {
  std::string name;
  const Recipe* recipe = nullptr;
  double noise = 0;
  bool blind = false;
  Model<float> model;
  std::optional<run::Job> job = {};
  run::History history = {};
  int dead_seeds = 0;
};

run::Job job_of(Trained& trained, const Options& options, const data::Images& images) {
  const Recipe& recipe = *trained.recipe;
  const Corruption noise = corruption_of(options, trained.noise, trained.blind);
  const Index steps = (images.train.size() + recipe.batch - 1) / recipe.batch * recipe.epochs;
  const Schedule rate =
      recipe.schedule == "constant"
          ? Schedule(recipe.learning_rate)
          : Schedule(CosineDecay{.initial_learning_rate = recipe.learning_rate, .decay_steps = steps});
  return {.name = trained.name,
          .title = recipe.title + (trained.blind ? ", blind" : ", noise " + level_text(trained.noise)),
          .model = &trained.model,
          .loss = BinaryCrossentropy{},
          .optimizer = Adam{.learning_rate = rate},
          .train = DenoisingSource(images.train, noise, options.seed),
          .held_out = DenoisingSource(images.held_out, noise, kHeldOutNoise, false),
          .epochs = recipe.epochs,
          .batch = recipe.batch};
}

/// Adds a model, untrained, to those of a run; the deque keeps it where it is. Returns the work of its training.
double add_training(std::deque<Trained>& all, const Recipe& recipe, double noise, bool blind, const Options& options,
                    const data::Images& images) {
  const std::string name = recipe.name + (blind ? "-blind" : "-" + level_text(noise));
  Trained& trained = all.emplace_back(
      Trained{name, &recipe, noise, blind, build_model(images.train.image_shape(), recipe, options.seed)});
  trained.job = job_of(trained, options, images);
  return trained.job->work();
}

/// Trains a denoiser; one that is found dead begins again with the next seed.
void train_denoiser(const run::Folder& folder, Trained& trained, const Options& options, const data::Images& images,
                    const std::shared_ptr<run::Progress>& progress) {
  constexpr int kMostSeeds = 10;
  if (trained.recipe->output != "relu") {
    trained.history = run::train(folder, *trained.job, progress);
    return;
  }
  const auto few = std::make_shared<const Tensor<float>>(
      images.held_out.first(std::min<Index>(16, images.held_out.size())).images());
  for (int attempt = 0; attempt < kMostSeeds; ++attempt) {
    const auto dead_loss = std::make_shared<double>(-1);
    run::Job job = *trained.job;
    job.callbacks = {DeadOutput{few, dead_loss}};
    job.failed = [dead_loss] { return *dead_loss >= 0; };
    trained.history = run::train(folder, job, progress);
    if (!job.failed()) {
      trained.dead_seeds = static_cast<int>(trained.model.seed() - options.seed);
      return;
    }
    const std::uint64_t next = trained.model.seed() + 1;
    std::printf(
        "%s: dead with seed %llu. The output is the same everywhere and the loss stays at %.4f: no last relu "
        "answers to its input, so no gradient flows. It begins again with seed %llu.\n",
        trained.job->title.c_str(), static_cast<unsigned long long>(trained.model.seed()), *dead_loss,
        static_cast<unsigned long long>(next));
    trained.model = build_model(images.train.image_shape(), *trained.recipe, next);
  }
  throw NumericError(trained.name + ": dead with " + std::to_string(kMostSeeds) +
                     " seeds; try a smaller --lr, or --output sigmoid");
}

Recipe recipe_of(const Options& options) {
  const bool unet = options.model == "unet";
  Recipe recipe{
      options.model, unet ? "U-Net" : "autoencoder", options.model,   options.output, options.filters, options.epochs,
      options.batch, options.learning_rate,          options.schedule};
  if (options.output == "relu") recipe.name += "-relu", recipe.title += " with relu";
  return recipe;
}

/// The other last activation, for comparison.
Recipe twin_of(Recipe recipe) {
  const bool to_relu = recipe.output == "sigmoid";
  recipe.output = to_relu ? "relu" : "sigmoid";
  recipe.name = recipe.name.substr(0, recipe.name.find("-relu")) + (to_relu ? "-relu" : "");
  recipe.title = recipe.title.substr(0, recipe.title.find(" with relu")) + (to_relu ? " with relu" : "");
  return recipe;
}

/// The first is the one that the report is about; the last is the first's or the quick recipe's twin.
std::deque<Recipe> recipes_of(const Options& options) {
  if (!options.full) {
    const Recipe main = recipe_of(options);
    return {main, twin_of(main)};
  }
  const Recipe quick{
      "autoencoder-10", "autoencoder, 10 epochs", "autoencoder", "sigmoid", options.filters, 10, 128, 3e-3, "constant"};
  const Recipe best{
      "autoencoder", "autoencoder, best recipe", "autoencoder", "sigmoid", options.filters, 100, 128, 4e-3, "cosine"};
  const Recipe unet{"unet", "U-Net", "unet", "sigmoid", 16, 14, 64, 2e-3, "cosine"};
  return {best, quick, unet, twin_of(quick)};
}

json interval_of(Index successes, Index trials) {
  const Interval interval = wilson_interval(successes, trials);
  return {{"count", successes}, {"of", trials}, {"low", interval.low}, {"high", interval.high}};
}

json matrix_of(const ConfusionMatrix& matrix) {
  json rows = json::array();
  for (int a = 0; a < matrix.classes(); ++a) {
    json row = json::array();
    for (int r = 0; r < matrix.classes(); ++r) row.push_back(matrix.count(a, r));
    rows.push_back(row);
  }
  return rows;
}

/// How a classifier takes images.
json recognition(const classifier::Verdicts& verdicts, const ImageDataset& truth) {
  const ConfusionMatrix matrix = classifier::confusion(verdicts, truth);
  Index confident_wrong = 0;
  for (Index i = 0; i < truth.size(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    confident_wrong += verdicts.digit[k] != truth.label(i) && verdicts.confidence[k] >= kConfident;
  }
  return {{"recognized", interval_of(matrix.correct(), matrix.total())},
          {"confident_wrong", interval_of(confident_wrong, matrix.total())},
          {"confusion", matrix_of(matrix)}};
}

/// Images {n, height, width, c} under a separable filter whose weights, symmetric, are those from the middle on. At the
/// border the last pixel repeats.
Tensor<float> filtered(const Tensor<float>& images, const std::vector<double>& half) {
  const Index height = images.shape()[1], width = images.shape()[2], channels = images.shape()[3];
  const auto radius = static_cast<Index>(half.size()) - 1;
  Tensor<float> across(images.shape()), result(images.shape());
  const auto pass = [&](const Tensor<float>& from, Tensor<float>& to, Index step, Index extent, Index position_step) {
    parallel_for(images.batch(), [&](Index n, int) {
      const Index first = n * images.view().sample_size();
      for (Index i = 0; i < images.view().sample_size(); ++i) {
        const Index at = i / position_step % extent;
        double sum = 0;
        for (Index d = -radius; d <= radius; ++d) {
          const Index other = std::clamp<Index>(at + d, 0, extent - 1);
          sum = std::fma(half[static_cast<std::size_t>(std::abs(d))],
                         static_cast<double>(from[first + i + (other - at) * step]), sum);
        }
        to[first + i] = static_cast<float>(sum);
      }
    });
  };
  pass(images, across, channels, width, channels);
  pass(across, result, width * channels, height, width * channels);
  return result;
}
Tensor<float> box_filtered(const Tensor<float>& images) { return filtered(images, {1.0 / 3, 1.0 / 3}); }
Tensor<float> blurred(const Tensor<float>& images, double deviation) {
  std::vector<double> half;
  double total = 0;
  for (Index i = 0; i <= static_cast<Index>(std::ceil(4 * deviation)); ++i) {
    half.push_back(std::exp(-0.5 * std::pow(static_cast<double>(i) / deviation, 2)));
    total += i == 0 ? half.back() : 2 * half.back();
  }
  for (double& w : half) w /= total;
  return filtered(images, half);
}

/// The deviation, in pixels, of the Gaussian blur that comes closest (by its mean squared error) to the clean images of
/// a part of the training set, taken evenly from all of it: sets may be sorted by class.
double best_blur(const Options& options, const ImageDataset& train, double noise) {
  constexpr Index kMost = 2000;
  const Index count = std::min(kMost, train.size());
  std::vector<Index> part;
  for (Index i = 0; i < count; ++i) part.push_back(i * train.size() / count);
  const Pairs pairs = pairs_of(train.subset(part), corruption_of(options, noise), options.seed);
  double best = 0, least = 1e9;
  for (int k = 6; k <= 40; ++k) {
    const double deviation = 0.05 * k;
    const double mse = mean_squared_error(blurred(pairs.noisy, deviation), pairs.clean);
    if (mse < least) least = mse, best = deviation;
  }
  return best;
}

Tensor<float> rows_of(const Tensor<float>& all, const std::vector<Index>& indices) {
  Tensor<float> rows(all.shape().without_batch().with_batch(static_cast<Index>(indices.size())));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto from = all.samples(indices[i], 1);
    std::copy(from.begin(), from.end(), rows.samples(static_cast<Index>(i), 1).begin());
  }
  return rows;
}

/// A strip of images as a picture of the run, with what the classifier sees in each.
json strip(const run::Folder& folder, const std::string& name, const std::string& file, const Tensor<float>& images,
           const Model<float>* judge, const std::vector<int>& truth) {
  const std::string path = "pictures/" + file + ".png";
  write_grid(folder.file(path), images, {.columns = images.batch(), .gap = 3});
  json result = {{"name", name}, {"picture", path}};
  if (judge != nullptr) {
    const classifier::Verdicts verdicts = classifier::judge(*judge, images.view());
    result["verdicts"] = verdicts.digit;
    result["confidence"] = verdicts.confidence;
    result["truth"] = truth;
  }
  return result;
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

/// What a trained denoiser does to the held-out images: figures, pictures, failures.
json measure(const run::Folder& folder, const Trained& trained, const Options& options, const ImageDataset& images,
             const Model<float>* judge) {
  const Pairs pairs = pairs_of(images, corruption_of(options, trained.noise, trained.blind), kHeldOutNoise);
  const Tensor<float> y = trained.model.predict(pairs.noisy.view());
  json result = closeness(y, pairs.clean);
  result["noise"] = trained.noise;
  result["seed"] = trained.model.seed();
  result["dead_seeds"] = trained.dead_seeds;
  result["loss"] = trained.history.loss;
  result["val_loss"] = trained.history.val_loss;
  const double seconds = trained.history.total_seconds();
  result["timing"] = {{"seconds", seconds},
                      {"images_per_second", static_cast<double>(trained.job->train.size() * trained.recipe->epochs) /
                                                std::max(seconds, 1e-9)}};
  if (trained.recipe->output == "relu") {
    // Where a relu gives exactly 0 but the target is not, the loss is that of 1e-7: 16.1 nats times the target.
    Index zeros = 0;
    double cost = 0;
    for (Index i = 0; i < y.size(); ++i) {
      if (y[i] > 0 || pairs.clean[i] == 0) continue;
      ++zeros;
      cost -= double{pairs.clean[i]} * std::log(linnet::detail::kProbabilityEpsilon);
    }
    result["zero_outputs"] = static_cast<double>(zeros) / static_cast<double>(y.size());
    result["zero_outputs_bce"] = cost / static_cast<double>(y.size());
  }

  const std::vector<Index> chosen = chosen_images(images);
  const std::vector<int> labels = labels_of(images, chosen);
  const std::string file = trained.name;
  const Tensor<float> clean = rows_of(pairs.clean, chosen), noisy = rows_of(pairs.noisy, chosen),
                      out = rows_of(y, chosen);
  result["strips"] = {strip(folder, "clean", file + "-clean", clean, judge, labels),
                      strip(folder, "noisy", file + "-noisy", noisy, judge, labels),
                      strip(folder, "denoised", file + "-denoised", out, judge, labels),
                      strip(folder, "absolute error", file + "-error", absolute_error(clean, out), nullptr, {})};
  if (judge == nullptr) return result;

  const classifier::Verdicts verdicts = classifier::judge(*judge, y.view());
  result.update(recognition(verdicts, images));
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

/// Every model at levels that it was not trained on.
json sweep_of(const std::vector<const Trained*>& models, const Options& options, const ImageDataset& images,
              const Model<float>* judge) {
  json sweep = {{"noise", json::array()}, {"series", json::array()}};
  const auto add = [&](const std::string& name, const std::string& title, const std::string& recipe) {
    sweep["series"].push_back(
        {{"name", name}, {"title", title}, {"recipe", recipe}, {"psnr", json::array()}, {"recognized", json::array()}});
  };
  add("noisy", "not denoised", "");
  for (const Trained* trained : models) add(trained->name, trained->job->title, trained->recipe->name);
  for (int k = 0; k < kSweepLevels; ++k) {
    const double noise = k / 10.0;
    if (options.noise_kind != "gaussian" && noise > 1) break;
    sweep["noise"].push_back(noise);
    const Pairs pairs = pairs_of(images, corruption_of(options, noise), kHeldOutNoise);
    for (std::size_t s = 0; s <= models.size(); ++s) {
      const Tensor<float> y = s == 0 ? pairs.noisy : models[s - 1]->model.predict(pairs.noisy.view());
      json& to = sweep["series"][s];
      const double mse = mean_squared_error(y, pairs.clean);
      to["psnr"].push_back(mse > 0 ? json(psnr(mse)) : json(nullptr));
      if (judge == nullptr) continue;
      const ConfusionMatrix matrix = classifier::confusion(classifier::judge(*judge, y.view()), images);
      to["recognized"].push_back(matrix.accuracy());
    }
  }
  return sweep;
}

/// The mean training image's cross-entropy with the held-out ones: what a network reaches that looks at nothing.
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
  return cross_entropy(y, held_out);
}

void write_history(const run::Folder& folder, const std::deque<Trained>& all) {
  std::string text = "model,epoch,loss,val_loss,seconds\n";
  for (const Trained& trained : all) {
    for (std::size_t i = 0; i < trained.history.loss.size(); ++i) {
      char row[160];
      std::snprintf(row, sizeof row, "%s,%zu,%.9g,%.9g,%.3f\n", trained.name.c_str(), i + 1, trained.history.loss[i],
                    trained.history.val_loss[i], trained.history.seconds[i]);
      text += row;
    }
  }
  write_file(folder.file("history.csv"), text);
}

json about_machine() {
  return {{"threads", num_threads()}, {"instruction_set", to_string(isa())}, {"compiler", kCompiler}};
}
json about_data(const data::Images& images) {
  return {{"origin", images.origin},
          {"train", images.train.size()},
          {"held_out", images.held_out.size()},
          {"crc32", images.checksum}};
}

run::Folder open_folder(const Options& options, bool study, const data::Images& images) {
  json config = config_of(options, study);
  config["about"] = {{"program", "denoise"}, {"version", LINNET_VERSION_STRING}, {"data_crc32", images.checksum}};
  return run::Folder(options.out, config, run::begin_of(options.resume, options.overwrite));
}

/// The levels from the least to the greatest.
Options with_sorted_levels(Options options) {
  std::sort(options.noise.begin(), options.noise.end());
  return options;
}

/// Throws what is wrong with the options, before anything is read or written.
void validate(const Options& options) {
  set_num_threads(options.threads);
  for (std::size_t i = 0; i < options.noise.size(); ++i) {
    corruption_of(options, options.noise[i]).validate();
    if (i > 0 && level_text(options.noise[i]) == level_text(options.noise[i - 1])) {
      throw ValueError("--noise: the level " + level_text(options.noise[i]) + " is there twice");
    }
  }
}

}  // namespace

json config_of(const Options& options, bool study) {
  json config = {{"data", options.data},         {"noise", options.noise},   {"noise-kind", options.noise_kind},
                 {"model", options.model},       {"output", options.output}, {"filters", options.filters},
                 {"epochs", options.epochs},     {"batch", options.batch},   {"lr", options.learning_rate},
                 {"schedule", options.schedule}, {"seed", options.seed},     {"threads", options.threads}};
  if (study) {
    config["classifier"] = options.classifier;
    config["full"] = options.full;
  } else {
    config["blind"] = options.blind;
  }
  return config;
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

json closeness(const Tensor<float>& y, const Tensor<float>& clean) {
  const double mse = mean_squared_error(y, clean);
  const std::vector<double> ssim = structural_similarity(y, clean);
  return {{"bce", cross_entropy(y, clean)},
          {"mse", mse},
          {"psnr", psnr(mse)},
          {"ssim", std::accumulate(ssim.begin(), ssim.end(), 0.0) / static_cast<double>(ssim.size())}};
}

void train_command(const Options& as_given) {
  const Options options = with_sorted_levels(as_given);
  validate(options);
  const data::Images images = data::load(options.data);
  const Recipe recipe = recipe_of(options);
  std::deque<Trained> all;
  const std::vector<double> levels = options.blind ? std::vector{options.noise.back()} : options.noise;
  double work = 0;
  for (const double noise : levels) work += add_training(all, recipe, noise, options.blind, options, images);
  const run::Folder folder = open_folder(options, false, images);
  std::printf("%s\n", all.front().model.summary().c_str());
  const auto progress = std::make_shared<run::Progress>(work);
  json metrics = {{"version", LINNET_VERSION_STRING},
                  {"config", config_of(options, false)},
                  {"data", about_data(images)},
                  {"machine", about_machine()},
                  {"models", json::array()}};
  for (Trained& trained : all) {
    train_denoiser(folder, trained, options, images, progress);
    json figures = measure(folder, trained, options, images.held_out, nullptr);
    figures["model"] = "models/" + trained.name + ".safetensors";
    metrics["models"].push_back(figures);
    std::printf("%s: held-out cross-entropy %.4f, PSNR %.2f dB, SSIM %.3f: %s\n", trained.job->title.c_str(),
                figures["bce"].get<double>(), figures["psnr"].get<double>(), figures["ssim"].get<double>(),
                folder.file(figures["model"]).c_str());
  }
  write_history(folder, all);
  write_file(folder.file("metrics.json"), metrics.dump(2) + "\n");
}

void study_command(const Options& as_given) {
  const Options options = with_sorted_levels(as_given);
  validate(options);
  const data::Images images = data::load(options.data);
  const Shape& shape = images.train.image_shape();
  const bool labelled = images.train.labelled() && images.held_out.labelled();
  const std::deque<Recipe> recipes = recipes_of(options);

  // Everything that will be trained, so that the time left is known from the beginning.
  struct Judge {
    std::string name;
    Model<float> model;
    std::optional<run::Job> job = {};
  };
  std::deque<Judge> judges;  // the classifier of clean digits, then one for each level of noise
  double work = 0;
  const bool given = !options.classifier.empty();
  if (labelled) {
    const Index epochs = classifier::epochs_for(images.train.size());
    for (std::size_t i = 0; i <= options.noise.size(); ++i) {
      const double noise = i == 0 ? 0 : options.noise[i - 1];
      const std::string name = i == 0 ? "classifier" : "classifier-" + level_text(noise);
      judges.push_back(
          {name, i == 0 && given ? load_model(options.classifier) : classifier::build(shape, options.seed)});
      Judge& judge = judges.back();
      const Corruption corruption = corruption_of(options, noise);
      judge.job =
          classifier::job(judge.model, name, i == 0 ? "classifier" : "classifier of noisy digits, " + level_text(noise),
                          LabelSource(images.train, corruption, options.seed),
                          LabelSource(images.held_out, corruption, kHeldOutNoise, false), epochs);
      if (i > 0 || !given) work += judge.job->work();
    }
    if (given) classifier::require(judges[0].model, options.classifier, images.held_out);
  }
  std::deque<Trained> all;
  for (const Recipe& recipe : recipes) {
    for (const double noise : options.noise) work += add_training(all, recipe, noise, false, options, images);
  }
  work += add_training(all, recipes.front(), options.noise.back(), true, options, images);

  const run::Folder folder = open_folder(options, true, images);
  std::printf("%td images to train, %td held out: %s\n%zu models to train\n\n", images.train.size(),
              images.held_out.size(), images.origin.c_str(),
              all.size() + (labelled ? judges.size() - (given ? 1 : 0) : 0));
  const auto progress = std::make_shared<run::Progress>(work);
  for (std::size_t i = 0; i < judges.size(); ++i) {
    if (i > 0 || !given) run::train(folder, *judges[i].job, progress);
  }
  for (Trained& trained : all) train_denoiser(folder, trained, options, images, progress);
  write_history(folder, all);

  std::printf("\nmeasuring ...\n");
  const Model<float>* judge = labelled ? &judges[0].model : nullptr;
  const Tensor<float> clean = images.held_out.images();
  json metrics = {{"version", LINNET_VERSION_STRING}, {"config", config_of(options, true)},
                  {"data", about_data(images)},       {"machine", about_machine()},
                  {"floor", binary_entropy(clean)},   {"mean_image_bce", mean_image_bce(images.train, clean)},
                  {"levels", json::array()},          {"recipes", json::array()}};
  if (judge != nullptr) {
    metrics["classifier"] = recognition(classifier::judge(*judge, clean.view()), images.held_out);
    metrics["classifier"]["parameters"] = judge->parameter_count();
    metrics["classifier"]["file"] = given ? options.classifier : "models/classifier.safetensors";
  }
  const auto figures = [&](const Tensor<float>& y) {
    json result = closeness(y, clean);
    if (judge != nullptr) result.update(recognition(classifier::judge(*judge, y.view()), images.held_out));
    return result;
  };
  for (std::size_t i = 0; i < options.noise.size(); ++i) {
    const double noise = options.noise[i];
    const Pairs pairs = pairs_of(images.held_out, corruption_of(options, noise), kHeldOutNoise);
    const double deviation = best_blur(options, images.train, noise);
    json level = {{"noise", noise},
                  {"noisy", figures(pairs.noisy)},
                  {"box", figures(box_filtered(pairs.noisy))},
                  {"blur", figures(blurred(pairs.noisy, deviation))},
                  {"blur_deviation", deviation}};
    if (judge != nullptr)
      level["noisy_classifier"] =
          recognition(classifier::judge(judges[i + 1].model, pairs.noisy.view()), images.held_out);
    metrics["levels"].push_back(level);
  }
  std::size_t next = 0;
  for (const Recipe& recipe : recipes) {
    json entry = {{"name", recipe.name},
                  {"title", recipe.title},
                  {"model", recipe.model},
                  {"output", recipe.output},
                  {"epochs", recipe.epochs},
                  {"batch", recipe.batch},
                  {"lr", recipe.learning_rate},
                  {"schedule", recipe.schedule},
                  {"parameters", all[next].model.parameter_count()},
                  {"summary", all[next].model.summary()},
                  {"levels", json::array()}};
    for (std::size_t i = 0; i < options.noise.size(); ++i) {
      entry["levels"].push_back(measure(folder, all[next++], options, images.held_out, judge));
    }
    metrics["recipes"].push_back(entry);
  }
  metrics["blind"] = measure(folder, all.back(), options, images.held_out, judge);

  std::vector<const Trained*> swept;
  for (const Trained& trained : all) {
    if (trained.recipe != &recipes.back()) swept.push_back(&trained);
  }
  metrics["sweep"] = sweep_of(swept, options, images.held_out, judge);
  write_file(folder.file("metrics.json"), metrics.dump(2) + "\n");
  write_report(folder);
  for (const json& level : metrics["recipes"][0]["levels"]) {
    std::printf("noise %g: held-out cross-entropy %.4f (a perfect copy: %.4f), PSNR %.2f dB",
                level["noise"].get<double>(), level["bce"].get<double>(), metrics["floor"].get<double>(),
                level["psnr"].get<double>());
    if (judge != nullptr) {
      std::printf(", recognized %.1f%%",
                  100.0 * level["recognized"]["count"].get<double>() / level["recognized"]["of"].get<double>());
    }
    std::printf("\n");
  }
  std::printf("report: %s\n", std::filesystem::absolute(folder.file("report.html")).string().c_str());
}

}  // namespace denoise
