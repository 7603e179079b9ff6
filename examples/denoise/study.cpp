// The commands `study` and `train`: everything that a report needs goes into metrics.json and pictures/.
#include "study.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "linnet/evaluation/image_quality.hpp"

namespace denoise {

using nlohmann::json;

namespace {

json json_of(const Recipe& recipe) {
  return {{"name", recipe.name},     {"title", recipe.title},      {"model", recipe.model},
          {"output", recipe.output}, {"filters", recipe.filters},  {"epochs", recipe.epochs},
          {"batch", recipe.batch},   {"lr", recipe.learning_rate}, {"schedule", recipe.schedule},
          {"noise", recipe.noise}};
}

/// The options as config.json has them: the keys are those of the command line. What --full decides stands in "about".
json config_of(const Options& options, bool study) {
  json config = {{"data", run::absolute(options.data)},
                 {"noise", options.noise},
                 {"noise-kind", options.noise_kind},
                 {"seed", options.seed},
                 {"threads", num_threads()}};
  if (study) {
    config["classifier"] = run::absolute(options.classifier);
    config["full"] = options.full;
  } else {
    config["blind"] = options.blind;
  }
  if (options.full) return config;
  config["model"] = options.model;
  config["output"] = options.output;
  config["filters"] = options.filters;
  config["epochs"] = *options.epochs;
  config["batch"] = options.batch;
  config["lr"] = options.learning_rate;
  config["schedule"] = options.schedule;
  return config;
}

run::Folder open_folder(const Options& options, bool study, const std::deque<Recipe>& recipes,
                        const data::Images& images) {
  run::Run run{.program = kProgram,
               .command = study ? "study" : "train",
               .options = config_of(options, study),
               .facts = {{"data_crc32", images.checksum}, {"recipes", json::array()}},
               .resume = options.resume,
               .overwrite = options.overwrite};
  for (const Recipe& recipe : recipes) run.facts["recipes"].push_back(json_of(recipe));
  if (!options.classifier.empty()) run.files["classifier"] = options.classifier;
  run::Folder folder(options.out, run);
  run::catch_interrupts();
  return folder;
}

/// What the options leave open; the levels from the least to the greatest.
Options resolved(Options options, const data::Images& images) {
  std::sort(options.noise.begin(), options.noise.end());
  if (!options.epochs) options.epochs = default_epochs(images.train.size(), options.batch);
  return options;
}

/// A warning of trainings that are too short to learn much.
void warn_of_few_steps(const std::deque<Recipe>& recipes, const data::Images& images, bool full) {
  for (const Recipe& recipe : recipes) {
    const Index steps = recipe.epochs * steps_per_epoch(images.train.size(), recipe.batch);
    if (steps >= kFewSteps) continue;
    std::fprintf(stderr, "warning: %s: %td steps in all, with %td images to train: too few to learn much%s\n",
                 recipe.title.c_str(), steps, images.train.size(),
                 full ? "" : "; more --epochs or a smaller --batch make more");
  }
}

}  // namespace

void validate(const Options& options) {
  std::set<std::string> levels;
  for (const double noise : options.noise) {
    if (options.noise_kind != "gaussian" && noise > 1) {
      throw ValueError("--noise: expected a share from 0 to 1, got " + level_text(noise));
    }
    if (!levels.insert(level_text(noise)).second) {
      throw ValueError("--noise: the level " + level_text(noise) + " is there twice");
    }
  }
}

namespace {

/// Decibels for people; what is not finite is null in JSON.
std::string decibels_text(const json& psnr) {
  char text[32] = "infinite";
  if (!psnr.is_null()) std::snprintf(text, sizeof text, "%.2f dB", psnr.get<double>());
  return text;
}

/// A study on its way from the images to the report.
class Study {
 public:
  Study(const Options& options, const data::Images& images) : options_(options), images_(images) {
    const bool labelled = images.train.labelled() && images.held_out.labelled();
    if (labelled) add_judges();
    for (const Recipe& recipe : recipes_) {
      for (const double noise : recipe.noise) add(recipe, noise, false);
    }
    add(recipes_.front(), options.noise.back(), true);
    for (const Trained& trained : all_) measuring_work_ += measuring_work_of(trained);
    work_ += measuring_work_ * static_cast<double>(1 + sweep_levels(options).size());
  }

