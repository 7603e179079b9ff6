// The command `benefit`: whether classifiers of few digits learn more with synthetic ones beside them. Everything is
// made of the few digits alone: the autoencoder is trained on them, and so is the classifier that filters its samples.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "augment.hpp"

namespace augment {

namespace {

constexpr Index kPerClass = 500;    ///< synthetic digits, at most
constexpr Index kCandidates = 800;  ///< of a class, from which they are filtered
constexpr Index kClassifierBatch = 64;
constexpr Index kAutoencoderSteps = 6;  ///< for each of a classifier's steps, of half as many images

struct StopOnInterrupt {
  template <class T>
  void on_step_end(TrainingState<T>& state) {
    state.stop = state.stop || run::interrupted();
  }
};

/// Trains for so many steps, at a rate that falls to 0 along a cosine. Throws Interrupted after Ctrl-C.
template <class S>
void train(Model<float>& model, const AnyLoss<float>& loss, const S& source, Index steps, Index batch, double rate) {
  Trainer trainer(model, loss,
                  Adam{.learning_rate = Schedule(CosineDecay{.initial_learning_rate = rate, .decay_steps = steps})});
  trainer.fit(RepeatedSource(source, steps * batch),
              {.epochs = 1, .batch_size = batch, .callbacks = {StopOnInterrupt{}}});
  if (run::interrupted()) throw run::Interrupted{"the experiments that were finished are saved"};
}

/// Images and labels that grow.
struct Pool {
  Shape shape;
  std::vector<std::uint8_t> bytes = {}, labels = {};

