#include "linnet/io/model.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "linnet/io/checkpoint.hpp"
#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

/// A model with every layer that the library has.
Model<float> everything() {
  GraphBuilder<float> graph({8, 8, 4});
  const auto noisy = graph.add(GaussianNoise{.stddev = 0.2}, graph.input());
  const auto padded = graph.add(ZeroPadding2D{.padding = pad(1, 0, 2, 1)}, noisy);
  const auto conv = graph.add(Conv2D{.filters = 6, .kernel_size = Size2D(3, 2), .strides = 2, .padding = same, .groups = 2,
                                     .activation = leaky_relu.with(0.05), .kernel_initializer = he_normal},
                              padded, "first");
  const auto normal = graph.add(BatchNormalization{.momentum = 0.9}, conv);
  const auto up = graph.add(UpSampling2D{.size = 2, .interpolation = Interpolation::bilinear}, normal);
  const auto most = graph.add(MaxPool2D{.pool_size = 2}, up);
  const auto mean = graph.add(AveragePool2D{.pool_size = 2, .padding = same}, up);
  const auto sum = graph.add(Add{}, {most, mean});
  const auto transposed = graph.add(Conv2DTranspose{.filters = 5, .kernel_size = 2, .strides = 2}, sum);
  const auto pooled = graph.add(GlobalAveragePool2D{}, transposed);
  const auto layer_normal = graph.add(LayerNormalization{}, pooled);
  const auto flat = graph.add(Flatten{}, graph.add(Reshape{.target_shape = {-1, 3}}, sum));
  const auto joined = graph.add(Concatenate{}, {layer_normal, flat});
  const auto dropped = graph.add(Dropout{.rate = 0.3}, joined);
  const auto latent = graph.add(GaussianLatent{.kl_weight = 0.5}, graph.add(Dense{.units = 6}, dropped));
  return graph.build(graph.add(Activation{sigmoid}, latent), 77);
}

/// A layer of a user's own.
struct Scale {
  static constexpr std::string_view kName = "Scale";
  double factor = 1;
  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("factor", factor);
  }
  LayerPlan plan(const Shape& in) const { return {.output = in}; }
  template <class T>
  void forward(Context<T>&, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    for (Index i = 0; i < x.size(); ++i) y[i] = static_cast<T>(factor) * x[i];
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    for (Index i = 0; i < dx.size(); ++i) dx[i] = static_cast<T>(factor) * dy[i];
  }
};

const std::string kPath = "model_file_test.safetensors";

}  // namespace

TEST_CASE("a model file brings back architecture and weights") {
  const Model<float> model = everything();
  std::size_t kinds = 0;
  std::apply([&](const auto&... layer) {
    const auto there = [&](std::string_view kind) {
      return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const auto& node) { return node.layer.kind() == kind; });
    };
    kinds = (std::size_t{there(std::remove_cvref_t<decltype(layer)>::kName)} + ...);
  }, BuiltinLayers{});
  CHECK(kinds == std::tuple_size_v<BuiltinLayers>);

  save_model(model, kPath);
  const Model<float> again = load_model(kPath);
  CHECK(again.summary() == model.summary());
  CHECK(again.seed() == 77);
  CHECK(std::equal(model.weights().begin(), model.weights().end(), again.weights().begin(), again.weights().end()));
  const Tensor<float> x = test::random_tensor<float>(Shape{3, 8, 8, 4}, 1);
  const Tensor<float> y = model.predict(x), y_again = again.predict(x);
  CHECK(std::equal(y.begin(), y.end(), y_again.begin()));
  // In double it is the same model.
  const Model<double> wide = load_model<double>(kPath);
  CHECK(static_cast<float>(wide.weights()[3]) == model.weights()[3]);
  std::filesystem::remove(kPath);
}

