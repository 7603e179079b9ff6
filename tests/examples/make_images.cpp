// make_images FOLDER: small sets for the tests of the programs, from the digits that come with linnet. FOLDER/idx has
// MNIST's four files (400 and 120 digits), FOLDER/png 60 digits in subfolders by class, FOLDER/plain 20 without.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "linnet/data/idx.hpp"
#include "linnet/io/png.hpp"

using namespace linnet;

namespace {
void write_set(const std::string& folder, const std::string& name, const ImageDataset& images) {
  write_idx(folder + "/" + name + "-images-idx3-ubyte", {images.size(), 28, 28}, images.bytes());
  write_idx(folder + "/" + name + "-labels-idx1-ubyte", {images.size()}, images.labels());
}
}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw ValueError("usage: make_images FOLDER");
    const std::string folder = argv[1];
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
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_images: %s\n", error.what());
    return 1;
  }
  return 0;
}
