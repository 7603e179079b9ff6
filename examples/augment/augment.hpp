// The augmentation study: what is trained, what is measured, and what the report is made of.
#pragma once

#include <cstdint>
#include <deque>
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
#include "vae.hpp"

namespace augment {

using data::evenly;
using nlohmann::json;

inline constexpr Index kAll = 0;                   ///< as a number of images: all there are
inline constexpr int kAllDigits = -1;              ///< as a class: all of them
inline constexpr Index kLargestWithSubsets = 100;  ///< sizes up to this are studied with several random subsets

inline constexpr Index kEpochs = 24;
/// Sets with fewer training images than this, such as the digits that come with linnet, are for a first look: fewer
/// epochs and subsets do.
inline constexpr Index kFewImages = 20'000;

/// The options of the command line.
struct Options {
  std::string data;  ///< empty: the 10,000 digits that come with linnet
  std::string out = "augment-run";
  std::vector<std::string> digit = {"2", "3", "8"};
  std::vector<std::string> samples;    ///< of each class; empty: those of 10, 100, 1000 and all that there are
  std::optional<Index> subsets;        ///< none: 3, with few images 2
  std::string recipe = "plain";        ///< or "improved"
  std::optional<std::string> network;  ///< "small" or "large"; none: large for all digits at once
  std::optional<Index> latent;         ///< none: the recipe's
  double beta = 1;
  std::optional<Index> epochs;          ///< none: 24, with few images 8
  std::optional<Index> batch;           ///< none: 32, for all digits at once 128
  std::optional<double> learning_rate;  ///< none: 3e-3, for all digits at once 1.5e-3
  bool quick = false;
  std::string classifier;  ///< a file; empty: one is trained
  std::uint64_t seed = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
};

// ---- What is trained: training.cpp ----

/// How a variational autoencoder is trained.
struct Recipe {
  std::string name;  ///< "plain", "improved"
  std::string network;
  Index latent;
  double beta;
  Index epochs, batch;
  double learning_rate;  ///< Adam's, falling to 0 along a cosine
  bool distorted;        ///< the images, anew in every epoch
};
/// "plain" or "improved", with the options' latents, if any, beta, epochs, batch and learning rate.
Recipe recipe_of(const Options& options, const std::string& name);

/// The distortion of training images: with few, stronger ones pay.
Distortion distortion_for(Index images);

/// A whole number of at least `least`. Throws ValueError that names the option.
Index whole_number(const std::string& option, const std::string& text, Index least);
/// "2", "all": a class by its name on the command line.
std::string digit_text(int digit);
/// A class by its name on the command line, and a number of images. Throw ValueError.
int digit_of(const std::string& text);
Index samples_of(const std::string& text);

/// `samples` images of a class, drawn at random for subset number `subset`; all of them where samples is kAll. Throws
/// ValueError for a class without images, and for more than there are.
std::vector<Index> training_indices(const ImageDataset& train, int digit, Index samples, Index subset);
ImageDataset training_subset(const ImageDataset& train, int digit, Index samples, Index subset);
/// The held-out images of a class. Throws ValueError where there are none.
ImageDataset held_out_of(const ImageDataset& held_out, int digit);

/// A model of a run.
struct Trained {
  std::string name;
  const Recipe* recipe = nullptr;
  int digit = 0;
  bool all = false;  ///< `train` is all that there is of the class
  Index subset = 0;
  ImageDataset train;
  const ImageDataset* held_out = nullptr;
  Model<float> model;
  std::optional<run::Job> job = {};
  run::History history = {};
};
/// Adds a model, untrained, to those of a run; the deque keeps it where it is. Returns the work of its training.
double add_training(std::deque<Trained>& all, const Recipe& recipe, int digit, Index samples, Index subset,
                    const ImageDataset& held_out, const Options& options, const data::Images& images);

/// The source of a training's epochs: the images, distorted if the recipe says so; at least 100 batches.
RepeatedSource<AutoencodingSource> source_of(const ImageDataset& images, const Recipe& recipe, std::uint64_t seed);

/// Images drawn at random from a set, each with a distortion of its own; the key decides.
Tensor<float> drawn_images(const ImageDataset& images, const Distortion& distortion, Index count, const RandomKey& key);

// ---- What is measured: measuring.cpp ----

/// Keys of random numbers that are the same in every run: of the bound, and, for each subset, of samples (their
/// steps are what they are for).
inline constexpr RandomKey kElboKey{0x656C'626F, 0};
inline RandomKey sample_key(Index subset) { return {0x7361'6D70, static_cast<std::uint32_t>(subset)}; }

/// The classifier, whole and without its last layer.
struct Judge {
  Model<float> model, features;
  explicit Judge(const Model<float>& classifier)
      : model(classifier), features(part_of(classifier, 0, static_cast<int>(classifier.nodes().size()) - 1)) {}
};

/// What a trained model is worth: figures, and (for one model of each kind) pictures.
json measure(const run::Folder& folder, const Trained& trained, const Judge& judge, bool pictures, bool quick);
/// What real images of a class score, and noise: what samples are compared with.
json measure_real(const ImageDataset& held_out, int digit, const Judge& judge, bool quick);

/// The radius that holds 95% of the standard normal distribution of so many dimensions.
double prior_radius(Index dimensions);

/// Numbers of images in order, without those that are there twice. Throws ValueError for what is no number.
std::vector<std::string> in_order(std::vector<std::string> samples);

// ---- The commands: study.cpp, benefit.cpp, files.cpp, report.cpp ----

/// The folder's study and, if there is one, its experiment of benefit, as report.html.
void write_report(const std::string& folder);
/// Throws FileError for a folder of something else than a study.
void require_place_for_report(const std::string& folder);
void study_command(const Options& options);
/// Trains classifiers with and without synthetic digits, in OUT/benefit.
struct BenefitOptions {
  std::string data;
  std::string out = "augment-run";
  std::vector<Index> samples = {10, 100};
  Index seeds = 10;
  Index steps = 400;
  std::uint64_t seed = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
};
void benefit_command(const BenefitOptions& options);
void train_command(const Options& options);

struct SampleOptions {
  std::string model, classifier, data, out, format = "png", sampling = "prior";
  Index count = 100;
  std::uint64_t seed = 0;
  int threads = 0;
};
void sample_command(const SampleOptions& options);

struct PictureOptions {
  std::string model, classifier, data, out, from = "0", to = "1";
  double range = 4;
  Index steps = 17;
  int threads = 0;
};
/// A picture of the images along each latent dimension; with a classifier, its verdicts are told.
void traverse_command(const PictureOptions& options);
/// A picture of two real images, and of those between them.
void interpolate_command(const PictureOptions& options);

/// The name of this program's runs in config.json.
inline constexpr const char* kProgram = "augment";

}  // namespace augment
