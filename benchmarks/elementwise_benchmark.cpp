// What has little to compute for what it reads and writes: elementary functions, losses, random numbers, Adam, pooling
// and upsampling; one thread. The short runs stay in the first cache, the long ones do not fit the second.
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

using Tensors = std::vector<Tensor<float>>;

/// Times `kernel(n, tensors)` with `count` tensors of n uniform numbers each; n elements an iteration.
template <class Kernel>
void measure(benchmark::State& state, Index count, const Kernel& kernel) {
  const Index n = state.range(0);
  set_num_threads(1);
  Tensors tensors;
  for (Index i = 0; i < count; ++i) tensors.push_back(bench::uniform_tensor({n}, static_cast<std::uint32_t>(i)));
  for (Tensor<float>& tensor : tensors) benchmark::DoNotOptimize(tensor.data());  // others may look at it
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    kernel(n, tensors);
    benchmark::ClobberMemory();
  }
  watch.count_elements(state, static_cast<double>(n));
}

template <void (*function)(Index, const float*, float*)>
void elementary(benchmark::State& state) {
  measure(state, 2, [](Index n, Tensors& tensors) { function(n, tensors[0].data(), tensors[1].data()); });
}

/// With its derivative, as in a training step.
void crossentropy_logits(benchmark::State& state) {
  measure(state, 3, [](Index n, Tensors& tensors) {
    benchmark::DoNotOptimize(
        binary_crossentropy_logits<float>(n, tensors[0].data(), tensors[1].data(), 0.01f, tensors[2].data()));
  });
}

void uniform_numbers(benchmark::State& state) {
  measure(state, 1, [](Index, Tensors& tensors) { fill_uniform<float>(RandomKey{1, 2}, tensors[0].view().span()); });
}

void normal_numbers(benchmark::State& state) {
  measure(state, 1, [](Index, Tensors& tensors) { fill_normal<float>(RandomKey{1, 2}, tensors[0].view().span()); });
}

void adam(benchmark::State& state) {
  measure(state, 4, [](Index n, Tensors& tensors) {
    adam_update<float>(n, 1e-3f, 1.0f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-7f, 1.0f, tensors[0].data(), tensors[1].data(),
                       tensors[2].data(), tensors[3].data());
  });
}

// Images of 14x14 pixels and 16 channels, pooled by 2x2 or made from 7x7. The elements are those of the large image.
constexpr Index kSize = 14, kChannels = 16, kImage = kSize * kSize * kChannels;

PoolGeometry pooling(Index n) {
  const ConvAxis axis{.input = kSize, .output = kSize / 2, .taps = 2, .stride = 2};
  return {.batch = n / kImage, .channels = kChannels, .y = axis, .x = axis};
}

/// With the places of the maxima, as in a training step.
void max_pool(benchmark::State& state) {
  measure(state, 3, [](Index n, Tensors& tensors) {
    max_pool_forward<float>(pooling(n), tensors[0].data(), tensors[1].data(), tensors[2].data());
  });
}

void max_pool_backward(benchmark::State& state) {
  const Index n = state.range(0);
  Tensor<float> places({n / 4});
  for (Index i = 0; i < n / 4; ++i) places[i] = static_cast<float>(RandomKey{3}.bits(i) % 4);
  measure(state, 2, [&](Index, Tensors& tensors) {
    linnet::max_pool_backward<float>(pooling(n), places.data(), tensors[0].data(), tensors[1].data());
  });
}

BlockGeometry upsampling(Index n) {
  return {.batch = n / kImage, .height = kSize / 2, .width = kSize / 2, .channels = kChannels, .down = 2, .right = 2};
}

void upsample(benchmark::State& state) {
  measure(state, 2, [](Index n, Tensors& tensors) {
    upsample_nearest<float>(upsampling(n), tensors[0].data(), tensors[1].data());
  });
}

void upsample_backward(benchmark::State& state) {
  measure(state, 2, [](Index n, Tensors& tensors) {
    upsample_nearest_backward<float>(upsampling(n), tensors[0].data(), tensors[1].data());
  });
}

void with_lengths(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("n")->Unit(benchmark::kMicrosecond)->UseRealTime()->Arg(1024)->Arg(1 << 20);
}
void with_images(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("n")->Unit(benchmark::kMicrosecond)->UseRealTime()->Arg(kImage)->Arg(512 * kImage);
}

BENCHMARK(elementary<vector_exp<float>>)->Apply(with_lengths);
BENCHMARK(elementary<vector_log<float>>)->Apply(with_lengths);
BENCHMARK(elementary<vector_sigmoid<float>>)->Apply(with_lengths);
BENCHMARK(elementary<vector_tanh<float>>)->Apply(with_lengths);
BENCHMARK(elementary<vector_erf<float>>)->Apply(with_lengths);
BENCHMARK(crossentropy_logits)->Apply(with_lengths);
BENCHMARK(uniform_numbers)->Apply(with_lengths);
BENCHMARK(normal_numbers)->Apply(with_lengths);
BENCHMARK(adam)->Apply(with_lengths);
BENCHMARK(max_pool)->Apply(with_images);
BENCHMARK(max_pool_backward)->Apply(with_images);
BENCHMARK(upsample)->Apply(with_images);
BENCHMARK(upsample_backward)->Apply(with_images);

}  // namespace
