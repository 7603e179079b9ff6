// The denoising study: what is trained, what is measured, and what the report is made of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../common/data.hpp"
#include "../common/run.hpp"
#include "linnet/linnet.hpp"

namespace denoise {

using namespace linnet;

/// The options of the command line. Their defaults are those of a study of the network of the original report
/// (ML-PW-12).
struct Options {
  std::string data;  ///< empty: the 10,000 digits that come with linnet
  std::string out = "denoise-run";
  std::vector<double> noise = {0.5, 0.7, 0.9};
  std::string noise_kind = "gaussian";
  std::string model = "autoencoder";  ///< or "unet"
  std::string output = "sigmoid";     ///< or "relu"
  Index filters = 16;
  Index epochs = 24;
  Index batch = 128;
  double learning_rate = 3e-3;
  std::string schedule = "cosine";  ///< or "constant"
  bool blind = false;
  bool full = false;
  std::string classifier;  ///< a file; empty: one is trained
  std::uint64_t seed = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
};

/// The options as config.json has them: the keys are those of the command line.
nlohmann::json config_of(const Options& options, bool study);

/// What is trained alike at every level of noise.
struct Recipe {
  std::string name;   ///< of files: "autoencoder", "unet", ...
  std::string title;  ///< for people
  std::string model, output;
  Index filters, epochs, batch;
  double learning_rate;
  std::string schedule;
};

/// "autoencoder": the network of the original report, with 16 filters 7,265 parameters. "unet": two levels of 16, 32 and
/// 52 channels with the usual connections across, 98,649 parameters. Throws ShapeError for an image whose height or
/// width is no multiple of 4.
Model<float> build_model(const Shape& image, const Recipe& recipe, std::uint64_t seed);

/// The noise of the held-out images is the same in every epoch and run, and none that training sees.
inline constexpr std::uint64_t kHeldOutNoise = 0x6865'6C64;

/// All images of a set, clean and corrupted.
struct Pairs {
  Tensor<float> noisy, clean;
};
Pairs pairs_of(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed);

Corruption corruption_of(const Options& options, double amount, bool blind = false);

/// How close images are to the clean ones: "bce" (mean binary cross-entropy a pixel), "mse", "psnr" (in decibels) and
/// "ssim" (the mean over images).
nlohmann::json closeness(const Tensor<float>& y, const Tensor<float>& clean);

/// A verdict of the classifier with this probability or more is a confident one.
inline constexpr double kConfident = 0.9;

/// "0.5": a level of noise as names of files and reports have it.
inline std::string level_text(double noise) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", noise);
  return text;
}

/// Trains a model for each level (or one that is blind to it) and saves it in OUT/models.
void train_command(const Options& options);
/// The whole study and its report.
void study_command(const Options& options);
/// Figures of one saved model on held-out images.
void eval_command(const Options& options, const std::string& model);
/// Denoises PNG files, a folder of them or an IDX file with a saved model.
void apply_command(const std::string& model, const std::string& input, const std::string& out);
/// Writes report.html of a run folder anew.
void write_report(const run::Folder& folder);

}  // namespace denoise
