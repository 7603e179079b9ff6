// What goes through memory once, element by element: elementary functions, losses, random numbers, Adam, pooling and
// upsampling; one thread. The short runs stay in the first cache, the long ones do not fit the second.
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/kernels/loss.hpp"
#include "linnet/kernels/math.hpp"
#include "linnet/kernels/optimizer.hpp"
#include "linnet/kernels/pooling.hpp"
#include "linnet/kernels/random.hpp"
#include "linnet/kernels/upsampling.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

using Memory = std::vector<Tensor<float>>;

/// Times `kernel(n, memory)`, where memory holds `tensors` times n uniform numbers, and counts `n` elements an iteration.
template <class Kernel>
void measure(benchmark::State& state, Index tensors, const Kernel& kernel) {
  const Index n = state.range(0);
  set_num_threads(1);
  Memory memory;
  for (Index i = 0; i < tensors; ++i) memory.push_back(bench::uniform_tensor({n}, static_cast<std::uint32_t>(i)));
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    kernel(n, memory);
    benchmark::ClobberMemory();
  }
  watch.count_elements(state, static_cast<double>(n));
}

template <void (*function)(Index, const float*, float*)>
void elementary(benchmark::State& state) {
  measure(state, 2, [](Index n, Memory& memory) { function(n, memory[0].data(), memory[1].data()); });
}

/// With its derivative, as in a training step.
void sigmoid_and_crossentropy(benchmark::State& state) {
  measure(state, 3, [](Index n, Memory& memory) {
    benchmark::DoNotOptimize(
        binary_crossentropy_logits<float>(n, memory[0].data(), memory[1].data(), 0.01f, memory[2].data()));
  });
}

void uniform_numbers(benchmark::State& state) {
  measure(state, 1, [](Index, Memory& memory) { fill_uniform<float>(RandomKey{1, 2}, memory[0].view().span()); });
}

void normal_numbers(benchmark::State& state) {
  measure(state, 1, [](Index, Memory& memory) { fill_normal<float>(RandomKey{1, 2}, memory[0].view().span()); });
}

void adam(benchmark::State& state) {
  measure(state, 4, [](Index n, Memory& memory) {
    adam_update<float>(n, 1e-3f, 1.0f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-7f, 1.0f, memory[0].data(), memory[1].data(),
                       memory[2].data(), memory[3].data());
  });
}

// Images of 28x28 pixels and 16 channels, pooled by 2x2 or made from 14x14. The elements are those of the large image.
constexpr Index kSize = 28, kChannels = 16, kImage = kSize * kSize * kChannels;

PoolGeometry pooling(Index n) {
  const ConvAxis axis{.input = kSize, .output = kSize / 2, .taps = 2, .stride = 2};
  return {.batch = n / kImage, .channels = kChannels, .y = axis, .x = axis};
}

/// With the places of the maxima, as in a training step.
void max_pool(benchmark::State& state) {
  measure(state, 3, [](Index n, Memory& memory) {
    max_pool_forward<float>(pooling(n), memory[0].data(), memory[1].data(), memory[2].data());
  });
}

void max_pool_backward(benchmark::State& state) {
  const Index n = state.range(0);
  Tensor<float> places({n / 4});
  for (Index i = 0; i < n / 4; ++i) places[i] = static_cast<float>(RandomKey{3}.bits(i) % 4);
  measure(state, 2, [&](Index, Memory& memory) {
    linnet::max_pool_backward<float>(pooling(n), places.data(), memory[0].data(), memory[1].data());
  });
}

BlockGeometry upsampling(Index n) {
  return {.batch = n / kImage, .height = kSize / 2, .width = kSize / 2, .channels = kChannels, .down = 2, .right = 2};
}

void upsample(benchmark::State& state) {
  measure(state, 2,
          [](Index n, Memory& memory) { upsample_nearest<float>(upsampling(n), memory[0].data(), memory[1].data()); });
}

void upsample_backward(benchmark::State& state) {
  measure(state, 2, [](Index n, Memory& memory) {
    upsample_nearest_backward<float>(upsampling(n), memory[0].data(), memory[1].data());
  });
}

void lengths(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("n")->Unit(benchmark::kMicrosecond)->UseRealTime()->Arg(1024)->Arg(1 << 20);
}
void images(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("n")->Unit(benchmark::kMicrosecond)->UseRealTime()->Arg(kImage)->Arg(128 * kImage);
}

BENCHMARK(elementary<vector_exp<float>>)->Apply(lengths);
BENCHMARK(elementary<vector_log<float>>)->Apply(lengths);
BENCHMARK(elementary<vector_sigmoid<float>>)->Apply(lengths);
BENCHMARK(elementary<vector_tanh<float>>)->Apply(lengths);
BENCHMARK(elementary<vector_erf<float>>)->Apply(lengths);
BENCHMARK(sigmoid_and_crossentropy)->Apply(lengths);
BENCHMARK(uniform_numbers)->Apply(lengths);
BENCHMARK(normal_numbers)->Apply(lengths);
BENCHMARK(adam)->Apply(lengths);
BENCHMARK(max_pool)->Apply(images);
BENCHMARK(max_pool_backward)->Apply(images);
BENCHMARK(upsample)->Apply(images);
BENCHMARK(upsample_backward)->Apply(images);

}  // namespace
