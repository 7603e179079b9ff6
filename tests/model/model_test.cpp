#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

TEST_CASE("the summary of the original report's network") {
  const std::string text = test::denoiser().summary();
  CAPTURE(text);
  CHECK(mentions(text, " conv2d (Conv2D)                  (None, 28, 28, 16)   160\n"));
  CHECK(mentions(text, " conv2d_1 (Conv2D)                (None, 14, 14, 16)   2,320\n"));
  CHECK(mentions(text, " conv2d_2 (Conv2D)                (None, 7, 7, 16)     2,320\n"));
  CHECK(mentions(text, " conv2d_3 (Conv2D)                (None, 14, 14, 16)   2,320\n"));
  CHECK(mentions(text, " conv2d_4 (Conv2D)                (None, 28, 28, 1)    145\n"));
  CHECK(mentions(text, "Total params: 7,265\nTrainable params: 7,265\nNon-trainable params: 0\n"));
  CHECK_FALSE(mentions(text, "Connected to"));
}

TEST_CASE("the summary of branches says what is connected to what") {
  const std::string text = test::branched().summary();
  CAPTURE(text);
  CHECK(mentions(text, "Connected to"));
  CHECK(mentions(text, "conv2d, batch_normalization, conv2d_1"));
  CHECK(mentions(text, "Non-trainable params: 8\n"));
}

TEST_CASE("parameters are named, aligned and found") {
  Model<float> model = test::denoiser();
  CHECK(model.parameters().size() == 10);
  CHECK(model.parameters()[2].name == "conv2d_1/kernel");
  CHECK(model.parameter("conv2d_1/kernel").shape() == Shape{3, 3, 16, 16});
  for (const ParameterInfo& info : model.parameters()) CHECK(info.offset % 16 == 0);
  const std::string message = error_of([&] { model.parameter("conv2d_9/kernel"); });
  CHECK(mentions(message, "conv2d_9/kernel"));
  CHECK(mentions(message, "conv2d_4/bias"));
}

TEST_CASE("the seed decides the initial weights") {
  const Model<float> a = test::denoiser(1), b = test::denoiser(1), c = test::denoiser(2);
  CHECK(std::equal(a.weights().begin(), a.weights().end(), b.weights().begin()));
  CHECK_FALSE(std::equal(a.weights().begin(), a.weights().end(), c.weights().begin()));
}

TEST_CASE("a copy has weights of its own") {
  Model<float> a = test::denoiser();
  Model<float> b = a;
  b.weights()[0] += 1;
  CHECK(a.weights()[0] != b.weights()[0]);
}

TEST_CASE("models that do not fit together are refused with the layer's name") {
  const std::string none = error_of([] { Sequential({3}, {}); });
  CHECK(mentions(none, "at least one layer"));
  const std::string rank = error_of([] { Sequential({28, 28}, {Conv2D{.filters = 1}}); });
  CHECK(mentions(rank, "Conv2D"));
  CHECK(mentions(rank, "(28, 28)"));
  GraphBuilder<float> graph({4});
  const auto a = graph.add(Dense{.units = 3}, graph.input());
  const auto b = graph.add(Dense{.units = 2}, graph.input());
  const auto sum = graph.add(Add{}, {a, b});
  const std::string add = error_of([&] { graph.build(sum); });
  CHECK(mentions(add, "Add"));
  CHECK(mentions(add, "(3)"));
  CHECK(mentions(add, "(2)"));
  CHECK_THROWS_AS(graph.build(graph.input()), ValueError);
}

TEST_CASE("a size that overflows is an error") {
  CHECK_THROWS_AS(Sequential({Index{1} << 40}, {Dense{.units = Index{1} << 40}}), ShapeError);
}

TEST_CASE("nodes that do not lead to the output are left out") {
  GraphBuilder<float> graph({4});
  const auto a = graph.add(Dense{.units = 3}, graph.input());
  graph.add(Dense{.units = 100}, a);
  const auto c = graph.add(Dense{.units = 2}, a);
  const Model<float> model = graph.build(c);
  CHECK(model.nodes().size() == 2);
  CHECK(model.output_shape() == Shape{2});
}

TEST_CASE("the prediction for a batch is that for each sample alone, bit for bit") {
  const auto check = [](const Model<float>& model) {
    const Index n = 37;
    const Tensor<float> x = test::random_tensor<float>(model.input_shape().with_batch(n), 1);
    const Tensor<float> together = model.predict(x);
    bool equal = true;
    for (Index i = 0; i < n; ++i) {
      const Tensor<float> alone = model.predict(x.samples(i, 1));
      const auto expected = together.samples(i, 1);
      equal = equal && std::equal(alone.begin(), alone.end(), expected.begin());
    }
    CHECK(equal);
  };
  test::for_each_isa([&](Isa) {
    check(test::denoiser());
    check(test::branched());
    check(test::autoencoder());
  });
}

TEST_CASE("a plan for predictions has no memory for a backward pass") {
  const Model<float> model = Sequential({8, 8, 3}, {Conv2D{.filters = 4, .kernel_size = 3, .activation = gelu},
                                                    LayerNormalization{}, MaxPool2D{.pool_size = 2}});
  const auto saved = [&](Mode mode, std::optional<AnyLoss<float>> loss) {
    Index scalars = 0;
    for (const auto& node : Plan<float>(model, 16, mode, loss).nodes) scalars += node.plan.saved_per_sample;
    return scalars;
  };
  CHECK(saved(Mode::training, MeanSquaredError{}) == 6 * 6 * 4 + 6 * 6 * 2 + 3 * 3 * 4);
  CHECK(saved(Mode::inference, {}) == 0);
}

