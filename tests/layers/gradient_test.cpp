// Every layer's backward() against central differences, over many shapes and on every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/conv2d_cases.hpp"
#include "layers/dense_of_batch.hpp"
#include "linnet/layers/layers.hpp"
#include "linnet/testing/gradient_check.hpp"
#include "support.hpp"

using namespace linnet;
using linnet::testing::check_gradients;
using linnet::testing::GradientCheckOptions;
using linnet::testing::GradientReport;

namespace {

struct GradientCase {
  AnyLayer<double> layer;
  std::vector<Shape> inputs;
  GradientCheckOptions options = {};
};

/// Runs the cases on every instruction set; a kind of layer must be checked over at least 20 shapes.
void check_all(const std::vector<GradientCase>& cases) {
  CHECK(cases.size() >= 20);
  test::for_each_isa([&](Isa set) {
    double largest = 0;
    for (const GradientCase& c : cases) {
      const GradientReport report = check_gradients(c.layer, c.inputs, c.options);
      CAPTURE(to_string(set));
      CAPTURE(c.inputs[0].to_string());
      CHECK_MESSAGE(report.ok, report.message);
      CHECK(report.compared > 0);
      largest = std::max(largest, report.largest);
    }
    CHECK(largest > 0.01);  // gradients that are all 0 would agree too
  });
}

/// Images with odd sizes, single pixels, single channels, and channels that fill no pack.
const std::vector<Shape> kLayerImages = {
    {1, 1, 1},  {1, 1, 5},  {2, 2, 1}, {3, 3, 2},  {4, 4, 3}, {5, 5, 1}, {5, 3, 4}, {3, 7, 2},
    {6, 6, 8},  {4, 5, 9},  {7, 2, 3}, {2, 9, 1},  {8, 8, 1}, {1, 6, 7}, {6, 1, 7}, {3, 3, 16},
    {2, 2, 17}, {4, 3, 11}, {5, 4, 2}, {2, 3, 20}, {9, 9, 1}, {4, 4, 4},
};
const std::vector<Shape> kVectors = {{1},  {2},  {3},  {4},  {5},  {7},  {8},  {9},  {11}, {13},   {15},
                                     {16}, {17}, {19}, {23}, {24}, {31}, {32}, {33}, {40}, {3, 5}, {2, 2, 9}};

std::vector<GradientCase> over(const std::vector<Shape>& shapes, const AnyLayer<double>& layer,
                               GradientCheckOptions options = {}) {
  std::vector<GradientCase> cases;
  for (const Shape& shape : shapes) {
    options.batch = 1 + static_cast<Index>(cases.size()) % 3;
    cases.push_back({layer, {shape}, options});
  }
  return cases;
}

/// The convolution layer of a geometry from the table.
Conv2D conv_layer(const Conv2DGeometry& g, Activation activation) {
  const auto after = [](const ConvAxis& a) {
    return std::max<Index>(0, (a.output - 1) * a.stride + (a.taps - 1) * a.dilation + 1 - a.input - a.pad);
  };
  return {.filters = g.filters,
          .kernel_size = Size2D(g.y.taps, g.x.taps),
          .strides = Size2D(g.y.stride, g.x.stride),
          .padding = pad(g.y.pad, after(g.y), g.x.pad, after(g.x)),
          .dilation_rate = Size2D(g.y.dilation, g.x.dilation),
          .groups = g.groups,
          .activation = activation};
}

}  // namespace

TEST_CASE("Conv2D: the table's cases and random ones") {
  const std::vector<Activation> activations = {linear, Activation::tanh, gelu, sigmoid};
  std::vector<GradientCase> cases;
  const auto add = [&](const Conv2DGeometry& g, Index batch) {
    if (g.input_size() > 200 || g.kernel_size() > 400) return;  // two forward passes for every number
    cases.push_back({conv_layer(g, activations[cases.size() % activations.size()]),
                     {{g.y.input, g.x.input, g.channels}},
                     {.batch = batch}});
  };
  for (const Conv2DGeometry& g : test::named_conv_cases()) add(g, 1);
  for (std::uint32_t i = 0; cases.size() < 60; ++i) add(test::random_conv_case(i), 1 + i % 2);
  for (const Padding& padding : {same, valid}) {
    for (Index size = 3; size < 8; ++size) {
      cases.push_back({Conv2D{.filters = 3, .kernel_size = 3, .strides = 2, .padding = padding, .use_bias = false},
                       {{size, size + 1, 2}}});
    }
  }
  check_all(cases);
}

