// Images for the programs: MNIST's files, the digits that come with linnet, or anyone's folder of PNG files.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "checksum.hpp"
#include "linnet/data/idx.hpp"
#include "linnet/io/png.hpp"
#include "linnet/io/safetensors.hpp"
#include "linnet/linnet.hpp"

namespace data {

using namespace linnet;

struct Images {
  ImageDataset train, held_out;
  std::string origin;                         ///< in words; a folder by its name alone, wherever it lies
  std::string checksum;                       ///< of all pixels and labels: CRC-32, in hexadecimal digits
  std::vector<std::string> train_files = {};  ///< of PNG files: that of each training image, as a path in the folder
};

/// What metrics.json says of the images.
inline nlohmann::json about(const Images& images) {
  return {{"origin", images.origin},
          {"train", images.train.size()},
          {"held_out", images.held_out.size()},
          {"crc32", images.checksum}};
}

/// What a model's file says of the program that has trained it, of the images and of their noise ("" for none).
inline std::map<std::string, std::string> provenance(const std::string& program, const Images& images,
                                                     const std::string& noise) {
  return {{"linnet_program", program}, {"data", images.origin}, {"data_crc32", images.checksum}, {"noise", noise}};
}

/// What a model was trained on, beside the images that it is measured on.
struct TrainingData {
  std::string text;     ///< for a report: "" if that were the clean training images of the same set
  std::string warning;  ///< where it was another set
};
/// Of the model in the file at `path`. The held-out images of one set may be among another's training images, as the
/// digits that come with linnet are among MNIST's.
inline TrainingData training_data_of(const std::string& path, const Images& images) {
  const auto metadata = load_safetensors(path).metadata;
  const auto text = [&](const char* name) {
    const auto found = metadata.find(name);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (text("data_crc32").empty()) return {"images that its file does not tell", ""};
  const std::string noise = text("noise").empty() ? "" : " under noise (" + text("noise") + ")";
  if (text("data_crc32") == images.checksum) return {noise.empty() ? "" : "the training images" + noise, ""};
  return {"other images (" + text("data") + ")" + noise, path + ": warning: trained on other images (" + text("data") +
                                                             "). If the held-out images of " + images.origin +
                                                             " were among them, the figures are too good.\n"};
}
inline void warn(const TrainingData& trained_on) { std::fputs(trained_on.warning.c_str(), stderr); }

/// So many images, taken evenly from all of a set (it may be sorted); all if there are fewer.
inline ImageDataset evenly(const ImageDataset& images, Index most) {
  std::vector<Index> indices;
  const Index count = std::min(most, images.size());
  for (Index i = 0; i < count; ++i) indices.push_back(i * images.size() / count);
  return images.subset(indices);
}

/// Images with values in [0, 1], as a model gives them, as bytes. Other values are held within; NaN becomes 0.
inline std::vector<std::uint8_t> bytes_of(TensorView<const float> images) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(static_cast<std::size_t>(images.size()));
  for (const float v : images) {
    bytes.push_back(static_cast<std::uint8_t>(std::min(1.0f, std::max(0.0f, v)) * 255.0f + 0.5f));
  }
  return bytes;
}

inline constexpr Index kLeastSide = 12;  // a window of SSIM has 11, and the networks take multiples of 4

/// Whether a path ends in .png, in letters of any case.
inline bool is_png(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png";
}

/// The PNG files below a folder, in the order of their names; without those of runs, should their folders lie in it.
inline std::vector<std::string> png_files(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code error, ignored;
  fs::recursive_directory_iterator entry(folder, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    const fs::path& path = entry->path();
    if (entry->is_directory(ignored)) {
      if (fs::exists(path / "config.json", ignored) && fs::exists(path / "models", ignored)) {
        entry.disable_recursion_pending();
      }
    } else if (entry->is_regular_file(ignored) && is_png(path)) {
      paths.push_back(path.string());
    }
    entry.increment(error);
  }
  if (error) throw FileError(folder + ": cannot be read: " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// "28 x 28": width and height of images {height, width, channels}.
inline std::string size_text(const Shape& image) { return std::to_string(image[1]) + " x " + std::to_string(image[0]); }

/// PNG files as grey images, all of the shape of the first, or of an `expected` one, of which `whose` says why ("the
/// model takes"). Throws FormatError for another size.
inline ImageDataset load_pngs(const std::vector<std::string>& paths, std::vector<std::uint8_t> labels = {},
                              Shape expected = {}, std::string whose = "") {
  std::vector<std::uint8_t> bytes;
  std::vector<std::string> reduced;
  for (const std::string& path : paths) {
    const PngImage image = read_png(path);
    const Shape shape = {image.height, image.width, 1};
    if (expected.rank() == 0) expected = shape, whose = path + " has";
    if (shape != expected) {
      throw FormatError(path + ": expected " + size_text(expected) + " pixels, as " + whose + ", got " +
                        size_text(shape));
    }
    bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
    if (image.reduced) reduced.push_back(path);
  }
  if (!reduced.empty()) {
    std::fprintf(
        stderr,
        "%s: warning: %zu of %zu PNG files are stored in colors, with transparency or in 16 bits: they are read "
        "as 8 bits of grey\n",
        reduced.front().c_str(), reduced.size(), paths.size());
  }
  return ImageDataset(expected, std::move(bytes), std::move(labels));
}

/// `folder` empty: the 10,000 digits that come with linnet. A folder with MNIST's files: those. Otherwise its PNG
/// files, every fifth held out; if all lie in subfolders called 0 to 9, these are their classes. Throws FileError and
/// FormatError naming the file.
inline Images load(const std::string& folder) {
  Images images;
  const auto finish = [&](std::string origin) {
    const std::string& place = folder.empty() ? origin : folder;
    for (const ImageDataset* set : {&images.train, &images.held_out}) {
      for (const std::uint8_t label : set->labels()) {
        if (label > 9) throw FormatError(place + ": expected classes 0 to 9, got " + std::to_string(int{label}));
      }
    }
    const Shape& shape = images.train.image_shape();
    if (images.train.size() == 0 || images.held_out.size() == 0) {
      throw FormatError(place + ": expected images to train and others held out, got " +
                        std::to_string(images.train.size()) + " and " + std::to_string(images.held_out.size()));
    }
    if (images.held_out.image_shape() != shape) {
      throw FormatError(place + ": expected held-out images " + shape.to_string() + ", like those to train, got " +
                        images.held_out.image_shape().to_string());
    }
    if (shape[0] < kLeastSide || shape[1] < kLeastSide) {
      throw FormatError(place + ": expected images of at least " + std::to_string(kLeastSide) + " x " +
                        std::to_string(kLeastSide) + " pixels, got " + size_text(shape));
    }
    images.origin = std::move(origin);
    images.checksum =
        checksum::of({images.train.bytes(), images.train.labels(), images.held_out.bytes(), images.held_out.labels()});
    return images;
  };
  if (folder.empty()) {
    std::tie(images.train, images.held_out) = load_idx_set(LINNET_DATA_DIR, "mnist10k").split_every(5);
    return finish("10,000 MNIST digits, every fifth of a class held out");
  }
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw FileError(folder + (std::filesystem::exists(folder, error) ? ": is a file, expected a folder with images"
                                                                     : ": there is no such folder"));
  }
  const auto is_there = [&](const char* file) {
    return std::filesystem::exists(std::filesystem::path(folder) / file, error);
  };
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  const std::string name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  const bool mnist = is_there("train-images-idx3-ubyte") || is_there("train-images-idx3-ubyte.gz");
  const std::vector<std::string> paths = mnist ? std::vector<std::string>{} : png_files(folder);
  if (!mnist && paths.empty()) {
    throw FileError(folder +
                    ": expected MNIST's four files (train-images-idx3-ubyte, ...) or PNG files, found neither");
  }
  if (mnist) {
    images.train = load_idx_set(folder, "train");
    images.held_out = load_idx_set(folder, "t10k");
    return finish(name);
  }
  std::vector<std::uint8_t> labels;
  std::string unlabelled;
  for (const std::string& path : paths) {
    const std::string parent = std::filesystem::path(path).parent_path().filename().string();
    if (parent.size() == 1 && parent[0] >= '0' && parent[0] <= '9') {
      labels.push_back(static_cast<std::uint8_t>(parent[0] - '0'));
    } else if (unlabelled.empty()) {
      unlabelled = path;
    }
  }
  if (labels.size() != paths.size()) {
    if (!labels.empty()) {
      std::fprintf(stderr,
                   "%s: warning: %zu of %zu PNG files, %s first, lie in no subfolder 0 to 9: no labels are used\n",
                   folder.c_str(), paths.size() - labels.size(), paths.size(), unlabelled.c_str());
    }
    labels.clear();
  }
  const bool labelled = !labels.empty();
  const ImageDataset all = load_pngs(paths, std::move(labels));
  const auto [train, held_out] = all.split_indices(5);
  images.train = all.subset(train);
  images.held_out = all.subset(held_out);
  for (const Index i : train) {
    images.train_files.push_back(
        std::filesystem::path(paths[static_cast<std::size_t>(i)]).lexically_relative(folder).generic_string());
  }
  if (images.held_out.size() == 0) {
    throw FileError(folder + ": expected at least 5 PNG files" + (labelled ? " of a class" : "") + ", got " +
                    std::to_string(paths.size()));
  }
  return finish(name + ": " + std::to_string(paths.size()) + " PNG files, every fifth held out");
}

}  // namespace data