TEST_CASE("many threads predict with one const model") {
  const Model<float> model = test::denoiser();
  const Tensor<float> x = test::random_tensor<float>(Shape{8, 28, 28, 1}, 2);
  const Tensor<float> expected = model.predict(x);
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < equal.size(); ++t) {
    threads.emplace_back([&, t] {
      Predictor<float> predictor(model, 3);  // 8 samples in three pieces
      const Tensor<float> y = predictor(x);
      equal[t] = std::equal(y.begin(), y.end(), expected.begin()) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int e : equal) CHECK(e == 1);
}

TEST_CASE("predict refuses inputs of another shape, and takes an empty batch") {
  const Model<float> model = test::denoiser();
  const std::string message = error_of([&] { model.predict(Tensor<float>(Shape{2, 28, 27, 1})); });
  CHECK(mentions(message, "(n, 28, 28, 1)"));
  CHECK(mentions(message, "(2, 28, 27, 1)"));
  CHECK(model.predict(Tensor<float>(Shape{0, 28, 28, 1})).shape() == Shape{0, 28, 28, 1});
}

TEST_CASE("every node has a name of its own") {
  GraphBuilder<float> graph({3});
  const auto a = graph.add(Dense{.units = 2}, graph.input(), "fc");
  const auto b = graph.add(Dense{.units = 2}, a, "fc");
  CHECK(mentions(error_of<ValueError>([&] { graph.build(b); }), "two nodes are called \"fc\""));

  GraphBuilder<float> numbered({3});
  const auto given = numbered.add(Dense{.units = 2}, numbered.input(), "dense_1");
  const Model<float> model = numbered.build(numbered.add(Dense{.units = 1}, numbered.add(Dense{.units = 1}, given)));
  CHECK(model.nodes()[0].name == "dense_1");
  CHECK(model.nodes()[1].name == "dense");
  CHECK(model.nodes()[2].name == "dense_2");
}

TEST_CASE("an error of a layer names the node") {
  const std::string message = error_of<ShapeError>([] {
    Sequential({4, 4, 1}, {Conv2D{.filters = 1, .kernel_size = 3}, Conv2D{.filters = 1, .kernel_size = 3}});
  });
  CHECK(mentions(message, "conv2d_1: Conv2D"));
  CHECK(mentions(error_of<ShapeError>([] { Sequential({8}, {Reshape{.target_shape = {-2, 4}}}); }), "reshape: "));
  CHECK(mentions(error_of<ShapeError>([] {
                   Sequential({1}, {Reshape{.target_shape = {1, 1, 1, 1, 1, 1, 1}}});
                 }),
                 "at most 6 axes"));
}

TEST_CASE("a number of units or filters must be given") {
  CHECK(mentions(error_of<ValueError>([] { Sequential({3}, {Dense{}}); }), "units >= 1, got 0"));
  CHECK(mentions(error_of<Error>([] { Sequential({4, 4, 1}, {Conv2D{.kernel_size = 3}}); }), "got 0 filters"));
  CHECK(mentions(error_of<Error>([] { Sequential({4, 4, 1}, {Conv2DTranspose{.kernel_size = 3}}); }), "filters"));
}

TEST_CASE("a graph takes its own nodes only") {
  GraphBuilder<float> graph({3}), other({3});
  const auto foreign = other.add(Dense{.units = 1}, other.input());
  CHECK_THROWS_AS(graph.add(Dense{.units = 1}, foreign), ValueError);
  CHECK_THROWS_AS(graph.add(Dense{.units = 1}, other.input()), ValueError);
  CHECK_THROWS_AS(graph.build(foreign), ValueError);
}

TEST_CASE("a model refuses a layer that nobody reads") {
  std::vector<std::pair<AnyLayer<float>, std::vector<int>>> layers;
  layers.emplace_back(Dense{.units = 1}, std::vector<int>{kModelInput});
  layers.emplace_back(Dense{.units = 1}, std::vector<int>{kModelInput});
  CHECK(mentions(error_of<ValueError>([&] { Model<float>({3}, layers, 0); }), "dense: no layer reads it"));
}

TEST_CASE("huge numbers in a layer's configuration are errors, not overflows") {
  constexpr Index kHuge = std::numeric_limits<Index>::max();
  const auto refused = [](const auto& layer) {
    CHECK(error_of<Error>([&] { Sequential({8, 8, 2}, {layer}); }) != "(no error)");
  };
  refused(Conv2D{.filters = 1, .kernel_size = Size2D(kHuge, kHuge)});
  refused(Conv2D{.filters = 1, .kernel_size = 1, .strides = Size2D(kHuge, 1), .padding = same});
  refused(Conv2D{.filters = 1, .kernel_size = 2, .dilation_rate = Size2D(kHuge, kHuge)});
  refused(Conv2D{.filters = kHuge});
  const Index large = Index{1} << 30;
  CHECK(error_of<Error>([&] {
          Sequential({1, 2 * large, large}, {Conv2D{.filters = large, .kernel_size = Size2D(1, 3), .padding = same}});
        }) != "(no error)");
  refused(Conv2D{.filters = 1, .padding = pad(kHuge, kHuge, 1, 1)});
  refused(Conv2DTranspose{.filters = 1, .kernel_size = 3, .padding = pad(kHuge, kHuge, 1, 1)});
  refused(Conv2DTranspose{.filters = 1, .kernel_size = 3, .strides = Size2D(kHuge, kHuge)});
  refused(MaxPool2D{.pool_size = 2, .strides = Size2D(kHuge, 1), .padding = same});
  refused(UpSampling2D{.size = Size2D(kHuge, kHuge)});
  refused(ZeroPadding2D{.padding = pad(kHuge, kHuge, kHuge, kHuge)});
}