TEST_CASE("Conv2DTranspose") {
  std::vector<GradientCase> cases;
  for (const Padding& padding : {same, valid, pad(1, 0, 0, 1)}) {
    for (Index stride = 1; stride <= 3; ++stride) {
      for (Index taps = 2; taps <= 4; ++taps) {
        const Index size = 1 + (stride + taps) % 4;
        cases.push_back({Conv2DTranspose{.filters = 1 + taps,
                                         .kernel_size = Size2D(taps, taps + 1),
                                         .strides = stride,
                                         .padding = padding,
                                         .output_padding = Size2D(Index{padding == pad(1, 0, 0, 1) && stride > 1}, 0),
                                         .activation = taps == 3 ? silu : linear,
                                         .use_bias = taps != 2},
                         {{size, size + 1, 1 + stride}},
                         {.batch = 1 + stride % 2}});
      }
    }
  }
  cases.push_back({Conv2DTranspose{.filters = 2, .kernel_size = 2, .dilation_rate = 2}, {{3, 3, 2}}});
  check_all(cases);
}

TEST_CASE("Dense") {
  std::vector<GradientCase> cases;
  const std::vector<Activation> activations = {linear, sigmoid, gelu, softmax, Activation::tanh};
  for (const Shape& shape : kVectors) {
    const Index n = static_cast<Index>(cases.size());
    cases.push_back(
        {Dense{.units = 1 + 3 * n % 19, .activation = activations[cases.size() % 5], .use_bias = n % 4 != 0},
         {shape},
         {.batch = 1 + n % 4}});
  }
  check_all(cases);
}

TEST_CASE("Dense: gradients by weights of the whole batch, in pieces") {
  std::vector<GradientCase> cases;
  for (const Shape& shape : kVectors) {
    const Index n = static_cast<Index>(cases.size());
    cases.push_back({test::DenseOfBatch{{.units = 1 + 3 * n % 19, .activation = gelu, .use_bias = n % 4 != 0}},
                     {shape},
                     {.batch = 1 + n % 4}});
  }
  check_all(cases);
  for (const bool use_bias : {true, false}) {  // one that asks for it by itself
    linnet::testing::LayerRunner<double> run(Dense{.units = 200, .activation = elu, .use_bias = use_bias}, {{300}}, 9);
    REQUIRE(run.plan().weight_pieces > 2);
    for (Tensor<double>* tensor : {&run.x(), &run.dy(), &run.weights(0)}) {
      for (Index i = 0; i < tensor->size(); ++i) (*tensor)[i] = std::sin(static_cast<double>(i + tensor->size()));
    }
    run.forward();
    for (std::size_t i = 0; i < run.parameters(); ++i) run.dw(i).fill(0);
    run.backward();
    const Tensor<double> dx = run.dx(), kernel = run.dw(0), bias = run.dw(run.parameters() - 1);
    for (const bool want_dx : {true, false}) {
      for (std::size_t i = 0; i < run.parameters(); ++i) run.dw(i).fill(std::nan(""));
      for (Index piece = run.plan().weight_pieces; piece-- > 0;) run.backward_piece(piece, want_dx);
      CHECK(std::equal(dx.begin(), dx.end(), run.dx().begin()));
      // The same bits: there are no more samples than a block of products has.
      CHECK(std::equal(kernel.begin(), kernel.end(), run.dw(0).begin()));
      CHECK(std::equal(bias.begin(), bias.end(), run.dw(run.parameters() - 1).begin()));
    }
  }
}