  void run() {
    const run::Folder folder = open_folder(options_, true, recipes_, images_);
    data::warn(classifier_data_);
    warn_of_few_steps(recipes_, images_, options_.full);
    std::printf("%td images to train, %td held out: %s\n%zu models to train\n\n", images_.train.size(),
                images_.held_out.size(), images_.origin.c_str(), all_.size() + judges_.size() - (given_ ? 1 : 0));
    progress_ = std::make_shared<run::Progress>(work_);
    for (Judge& judge : judges_) {
      if (!given_ && &judge != &judges_.front()) judge.model = judges_.front().model;
      if (judge.job) classifier_seconds_ += run::train(folder, *judge.job, progress_).total_seconds();
    }
    for (Trained& trained : all_) train_denoiser(folder, trained, options_, images_, progress_);
    run::write_history(folder, all_);
    const json metrics = measure_all(folder);
    folder.write_json("metrics.json", metrics);
    write_report(folder);
    tell(metrics);
    std::printf("report: %s\n", std::filesystem::absolute(folder.file("report.html")).string().c_str());
  }

 private:
  struct Judge {
    Model<float> model;
    std::optional<run::Job> job = {};  ///< none for a classifier that was given
  };

  /// The classifier of clean digits, then one for each level of noise, which begins with what the first has learned
  /// and so needs fewer epochs. A classifier that is given stays a judge: it may have seen other images.
  void add_judges() {
    constexpr Index kLeastEpochs = 3;
    const Index epochs_of_first = classifier::epochs_for(images_.train.size());
    const auto add = [&](const std::string& name, const std::string& title, double noise) {
      const Index epochs = noise == 0 || given_ ? epochs_of_first : std::max(kLeastEpochs, epochs_of_first / 2);
      Judge& judge = judges_.emplace_back(Judge{classifier::build(images_.train.image_shape(), options_.seed)});
      const Corruption corruption = corruption_of(options_, noise);
      judge.job =
          classifier::job(judge.model, name, title, LabelSource(images_.train, corruption, options_.seed),
                          LabelSource(images_.held_out, corruption, kHeldOutNoise, false), epochs,
                          data::provenance(kProgram, images_, noise == 0 ? "" : noise_text(options_, noise, false)));
      work_ += judge.job->work();
    };
    if (given_) {
      judges_.push_back({load_model(options_.classifier)});
      classifier::require(judges_[0].model, options_.classifier, images_.held_out);
      classifier_data_ = data::training_data_of(options_.classifier, images_);
    } else {
      add("classifier", "classifier", 0);
    }
    for (const double noise : options_.noise) {
      add("classifier-" + level_text(noise), "classifier of noisy digits, " + level_text(noise), noise);
    }
  }
  void add(const Recipe& recipe, double noise, bool blind) {
    work_ += add_training(all_, recipe, noise, blind, options_, images_);
  }
  const Model<float>* judge() const { return judges_.empty() ? nullptr : &judges_[0].model; }
  /// The classifier of digits of a level of noise; null without, and for the blind model.
  const Model<float>* noisy_judge(double noise, bool blind = false) const {
    const auto at = std::find(options_.noise.begin(), options_.noise.end(), noise);
    if (judges_.empty() || blind || at == options_.noise.end()) return nullptr;
    return &judges_[static_cast<std::size_t>(1 + (at - options_.noise.begin()))].model;
  }
  double measuring_work_of(const Trained& trained) const {
    return run::measuring_work(trained.model, images_.held_out.size()) +
           (judge() != nullptr ? run::measuring_work(*judge(), images_.held_out.size()) : 0);
  }
  /// Says what is measured next, and counts it as done.
  void measuring(const std::string& what, double work) const {
    run::stop_if_interrupted();
    progress_->say("measuring " + what);
    progress_->done(work);
  }

  json measure_all(const run::Folder& folder) const {
    const Tensor<float> clean = images_.held_out.images();
    json metrics = figures::metrics_of(config_of(options_, true), images_);
    metrics["floor"] = binary_entropy(clean);
    metrics["mean_image_bce"] = mean_image_bce(images_.train, clean);
    metrics["clean_strip"] = clean_strip(folder, images_.held_out, judge());
    metrics["classifier_seconds"] = classifier_seconds_;
    if (judge() != nullptr) {
      json& about = metrics["classifier"];
      about = recognition(classifier::judge(*judge(), clean.view()), images_.held_out);
      about["parameters"] = judge()->parameter_count();
      about["file"] = given_ ? options_.classifier : "models/classifier.safetensors";
      about["other_training_data"] = classifier_data_.text;
      about["given"] = given_;
    }
    for (const double noise : options_.noise) {
      measuring("noise " + level_text(noise) + " without a denoiser", 0);
      metrics["levels"].push_back(measure_level(folder, options_, noise, images_, judge(), noisy_judge(noise)));
    }
    const auto measure_one = [&](const Trained& trained) {
      measuring(trained.job->title, measuring_work_of(trained));
      return measure(folder, trained, options_, images_.held_out, judge(), noisy_judge(trained.noise, trained.blind));
    };
    std::size_t next = 0;
    for (const Recipe& recipe : recipes_) {
      json entry = json_of(recipe);
      entry["parameters"] = all_[next].model.parameter_count();
      entry["summary"] = all_[next].model.summary();
      for (std::size_t i = 0; i < recipe.noise.size(); ++i) entry["levels"].push_back(measure_one(all_[next++]));
      metrics["recipes"].push_back(entry);
    }
    metrics["blind"] = measure_one(all_.back());
    metrics["blind"].update(measure_noisy(folder, all_.back(), options_, images_.held_out, judge()));
    metrics["sweep"] = sweep_of(all_, options_, images_.held_out, judge(), [&](double noise) {
      measuring("all models at noise " + level_text(noise), measuring_work_);
    });
    return metrics;
  }

