// The most memory that training takes: peak_memory FOLDER trains the denoiser of the original report (ML-PW-12) for an
// epoch on the images of a folder with the MNIST database, and prints what the process held at its peak beside the size
// of the data set: while the files are read, and while it trains. Linux (VmHWM).
#include <cstdio>
#include <fstream>
#include <string>

#include "linnet/data/idx.hpp"
#include "linnet/linnet.hpp"
#include "model/networks.hpp"

using namespace linnet;

namespace {

double peak_mebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024;
  }
  return 0;
}

/// From here on the peak is that of what follows.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: peak_memory FOLDER\n", stderr);
    return 2;
  }
  try {
    const ImageDataset digits = load_idx_set(argv[1], "train");
    const double data = static_cast<double>(digits.bytes().size() + digits.labels().size()) / (1024 * 1024);
    const double loading = peak_mebibytes();
    forget_peak();
    Model<float> model = test::denoiser();
    Trainer trainer(model, BinaryCrossentropy{}, Adam{});
    trainer.fit(DenoisingSource(digits, Corruption{.amount = 0.5}), {.epochs = 1, .batch_size = 128});
    const double training = peak_mebibytes();
    std::printf("%td digits of %.1f MiB; at most %.1f MiB more while they are read, %.1f MiB while it trains\n",
                digits.size(), data, loading - data, training - data);
  } catch (const Error& error) {
    std::fprintf(stderr, "peak_memory: %s\n", error.what());
    return 1;
  }
}
