#include "linnet/model/fusion.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet/testing/layer_runner.hpp"
#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

struct Results {
  Tensor<double> y, dx;
  std::vector<Tensor<double>> dw;
};

/// The two layers one after the other, as nothing fuses them. The parameters are those of `with_parameters` (0 or 1).
Results apart(const AnyLayer<double>& first, const AnyLayer<double>& second, const Shape& in, int with_parameters) {
  testing::LayerRunner<double> a(first, {in}, 3), b(second, {a.plan().output}, 3);
  testing::LayerRunner<double>& own = with_parameters == 0 ? a : b;
  a.x() = test::random_tensor<double>(in.with_batch(3), 1, -1, 1);
  for (std::size_t i = 0; i < own.parameters(); ++i) {
    own.weights(i) = test::random_tensor<double>(own.weights(i).shape(), 2 + static_cast<std::uint32_t>(i), -1, 1);
  }
  a.forward();
  b.x() = a.y();
  b.forward();
  b.dy() = test::random_tensor<double>(b.y().shape(), 9, -1, 1);
  b.backward();
  a.dy() = b.dx();
  a.backward();
  Results results{b.y(), a.dx(), {}};
  for (std::size_t i = 0; i < own.parameters(); ++i) results.dw.push_back(own.dw(i));
  return results;
}

Results together(const AnyLayer<double>& layer, const Shape& in) {
  testing::LayerRunner<double> both(layer, {in}, 3);
  both.x() = test::random_tensor<double>(in.with_batch(3), 1, -1, 1);
  for (std::size_t i = 0; i < both.parameters(); ++i) {
    both.weights(i) = test::random_tensor<double>(both.weights(i).shape(), 2 + static_cast<std::uint32_t>(i), -1, 1);
  }
  both.forward();
  both.dy() = test::random_tensor<double>(both.y().shape(), 9, -1, 1);
  both.backward();
  Results results{both.y(), both.dx(), {}};
  for (std::size_t i = 0; i < both.parameters(); ++i) results.dw.push_back(both.dw(i));
  return results;
}

double largest_difference(const Tensor<double>& a, const Tensor<double>& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.size() > 0);
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

void check_same(const AnyLayer<double>& first, const AnyLayer<double>& second, const Shape& in, int with_parameters) {
  const std::optional<AnyLayer<double>> both = fuse(first, second);
  REQUIRE(both.has_value());
  const Results expected = apart(first, second, in, with_parameters), got = together(*both, in);
  CHECK(largest_difference(got.y, expected.y) < 1e-12);
  CHECK(largest_difference(got.dx, expected.dx) < 1e-12);
  REQUIRE(got.dw.size() == expected.dw.size());
  for (std::size_t i = 0; i < got.dw.size(); ++i) CHECK(largest_difference(got.dw[i], expected.dw[i]) < 1e-11);
}

}  // namespace

TEST_CASE("upsampling and a convolution as one layer do what the two do") {
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const auto& [channels, filters] : {std::pair<Index, Index>{3, 5}, {16, 16}, {16, 1}, {1, 16}, {20, 18}}) {
      for (const Activation activation : {linear, relu, gelu}) {
        check_same(UpSampling2D{},
                   Conv2D{.filters = filters, .kernel_size = 3, .padding = same, .activation = activation},
                   {5, 9, channels}, 1);
      }
    }
    check_same(UpSampling2D{}, Conv2D{.filters = 2, .kernel_size = 3, .padding = same, .use_bias = false}, {1, 1, 2},
               1);
  });
}

TEST_CASE("a convolution and max pooling as one layer do what the two do") {
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const Activation activation : {linear, relu, leaky_relu, Activation::tanh}) {
      const Conv2D convolution{.filters = 5, .kernel_size = 3, .padding = same, .activation = activation};
      check_same(convolution, MaxPool2D{}, {8, 6, 3}, 0);
      check_same(convolution, MaxPool2D{}, {7, 9, 3}, 0);
      check_same(convolution, MaxPool2D{.pool_size = 3, .strides = 2, .padding = same}, {7, 9, 3}, 0);
    }
    check_same(Conv2D{.filters = 4, .kernel_size = 2, .use_bias = false}, MaxPool2D{.pool_size = 3}, {8, 8, 18}, 0);
    // Small images beside many weights, several at a time: two and one, and all three.
    check_same(Conv2D{.filters = 5, .kernel_size = 3, .padding = same}, MaxPool2D{}, {4, 3, 3}, 0);
    check_same(Conv2D{.filters = 20, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{}, {2, 2, 18},
               0);
  });
}