  /// The figures that matter most, on the terminal.
  static void tell(const json& metrics) {
    for (const json& level : metrics.at("recipes").at(0).at("levels")) {
      std::printf("noise %g: held-out cross-entropy %.4f (a perfect copy: %.4f), PSNR %s",
                  level.at("noise").get<double>(), level.at("bce").get<double>(), metrics.at("floor").get<double>(),
                  decibels_text(level.at("psnr")).c_str());
      if (level.contains("recognized")) {
        std::printf(", recognized %.1f%%", 100.0 * level.at("recognized").at("count").get<double>() /
                                               level.at("recognized").at("of").get<double>());
      }
      std::printf("\n");
    }
  }

  const Options& options_;
  const data::Images& images_;
  const std::deque<Recipe> recipes_ = recipes_of(options_);
  const bool given_ = !options_.classifier.empty();  ///< a classifier
  data::TrainingData classifier_data_;
  std::deque<Judge> judges_;
  std::deque<Trained> all_;
  double work_ = 0, measuring_work_ = 0, classifier_seconds_ = 0;
  std::shared_ptr<run::Progress> progress_;
};

}  // namespace

void validate(const Options& options, const data::Images& images) {
  if (!options.classifier.empty() && !(images.train.labelled() && images.held_out.labelled())) {
    throw ValueError(options.data + ": --classifier needs images with labels: PNG files in subfolders 0 to 9");
  }
}

void train_command(const Options& as_given) {
  set_num_threads(as_given.threads);
  validate(as_given);
  const data::Images images = data::load(as_given.data);
  const Options options = resolved(as_given, images);
  const std::deque<Recipe> recipes = {recipe_of(options)};
  std::deque<Trained> all;
  const std::vector<double> levels = options.blind ? std::vector{options.noise.back()} : options.noise;
  double work = 0;
  for (const double noise : levels) {
    work += add_training(all, recipes.front(), noise, options.blind, options, images);
  }
  const run::Folder folder = open_folder(options, false, recipes, images);
  warn_of_few_steps(recipes, images, false);
  std::printf("%s\n", all.front().model.summary().c_str());
  const auto progress = std::make_shared<run::Progress>(work);
  json metrics = figures::metrics_of(config_of(options, false), images);
  metrics["clean_strip"] = clean_strip(folder, images.held_out, nullptr);
  for (Trained& trained : all) {
    train_denoiser(folder, trained, options, images, progress);
    json figures = measure(folder, trained, options, images.held_out, nullptr);
    figures.update(measure_noisy(folder, trained, options, images.held_out, nullptr));
    figures["model"] = "models/" + trained.name + ".safetensors";
    metrics["models"].push_back(figures);
    const auto number = [](const json& value) { return value.get<double>(); };
    std::printf(
        "%s, held-out images: cross-entropy %.4f (noisy ones %.4f), PSNR %s (%s), SSIM %.3f (%.3f)\nmodel: %s\n",
        trained.job->title.c_str(), number(figures["bce"]), number(figures["noisy"]["bce"]),
        decibels_text(figures["psnr"]).c_str(), decibels_text(figures["noisy"]["psnr"]).c_str(),
        number(figures["ssim"]), number(figures["noisy"]["ssim"]), folder.file(figures["model"]).c_str());
  }
  run::write_history(folder, all);
  folder.write_json("metrics.json", metrics);
}

void study_command(const Options& as_given) {
  set_num_threads(as_given.threads);
  validate(as_given);
  const data::Images images = data::load(as_given.data);
  validate(as_given, images);
  const Options options = resolved(as_given, images);
  Study(options, images).run();
}

}  // namespace denoise
