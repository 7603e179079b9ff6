// What the benchmarks share: the machine's peak, measured in the same run, and a count of the memory taken.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>

#include "uniform_tensor.hpp"

namespace linnet::bench {

/// The most floating-point operations a second (a fused multiply-add counts as two) that `threads` threads together
/// reach with the instruction set in use; measured at the first call.
double fma_peak(int threads);

/// The bytes that this program has allocated with operator new so far.
std::size_t bytes_allocated();

/// Watches a benchmark from its making on: for the counters that Google Benchmark cannot compute by itself.
class Watch {
 public:
  /// Sets the counters of a benchmark of `flop` operations an iteration on `threads` threads: FLOP/s, the share of the
  /// peak, and the bytes allocated in an iteration.
  void count_flop(benchmark::State& state, double flop, int threads) const;
  /// The same for one of `batch` images an iteration: images a second, and the bytes.
  void count_images(benchmark::State& state, double batch) const;
  /// The same for one that goes through `elements` numbers an iteration: numbers a second, and the bytes.
  void count_elements(benchmark::State& state, double elements) const;

 private:
  /// Sets the counter of bytes and returns the seconds passed.
  double finish(benchmark::State& state) const;

  std::size_t bytes_before_ = bytes_allocated();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace linnet::bench
