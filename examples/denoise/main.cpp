// denoise: trains networks that remove noise from images, measures what they do, and reports it.
#include <cstdio>

#include "../common/cli.hpp"
#include "study.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains networks that remove noise from images, and reports what is recovered and what is lost.",
               denoise::kProgram};
  app.set_version_flag("--version", "linnet " LINNET_VERSION_STRING);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  denoise::Options options;
  std::string model, input, config, given_folder;

  CLI::App* study = app.add_subcommand(
      "study", "Train a model for each level of noise and one for all of them (blind), measure, and write one report");
  CLI::App* train = app.add_subcommand("train", "Train a model for each level of noise");
  CLI::App* eval = app.add_subcommand("eval", "Measure a saved model on held-out images");
  CLI::App* apply =
      app.add_subcommand("apply", "Denoise a PNG file, a folder of them or an IDX file with a saved model");
  CLI::App* report = app.add_subcommand("report", "Write the report of a study's run folder anew");

  for (CLI::App* command : {study, train, eval}) {
    cli::folder(
        command, "--data", options.data,
        "Folder with MNIST's four files, or with PNG files of one size, 12 x 12 pixels or more and both multiples of 4 "
        "(in subfolders 0 to 9, if they are digits); every fifth PNG is held out (default: the 10,000 digits of "
        "examples/data)");
    command
        ->add_option(
            "--noise", options.noise,
            "Levels of noise, separated by commas: the standard deviation for pixels in [0, 1], or the share of "
            "pixels that salt and pepper hit")
        ->delimiter(',')
        ->check(cli::in_range(0.01, 10.0))
        ->type_name("NUMBERS");
    command->add_option("--noise-kind", options.noise_kind, "Kind of noise")
        ->check(CLI::IsMember({"gaussian", "salt-and-pepper", "salt-pepper"}));
    cli::threads(command, options.threads);
  }
  cli::threads(apply, options.threads);
  for (CLI::App* command : {study, train}) {
    cli::folder(command, "--out", options.out,
                command == study ? "Run folder: models, figures, pictures and the report"
                                 : "Run folder: models, figures and pictures");
    command
        ->add_option("--model", options.model, "Network: the autoencoder of the original report (ML-PW-12), or a U-Net")
        ->check(CLI::IsMember({"autoencoder", "unet"}));
    cli::number(command, "--filters", options.filters, "Filters of each convolution (U-Net: of the finest level)", 4,
                1024);
    command->add_option("--output", options.output, "Last activation; relu was the original report's")
        ->check(CLI::IsMember({"sigmoid", "relu"}));
    command
        ->add_option("--epochs", options.epochs,
                     "Passes over the training images (default: 24; where that is fewer than 1,500 batches, as many as "
                     "those take, at most 240)")
        ->check(cli::whole_in_range(1, 100000))
        ->type_name("NUMBER");
    cli::number(command, "--batch", options.batch, "Images in a batch", 1, 65536);
    cli::number(command, "--lr", options.learning_rate, "Adam's (first) learning rate", 1e-9, 10.0);
    command->add_option("--schedule", options.schedule, "Learning rate: falling to 0 along a cosine, or constant")
        ->check(CLI::IsMember({"cosine", "constant"}));
    cli::seed(command, options.seed, "Seed of the initial weights, the order and the noise");
    cli::run_flags(command, options.resume, options.overwrite);
    cli::config(command, config);
  }
  train->add_flag("--blind", options.blind,
                  "One model for all levels: each image gets its own, from 0 to the largest of --noise");
  CLI::Option* const full =
      study->add_flag("--full", options.full,
                      "Every recipe and both networks in one report: models, epochs, batches and learning rates are "
                      "the recipes'. Takes up to an hour on the full MNIST");
  for (const char* of_recipe : {"--model", "--filters", "--output", "--epochs", "--batch", "--lr", "--schedule"}) {
    full->excludes(study->get_option(of_recipe));
  }
  study->add_option("--classifier", options.classifier, "The classifier that judges digits (default: one is trained)")
      ->type_name("FILE");
  eval->add_option("--classifier", options.classifier, "A classifier that judges digits")->type_name("FILE");
  for (CLI::App* command : {eval, apply}) {
    command->add_option("--model", model, "A model that `denoise` has saved")->required()->type_name("FILE");
  }
  apply->add_option("input", input, "PNG file, folder of PNG files, or IDX file")->required()->type_name("PATH");
  cli::folder(apply, "--out", given_folder, "Folder for the denoised files, which get the names of the noisy ones")
      ->required();
  cli::folder(report, "--out", given_folder, "Run folder")->required();

  return cli::main(
      app, argc, argv,
      [&] {
        if (options.noise_kind == "salt-pepper") options.noise_kind = "salt-and-pepper";
        if (*study) denoise::study_command(options);
        if (*train) denoise::train_command(options);
        if (*eval) denoise::eval_command(options, model);
        if (*apply) denoise::apply_command(options.threads, model, input, given_folder);
        if (*report) denoise::write_report(run::Folder(given_folder));
      },
      [&] {
        return std::string("denoise ") + (*study ? "study" : "train") + " --resume --config '" + options.out +
               "/config.json' --out '" + options.out + "'";
      });
}
