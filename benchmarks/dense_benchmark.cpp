// Matrix products as dense layers use them, and Eigen's as a peer (which fixes its instruction set when it is
// compiled).
#include <Eigen/Core>

#include "linnet/core/eigen.hpp"
#include "linnet/core/parallel.hpp"
#include "linnet/kernels/gemm.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

double product_flop(Index rows, Index columns, Index depth) {
  return 2.0 * static_cast<double>(rows * columns * depth);
}

/// y {batch, units} = x {batch, n} W.
void forward(benchmark::State& state) {
  const Index batch = state.range(0), n = state.range(1), units = state.range(2);
  set_num_threads(1);
  const Tensor<float> x = bench::uniform_tensor({batch, n}, 1), w = bench::uniform_tensor({n, units}, 2);
  Tensor<float> y({batch, units});
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    gemm<float>(batch, units, n, x.data(), n, w.data(), units, y.data(), units);
    benchmark::DoNotOptimize(y.data());
  }
  watch.count_flop(state, product_flop(batch, units, n), 1);
}

/// dx = dy W^T.
void by_data(benchmark::State& state) {
  const Index batch = state.range(0), n = state.range(1), units = state.range(2);
  set_num_threads(1);
  const Tensor<float> dy = bench::uniform_tensor({batch, units}, 1), w = bench::uniform_tensor({n, units}, 2);
  Tensor<float> dx({batch, n}), scratch({gemm_a_bt_scratch(units)});
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    gemm_a_bt<float>(batch, n, units, dy.data(), units, w.data(), units, dx.data(), n, scratch.data());
    benchmark::DoNotOptimize(dx.data());
  }
  watch.count_flop(state, product_flop(batch, units, n), 1);
}

/// dW += x^T dy.
void by_weights(benchmark::State& state) {
  const Index batch = state.range(0), n = state.range(1), units = state.range(2);
  set_num_threads(1);
  const Tensor<float> x = bench::uniform_tensor({batch, n}, 1), dy = bench::uniform_tensor({batch, units}, 2);
  Tensor<float> dw({n, units});
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    gemm_at_b<float>(n, units, batch, x.data(), n, dy.data(), units, dw.data(), units);
    benchmark::DoNotOptimize(dw.data());
  }
  watch.count_flop(state, product_flop(batch, units, n), 1);
}

/// The work of forward(), by Eigen.
void eigen(benchmark::State& state) {
  const Index batch = state.range(0), n = state.range(1), units = state.range(2);
  Eigen::setNbThreads(1);
  const Tensor<float> x = bench::uniform_tensor({batch, n}, 1), w = bench::uniform_tensor({n, units}, 2);
  Tensor<float> y({batch, units});
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    as_matrix(y).noalias() = as_matrix(x) * as_matrix(w);
    benchmark::DoNotOptimize(y.data());
  }
  watch.count_flop(state, product_flop(batch, units, n), 1);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"batch", "inputs", "units"})->Unit(benchmark::kMicrosecond);
  for (const Index batch : {1, 32, 128}) {
    benchmark->Args({batch, 784, 400})->Args({batch, 400, 784})->Args({batch, 9216, 128})->Args({batch, 128, 10});
  }
}

BENCHMARK(forward)->Apply(shapes)->UseRealTime();
BENCHMARK(by_data)->Apply(shapes)->UseRealTime();
BENCHMARK(by_weights)->Apply(shapes)->UseRealTime();
BENCHMARK(eigen)->Apply(shapes)->UseRealTime();

}  // namespace
