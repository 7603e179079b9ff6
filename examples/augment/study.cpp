// The commands `study` and `train`: everything that a report needs goes into metrics.json and pictures/.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "augment.hpp"

namespace augment {

namespace {

/// The options as config.json has them, resolved: the keys are those of the command line.
json config_of(const Options& options, bool study) {
  json config = {{"data", run::absolute(options.data)},
                 {"digit", options.digit},
                 {"samples", options.samples},
                 {"network", *options.network},
                 {"beta", options.beta},
                 {"epochs", *options.epochs},
                 {"batch", *options.batch},
                 {"lr", *options.learning_rate},
                 {"seed", options.seed},
                 {"threads", num_threads()}};
  if (options.latent) config["latent"] = *options.latent;
  if (study) {
    config["subsets"] = *options.subsets;
    config["classifier"] = run::absolute(options.classifier);
    config["quick"] = options.quick;
  } else {
    config["recipe"] = options.recipe;
    config["latent"] = recipe_of(options, options.recipe).latent;
  }
  return config;
}

run::Folder open_folder(const Options& options, bool study, const data::Images& images) {
  run::Run run{.program = kProgram,
               .command = study ? "study" : "train",
               .options = config_of(options, study),
               .facts = {{"data_crc32", images.checksum}},
               .resume = options.resume,
               .overwrite = options.overwrite,
               .guests = {"benefit"}};
  // The experiment of benefit may have been first; then the report is its.
  if (run::Folder(options.out).has("benefit/config.json")) run.guests.push_back("report.html");
  if (!options.classifier.empty()) run.files["classifier"] = options.classifier;
  run::Folder folder(options.out, run);
  run::catch_interrupts();
  return folder;
}

/// The sizes of a study where none are given: those that every class has images for.
std::vector<std::string> default_samples(const data::Images& images, const std::vector<std::string>& digits,
                                         bool quick) {
  Index fewest = images.train.size();
  for (const std::string& digit : digits) {
    fewest = std::min(fewest, std::ssize(training_indices(images.train, digit_of(digit), kAll, 0)));
  }
  std::vector<std::string> samples;
  for (const Index size : quick ? std::vector<Index>{10} : std::vector<Index>{10, 100, 1000}) {
    if (size < fewest) samples.push_back(std::to_string(size));
  }
  samples.push_back("all");
  return samples;
}

/// What the options leave open.
void resolve(Options& options, const data::Images& images) {
  const bool few = images.train.size() < kFewImages;
  if (!options.subsets) options.subsets = options.quick ? 1 : few ? 2 : 3;
  if (!options.epochs) options.epochs = options.quick ? 2 : few ? 8 : kEpochs;
  // All digits at once want a larger network, and many images more for a steadier gradient than for few.
  const bool all = options.digit == std::vector<std::string>{"all"};
  if (!options.network) options.network = all ? "large" : "small";
  if (!options.batch) options.batch = all ? 128 : 32;
  if (!options.learning_rate) options.learning_rate = all ? 1.5e-3 : 3e-3;
}

/// A study on its way from the images to the report.
class Study {
 public:
  Study(const Options& options, const data::Images& images) : options_(options), images_(images) {
    if (options.classifier.empty()) {
      classifier_ = classifier::build(images.train.image_shape(), options.seed);
      classifier_job_ = classifier::job(*classifier_, "classifier", "classifier", LabelSource(images.train),
                                        LabelSource(images.held_out),
                                        classifier::epochs_for(images.train.size()) / (options.quick ? 4 : 1),
                                        data::provenance(kProgram, images, ""));
      work_ += classifier_job_->work();
    } else {
      classifier_ = load_model(options.classifier);
      classifier::require(*classifier_, options.classifier, images.held_out);
      if (classifier_->nodes().size() < 2) {
        throw ShapeError(options.classifier +
                         ": expected a classifier of two layers or more, whose last but one gives features");
      }
      classifier_data_ = data::training_data_of(options.classifier, images);
    }
    for (const std::string& text : options.digit) {
      const int digit = digit_of(text);
      if (digit == kAllDigits) throw ValueError("--digit all: a study is of single classes; `augment train` takes all");
      held_out_.push_back(held_out_of(images.held_out, digit));
      for (const std::string& size : options.samples) {
        const Index samples = samples_of(size);
        const Index subsets = samples != kAll && samples <= kLargestWithSubsets ? *options.subsets : 1;
        for (const Recipe& recipe : recipes_) {
          for (Index subset = 0; subset < subsets; ++subset) {
            work_ += add_training(all_, recipe, digit, samples, subset, held_out_.back(), options, images);
          }
        }
      }
    }
    for (const Trained& trained : all_) work_ += measuring_work_of(trained);
  }

  void run() {
    const run::Folder folder = open_folder(options_, true, images_);
    data::warn(classifier_data_);
    std::printf("%td images to train, %td held out: %s\n%zu autoencoders to train%s\n\n", images_.train.size(),
                images_.held_out.size(), images_.origin.c_str(), all_.size(),
                classifier_job_ ? ", and the classifier that judges" : "");
    progress_ = std::make_shared<run::Progress>(work_);
    if (classifier_job_) run::train(folder, *classifier_job_, progress_);
    for (Trained& trained : all_) trained.history = run::train(folder, *trained.job, progress_);
    run::write_history(folder, all_);
    const json metrics = measure_all(folder);
    folder.write_json("metrics.json", metrics);
    write_report(options_.out);
    std::printf("report: %s\n", std::filesystem::absolute(folder.file("report.html")).string().c_str());
  }

