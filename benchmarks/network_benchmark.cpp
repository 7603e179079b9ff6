// Whole training steps and predictions: the denoiser of the original report (ML-PW-12), a variational autoencoder and a
// classifier of digits.
#include <functional>
#include <string>

#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

struct Network {
  std::string name;
  std::function<Model<float>()> model;
  AnyLoss<float> loss;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all = {
      {"denoiser", [] { return test::denoiser(); }, BinaryCrossentropy{}},
      {"autoencoder", [] { return test::digit_autoencoder(); }, BinaryCrossentropy{.reduction = Reduction::sum}},
      {"classifier", [] { return test::digit_classifier(); }, SparseCategoricalCrossentropy{}}};
  return all;
}

/// Steps on one batch: forward, loss, backward and Adam.
void train(benchmark::State& state, const Network& network, Index batch, int threads) {
  set_num_threads(threads);
  Model<float> model = network.model();
  Trainer trainer(model, network.loss, Adam{});
  const Tensor<float> x = bench::uniform_tensor(model.input_shape().with_batch(batch), 1);
  const Shape target_shape = network.loss.target_shape(model.output_shape()).with_batch(batch);
  Tensor<float> target = bench::uniform_tensor(target_shape, 2);
  if (target_shape.size() == batch) {  // classes
    for (float& label : target) label = static_cast<float>(static_cast<int>(label * 10));
  }
  trainer.train_on_batch(x, target);
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(trainer.train_on_batch(x, target));
  watch.count_images(state, static_cast<double>(batch));
}

void predict(benchmark::State& state, const Network& network, Index batch, int threads) {
  set_num_threads(threads);
  const Model<float> model = network.model();
  Predictor<float> predictor(model, batch);
  const Tensor<float> x = bench::uniform_tensor(model.input_shape().with_batch(batch), 1);
  Tensor<float> y(model.output_shape().with_batch(batch));
  predictor(x, y);
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    predictor(x, y);
    benchmark::DoNotOptimize(y.data());
  }
  watch.count_images(state, static_cast<double>(batch));
}

const int registered = [] {
  for (const Network& network : networks()) {
    for (const int threads : {1, 2}) {
      const std::string end = "/threads:" + std::to_string(threads);
      benchmark::RegisterBenchmark((network.name + "/train/batch:128" + end).c_str(), train, network, 128, threads)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
      for (const Index batch : {1, 128}) {
        if (batch == 1 && threads > 1) continue;
        benchmark::RegisterBenchmark((network.name + "/predict/batch:" + std::to_string(batch) + end).c_str(), predict,
                                     network, batch, threads)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
  return 0;
}();

}  // namespace
