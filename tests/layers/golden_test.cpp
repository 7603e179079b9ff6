// Every layer against PyTorch, forward and backward.
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "golden/goldens.hpp"
#include "linnet/io/json_config.hpp"
#include "linnet/kernels/random.hpp"
#include "linnet/model/layer_registry.hpp"
#include "linnet/testing/layer_runner.hpp"

using namespace linnet;
using nlohmann::json;

namespace {

template <class T>
AnyLayer<T> make_layer(const json& golden) {
  const std::string kind = golden["layer"];
  AnyLayer<T> layer = LayerRegistry<T>().make(kind);
  json config = write_config(layer);
  config.merge_patch(golden["config"]);  // the golden file names what differs from the defaults
  read_config(kind, config, layer);
  return layer;
}

RandomKey random_key(const json& golden) {
  if (!golden.contains("random_key")) return {};
  const json& key = golden["random_key"];
  return {.seed = key["seed"], .stream = key["stream"], .step = key["step"]};
}

/// The results of a golden case, run `slice` samples at a time as a model does. What a layer must write starts as NaN.
template <class T>
struct Run {
  Tensor<T> y;
  std::vector<Tensor<T>> dx, w, dw;
  std::vector<std::string> parameters;
  double loss = 0;

  Run(const json& golden, const test::GoldenArrays& arrays, Index slice) {
    const std::string name = golden["name"];
    const T nan = std::numeric_limits<T>::quiet_NaN();
    const AnyLayer<T> layer = make_layer<T>(golden);
    const std::size_t inputs = golden["inputs"];
    std::vector<Tensor<T>> x;
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < inputs; ++i) {
      x.push_back(arrays.get<T>(name + (inputs == 1 ? "/x" : "/x" + std::to_string(i))));
      dx.emplace_back(x[i].shape());
      shapes.push_back(x[i].shape().without_batch());
    }
    const Index batch = x[0].batch();
    const LayerPlan plan = layer.plan(shapes);
    y = Tensor<T>(plan.output.with_batch(batch));
    for (const ParameterSpec& parameter : plan.parameters) {
      parameters.push_back(parameter.name);
      w.push_back(arrays.get<T>(name + "/w." + parameter.name));
      REQUIRE(w.back().shape() == parameter.shape);
      dw.emplace_back(parameter.shape);
    }

    if (plan.couples_batch) slice = batch;
    for (Index first = 0; first < batch; first += slice) {
      const Index count = std::min(slice, batch - first);
      testing::LayerRunner<T> runner(layer, shapes, count);
      runner.context.batch = batch;
      runner.context.first_sample = first;
      runner.context.random_key = random_key(golden);
      for (std::size_t i = 0; i < inputs; ++i) runner.x(i) = Tensor<T>(x[i].samples(first, count));
      for (std::size_t i = 0; i < w.size(); ++i) {
        runner.weights(i) = w[i];
        runner.dw(i) = dw[i];
      }
      runner.y().fill(nan);
      loss += runner.forward(golden["training"]);
      copy_samples(runner.y(), y, first);
      if (!golden["training"]) continue;
      runner.dy() = Tensor<T>(arrays.get<T>(name + "/dy").samples(first, count));
      for (std::size_t i = 0; i < inputs; ++i) runner.dx(i).fill(nan);
      runner.backward();
      for (std::size_t i = 0; i < inputs; ++i) copy_samples(runner.dx(i), dx[i], first);
      runner.update_state();
      for (std::size_t i = 0; i < w.size(); ++i) {
        w[i] = runner.weights(i);
        dw[i] = runner.dw(i);
      }
    }
  }

 private:
  static void copy_samples(const Tensor<T>& from, Tensor<T>& to, Index first) {
    std::copy(from.begin(), from.end(), to.samples(first, from.batch()).begin());
  }
};

/// The expected array; for a layer that draws normal numbers, from the two that span it.
template <class T>
Tensor<double> expected(const json& golden, const test::GoldenArrays& arrays, const std::string& what, Index latents) {
  const std::string key = golden["name"].get<std::string>() + "/" + what;
  Tensor<double> result = arrays[key];
  if (!golden.contains("random")) return result;
  const Tensor<double>& slope = arrays[key + ".noise"];
  const Index size = result.size() / result.batch();
  std::vector<T> noise(static_cast<std::size_t>(latents));
  for (Index i = 0; i < result.size(); ++i) {
    if (i % size == 0) fill_normal<T>(random_key(golden).with_sample(static_cast<std::uint32_t>(i / size)), noise);
    result[i] += slope[i] * static_cast<double>(noise[static_cast<std::size_t>(i % size % latents)]);
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("layers equal PyTorch's", T, double, float) {
  constexpr double kTolerance = test::kGoldenTolerance<T>;
  const test::GoldenArrays arrays("layers");
  const json manifest = test::golden_manifest();
  std::map<std::string, std::vector<T>> with_avx2;  // AVX-512 has the same bits
  test::for_each_isa([&](Isa isa) {
    for (const json& golden : manifest["layers"]) {
      for (const Index slice : {Index{1}, Index{100}}) {
        const std::string name = golden["name"];
        CAPTURE(std::string(to_string(isa)));
        CAPTURE(name);
        CAPTURE(slice);
        const Run<T> run(golden, arrays, slice);
        std::vector<T> all(run.y.begin(), run.y.end());
        for (const auto* tensors : {&run.dx, &run.w, &run.dw}) {
          for (const Tensor<T>& tensor : *tensors) all.insert(all.end(), tensor.begin(), tensor.end());
        }
        std::vector<T>& known = with_avx2[name + " " + std::to_string(slice)];
        if (isa == Isa::avx2) known = all;
        if (isa == Isa::avx512) CHECK(all == known);
        const Index latents = run.y.size() / run.y.batch();
        CHECK(test::difference<T>(run.y, expected<T>(golden, arrays, "y", latents)) <= kTolerance);
        const double loss = golden.value("loss", 0.0);
        CHECK(std::abs(run.loss - loss) <= kTolerance * std::max(1.0, std::abs(loss)));
        if (!golden["training"]) continue;
        for (std::size_t i = 0; i < run.dx.size(); ++i) {
          const std::string what = run.dx.size() == 1 ? "dx" : "dx" + std::to_string(i);
          CAPTURE(what);
          CHECK(test::difference<T>(run.dx[i], expected<T>(golden, arrays, what, latents)) <= kTolerance);
        }
        for (std::size_t i = 0; i < run.w.size(); ++i) {
          const std::string parameter = run.parameters[i];
          CAPTURE(parameter);
          if (const std::string key = name + "/dw." + parameter; arrays.has(key)) {
            CHECK(test::difference<T>(run.dw[i], arrays[key]) <= kTolerance);
          } else {
            CHECK(test::difference<T>(run.w[i], arrays[name + "/state." + parameter]) <= kTolerance);
          }
        }
      }
    }
  });
}

TEST_CASE("the golden files have several cases of every layer that there is") {
  std::map<std::string, int> cases;
  const json manifest = test::golden_manifest();
  for (const json& golden : manifest["layers"]) ++cases[golden["layer"]];
  for_each_layer([&](const auto& layer) {
    const std::string kind(layer.kName);
    CAPTURE(kind);
    CHECK(cases[kind] >= (kind == "Flatten" ? 1 : 2));
  });
}
