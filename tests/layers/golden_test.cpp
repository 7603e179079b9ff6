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

template <class T>
RandomKey random_key(const json& golden) {
  if (!golden.contains("random_key")) return {};
  const json& key = golden["random_key"];
  return {.seed = key["seed"], .stream = key["stream"], .step = key["step"]};
}

template <class T>
std::vector<TensorView<T>> views(std::vector<Tensor<T>>& tensors) {
  return {tensors.begin(), tensors.end()};
}
template <class T>
std::vector<TensorView<const T>> const_views(const std::vector<Tensor<T>>& tensors) {
  return {tensors.begin(), tensors.end()};
}
template <class View>
std::vector<View> samples(const std::vector<View>& tensors, Index first, Index count) {
  std::vector<View> result;
  for (const View& tensor : tensors) result.push_back(tensor.samples(first, count));
  return result;
}

/// Runs a golden case, `slice` samples at a time. What a layer must write starts as NaN, and so does working memory.
template <class T>
struct Run {
  std::vector<Tensor<T>> x, dx, w, dw;
  std::vector<std::string> parameters;
  Tensor<T> y;
  double loss = 0;

  Run(const json& golden, const test::GoldenArrays& arrays, Index slice) {
    const std::string name = golden["name"];
    const bool training = golden["training"];
    const T nan = std::numeric_limits<T>::quiet_NaN();
    const AnyLayer<T> layer = make_layer<T>(golden);
    const int inputs = golden["inputs"];
    std::vector<Shape> shapes;
    for (int i = 0; i < inputs; ++i) {
      x.push_back(arrays.get<T>(name + (inputs == 1 ? "/x" : "/x" + std::to_string(i))));
      dx.emplace_back(x.back().shape(), nan);
      shapes.push_back(x.back().shape().without_batch());
    }
    const Index batch = x[0].batch();
    const LayerPlan plan = layer.plan(shapes);
    for (const ParameterSpec& parameter : plan.parameters) {
      parameters.push_back(parameter.name);
      w.push_back(arrays.get<T>(name + "/w." + parameter.name));
      REQUIRE(w.back().shape() == parameter.shape);
      dw.emplace_back(parameter.shape, T(0));
    }
    y = Tensor<T>(plan.output.with_batch(batch), nan);
    const auto weights = const_views(w);
    const auto gradients = views(dw);
    Tensor<T> prepared(Shape{plan.prepared}, nan);
    layer.prepare(weights, training, prepared.view().span());

    slice = plan.couples_batch ? batch : slice;
    for (Index first = 0; first < batch; first += slice) {
      const Index count = std::min(slice, batch - first);
      Tensor<T> saved(Shape{plan.saved + count * plan.saved_per_sample}, nan);
      Tensor<T> scratch(Shape{plan.scratch + count * plan.scratch_per_sample}, nan);
      Context<T> context{.training = training, .batch = batch, .first_sample = first,
                         .random_key = random_key<T>(golden), .prepared = prepared.view().span(),
                         .saved = saved.view().span(), .scratch = scratch.view().span()};
      const auto slice_x = samples(const_views(x), first, count);
      layer.forward(context, slice_x, weights, y.samples(first, count));
      loss += context.loss / static_cast<double>(batch);
      if (!golden["backward"]) continue;
      scratch.fill(nan);
      Tensor<T> dy(arrays.get<T>(name + "/dy").samples(first, count));
      const Tensor<T>& whole_y = y;
      layer.backward(context, slice_x, whole_y.samples(first, count), dy, weights,
                     samples(views(dx), first, count), gradients);
    }
    if (golden["backward"]) layer.update_state(views(w), const_views(dw));
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
    if (i % size == 0) fill_normal<T>(random_key<T>(golden).with_sample(static_cast<std::uint32_t>(i / size)), noise);
    result[i] += slope[i] * static_cast<double>(noise[static_cast<std::size_t>(i % size % latents)]);
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("layers equal PyTorch's", T, double, float) {
  constexpr double kTolerance = test::kGoldenTolerance<T>;
  const test::GoldenArrays arrays("layers");
  const json manifest = test::golden_manifest();
  test::for_each_isa([&](Isa isa) {
    for (const json& golden : manifest["layers"]) {
      for (const Index slice : {Index{1}, Index{100}}) {
        const std::string name = golden["name"];
        CAPTURE(std::string(to_string(isa)));
        CAPTURE(name);
        CAPTURE(slice);
        const Run<T> run(golden, arrays, slice);
        const Index latents = run.y.size() / run.y.batch();
        CHECK(test::difference<T>(run.y, expected<T>(golden, arrays, "y", latents)) <= kTolerance);
        const double loss = golden.value("loss", 0.0);
        CHECK(std::abs(run.loss - loss) <= kTolerance * std::max(1.0, std::abs(loss)));
        if (!golden["backward"]) continue;
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
  std::apply([&](const auto&... layer) {
    const auto check = [&](std::string_view kind) {
      CAPTURE(std::string(kind));
      CHECK(cases[std::string(kind)] >= (kind == "Flatten" ? 1 : 2));
    };
    (check(layer.kName), ...);
  }, BuiltinLayers{});
}