TEST_CASE("kernels lie in files as PyTorch has them") {
  Model<float> model = Sequential({5, 5, 2}, {Conv2D{.filters = 3, .kernel_size = Size2D(3, 2)}, Flatten{}, Dense{.units = 4}});
  save_model(model, kPath);
  const SafetensorsFile file = load_safetensors(kPath);
  const StoredTensor& conv = file.tensors.at("conv2d/kernel");
  CHECK(conv.shape == Shape{3, 2, 3, 2});  // filters, channels, height, width
  const Tensor<float> stored = conv.to_tensor<float>(kPath);
  const auto here = std::as_const(model).parameter("conv2d/kernel");
  for (Index y = 0; y < 3; ++y)
    for (Index x = 0; x < 2; ++x)
      for (Index c = 0; c < 2; ++c)
        for (Index k = 0; k < 3; ++k) {
          CHECK(stored[((k * 2 + c) * 3 + y) * 2 + x] == here[((y * 2 + x) * 2 + c) * 3 + k]);
        }
  CHECK(file.tensors.at("dense/kernel").shape == Shape{4, 36});
  CHECK(file.tensors.at("dense/kernel").to_tensor<float>(kPath)[36 * 2 + 5] ==
        std::as_const(model).parameter("dense/kernel")[5 * 4 + 2]);
  std::filesystem::remove(kPath);
}

TEST_CASE("files of other models are refused, and nothing is changed") {
  save_model(Sequential({4}, {Dense{.units = 3}}), kPath);
  Model<float> other = Sequential({4}, {Dense{.units = 2}});
  const std::vector<float> before(other.weights().begin(), other.weights().end());
  const std::string shape = error_of([&] { load_weights(other, kPath); });
  CHECK(mentions(shape, kPath));
  CHECK(mentions(shape, "dense/kernel: expected the shape (2, 4), got (3, 4)"));
  Model<float> two = Sequential({4}, {Dense{.units = 3}, Dense{.units = 3}});
  CHECK(mentions(error_of([&] { load_weights(two, kPath); }), "there is no tensor dense_1/kernel"));
  CHECK(std::equal(before.begin(), before.end(), other.weights().begin()));
  Model<float> same_parameters = Sequential({4}, {Dense{.units = 3}}, 9);
  load_weights(same_parameters, kPath);
  CHECK(same_parameters.weights()[1] == load_model(kPath).weights()[1]);
  Trainer trainer(same_parameters, MeanSquaredError{}, Adam{});
  CHECK(mentions(error_of([&] { load_checkpoint(trainer, kPath); }), "no checkpoint"));

  SafetensorsFile bare = load_safetensors(kPath);
  bare.metadata.clear();
  save_safetensors(kPath, bare);
  CHECK(mentions(error_of([&] { load_model(kPath); }), "there is no architecture"));
  const auto architecture = [&](const std::string& text) {
    bare.metadata["linnet.architecture"] = text;
    save_safetensors(kPath, bare);
    return error_of([&] { load_model(kPath); });
  };
  CHECK(mentions(architecture("{}"), "damaged"));
  CHECK(mentions(architecture("nonsense"), "not valid JSON"));
  CHECK(mentions(architecture(R"({"version":2,"nodes":[],"input_shape":[4],"seed":0})"), "expected architecture version 1"));
  CHECK(mentions(architecture(R"({"version":1,"nodes":[{"layer":"Convolve","name":"c","config":{},"inputs":[-1]}],"input_shape":[4],"seed":0})"),
                 "no layer is called \"Convolve\""));
  CHECK(mentions(architecture(R"({"version":1,"nodes":[{"layer":"Flatten","name":"c","config":{},"inputs":[3]}],"input_shape":[4],"seed":0})"),
                 "reads node 3"));
  std::filesystem::remove(kPath);
  CHECK(mentions(error_of([&] { load_model(kPath); }), "no such file"));
}

TEST_CASE("a layer of one's own is saved and loaded") {
  const Model<float> model = Sequential({4}, {Dense{.units = 3}, Scale{.factor = 2.5}});
  save_model(model, kPath);
  CHECK(mentions(error_of([&] { load_model(kPath); }), "no layer is called \"Scale\""));
  const Model<float> again = load_model<float>(kPath, LayerRegistry<float>().add<Scale>());
  const Tensor<float> x = test::random_tensor<float>(Shape{2, 4}, 1);
  CHECK(again.predict(x)[3] == model.predict(x)[3]);
  std::filesystem::remove(kPath);
}
