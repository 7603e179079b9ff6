// What is trained: the recipes, their models and their trainings.
#include <algorithm>
#include <cstdio>

#include "study.hpp"

namespace denoise {

namespace {

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
          .batch = recipe.batch,
          .about = data::provenance(images, noise_text(options, trained.noise, trained.blind))};
}

/// The other last activation, for comparison.
Recipe twin_of(Recipe recipe) {
  const bool to_relu = recipe.output == "sigmoid";
  recipe.output = to_relu ? "relu" : "sigmoid";
  recipe.name = recipe.name.substr(0, recipe.name.find("-relu")) + (to_relu ? "-relu" : "");
  recipe.title = recipe.title.substr(0, recipe.title.find(" with relu")) + (to_relu ? " with relu" : "");
  return recipe;
}

}  // namespace

Recipe recipe_of(const Options& options) {
  const bool unet = options.model == "unet";
  Recipe recipe{
      options.model, unet ? "U-Net" : "autoencoder", options.model,   options.output, options.filters, options.epochs,
      options.batch, options.learning_rate,          options.schedule};
  if (options.output == "relu") recipe.name += "-relu", recipe.title += " with relu";
  return recipe;
}

std::deque<Recipe> recipes_of(const Options& options) {
  if (!options.full) {
    const Recipe main = recipe_of(options);
    return {main, twin_of(main)};
  }
  const Recipe quick{"autoencoder-10", "autoencoder, 10 epochs", "autoencoder", "sigmoid", 16, 10, 128, 3e-3,
                     "constant"};
  const Recipe best{"autoencoder", "autoencoder, best recipe", "autoencoder", "sigmoid", 16, 100, 128, 4e-3, "cosine"};
  const Recipe unet{"unet", "U-Net", "unet", "sigmoid", 16, 14, 64, 2e-3, "cosine"};
  return {best, quick, unet, twin_of(quick)};
}

double add_training(std::deque<Trained>& all, const Recipe& recipe, double noise, bool blind, const Options& options,
                    const data::Images& images) {
  const std::string name = recipe.name + (blind ? "-blind" : "-" + level_text(noise));
  Trained& trained = all.emplace_back(
      Trained{name, &recipe, noise, blind, build_model(images.train.image_shape(), recipe, options.seed)});
  trained.job = job_of(trained, options, images);
  return trained.job->work();
}

void train_denoiser(const run::Folder& folder, Trained& trained, const Options& options, const data::Images& images,
                    const std::shared_ptr<run::Progress>& progress) {
  constexpr int kMostSeeds = 10;
  if (trained.recipe->output != "relu") {
    trained.history = run::train(folder, *trained.job, progress);
    return;
  }
  // What training sees: the output for clean images, which are darker, may be another matter.
  const auto few =
      std::make_shared<const Tensor<float>>(pairs_of(images.train.first(std::min<Index>(16, images.train.size())),
                                                     corruption_of(options, trained.noise, trained.blind), options.seed)
                                                .noisy);
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

}  // namespace denoise
