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
  const denoise::Digits digits = denoise::load_digits(options);
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) throw linnet::FileError(options.out + ": the folder cannot be made: " + error.message());
  linnet::Model<float> model = denoise::build_model(options.seed);
  std::printf("%s\n%td digits to train, %td held out: %s\n\n", model.summary().c_str(), digits.train.size(),
              digits.held_out.size(), digits.origin.c_str());
  const denoise::Figures figures = denoise::train(model, digits, options);
  denoise::write_report(model, digits, options, figures);
  std::printf("\nheld-out loss %.4f (a perfect copy: %.4f), PSNR %.1f dB -> %.1f dB\n", figures.held_out_loss.back(),
              figures.floor, denoise::psnr(figures.mse_noisy), denoise::psnr(figures.mse_denoised));
  std::printf("report: %s\n", std::filesystem::absolute(options.out + "/report.html").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a convolutional autoencoder that removes noise from digits.", "denoise"};
  app.set_version_flag("--version", "linnet " LINNET_VERSION_STRING);
  app.require_subcommand(0, 1);
  app.option_defaults()->always_capture_default();
  denoise::Options options;
  CLI::App* command = app.add_subcommand("demo", "Train on the digits that come with linnet and write a report");
  const auto number = [&](const char* name, auto& value, const char* description, auto least, auto most) {
    command->add_option(name, value, description)->check(CLI::Range(least, most))->type_name("NUMBER");
  };
  command
      ->add_option("--out", options.out, "Folder for the report, the model and the history; files in it are replaced")
      ->type_name("FOLDER")
      ->check(CLI::Validator([](const std::string& path) { return path.empty() ? "expected a folder" : ""; }, ""));
  command
      ->add_option("--data", options.data,
                   "Folder with MNIST's four files (default: the 10,000 digits of examples/data)")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory);
  number("--noise", options.noise, "Standard deviation of the noise, for pixels in [0, 1]", 0.01, 10.0);
  number("--epochs", options.epochs, "Passes over the training digits", 1, 100000);
  number("--batch", options.batch, "Digits in a batch", 1, 65536);
  number("--lr", options.learning_rate, "Adam's first learning rate; it falls to 0 along a cosine", 1e-9, 10.0);
  number("--threads", options.threads, "Threads; 0 means all cores", 0, 4096);
  command->add_option("--seed", options.seed, "Seed of the initial weights, the order and the noise")
      ->type_name("NUMBER");
  if (argc == 1) {
    std::printf("%s", app.help("", CLI::AppFormatMode::All).c_str());
    return 0;
  }
  try {
    app.parse(argc, argv);
    if (!*command) throw CLI::RequiredError("A subcommand");
    demo(options);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "denoise: %s (denoise demo --help lists the options)\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "denoise: %s\n", error.what());
    return 1;
  }
  return 0;
}
