#include "linnet/io/model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
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
  const auto conv = graph.add(Conv2D{.filters = 6,
                                     .kernel_size = Size2D(3, 2),
                                     .strides = 2,
                                     .padding = same,
                                     .groups = 2,
                                     .activation = leaky_relu.with(0.05),
                                     .kernel_initializer = he_normal},
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
  for_each_layer([&](const auto& layer) {
    const std::string kind(layer.kName);
    CAPTURE(kind);
    CHECK(std::any_of(model.nodes().begin(), model.nodes().end(),
                      [&](const auto& node) { return node.layer.kind() == kind; }));
  });

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
  Model<float> model =
      Sequential({5, 5, 2}, {Conv2D{.filters = 3, .kernel_size = Size2D(3, 2)}, Flatten{}, Dense{.units = 4}});
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
  CHECK(mentions(architecture("{}"), "field \"version\": it is missing"));
  CHECK(mentions(architecture("nonsense"), "not valid JSON"));
  std::filesystem::remove(kPath);
  CHECK(mentions(error_of([&] { load_model(kPath); }), "no such file"));
}

TEST_CASE("a model's file may tell more") {
  const TemporaryFolder folder("model_test_files");
  const std::string path = folder.file("a.safetensors");
  const Model<float> model = Sequential({4}, {Dense{.units = 3}});
  save_model(model, path, {{"trained by", "me"}});
  CHECK(load_safetensors(path).metadata.at("trained by") == "me");
  CHECK(load_model(path).parameter_count() == model.parameter_count());
  CHECK(mentions(error_of<ValueError>([&] { save_model(model, path, {{"format", "mine"}}); }), "\"format\" is taken"));
  CHECK(mentions(error_of<ValueError>([&] { save_model(model, path, {{"linnet.progress", "0"}}); }), "is taken"));
  CHECK(mentions(error_of<ValueError>([&] { save_model(model, path, {{"broken", "\xff"}}); }), "UTF-8"));
}