 private:
  Index parameters_of(const Recipe& recipe) const {
    const auto has_it = [&](const Trained& trained) { return trained.recipe == &recipe; };
    return std::find_if(all_.begin(), all_.end(), has_it)->model.parameter_count();
  }
  /// About as long as a tenth of a training of the usual length.
  double measuring_work_of(const Trained& trained) const {
    return 0.1 * trained.job->work() / static_cast<double>(trained.job->train.size()) * 3200;
  }
  void measuring(const std::string& what, double work) const {
    run::stop_if_interrupted();
    progress_->say("measuring " + what);
    progress_->done(work);
  }
  json measure_all(const run::Folder& folder) const {
    const Judge judge(*classifier_);
    json metrics = figures::metrics_of(config_of(options_, true), images_);
    const ConfusionMatrix confusion =
        classifier::confusion(classifier::judge(judge.model, images_.held_out.images().view()), images_.held_out);
    metrics["classifier"] = {{"recognized", figures::counted(confusion.correct(), confusion.total())},
                             {"parameters", judge.model.parameter_count()},
                             {"other_training_data", classifier_data_.text}};
    for (const Recipe& recipe : recipes_) {
      metrics["recipes"].push_back({{"name", recipe.name},
                                    {"network", recipe.network},
                                    {"parameters", parameters_of(recipe)},
                                    {"latent", recipe.latent},
                                    {"beta", recipe.beta},
                                    {"epochs", recipe.epochs},
                                    {"batch", recipe.batch},
                                    {"lr", recipe.learning_rate},
                                    {"distorted", recipe.distorted}});
    }
    metrics["summary"] = all_.front().model.summary();
    for (std::size_t d = 0; d < held_out_.size(); ++d) {
      const int digit = digit_of(options_.digit[d]);
      measuring("digit " + options_.digit[d] + ", real", 0);
      metrics["real"].push_back(measure_real(held_out_[d], digit, judge, options_.quick));
    }
    for (const Trained& trained : all_) {
      measuring(trained.job->title, measuring_work_of(trained));
      metrics["models"].push_back(measure(folder, trained, judge, trained.subset == 0, options_.quick));
    }
    return metrics;
  }

  const Options& options_;
  const data::Images& images_;
  const std::deque<Recipe> recipes_ = {recipe_of(options_, "plain"), recipe_of(options_, "improved")};
  std::optional<Model<float>> classifier_;
  std::optional<run::Job> classifier_job_;
  data::TrainingData classifier_data_;
  std::deque<ImageDataset> held_out_;  ///< of each digit
  std::deque<Trained> all_;
  double work_ = 0;
  std::shared_ptr<run::Progress> progress_;
};

}  // namespace

void study_command(const Options& as_given) {
  Options options = as_given;
  set_num_threads(options.threads);
  const data::Images images = data::load(options.data);
  if (!images.train.labelled() || !images.held_out.labelled()) {
    throw ValueError(options.data + ": a study needs images with labels: PNG files in subfolders 0 to 9");
  }
  if (options.samples.empty()) options.samples = default_samples(images, options.digit, options.quick);
  options.samples = in_order(options.samples);
  std::vector<std::string> digits;
  for (const std::string& text : options.digit) digits.push_back(digit_text(digit_of(text)));
  std::sort(digits.begin(), digits.end());
  digits.erase(std::unique(digits.begin(), digits.end()), digits.end());
  options.digit = digits;
  resolve(options, images);
  Study(options, images).run();
}

void train_command(const Options& as_given) {
  Options options = as_given;
  set_num_threads(options.threads);
  if (options.samples.empty()) options.samples = {"all"};
  if (options.digit.size() != 1 || options.samples.size() != 1) {
    throw ValueError("expected one --digit and one --samples");
  }
  const data::Images images = data::load(options.data);
  resolve(options, images);
  const int digit = digit_of(options.digit[0]);
  training_indices(images.train, digit, kAll, 0);  // what is wrong with these is told first
  const ImageDataset held_out = held_out_of(images.held_out, digit);
  const Recipe recipe = recipe_of(options, options.recipe);
  std::deque<Trained> all;
  const double work = add_training(all, recipe, digit, samples_of(options.samples[0]), 0, held_out, options, images);
  const run::Folder folder = open_folder(options, false, images);
  Trained& trained = all.front();
  std::printf("%s\n%td images to train, %td held out\n", trained.model.summary().c_str(), trained.train.size(),
              held_out.size());
  trained.history = run::train(folder, *trained.job, std::make_shared<run::Progress>(work));
  run::write_history(folder, all);
  const Vae vae(trained.model);
  const Elbo own = vae.elbo(evenly(trained.train, 10'000).images().view(), kElboKey),
             other = vae.elbo(held_out.images().view(), kElboKey);
  json metrics = figures::metrics_of(config_of(options, false), images);
  metrics["train_elbo"] = {{"reconstruction", own.reconstruction}, {"kl", own.kl}};
  metrics["elbo"] = {{"reconstruction", other.reconstruction}, {"kl", other.kl}};
  metrics["history"] = trained.history.json();
  folder.write_json("metrics.json", metrics);
  std::printf("-ELBO in nats an image: training %.2f (reconstruction %.2f, KL %.2f), held out %.2f (%.2f, %.2f)\n",
              own.negative(), own.reconstruction, own.kl, other.negative(), other.reconstruction, other.kl);
  std::printf("model: %s\n", folder.file("models/" + trained.name + ".safetensors").c_str());
}

}  // namespace augment
