// A saved model and images of one's own: figures, and denoised files.
#include <cstdio>
#include <filesystem>

#include "../common/classifier.hpp"
#include "linnet/evaluation/image_quality.hpp"
#include "study.hpp"

namespace denoise {

namespace {

/// A model whose output is an image like its input; not one that another program of linnet's has saved.
Model<float> load_denoiser(const std::string& path) {
  const Model<float> model = load_model(path);
  const auto about = load_safetensors(path).metadata;
  const auto program = about.find("linnet_program");
  if (program != about.end() && program->second != kProgram) {
    throw FormatError(path + ": expected a model of denoise, got one of " + program->second);
  }
  const Shape& shape = model.input_shape();
  if (shape.rank() != 3 || shape[2] != 1 || model.output_shape() != shape) {
    throw ShapeError(path + ": expected a model of grey images to images of the same size, got one of " +
                     shape.to_string() + " to " + model.output_shape().to_string());
  }
  return model;
}

}  // namespace

void eval_command(const Options& options, const std::string& path) {
  set_num_threads(options.threads);
  validate(options);
  const Model<float> model = load_denoiser(path);
  const data::Images images = data::load(options.data);
  const bool judged = !options.classifier.empty();
  validate(options, images);
  if (model.input_shape() != images.held_out.image_shape()) {
    throw ShapeError(path + ": expected a model of images of " + data::size_text(images.held_out.image_shape()) +
                     " pixels, got one of " + data::size_text(model.input_shape()));
  }
  const Model<float> judge = judged ? load_model(options.classifier) : model;
  if (judged) classifier::require(judge, options.classifier, images.held_out);
  data::warn(data::training_data_of(path, images));
  if (judged) data::warn(data::training_data_of(options.classifier, images));
  std::printf("%-6s %-9s %8s %8s %8s %8s %8s%s\n", "noise", "images", "BCE", "excess", "MSE", "PSNR", "SSIM",
              judged ? "  recognized" : "");
  for (const double noise : options.noise) {
    const Pairs pairs = pairs_of(images.held_out, corruption_of(options, noise), kHeldOutNoise);
    const auto tell = [&](const char* name, const Tensor<float>& y) {
      const nlohmann::json f = closeness(y, pairs.clean);
      const double bce = f["bce"];
      std::printf("%-6g %-9s %8.4f %8.4f %8.4f %8.2f %8.3f", noise, name, bce, bce - binary_entropy(pairs.clean),
                  f["mse"].get<double>(), figures::number_of(f["psnr"]), f["ssim"].get<double>());
      if (judged) {
        const ConfusionMatrix matrix = classifier::confusion(classifier::judge(judge, y.view()), images.held_out);
        const Interval interval = wilson_interval(matrix.correct(), matrix.total());
        std::printf("  %.2f%% (%.2f to %.2f)", 100 * matrix.accuracy(), 100 * interval.low, 100 * interval.high);
      }
      std::printf("\n");
    };
    tell("noisy", pairs.noisy);
    tell("denoised", model.predict(pairs.noisy.view()));
  }
}

void apply_command(int threads, const std::string& path, const std::string& input, const std::string& out) {
  namespace fs = std::filesystem;
  set_num_threads(threads);
  const Model<float> model = load_denoiser(path);
  std::error_code error;
  if (!fs::exists(input, error)) throw FileError(input + ": there is no such file or folder");
  const bool folder = fs::is_directory(input, error), png = folder || data::is_png(input);
  std::vector<std::string> paths;
  if (png) paths = folder ? data::png_files(input) : std::vector<std::string>{input};
  if (folder && paths.empty()) throw FileError(input + ": there are no PNG files in it");
  ImageDataset images;
  if (png) {
    images = data::load_pngs(paths, {}, model.input_shape(), "the model takes");
  } else {
    IdxFile file = read_idx(input);
    if (file.shape.rank() != 3) throw FormatError(input + ": expected images (3 axes), got " + file.shape.to_string());
    images = ImageDataset({file.shape[1], file.shape[2], 1}, std::move(file.bytes), {});
  }
  if (images.image_shape() != model.input_shape()) {
    throw ShapeError(input + ": expected images of " + data::size_text(model.input_shape()) +
                     " pixels, as the model takes, got " + data::size_text(images.image_shape()));
  }
  // Every name is known before the first file is written, and none may be there.
  std::vector<std::string> names;
  for (const std::string& p : paths) {
    names.push_back(
        (fs::path(out) / (folder ? fs::path(p).lexically_relative(input) : fs::path(p).filename())).string());
  }
  if (!png) {
    const fs::path name = fs::path(input).filename();
    names.push_back((fs::path(out) / (name.extension() == ".gz" ? name.stem() : name)).string());
  }
  for (const std::string& name : names) {
    if (fs::exists(name, error)) throw FileError(name + ": is there already");
  }
  const Tensor<float> y = model.predict(images.images().view());
  const std::vector<std::uint8_t> bytes = data::bytes_of(y.view());
  const Shape& shape = images.image_shape();
  for (std::size_t i = 0; i < names.size(); ++i) {
    fs::create_directories(fs::path(names[i]).parent_path(), error);
    if (error) throw FileError(names[i] + ": its folder cannot be made: " + error.message());
    if (!png) {
      write_idx(names[i], {images.size(), shape[0], shape[1]}, bytes);
      continue;
    }
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<Index>(i) * shape.size());
    write_png(names[i], {shape[1], shape[0], 1, std::vector<std::uint8_t>(first, first + shape.size())});
  }
  std::printf("%td %s denoised: %s\n", images.size(), images.size() == 1 ? "image" : "images", out.c_str());
}

}  // namespace denoise
