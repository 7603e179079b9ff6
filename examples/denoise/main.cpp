// denoise: trains a convolutional autoencoder that removes noise from digits, and reports what it does.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "run.hpp"

namespace {

void demo(const denoise::Options& options) {
  linnet::set_num_threads(options.threads);
  linnet::Corruption{.amount = options.noise}.validate();
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) throw linnet::FileError(options.out + ": the folder cannot be made: " + error.message());
  const denoise::Digits digits = denoise::load_digits(options);
  linnet::Model<float> model = denoise::build_model(options.seed);
  std::printf("%s\n%td digits to train, %td held out (%s)\n\n", model.summary().c_str(), digits.train.size(),
              digits.held_out.size(), digits.origin.c_str());
  const denoise::Figures figures = denoise::train(model, digits, options);
  denoise::write_report(model, digits, options, figures);
  std::printf("\nheld-out loss %.4f (a perfect copy: %.4f), PSNR %.1f dB -> %.1f dB\n", figures.held_out_loss.back(),
              figures.floor, denoise::psnr(figures.mse_noisy), denoise::psnr(figures.mse_denoised));
  std::printf("report: %s\n", std::filesystem::absolute(options.out + "/report.html").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a convolutional autoencoder that removes noise from digits."};
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  denoise::Options options;
  CLI::App* command = app.add_subcommand("demo", "Train on the digits that come with linnet and write a report");
  command->add_option("--out", options.out, "Folder for the report, the model and the history; files in it are replaced");
  command->add_option("--data", options.data, "Folder with MNIST's four files (default: the 10,000 digits of examples/data)");
  command->add_option("--noise", options.noise, "Standard deviation of the noise, for pixels in [0, 1]")->check(CLI::Range(0.0, 10.0));
  command->add_option("--epochs", options.epochs, "Passes over the training digits")->check(CLI::Range(1, 100000));
  command->add_option("--batch", options.batch, "Digits in a batch")->check(CLI::Range(1, 65536));
  command->add_option("--lr", options.learning_rate, "Adam's first learning rate; it falls to 0 along a cosine")
      ->check(CLI::Range(0.0, 10.0));
  command->add_option("--seed", options.seed, "Seed of the initial weights, the order and the noise");
  command->add_option("--threads", options.threads, "Threads; 0 means all cores")->check(CLI::Range(0, 4096));
  try {
    app.parse(argc, argv);
    demo(options);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "denoise: %s (denoise demo --help lists the options)\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "denoise: %s\n", error.what());
    return 1;
  }
  return 0;
}