  void add(const ImageDataset& images, Index times = 1) {
    for (Index k = 0; k < times; ++k) {
      bytes.insert(bytes.end(), images.bytes().begin(), images.bytes().end());
      labels.insert(labels.end(), images.labels().begin(), images.labels().end());
    }
  }
  void add(TensorView<const float> image, int label) {
    const std::vector<std::uint8_t> added = data::bytes_of(image);
    bytes.insert(bytes.end(), added.begin(), added.end());
    labels.push_back(static_cast<std::uint8_t>(label));
  }
  ImageDataset images() const { return ImageDataset(shape, bytes, labels); }
};

/// n random digits of each class.
ImageDataset few_of_each(const ImageDataset& train, Index n, std::uint64_t seed) {
  Pool pool{train.image_shape()};
  for (int digit = 0; digit < classifier::kClasses; ++digit) {
    pool.add(training_subset(train, digit, n, static_cast<Index>(seed)));
  }
  return pool.images();
}

/// Synthetic images, and of how many different ones of each class.
struct Synthetic {
  ImageDataset images;
  std::vector<Index> kept;
};

/// Samples of the posteriors of (distorted) training images of a class. The filter keeps those that it takes for their
/// class, the surest first. Where it keeps fewer than of other classes they are repeated, so that classes are as
/// frequent as among the real images (a class of which it keeps none stays away).
Synthetic synthesize(const Vae& vae, const ImageDataset& few, const Model<float>& filter, std::uint64_t seed) {
  std::vector<Tensor<float>> kept_of_class;
  Synthetic result;
  for (int digit = 0; digit < classifier::kClasses; ++digit) {
    const ImageDataset of_class = few.of_class(digit);
    const RandomKey key{seed, 0x62656E65, static_cast<std::uint32_t>(digit)};
    const Tensor<float> x = drawn_images(of_class, distortion_for(of_class.size()), kCandidates, key);
    const Tensor<float> y = vae.decode(vae.draw(vae.encode(x.view()).view(), key.with_stream(key.stream + 1)).view());
    const classifier::Verdicts verdicts = classifier::judge(filter, y.view());
    std::vector<Index> kept;
    for (Index i = 0; i < kCandidates; ++i) {
      if (verdicts.digit[static_cast<std::size_t>(i)] == digit) kept.push_back(i);
    }
    const auto confidence = [&](Index i) { return verdicts.confidence[static_cast<std::size_t>(i)]; };
    std::stable_sort(kept.begin(), kept.end(), [&](Index a, Index b) { return confidence(a) > confidence(b); });
    kept.resize(std::min(kept.size(), static_cast<std::size_t>(kPerClass)));
    kept_of_class.push_back(figures::rows_of(y, kept));
    result.kept.push_back(std::ssize(kept));
  }
  Pool pool{few.image_shape()};
  const Index most = *std::max_element(result.kept.begin(), result.kept.end());
  for (std::size_t digit = 0; digit < kept_of_class.size(); ++digit) {
    const Index kept = result.kept[digit];
    for (Index i = 0; kept > 0 && i < most; ++i) {
      pool.add(kept_of_class[digit].samples(i % kept, 1), static_cast<int>(digit));
    }
  }
  if (most == 0) throw NumericError("benefit: the filter has kept no synthetic digit");
  result.images = pool.images();
  return result;
}

/// One subset of few digits: the accuracy of every arm on the test images.
json experiment(const run::Folder& folder, const data::Images& images, const BenefitOptions& options, Index n,
                std::uint64_t seed) {
  const ImageDataset few = few_of_each(images.train, n, seed);
  const Distortion distortion = distortion_for(n);
  const Tensor<float> test = images.held_out.images();
  json accuracy;
  const auto arm = [&](const char* name, const ImageDataset& set, const Distortion& distorted) {
    Model<float> model = classifier::build(set.image_shape(), seed);
    train(model, SparseCategoricalCrossentropy{}, LabelSource(set, distorted, seed), options.steps, kClassifierBatch,
          2e-3);
    accuracy[name] = classifier::confusion(classifier::judge(model, test.view()), images.held_out).accuracy();
    return model;
  };
  arm("real", few, {});
  const Model<float> filter = arm("affine", few, distortion);

  const Recipe recipe = recipe_of(Options{}, "improved");
  Model<float> model = build_vae(few.image_shape(), recipe.network, recipe.latent, recipe.beta, seed);
  train(model, BinaryCrossentropy{.reduction = Reduction::sum}, AutoencodingSource(few, distortion, seed),
        kAutoencoderSteps * options.steps, recipe.batch, recipe.learning_rate);
  const auto [synthetic, kept] = synthesize(Vae(model), few, filter, seed);
  Pool both{few.image_shape()};
  both.add(few, std::max<Index>(1, synthetic.size() / few.size()));  // as many of each kind
  both.add(synthetic);
  const ImageDataset mixed = both.images();
  arm("vae", mixed, {});
  arm("both", mixed, distortion);
  arm("vae-only", synthetic, {});

  json result = {{"samples", n}, {"seed", seed}, {"accuracy", accuracy}, {"synthetic", kept}};
  if (seed == options.seed) {
    // Class by class, in the order of the filter's confidence: the median of those that were kept.
    const Index most = *std::max_element(kept.begin(), kept.end());
    std::vector<Index> shown;
    for (const Index of_class : kept) {
      if (of_class > 0) shown.push_back(std::ssize(shown) * most + of_class / 2);
    }
    result["strip"] = figures::strip(folder, std::to_string(n) + " of each", "synthetic-" + std::to_string(n),
                                     synthetic.images(shown), nullptr, {});
  }
  return result;
}

}  // namespace

void benefit_command(const BenefitOptions& options) {
  set_num_threads(options.threads);
  const data::Images images = data::load(options.data);
  if (!images.train.labelled() || !images.held_out.labelled()) {
    throw ValueError(options.data + ": the experiment needs images with labels: PNG files in subfolders 0 to 9");
  }
  std::vector<Index> samples = options.samples;
  std::sort(samples.begin(), samples.end());
  samples.erase(std::unique(samples.begin(), samples.end()), samples.end());
  // Throw what is wrong before anything is written.
  for (const Index n : samples) few_of_each(images.train, n, options.seed);
  build_vae(images.train.image_shape(), "small", 2, 1, 0);
  require_place_for_report(options.out);
  const json config = {{"data", run::absolute(options.data)},
                       {"samples", samples},
                       {"seeds", options.seeds},
                       {"steps", options.steps},
                       {"seed", options.seed},
                       {"threads", num_threads()}};
  const run::Folder folder((std::filesystem::path(options.out) / "benefit").string(),
                           {.program = kProgram,
                            .command = "benefit",
                            .options = config,
                            .facts = {{"data_crc32", images.checksum}},
                            .resume = options.resume,
                            .overwrite = options.overwrite});
  run::catch_interrupts();
  json metrics = figures::metrics_of(config, images);
  metrics["experiments"] = json::array();
  // What an earlier run has finished stays.
  if (folder.has("metrics.json")) metrics["experiments"] = folder.metrics(kProgram).at("experiments");
  run::Progress progress(static_cast<double>(samples.size()) * static_cast<double>(options.seeds));
  std::size_t done = metrics["experiments"].size();
  progress.skipped(static_cast<double>(done));
  std::size_t place = 0;
  for (const Index n : samples) {
    for (Index k = 0; k < options.seeds; ++k, ++place) {
      if (place < done) continue;
      const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(k);
      const std::string title = std::to_string(n) + " of each digit, seed " + std::to_string(seed) + ":";
      progress.say(title + " five classifiers and an autoencoder");
      const json result = experiment(folder, images, options, n, seed);
      metrics["experiments"].push_back(result);
      folder.write_json("metrics.json", metrics);
      progress.done(1);
      std::string line = title;
      for (const auto& [name, value] : result["accuracy"].items()) {
        line += "  " + name + " " + report::percent(value.get<double>());
      }
      progress.say(line);
    }
  }
  write_report(options.out);
  std::printf("report: %s\n",
              std::filesystem::absolute(std::filesystem::path(options.out) / "report.html").string().c_str());
}

}  // namespace augment