TEST_CASE("activations") {
  for (const Activation& activation : {linear, relu, leaky_relu, leaky_relu.with(0.01), elu, elu.with(0.5), selu, gelu,
                                       silu, sigmoid, Activation::tanh, softplus, softmax}) {
    CAPTURE(name_of(activation.kind));
    check_all(over(kVectors, activation, {.scale = 3}));
  }
}

TEST_CASE("pooling") {
  for (const Padding& padding : {valid, same}) {
    std::vector<GradientCase> most, mean;
    for (const Shape& shape : kLayerImages) {
      const Index size = std::min<Index>({2 + static_cast<Index>(most.size()) % 2, shape[0], shape[1]});
      const Index stride = most.size() % 3 == 0 ? 1 : 0;  // windows that overlap too
      const GradientCheckOptions options{.batch = 1 + static_cast<Index>(most.size()) % 2};
      most.push_back({MaxPool2D{.pool_size = Size2D(size, size), .strides = Size2D(stride, stride), .padding = padding},
                      {shape},
                      options});
      mean.push_back(
          {AveragePool2D{.pool_size = Size2D(size, size), .strides = Size2D(stride, stride), .padding = padding},
           {shape},
           options});
    }
    check_all(most);
    check_all(mean);
  }
  check_all(over(kLayerImages, GlobalAveragePool2D{}));
}

TEST_CASE("up-sampling and padding") {
  check_all(over(kLayerImages, UpSampling2D{.size = 2}));
  check_all(over(kLayerImages, UpSampling2D{.size = Size2D(3, 2), .interpolation = Interpolation::bilinear}));
  check_all(over(kLayerImages, UpSampling2D{.size = Size2D(1, 4), .interpolation = Interpolation::bilinear}));
  check_all(over(kLayerImages, ZeroPadding2D{.padding = pad(1, 2, 0, 3)}));
}

TEST_CASE("shapes") {
  check_all(over(kLayerImages, Flatten{}));
  check_all(over(kLayerImages, Reshape{.target_shape = {1, -1}}));
}

TEST_CASE("merging") {
  std::vector<GradientCase> sums, joined, tall;
  for (const Shape& shape : kLayerImages) {
    sums.push_back({Add{}, {shape, shape, shape}});
    joined.push_back({Concatenate{}, {shape, {shape[0], shape[1], 3}}});
    tall.push_back({Concatenate{.axis = 0}, {shape, {2, shape[1], shape[2]}, shape}});
  }
  check_all(sums);
  check_all(joined);
  check_all(tall);
}

TEST_CASE("noise keeps its numbers from forward to backward") {
  check_all(over(kVectors, Dropout{.rate = 0.4}));
  check_all(over(kVectors, GaussianNoise{.stddev = 0.3}));
}

TEST_CASE("normalization") {
  std::vector<GradientCase> batch;
  for (const Shape& shape : kLayerImages) {
    // One value alone has no variance to speak of, and its gradient is 0.
    const Index values = shape[0] * shape[1];
    const std::size_t i = batch.size();
    batch.push_back({BatchNormalization{.center = i % 3 != 0, .scale = i % 4 != 0},
                     {shape},
                     {.batch = values == 1 ? 5 : 1 + static_cast<Index>(i) % 3}});
  }
  check_all(batch);
  std::vector<GradientCase> layer;
  for (const Shape& shape : kVectors) {
    layer.push_back(
        {LayerNormalization{.center = layer.size() % 3 != 0, .scale = layer.size() % 4 != 0}, {shape}, {.batch = 3}});
  }
  check_all(layer);
}

TEST_CASE("GaussianLatent, with its term of the loss") {
  std::vector<GradientCase> cases;
  for (Index n = 1; n <= 22; ++n) {
    cases.push_back({GaussianLatent{.kl_weight = n % 3 == 0 ? 0.0 : 0.5 + 0.1 * static_cast<double>(n)},
                     {{2 * n}},
                     {.batch = 1 + n % 4}});
  }
  check_all(cases);
}

