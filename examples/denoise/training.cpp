// What is trained: the recipes, their models and their trainings.
#include <algorithm>
#include <cstdio>

#include "study.hpp"

namespace denoise {

namespace {

/// What a network gives that is dead: the same everywhere, whatever the image.
struct Dead {
  bool found = false;
  double output = 0, loss = 0;
};

/// Looks whether the network has died, every hundred steps of the first epoch and after each epoch. With a relu at the
/// end some initializations give 0 everywhere, where no gradient flows; steps that are too long may lead to 1 and more
/// everywhere, where the loss is cut off, or stop all relus within.
struct LookForDeath {
  std::shared_ptr<const Tensor<float>> images;
  std::shared_ptr<Dead> dead;

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
    if (std::min(*high, T(1)) - *low > T(1e-6)) return;
    *dead = {true, double{*low}, state.logs["loss"]};
    state.stop = true;
  }
};

run::Job job_of(Trained& trained, const Options& options, const data::Images& images) {
  const Recipe& recipe = *trained.recipe;
  const Corruption noise = corruption_of(options, trained.noise, trained.blind);
  const Index steps = recipe.epochs * steps_per_epoch(images.train.size(), recipe.batch);
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
          .about = data::provenance(kProgram, images, noise_text(options, trained.noise, trained.blind))};
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

Index default_epochs(Index images, Index batch) {
  constexpr Index kEpochs = 24, kSteps = 1500;
  const Index steps = steps_per_epoch(images, batch);
  return std::clamp((kSteps + steps - 1) / steps, kEpochs, 10 * kEpochs);
}

Recipe recipe_of(const Options& options) {
  const bool unet = options.model == "unet";
  Recipe recipe{
      options.model, unet ? "U-Net" : "autoencoder", options.model,    options.output, options.filters, *options.epochs,
      options.batch, options.learning_rate,          options.schedule, options.noise};
  if (options.output == "relu") recipe.name += "-relu", recipe.title += " with relu";
  return recipe;
}

std::deque<Recipe> recipes_of(const Options& options) {
  if (!options.full) {
    const Recipe main = recipe_of(options);
    Recipe twin = twin_of(main);
    twin.noise = {options.noise.front()};
    return {main, twin};
  }
  const Recipe quick{
      "autoencoder-10", "autoencoder, 10 epochs", "autoencoder", "sigmoid", 16, 10, 128, 3e-3, "constant",
      options.noise};
  const Recipe best{"autoencoder", "autoencoder, best recipe", "autoencoder", "sigmoid", 16, 100, 128, 4e-3, "cosine",
                    options.noise};
  const Recipe unet{"unet", "U-Net", "unet", "sigmoid", 16, 10, 64, 2e-3, "cosine", options.noise};
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
  constexpr Index kLookedAt = 16;
  // What training sees: the output for clean images, which are darker, may be another matter.
  const auto few =
      std::make_shared<const Tensor<float>>(pairs_of(data::evenly(images.train, kLookedAt),
                                                     corruption_of(options, trained.noise, trained.blind), options.seed)
                                                .noisy);
  for (int attempt = 1;; ++attempt) {
    const auto dead = std::make_shared<Dead>();
    run::Job job = *trained.job;
    job.callbacks = {LookForDeath{few, dead}};
    job.failed = [dead] { return dead->found; };
    trained.history = run::train(folder, job, progress);
    if (!dead->found) {
      trained.dead_seeds = static_cast<int>(trained.model.seed() - options.seed);
      return;
    }
    const std::string output = dead->output >= 1 ? "1 or more" : report::number(dead->output, 4);
    std::printf(
        "%s: dead with seed %llu: the output is %s everywhere, whatever the image, and the loss stays at %.4f.\n",
        trained.job->title.c_str(), static_cast<unsigned long long>(trained.model.seed()), output.c_str(), dead->loss);
    if (attempt == kMostSeeds) {
      throw NumericError(trained.name + ": dead with " + std::to_string(kMostSeeds) + " seeds; try a smaller --lr" +
                         (trained.recipe->output == "relu" ? ", or --output sigmoid" : ""));
    }
    trained.model = build_model(images.train.image_shape(), *trained.recipe, trained.model.seed() + 1);
    std::printf("It begins again with seed %llu.\n", static_cast<unsigned long long>(trained.model.seed()));
  }
}

}  // namespace denoise
