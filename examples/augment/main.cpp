// augment: what a variational autoencoder adds to few examples of a digit.
#include "../common/cli.hpp"
#include "augment.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains variational autoencoders on few and on many images, and reports what they add.",
               augment::kProgram};
  app.set_version_flag("--version", "linnet " LINNET_VERSION_STRING);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  augment::Options study_options, train_options;
  train_options.digit = {"2"};
  train_options.out = "vae";
  augment::BenefitOptions benefit_options;
  augment::SampleOptions sample_options;
  augment::PictureOptions picture_options;
  std::string config, given_folder;

  CLI::App* study = app.add_subcommand(
      "study", "Train autoencoders of single digits on few and many images, measure, and write one report");
  CLI::App* benefit = app.add_subcommand(
      "benefit",
      "Train classifiers of few digits with and without synthetic ones; the section joins the report in OUT");
  CLI::App* train = app.add_subcommand("train", "Train one autoencoder; it lands in OUT/models");
  CLI::App* sample = app.add_subcommand("sample", "Write synthetic images of a saved autoencoder, with a manifest");
  CLI::App* traverse = app.add_subcommand("traverse", "Draw the images along each latent dimension");
  CLI::App* interpolate = app.add_subcommand("interpolate", "Draw two real images, and those between them");
  CLI::App* report = app.add_subcommand("report", "Write the report of a run folder anew");

  const auto data_option = [](CLI::App* command, std::string& value) {
    cli::folder(command, "--data", value,
                "Folder with MNIST's four files, or with PNG files of one size, 12 x 12 pixels or more and both "
                "multiples of 4, "
                "in subfolders 0 to 9; every fifth PNG is held out (default: the 10,000 digits of examples/data)");
  };
  for (CLI::App* command : {study, train}) {
    const bool one = command == train;
    augment::Options& options = one ? train_options : study_options;
    data_option(command, options.data);
    command
        ->add_option("--digit", options.digit, one ? "Class: 0 to 9, or all" : "Classes, 0 to 9, separated by commas")
        ->delimiter(',')
        ->type_name(one ? "DIGIT" : "DIGITS");
    command
        ->add_option("--samples", options.samples,
                     one ? "Training images, drawn at random, or all (default: all)"
                         : "Training images of a class, separated by commas, or all (default: 10, 100, 1000, all, as "
                           "far as there are so many)")
        ->delimiter(',')
        ->type_name(one ? "NUMBER" : "NUMBERS");
    command
        ->add_option("--network", options.network,
                     one ? "Network: small, or large (default: large for --digit all, else small)"
                         : "Network: small or large (default: small)")
        ->check(CLI::IsMember({"small", "large"}));
    command
        ->add_option("--latent", options.latent,
                     "Latent dimensions (default: 2; with distorted images, the improved recipe, 16)")
        ->check(cli::whole_in_range(1, 1024))
        ->type_name("NUMBER");
    cli::number(command, "--beta", options.beta, "Weight of the KL divergence", 0.0, 1e6);
    command
        ->add_option(
            "--epochs", options.epochs,
            "Passes over the images, or 100 batches each where a pass is shorter (default: 24; 8 with fewer than "
            "20,000 training images of all classes)")
        ->check(cli::whole_in_range(1, 100000))
        ->type_name("NUMBER");
    command
        ->add_option("--batch", options.batch,
                     one ? "Images in a batch (default: 32; for --digit all 128)" : "Images in a batch (default: 32)")
        ->check(cli::whole_in_range(1, 65536))
        ->type_name("NUMBER");
    command
        ->add_option("--lr", options.learning_rate,
                     std::string("Adam's first learning rate; it falls to 0 along a cosine (default: 0.003") +
                         (one ? "; for --digit all 0.0015)" : ")"))
        ->check(cli::in_range(1e-9, 10.0))
        ->type_name("NUMBER");
    cli::seed(command, options.seed,
              "Seed of the initial weights, the order of images, their latents and distortions in training (which "
              "images a subset has is fixed)");
    cli::folder(command, "--out", options.out,
                one ? "Run folder: model and figures" : "Run folder: models, figures, pictures and the report");
    cli::run_flags(command, options.resume, options.overwrite);
    cli::threads(command, options.threads);
    cli::config(command, config);
  }
  study
      ->add_option("--subsets", study_options.subsets,
                   "Random subsets of each size up to 100 (default: 3; 2 with fewer than 20,000 training images)")
      ->check(cli::whole_in_range(1, 100))
      ->type_name("NUMBER");
  study
      ->add_option("--classifier", study_options.classifier,
                   "The classifier that judges digits (default: one is trained)")
      ->type_name("FILE");
  study->add_flag("--quick", study_options.quick,
                  "A look within a minute: few sizes and epochs, one subset, small figures");
  train
      ->add_option("--recipe", train_options.recipe,
                   "plain, or improved: distorted images (turned, scaled, sheared, shifted and bent) and 16 latents")
      ->check(CLI::IsMember({"plain", "improved"}));

  data_option(benefit, benefit_options.data);
  benefit->add_option("--samples", benefit_options.samples, "Training images of each class, separated by commas")
      ->delimiter(',')
      ->check(cli::whole_in_range(2, 100000))
      ->type_name("NUMBERS");
  cli::number(benefit, "--seeds", benefit_options.seeds, "Random subsets, each with other initial weights", 2, 1000);
  cli::number(benefit, "--steps", benefit_options.steps, "Steps of 64 images that every classifier is trained for", 1,
              1000000);
  cli::seed(benefit, benefit_options.seed, "The first of the seeds");
  cli::folder(benefit, "--out", benefit_options.out,
              "Run folder: of a study, or a new one; the results lie in OUT/benefit");
  cli::run_flags(benefit, benefit_options.resume, benefit_options.overwrite);
  cli::threads(benefit, benefit_options.threads);
  cli::config(benefit, config);

  const auto model_options = [&](CLI::App* command, std::string& model, std::string& classifier, std::string& data) {
    command->add_option("--model", model, "An autoencoder that `augment` has saved")->required()->type_name("FILE");
    command
        ->add_option("--classifier", classifier,
                     "A classifier that tells what it sees (default: the one beside the model, if there is one)")
        ->type_name("FILE");
    if (command != traverse) data_option(command, data);
  };
  cli::threads(sample, sample_options.threads);
  model_options(sample, sample_options.model, sample_options.classifier, sample_options.data);
  cli::number(sample, "--count", sample_options.count, "Images", 1, 100000);
  sample->add_option("--format", sample_options.format, "Files: a PNG each, one IDX or one NPY file")
      ->check(CLI::IsMember({"png", "idx", "npy"}));
  sample
      ->add_option("--sampling", sample_options.sampling,
                   "Latents from the prior, or from the posteriors of training images")
      ->check(CLI::IsMember({"prior", "posterior"}));
  cli::seed(sample, sample_options.seed, "Seed of the latents");
  cli::folder(sample, "--out", sample_options.out,
              "Folder for the images and manifest.csv, which has of each the latents, what the classifier sees, and "
              "the nearest "
              "training image: its PNG file, or its place among the training images, from 0")
      ->required();

  for (CLI::App* command : {traverse, interpolate}) {
    cli::threads(command, picture_options.threads);
    model_options(command, picture_options.model, picture_options.classifier, picture_options.data);
    cli::number(command, "--steps", picture_options.steps,
                command == traverse ? "Images in a row" : "Images between the two", 2, 1000);
    command->add_option("--out", picture_options.out, "The picture, a PNG file")
        ->required()
        ->type_name("FILE")
        ->check(CLI::Validator(
            [](const std::string& path) {
              return data::is_png(path) ? std::string() : "expected a name that ends in .png, got " + path;
            },
            ""));
  }
  cli::number(traverse, "--range", picture_options.range, "Standard deviations to each side", 1e-3, 1e3);
  for (const auto& [name, value, which] :
       {std::tuple{"--from", &picture_options.from, "first"}, std::tuple{"--to", &picture_options.to, "last"}}) {
    interpolate
        ->add_option(name, *value,
                     std::string("The ") + which + " image: a PNG file, or the index of a held-out image of the class")
        ->type_name("IMAGE");
  }
  cli::folder(report, "--out", given_folder, "Run folder")->required();

  return cli::main(
      app, argc, argv,
      [&] {
        if (*study) augment::study_command(study_options);
        if (*benefit) augment::benefit_command(benefit_options);
        if (*train) augment::train_command(train_options);
        if (*sample) augment::sample_command(sample_options);
        if (*traverse) augment::traverse_command(picture_options);
        if (*interpolate) augment::interpolate_command(picture_options);
        if (*report) augment::write_report(given_folder);
      },
      [&] {
        const std::string out = *benefit ? benefit_options.out
                                : *study ? study_options.out
                                         : train_options.out,
                          inner = *benefit ? out + "/benefit" : out;
        return std::string("augment ") +
               (*study     ? "study"
                : *benefit ? "benefit"
                           : "train") +
               " --resume --config '" + inner + "/config.json' --out '" + out + "'";
      });
}
