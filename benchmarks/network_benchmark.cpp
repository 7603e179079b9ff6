// Whole training steps and predictions.
#include "networks.hpp"

#include <string>

#include "support.hpp"

using namespace linnet;

namespace {

/// Times `Work`, which has run once before: the first run takes its memory.
template <class Work>
void measure(benchmark::State& state, const bench::NamedNetwork& network, Index batch, int threads) {
  set_num_threads(threads);
  Work work(network, batch);
  work.run();
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    work.run();
    benchmark::ClobberMemory();
  }
  watch.count_images(state, static_cast<double>(batch));
}

template <class Work>
void add(const bench::NamedNetwork& network, const char* what, Index batch, int threads, benchmark::TimeUnit unit) {
  const std::string title = std::string(network.name) + "/" + what + "/batch:" + std::to_string(batch) +
                            "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(title.c_str(), measure<Work>, network, batch, threads)->UseRealTime()->Unit(unit);
}

const int registered = [] {
  for (const bench::NamedNetwork& network : bench::kNetworks) {
    for (const int threads : {1, 2}) {
      add<bench::Training>(network, "train", 128, threads, benchmark::kMillisecond);
      if (threads == 1) add<bench::Prediction>(network, "predict", 1, threads, benchmark::kMicrosecond);
      add<bench::Prediction>(network, "predict", 128, threads, benchmark::kMicrosecond);
    }
  }
  return 0;
}();

}  // namespace