TEST_CASE("a wrong gradient is found") {
  struct Wrong : Activation {  // forgets the derivative
    LayerPlan plan(const Shape& in) const { return {.output = in}; }
    void forward(Context<double>&, TensorView<const double> x, Parameters<const double>, TensorView<double> y) const {
      for (Index i = 0; i < x.size(); ++i) y[i] = x[i] * x[i];
    }
    void backward(Context<double>&, TensorView<const double> x, TensorView<const double>, TensorView<double> dy,
                  Parameters<const double>, TensorView<double> dx, Parameters<double>) const {
      for (Index i = 0; i < dx.size(); ++i) dx[i] = dy[i] * (i == 3 ? 2.01 : 2.0) * x[i];
    }
  };
  const GradientReport report = check_gradients(Wrong{}, {{5}});
  CHECK_FALSE(report.ok);
  CHECK(report.message.find("d input[0, 3]") != std::string::npos);
}

TEST_CASE("gradients by weights in pieces that differ are found") {
  struct Wrong : test::DenseOfBatch {
    void backward_weights(Index piece, TensorView<const double> x, TensorView<const double> dy,
                          Parameters<double> dw) const {
      Dense::backward_weights(piece, x, dy, dw);
      dw[0][1] *= 1.01;
    }
  };
  struct Twice : test::DenseOfBatch {  // every piece writes all
    LayerPlan plan(const Shape& in) const {
      LayerPlan plan = DenseOfBatch::plan(in);
      plan.weight_pieces = 2;
      return plan;
    }
    void backward_weights(Index, TensorView<const double> x, TensorView<const double> dy, Parameters<double> dw) const {
      Dense::backward_weights(0, x, dy, dw);
    }
  };
  struct NoDx : test::DenseOfBatch {
    void backward(Context<double>& context, TensorView<const double> x, TensorView<const double> y,
                  TensorView<double> dy, Parameters<const double> w, TensorView<double> dx,
                  Parameters<double> dw) const {
      if (!dw.empty()) Dense::backward(context, x, y, dy, w, dx, dw);
    }
  };
  CHECK(check_gradients(Wrong{{{.units = 2}}}, {{3}}).message.find("dw of backward_weights() differs") !=
        std::string::npos);
  CHECK(check_gradients(Twice{{{.units = 2}}}, {{3}}).message.find("in one piece") != std::string::npos);
  CHECK(check_gradients(NoDx{{{.units = 2}}}, {{3}}).message.find("dx differs") != std::string::npos);
}

TEST_CASE("a layer with pieces of weights must have backward_weights(), and see samples by themselves") {
  struct Incomplete : Activation {
    LayerPlan plan(const Shape& in) const { return {.output = in, .weight_pieces = 1}; }
  };
  struct Coupling : test::DenseOfBatch {
    LayerPlan plan(const Shape& in) const {
      LayerPlan plan = DenseOfBatch::plan(in);
      plan.couples_batch = true;
      return plan;
    }
  };
  const std::vector<Shape> in = {{5}};
  for (const AnyLayer<double>& layer : {AnyLayer<double>(Incomplete{}), AnyLayer<double>(Coupling{{{.units = 2}}})}) {
    const std::string message = test::error_of<ValueError>([&] { layer.plan(in); });
    CHECK(test::mentions(message, std::string(layer.kind()) + ": LayerPlan::weight_pieces is 1; expected 0, or"));
  }
}

TEST_CASE("what a layer saves in inference is found") {
  struct Saving : Activation {
    LayerPlan plan(const Shape& in) const { return {.output = in, .saved_per_sample = in.size()}; }
    void forward(Context<double>& context, TensorView<const double> x, Parameters<const double>,
                 TensorView<double> y) const {
      std::copy(x.begin(), x.end(), context.saved.data());
      std::copy(x.begin(), x.end(), y.begin());
    }
    void backward(Context<double>&, TensorView<const double>, TensorView<const double>, TensorView<double> dy,
                  Parameters<const double>, TensorView<double> dx, Parameters<double>) const {
      if (!dx.empty()) std::copy(dy.begin(), dy.end(), dx.begin());
    }
  };
  const GradientReport report = check_gradients(Saving{}, {{5}});
  CHECK_FALSE(report.ok);
  CHECK(report.message.find("writes to Context::saved in inference") != std::string::npos);
}
