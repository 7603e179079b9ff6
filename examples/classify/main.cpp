// classify: trains the classifier that the studies judge digits with, and tells how good it is.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "../common/classifier.hpp"
#include "../common/cli.hpp"
#include "../common/data.hpp"

namespace {

using namespace linnet;

constexpr const char* kProgram = "classify";

struct Options {
  std::string data, out = "classifier", model;
  Index epochs = 0;
  std::uint64_t seed = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
};

void require_labels(const data::Images& images, const std::string& data) {
  if (images.train.labelled() && images.held_out.labelled()) return;
  throw ValueError(data + ": the images have no labels: expected PNG files in subfolders 0 to 9");
}

void tell(const Model<float>& model, const ImageDataset& images) {
  const ConfusionMatrix matrix = classifier::confusion(classifier::judge(model, images.images().view()), images);
  const Interval interval = wilson_interval(matrix.correct(), matrix.total());
  std::printf("recognized: %td of %td, %.2f%% (95%% interval %.2f to %.2f)\n", matrix.correct(), matrix.total(),
              100 * matrix.accuracy(), 100 * interval.low, 100 * interval.high);
  for (int digit = 0; digit < classifier::kClasses; ++digit) {
    if (matrix.total(digit) > 0)
      std::printf("  %d: %.2f%% of %td\n", digit, 100 * matrix.recall(digit), matrix.total(digit));
  }
}

void train(const Options& options) {
  set_num_threads(options.threads);
  const data::Images images = data::load(options.data);
  require_labels(images, options.data);
  const LabelSource source(images.train), held_out(images.held_out);
  const Index epochs = options.epochs > 0 ? options.epochs : classifier::epochs_for(images.train.size());
  Model<float> model = classifier::build(images.train.image_shape(), options.seed);
  const nlohmann::json config = {
      {"data", run::absolute(options.data)}, {"epochs", epochs}, {"seed", options.seed}, {"threads", num_threads()}};
  const run::Folder folder(options.out, {.program = kProgram,
                                         .command = "train",
                                         .options = config,
                                         .facts = {{"data_crc32", images.checksum}},
                                         .resume = options.resume,
                                         .overwrite = options.overwrite});
  run::catch_interrupts();
  const run::Job job = classifier::job(model, "classifier", "classifier", source, held_out, epochs,
                                       data::provenance(kProgram, images, ""));
  std::printf("%s\n", model.summary().c_str());
  run::train(folder, job, std::make_shared<run::Progress>(job.work()));
  tell(model, images.held_out);
  std::printf("model: %s\n", folder.file("models/classifier.safetensors").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a convolutional classifier of digits, and tests one.", kProgram};
  app.set_version_flag("--version", "linnet " LINNET_VERSION_STRING);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  Options options;
  std::string config;
  CLI::App* training = app.add_subcommand("train", "Train a classifier; it lands in OUT/models/classifier.safetensors");
  CLI::App* testing = app.add_subcommand("eval", "Tell how many held-out digits a classifier recognizes");
  for (CLI::App* command : {training, testing}) {
    cli::folder(command, "--data", options.data,
                "Folder with MNIST's four files, or with PNG files of one size, 12 x 12 pixels or more, in subfolders "
                "0 to 9; every fifth PNG is held out (default: the 10,000 digits of examples/data)");
    cli::threads(command, options.threads);
  }
  cli::folder(training, "--out", options.out, "Run folder");
  cli::number(training, "--epochs", options.epochs,
              "Passes over the training digits; 0: as many as 120,000 digits take, but 5 to 60", 0, 100000);
  cli::seed(training, options.seed, "Seed of the initial weights, the order and the dropout");
  cli::run_flags(training, options.resume, options.overwrite);
  cli::config(training, config);
  testing->add_option("--model", options.model, "The classifier")->required()->type_name("FILE");
  return cli::main(
      app, argc, argv,
      [&] {
        if (*training) return train(options);
        set_num_threads(options.threads);
        const Model<float> model = load_model(options.model);
        const data::Images images = data::load(options.data);
        require_labels(images, options.data);
        classifier::require(model, options.model, images.held_out);
        data::warn(data::training_data_of(options.model, images));
        tell(model, images.held_out);
      },
      [&] { return "classify train --resume --config '" + options.out + "/config.json' --out '" + options.out + "'"; });
}
