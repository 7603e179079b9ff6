#include "support.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/random.hpp"

#define LINNET_KERNEL_FILE "fma_peak.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

namespace {
std::atomic<std::size_t> allocated{0};

void* allocate(std::size_t size, std::size_t alignment) {
  allocated += size;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace linnet::bench {

namespace {
// Beside the results, so that those of two instruction sets are not compared.
[[maybe_unused]] const bool told = [] {
  try {
    benchmark::AddCustomContext("instruction_set", to_string(isa()));
  } catch (const Error& error) {  // LINNET_ISA
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(2);
  }
  return true;
}();
}  // namespace

double fma_peak(int threads) {
  static std::map<std::pair<int, Isa>, double> measured;
  double& best = measured[{threads, isa()}];
  if (best > 0) return best;
  // Where others use the machine, its cores are seldom free at the same time: then one by one.
  if (threads > 1) best = threads * fma_peak(1);
  constexpr Index kRounds = 200'000;
  constexpr int kRepetitions = 50;  // the best of several: others may be using the machine
  set_num_threads(threads);
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    std::vector<double> done(static_cast<std::size_t>(threads), 0.0);
    const auto start = std::chrono::steady_clock::now();
    parallel_for(threads, [&](Index piece, int) {
      float numbers[2] = {1e-6f, 1e-6f};
      done[static_cast<std::size_t>(piece)] = LINNET_DISPATCH(multiply_and_add, (kRounds, numbers));
      benchmark::DoNotOptimize(numbers[0]);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double flop = 0;
    for (const double d : done) flop += d;
    best = std::max(best, flop / seconds);
  }
  return best;
}

std::size_t bytes_allocated() { return allocated; }

double Watch::finish(benchmark::State& state) const {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const std::size_t bytes = bytes_allocated() - bytes_before_;
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(state.iterations());
  return seconds;
}

void Watch::count_flop(benchmark::State& state, double flop, int threads) const {
  const double rate = flop * static_cast<double>(state.iterations()) / finish(state);
  state.counters["FLOP/s"] = rate;
  state.counters["%peak"] = 100 * rate / fma_peak(threads);
}

void Watch::count_images(benchmark::State& state, double batch) const {
  state.counters["images/s"] = batch * static_cast<double>(state.iterations()) / finish(state);
}

void Watch::count_elements(benchmark::State& state, double elements) const {
  state.counters["elements/s"] = elements * static_cast<double>(state.iterations()) / finish(state);
}

}  // namespace linnet::bench
