// What a run of the denoiser consists of: its options, its figures, and the training itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/linnet.hpp"

namespace denoise {

struct Options {
  std::string data;  ///< a folder with MNIST's files; empty: the 10,000 digits that come with linnet
  std::string out = "demo";
  double noise = 0.5;
  linnet::Index epochs = 40;
  linnet::Index batch = 128;
  double learning_rate = 3e-3;
  std::uint64_t seed = 0;
  int threads = 0;
};

/// Training and held-out digits.
struct Digits {
  linnet::ImageDataset train, held_out;
  std::string origin;
};

struct Figures {
  std::vector<double> loss, held_out_loss;  ///< binary cross-entropy a pixel, by epoch
  double seconds = 0;                       ///< of training, the evaluations included
  double images_per_second = 0;             ///< of training alone
  double mse_noisy = 0, mse_denoised = 0;   ///< of the held-out digits, pixels in [0, 1]
  double floor = 0;                         ///< the cross-entropy of a perfect copy of the held-out digits
};

/// 10 log10(1 / MSE), in decibels.
double psnr(double mse);

/// Throws linnet::FileError when the digits cannot be read.
Digits load_digits(const Options& options);

/// The network of the original report (ML-PW-12): 7,265 parameters.
linnet::Model<float> build_model(std::uint64_t seed);

/// Trains `model`, with its history in a CSV file in the folder `options.out`.
Figures train(linnet::Model<float>& model, const Digits& digits, const Options& options);

/// One held-out digit of each class: rows clean, noisy, denoised.
linnet::Tensor<float> before_and_after(const linnet::Model<float>& model, const Digits& digits, const Options& options);

/// Writes before_after.png, metrics.json, model.safetensors and report.html into the folder `options.out`.
void write_report(const linnet::Model<float>& model, const Digits& digits, const Options& options,
                  const Figures& figures);

}  // namespace denoise
