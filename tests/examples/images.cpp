// For the tests of the programs.
//
// images make FOLDER: small sets, from the digits that come with linnet. FOLDER/idx has MNIST's four files (400 and 120
// digits), FOLDER/png 60 digits in subfolders by class, FOLDER/plain 20 without.
//
// images check MODEL NOISY DENOISED: whether the file (IDX or PNG) has what the model makes of another, to the nearest
// of 256 greys.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "linnet/data/idx.hpp"
#include "linnet/io/model.hpp"
#include "linnet/io/png.hpp"

using namespace linnet;

namespace {
void write_set(const std::string& folder, const std::string& name, const ImageDataset& images) {
  write_idx(folder + "/" + name + "-images-idx3-ubyte", {images.size(), 28, 28}, images.bytes());
  write_idx(folder + "/" + name + "-labels-idx1-ubyte", {images.size()}, images.labels());
}

ImageDataset read_images(const std::string& path) {
  if (path.ends_with(".png")) {
    const PngImage png = read_png(path);
    return ImageDataset({png.height, png.width, 1}, png.pixels, {});
  }
  const IdxFile idx = read_idx(path);
  return ImageDataset({idx.shape[1], idx.shape[2], 1}, idx.bytes, {});
}

void check(const std::string& model, const std::string& noisy, const std::string& denoised) {
  const ImageDataset from = read_images(noisy), to = read_images(denoised);
  const Tensor<float> y = load_model(model).predict(from.images().view());
  if (to.size() != from.size() || to.image_shape() != from.image_shape()) {
    throw ShapeError(denoised + ": expected " + std::to_string(from.size()) + " images " +
                     from.image_shape().to_string() + ", got " + std::to_string(to.size()) + " " +
                     to.image_shape().to_string());
  }
  for (Index i = 0; i < y.size(); ++i) {
    const double expected = 255.0 * std::clamp(double{y[i]}, 0.0, 1.0);
    const int got = to.bytes()[static_cast<std::size_t>(i)];
    if (std::abs(expected - got) > 0.5001) {
      throw ValueError(denoised + ": expected a pixel of " + std::to_string(expected) + ", got " + std::to_string(got));
    }
  }
}

void make(const std::string& folder) {
  const ImageDataset all = load_idx_set(LINNET_DATA_DIR, "mnist10k").shuffled(RandomKey{1});
  std::filesystem::create_directories(folder + "/idx");
  write_set(folder + "/idx", "train", all.first(400));
  std::vector<Index> behind;
  for (Index i = 400; i < 520; ++i) behind.push_back(i);
  write_set(folder + "/idx", "t10k", all.subset(behind));
  for (Index i = 0; i < 80; ++i) {
    const std::string in = i < 60 ? folder + "/png/" + std::to_string(all.label(i)) : folder + "/plain";
    std::filesystem::create_directories(in);
    const auto bytes = all.image(i);
    write_png(in + "/" + std::to_string(1000 + i) + ".png", {28, 28, 1, {bytes.begin(), bytes.end()}});
  }
}
}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "make" && argc == 3) {
      make(argv[2]);
    } else if (command == "check" && argc == 5) {
      check(argv[2], argv[3], argv[4]);
    } else {
      throw ValueError("usage: images make FOLDER, or images check MODEL NOISY DENOISED");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "images: %s\n", error.what());
    return 1;
  }
  return 0;
}