TEST_CASE("what has no kernel for both is left as it is") {
  const Conv2D convolution{.filters = 2, .kernel_size = 3, .padding = same};
  const auto fused = [](const AnyLayer<float>& first, const AnyLayer<float>& second) {
    return fuse(first, second).has_value();
  };
  CHECK(fused(UpSampling2D{}, convolution));
  CHECK_FALSE(fused(UpSampling2D{.size = 3}, convolution));
  CHECK_FALSE(fused(UpSampling2D{.interpolation = Interpolation::bilinear}, convolution));
  CHECK_FALSE(fused(UpSampling2D{}, Conv2D{.filters = 2, .kernel_size = 3}));
  CHECK_FALSE(fused(UpSampling2D{}, Conv2D{.filters = 2, .kernel_size = 5, .padding = same}));
  CHECK_FALSE(fused(Conv2D{.filters = 2, .activation = gelu}, MaxPool2D{}));
  CHECK_FALSE(fused(MaxPool2D{}, convolution));
}

TEST_CASE("an image that two layers read is not fused away") {
  GraphBuilder<float> graph({4, 4, 3});
  const auto large = graph.add(UpSampling2D{}, graph.input());
  const auto a = graph.add(Conv2D{.filters = 3, .kernel_size = 3, .padding = same}, large);
  const auto sum = graph.add(Add{}, {a, large});
  const Model<float> model = graph.build(sum, 1);
  CHECK(Plan<float>(model, 4, Mode::inference).node_count() == 3);
  CHECK(Plan<float>(test::denoiser(), 4, Mode::inference).node_count() == 5);
}

TEST_CASE("a plan says what it has chosen") {
  const Plan<float> plan(test::denoiser(), 128, Mode::training, AnyLoss<float>(BinaryCrossentropy{}));
  const std::string text = describe(plan, 2);
  CAPTURE(text);
  for (const char* part : {"training, batch 128", "2 threads", "conv2d + max_pool2d", "up_sampling2d + conv2d_3",
                           "16 sums of gradients of 28.4 KiB", "forward rows pooled by image, by weights rows  ",
                           "forward rows pooled by image, by weights rows, by data rows",
                           "forward rows + relu, by weights rows, by data rows",
                           "BinaryCrossentropy with the last activation", to_string(isa())}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const Plan<float> autoencoder(test::digit_autoencoder(), 128, Mode::training, AnyLoss<float>(BinaryCrossentropy{}));
  const std::string of_batch = describe(autoencoder, 2);
  CAPTURE(of_batch);
  for (const char* part : {"4 sums of gradients of 95.5 KiB", "a thread and 1.2 MiB for the batch",
                           "forward matrix product + relu, by weights matrix product of the batch  ",
                           "forward matrix product, by weights matrix product, by data matrix product  "}) {
    CAPTURE(part);
    CHECK(of_batch.find(part) != std::string::npos);
  }
  const Model<float> pointwise = Sequential(
      {9, 8, 20}, {Conv2D{.filters = 24, .kernel_size = 1}, Conv2D{.filters = 24, .kernel_size = 1, .strides = 2}});
  const std::string one_tap = describe(Plan<float>(pointwise, 4, Mode::inference), 2);
  CHECK(one_tap.find("forward matrix product  ") != std::string::npos);
  CHECK(one_tap.find("forward direct  ") != std::string::npos);
  const std::string inference = describe(Plan<float>(test::denoiser(), 128, Mode::inference), 2);
  CHECK(inference.find("forward rows") != std::string::npos);
  for (const char* part : {"by weights", "by data", "gradients", "loss"}) {
    CHECK(inference.find(part) == std::string::npos);
  }
  const std::string slices = "slices of " + std::to_string(plan.slice_of(128));
  CHECK(text.find(slices) != std::string::npos);
}

namespace {
/// y = x + what prepare() has left: a layer without parameters that prepares.
struct PreparesThree {
  static constexpr std::string_view kName = "PreparesThree";
  LayerPlan plan(const Shape& in) const { return {.output = in, .prepared = 1}; }
  template <class T>
  void prepare(Parameters<const T>, bool, std::span<T> prepared) const {
    prepared[0] = 3;
  }
  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    for (Index i = 0; i < x.size(); ++i) y[i] = x[i] + context.prepared[0];
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T>, Parameters<const T>,
                TensorView<T>, Parameters<T>) const {}
};
}  // namespace

TEST_CASE("a predictor derives anew from weights that have changed, and from none") {
  Model<float> model = test::denoiser(1);
  const Model<float> other = test::denoiser(2);
  const Tensor<float> x = test::random_tensor<float>(Shape{2, 28, 28, 1}, 1);
  Predictor<float> predictor(model, 2);
  const auto equal = [](const Tensor<float>& a, const Tensor<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  const Tensor<float> first = predictor(x);
  CHECK(equal(predictor(x), first));
  const std::vector<float> kept = test::weights_of(model);
  std::copy(other.weights().begin(), other.weights().end(), model.weights().begin());
  CHECK(equal(predictor(x), other.predict(x)));
  CHECK_FALSE(equal(predictor(x), first));
  std::copy(kept.begin(), kept.end(), model.weights().begin());
  CHECK(equal(predictor(x), first));

  const Model<float> without = Sequential<float>({2}, {PreparesThree{}}, 1);
  CHECK(without.predict(Tensor<float>(Shape{1, 2}, 4.0f))[1] == 7.0f);
}
