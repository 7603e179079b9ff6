// Whole training steps and predictions.
#include "networks.hpp"

#include <string>

#include "support.hpp"

using namespace linnet;

namespace {

/// Times `Work`, which has run once before: the first run takes its memory.
template <class Work>
void measure(benchmark::State& state, std::string_view name, Index batch, int threads) {
  set_num_threads(threads);
  Work work(name, batch);
  work.run();
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    work.run();
    benchmark::ClobberMemory();
  }
  watch.count_images(state, static_cast<double>(batch));
}

template <class Work>
void add(std::string_view name, const char* what, Index batch, int threads, benchmark::TimeUnit unit) {
  const std::string title =
      std::string(name) + "/" + what + "/batch:" + std::to_string(batch) + "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(title.c_str(), measure<Work>, name, batch, threads)->UseRealTime()->Unit(unit);
}

const int registered = [] {
  for (const std::string_view name : bench::kNetworks) {
    for (const int threads : {1, 2}) {
      add<bench::Training>(name, "train", 128, threads, benchmark::kMillisecond);
      if (threads == 1) add<bench::Prediction>(name, "predict", 1, threads, benchmark::kMicrosecond);
      add<bench::Prediction>(name, "predict", 128, threads, benchmark::kMicrosecond);
    }
  }
  return 0;
}();

}  // namespace