TEST_CASE("architectures that are none are refused with what is wrong") {
  SafetensorsFile file;
  const Tensor<float> kernel(Shape{3, 4}), bias(Shape{3});
  file.add<float>("d/kernel", kernel);
  file.add<float>("d/bias", bias);
  const std::string config = write_config(Dense{.units = 3}).dump();
  // The fields of a model that can be read, and then others in their place.
  struct Fields {
    std::string version = "1", shape = "[4]", seed = "7";
    std::string name = "\"d\"", layer = "\"Dense\"", inputs = "[-1]", rest = "";
  };
  const auto problem = [&](const Fields& f, const std::string& node_config) {
    file.metadata["linnet.architecture"] = "{\"version\":" + f.version + ",\"input_shape\":" + f.shape +
                                           ",\"seed\":" + f.seed + ",\"nodes\":[{\"name\":" + f.name +
                                           ",\"layer\":" + f.layer + ",\"config\":" + node_config +
                                           ",\"inputs\":" + f.inputs + "}" + f.rest + "]}";
    save_safetensors(kPath, file);
    return error_of<FormatError>([&] { load_model(kPath); });
  };
  const auto with = [&](const Fields& f) { return problem(f, config); };
  CHECK(with({}) == "(no error)");
  CHECK(mentions(with({.version = "2"}), "expected architecture version 1, got 2"));
  CHECK(mentions(with({.version = "1.0"}), "field \"version\": expected an integer"));
  CHECK(mentions(with({.layer = "\"Convolve\""}), "no layer is called \"Convolve\""));
  CHECK(mentions(with({.layer = "3"}), "d: field \"layer\": expected a text, got 3"));
  CHECK(mentions(with({.name = "3"}), "node 0: field \"name\": expected a text, got 3"));
  CHECK(mentions(with({.inputs = "[3]"}), "reads node 3, which is not before it"));
  CHECK(mentions(with({.inputs = "[0]"}), "reads node 0, which is not before it"));
  CHECK(mentions(with({.inputs = "-1"}), "field \"inputs\": expected a list, got -1"));
  for (const std::string number : {"0.9", "-1.5", "-3", "-0.1", "1e3", "true", "null", "99999999999999999999"}) {
    CAPTURE(number);
    CHECK(mentions(with({.inputs = "[" + number + "]"}), "d: field \"inputs\": expected an integer from -1"));
    CHECK(mentions(with({.shape = "[" + number + "]"}), "field \"input_shape\": expected an integer from 0"));
    CHECK(mentions(with({.seed = number}), "field \"seed\": expected an integer from 0"));
  }
  CHECK(mentions(with({.shape = "[8.7]"}), "got 8.7"));
  const std::string other = ",{\"name\":\"a\",\"layer\":\"Flatten\",\"config\":{},\"inputs\":[-1]}";
  CHECK(mentions(with({.rest = other}), "d: no layer reads it"));
  const std::string twin = ",{\"name\":\"d\",\"layer\":\"Dense\",\"config\":" + config + ",\"inputs\":[0]}";
  CHECK(mentions(with({.rest = twin}), "two nodes are called \"d\""));

  // The message stays short whatever the file says.
  const std::string longest(100000, 'x');
  CHECK(with({.name = "\"" + longest + "\""}).size() < 1000);
  CHECK(with({.layer = "\"" + longest + "\""}).size() < 1000);
  CHECK(with({.seed = "\"" + longest + "\""}).size() < 1000);
  CHECK(problem({}, "{\"" + longest + "\":1}").size() < 1000);
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  CHECK(mentions(with({.seed = deep}), "at most 64 levels"));

  // The weights must be in the file before memory is taken for them.
  for (const std::string units : {"1000000000000", "1000000000000000", "4000000000000000000"}) {
    std::string large = config;
    large.replace(large.find("\"units\":3"), 9, "\"units\":" + units);
    CHECK(mentions(problem({}, large), kPath));
  }
  file.tensors.at("d/bias").dtype = "I32";
  CHECK(mentions(with({}), "d/bias: expected elements of type F32 or F64, got I32"));
  file.tensors.at("d/bias").dtype = "F32";
  file.add<float>("d/other", bias);
  CHECK(mentions(with({}), "no parameter of the model is called d/other"));
  std::filesystem::remove(kPath);
}

TEST_CASE("what cannot be stored is refused before a file is written") {
  std::filesystem::remove(kPath);
  GraphBuilder<float> graph({4});
  const Model<float> damaged = graph.build(graph.add(Dense{.units = 3}, graph.input(), "caf\xE9"));
  CHECK(mentions(error_of<ValueError>([&] { save_model(damaged, kPath); }), "UTF-8"));
  SafetensorsFile file;
  file.add<float>("a", Tensor<float>(Shape{2}));
  const auto again = [&] { file.add<float>("a", Tensor<float>(Shape{3})); };
  CHECK(mentions(error_of<ValueError>(again), "there is a tensor a already"));
  CHECK(file.tensors.at("a").shape == Shape{2});
  file.add<float>("\xFF", Tensor<float>(Shape{3}));
  CHECK(mentions(error_of<ValueError>([&] { save_safetensors(kPath, file); }), "UTF-8"));
  CHECK_FALSE(std::filesystem::exists(kPath));
}

TEST_CASE("a model for a loader takes no time to initialize what is overwritten") {
  std::vector<std::pair<AnyLayer<float>, std::vector<int>>> layers;
  layers.emplace_back(Dense{.units = 8, .kernel_initializer = orthogonal, .bias_initializer = ones},
                      std::vector<int>{kModelInput});
  Index asked = 0;
  Model<float> model =
      Model<float>::uninitialized({8}, layers, 3, {"d"}, [&](const std::vector<ParameterInfo>& parameters) {
        for (const ParameterInfo& info : parameters) asked += info.shape.size();
      });
  CHECK(asked == 72);
  for (const float w : model.weights()) CHECK(w == 0);
  // It can still be initialized as if it had been from the start.
  model.reset(3);
  const Model<float> usual({8}, layers, 3, {"d"});
  CHECK(std::equal(model.weights().begin(), model.weights().end(), usual.weights().begin()));
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
