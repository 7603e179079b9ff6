// The denoising study: what is trained, what is measured, and what the report is made of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../common/classifier.hpp"
#include "../common/data.hpp"
#include "../common/figures.hpp"
#include "../common/run.hpp"
#include "linnet/linnet.hpp"

namespace denoise {

using namespace linnet;

inline constexpr const char* kProgram = "denoise";  ///< the name of this program's runs and models

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
  std::optional<Index> epochs;  ///< none: 24, more with few images
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

// ---- What is trained: networks.cpp, training.cpp ----

/// Throws ValueError for levels of noise that cannot be, or that are there twice.
void validate(const Options& options);
/// Throws ValueError for a classifier that is to judge images without labels.
void validate(const Options& options, const data::Images& images);
/// How many epochs such a training has where none are given: 24, or with few images more, for as many steps as the
/// digits that come with linnet take; at most ten times as many.
Index default_epochs(Index images, Index batch);

/// What is trained alike at several levels of noise.
struct Recipe {
  std::string name;   ///< of files: "autoencoder", "unet", ...
  std::string title;  ///< for people
  std::string model, output;
  Index filters, epochs, batch;
  double learning_rate;
  std::string schedule;
  std::vector<double> noise;  ///< the levels
};
/// The recipe that the options ask for.
Recipe recipe_of(const Options& options);
/// Those of a study: the first is the one that the report is about, the last is there for its last activation alone,
/// the twin of another one; without --full it is trained at the least level only.
std::deque<Recipe> recipes_of(const Options& options);

/// "autoencoder": the network of the original report, with 16 filters 7,265 parameters. "unet": two levels of 16, 32
/// and 52 channels with the usual connections across, 98,649 parameters. Throws ShapeError for an image whose height or
/// width is no multiple of 4.
Model<float> build_model(const Shape& image, const Recipe& recipe, std::uint64_t seed);

/// A model of a run.
struct Trained {
  std::string name;
  const Recipe* recipe = nullptr;
  double noise = 0;
  bool blind = false;
  Model<float> model;
  std::optional<run::Job> job = {};
  run::History history = {};
  int dead_seeds = 0;  ///< that gave a dead network before this one
};

/// Adds a model, untrained, to those of a run; the deque keeps it where it is. Returns the work of its training.
double add_training(std::deque<Trained>& all, const Recipe& recipe, double noise, bool blind, const Options& options,
                    const data::Images& images);
/// Trains a denoiser; one that is found dead begins again with the next seed.
void train_denoiser(const run::Folder& folder, Trained& trained, const Options& options, const data::Images& images,
                    const std::shared_ptr<run::Progress>& progress);

// ---- What is measured: measuring.cpp ----

/// The noise of the held-out images is the same in every epoch and run, and none that training sees.
inline constexpr std::uint64_t kHeldOutNoise = 0x6865'6C64;

/// All images of a set, clean and corrupted.
struct Pairs {
  Tensor<float> noisy, clean;
};
Pairs pairs_of(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed);

Corruption corruption_of(const Options& options, double amount, bool blind = false);

/// How close images are to the clean ones: "bce" (mean binary cross-entropy a pixel), "mse", "psnr" (in decibels; null
/// where nothing differs) and "ssim" (the mean over images).
nlohmann::json closeness(const Tensor<float>& y, const Tensor<float>& clean);

/// How a classifier takes images: "recognized", "confident_wrong" and "confusion".
nlohmann::json recognition(const classifier::Verdicts& verdicts, const ImageDataset& truth);

/// The clean held-out images that the pictures show, one of each class or the first ten. `judge` may be null here and
/// below: then nothing is recognized.
nlohmann::json clean_strip(const run::Folder& folder, const ImageDataset& images, const Model<float>* judge);

/// The held-out images as a trained denoiser gets them: figures and a picture.
nlohmann::json measure_noisy(const run::Folder& folder, const Trained& trained, const Options& options,
                             const ImageDataset& images, const Model<float>* judge);
/// What it does to them: figures, pictures, failures; with a classifier of digits of that noise, how many only it or
/// only the judge of denoised ones recognizes.
nlohmann::json measure(const run::Folder& folder, const Trained& trained, const Options& options,
                       const ImageDataset& images, const Model<float>* judge,
                       const Model<float>* noisy_judge = nullptr);
/// What a level of noise is without a denoiser: the noisy images themselves, under simple filters, and before a
/// classifier of noisy digits.
nlohmann::json measure_level(const run::Folder& folder, const Options& options, double noise,
                             const data::Images& images, const Model<float>* judge, const Model<float>* noisy_judge);
/// Every model at levels that it was not trained on. `measuring` is told of each level.
nlohmann::json sweep_of(const std::deque<Trained>& models, const Options& options, const ImageDataset& images,
                        const Model<float>* judge, const std::function<void(double noise)>& measuring);
/// The levels of a sweep.
std::vector<double> sweep_levels(const Options& options);

/// The mean training image's cross-entropy with the held-out ones: what a network reaches that looks at nothing.
double mean_image_bce(const ImageDataset& train, const Tensor<float>& held_out);

/// Trainings of fewer steps learn little: the programs and the report say so.
inline constexpr Index kFewSteps = 200;

/// A verdict of the classifier with this probability or more is a confident one.
inline constexpr double kConfident = 0.9;

/// "0.5": a level of noise as names of files and reports have it.
inline std::string level_text(double noise) { return report::compact(noise); }
/// "gaussian 0.5", "gaussian up to 0.9": the noise that a model was trained on, as its file tells.
inline std::string noise_text(const Options& options, double noise, bool blind) {
  return options.noise_kind + (blind ? " up to " : " ") + level_text(noise);
}

// ---- The commands: study.cpp, files.cpp, report.cpp ----

/// Trains a model for each level (or one that is blind to it) and saves it in OUT/models.
void train_command(const Options& options);
/// The whole study and its report.
void study_command(const Options& options);
/// Figures of one saved model on held-out images.
void eval_command(const Options& options, const std::string& model);
/// Denoises PNG files, a folder of them or an IDX file with a saved model.
void apply_command(int threads, const std::string& model, const std::string& input, const std::string& out);
/// Writes report.html of a run folder anew.
void write_report(const run::Folder& folder);

}  // namespace denoise
