// Whole models against central differences: that the plan connects what the layers compute (branches,
// buffers that are used twice, slices, partial sums, segments), in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "layers/dense_of_batch.hpp"
#include "model/networks.hpp"

using namespace linnet;

namespace {

struct Case {
  Model<double> model;
  AnyLoss<double> loss;
  Tensor<double> x, target;
};

SliceIo<double> io_of(const auto& feed) { return {feed}; }

/// The loss of the batch in training mode, and (in `gradients`, if there is one) its gradient.
double run(const Case& c, std::span<const double> weights, std::vector<double>* gradients) {
  const Plan<double> plan(c.model, c.x.batch(), Mode::training, c.loss);
  Workspace<double> workspace(plan);
  for (auto* arena : {&workspace.arenas, &workspace.batch_arena}) {
    std::fill(arena->begin(), arena->end(), std::nan(""));  // nothing may rely on zeros
  }
  for (const TensorView<double>& dw : workspace.gradient_views) std::fill(dw.begin(), dw.end(), std::nan(""));
  const auto feed = [&](Index first, TensorView<double> x, TensorView<double> target) {
    const auto from = c.x.samples(first, x.batch());
    std::copy(from.begin(), from.end(), x.begin());
    const auto target_from = c.target.samples(first, x.batch());
    std::copy(target_from.begin(), target_from.end(), target.begin());
  };
  const LossTerms loss = Execution<double>(plan, workspace, weights, c.x.batch(), {5, 0, 3}).run(io_of(feed));
  if (gradients != nullptr) {
    gradients->assign(workspace.gradients.begin(), workspace.gradients.end());
  }
  return loss.total();
}

void check_gradients(const Case& c) {
  std::vector<double> weights(c.model.weights().begin(), c.model.weights().end());
  // Biases begin at 0, where a relu of a zero input has its kink.
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] += 0.02 * (static_cast<double>(RandomKey{7}.uniform(static_cast<Index>(i))) - 0.5);
  }
  std::vector<double> gradients;
  run(c, weights, &gradients);
  double largest = 0;
  for (const ParameterInfo& info : c.model.parameters()) {
    if (!info.trainable) continue;
    for (Index i = 0; i < info.shape.size(); i += 1 + info.shape.size() / 13) {
      const auto k = static_cast<std::size_t>(info.offset + i);
      const double kept = weights[k];
      const double step = 1e-6;
      weights[k] = kept + step;
      const double above = run(c, weights, nullptr);
      weights[k] = kept - step;
      const double below = run(c, weights, nullptr);
      weights[k] = kept;
      const double numeric = (above - below) / (2 * step);
      CAPTURE(info.name);
      CAPTURE(i);
      CHECK(gradients[k] == doctest::Approx(numeric).epsilon(1e-3).scale(1e-2));
      largest = std::max(largest, std::abs(numeric));
    }
  }
  CHECK(largest > 1e-4);  // a model that learns nothing would pass the above
}

}  // namespace

TEST_CASE("gradients of a graph with branches and batch normalization") {
  for (const Index batch : {2, 7, 19}) {
    CAPTURE(batch);
    const Model<double> model = test::branched<double>(3);
    check_gradients({model, CategoricalCrossentropy{},
                     test::random_tensor<double>(model.input_shape().with_batch(batch), 4, -1, 1),
                     test::one_hot_targets<double>(batch, 3, 5)});
  }
}

TEST_CASE("gradients of dense layers on both sides of batch normalization") {
  const Model<double> model = Sequential<double>(
      {6}, {Dense{.units = 5, .activation = elu}, BatchNormalization{}, Dense{.units = 3, .activation = gelu}}, 4);
  check_gradients({model, MeanSquaredError{}, test::random_tensor<double>(Shape{21, 6}, 7),
                   test::random_tensor<double>(Shape{21, 3}, 8)});
}

// What lies before the first weights is read forward only, and its memory used again.
TEST_CASE("gradients of a graph that begins with layers without weights") {
  GraphBuilder<double> graph({3, 2, 2});
  const auto noisy = graph.add(GaussianNoise{.stddev = 0.1}, graph.input());
  const auto flat = graph.add(Flatten{}, graph.add(AveragePool2D{.pool_size = 2, .strides = 1}, noisy));
  auto chain = graph.add(Flatten{}, noisy);
  for (const Index units : {24, 12, 24}) chain = graph.add(Dense{.units = units, .activation = gelu}, chain);
  const Model<double> model = graph.build(graph.add(Dense{.units = 3}, graph.add(Concatenate{}, {flat, chain})), 4);
  check_gradients({model, MeanSquaredError{}, test::random_tensor<double>(Shape{21, 3, 2, 2}, 7),
                   test::random_tensor<double>(Shape{21, 3}, 8)});
}

TEST_CASE("gradients by weights of the whole batch, among others") {
  for (const bool segments : {false, true}) {
    for (const Index batch : {1, 5, 33}) {
      CAPTURE(segments);
      CAPTURE(batch);
      GraphBuilder<double> graph({6});
      const auto first = graph.add(test::DenseOfBatch{{.units = 5, .activation = elu}}, graph.input());
      const auto left = graph.add(test::DenseOfBatch{{.units = 4, .activation = gelu}}, first);
      const auto right = graph.add(Dense{.units = 4}, first);
      auto sum = graph.add(Add{}, {left, right});
      if (segments) sum = graph.add(BatchNormalization{}, sum);
      const Model<double> model = graph.build(graph.add(test::DenseOfBatch{{.units = 3, .use_bias = false}}, sum), 4);
      check_gradients({model, MeanSquaredError{}, test::random_tensor<double>(Shape{batch, 6}, 7),
                       test::random_tensor<double>(Shape{batch, 3}, 8)});
    }
  }
}

// Large enough for several pieces, and more samples than a block of products has: against plain loops.
TEST_CASE("gradients by large weights of many samples") {
  constexpr Index kBatch = 150, kIn = 400, kUnits = 200;
  const Model<float> model = Sequential({kIn}, {Dense{.units = kUnits}}, 5);
  const Tensor<float> x = test::random_tensor<float>(Shape{kBatch, kIn}, 1, -1, 1);
  const Tensor<float> target = test::random_tensor<float>(Shape{kBatch, kUnits}, 2, -1, 1);
  const auto feed = [&](Index first, TensorView<float> to, TensorView<float> target_to) {
    const auto from = x.samples(first, to.batch()), target_from = target.samples(first, to.batch());
    std::copy(from.begin(), from.end(), to.begin());
    std::copy(target_from.begin(), target_from.end(), target_to.begin());
  };
  std::vector<float> gradients;
  for (const Index planned : {kBatch, 3 * kBatch}) {
    const Plan<float> plan(model, planned, Mode::training, AnyLoss<float>(MeanSquaredError{}));
    REQUIRE(plan.weight_pieces.size() > 2);
    CHECK(plan.partial_count == 0);
    Workspace<float> workspace(plan);
    Execution<float>(plan, workspace, model.weights(), kBatch, {}).run({feed});
    if (gradients.empty()) gradients.assign(workspace.gradients.begin(), workspace.gradients.end());
    CHECK(std::equal(gradients.begin(), gradients.end(), workspace.gradients.begin()));
  }
  const Tensor<float> y = model.predict(x);
  const auto expected = [&](Index i, Index unit) {  // by the kernel's row i, or for i = kIn by the bias
    double sum = 0;
    for (Index n = 0; n < kBatch; ++n) {
      const double dy = 2.0 * (double{y[n * kUnits + unit]} - double{target[n * kUnits + unit]}) / kUnits / kBatch;
      sum += i == kIn ? dy : dy * double{x[n * kIn + i]};
    }
    return sum;
  };
  const auto& parameters = model.parameters();
  for (Index i = 0; i < kIn; i += 7) {
    for (Index unit = 0; unit < kUnits; unit += 13) {
      const float dw = gradients[static_cast<std::size_t>(parameters[0].offset + i * kUnits + unit)];
      CHECK(dw == doctest::Approx(expected(i, unit)).epsilon(1e-5).scale(1e-3));
    }
  }
  for (Index unit = 0; unit < kUnits; ++unit) {
    const float db = gradients[static_cast<std::size_t>(parameters[1].offset + unit)];
    CHECK(db == doctest::Approx(expected(kIn, unit)).epsilon(1e-5).scale(1e-3));
  }
}

/// Passes its input on, and tells where its dx was.
struct Recorder {
  static constexpr std::string_view kName = "Recorder";
  struct Range {
    Index first_sample;
    const double *from, *to;
  };
  std::vector<Range>* seen;

  LayerPlan plan(const Shape& in) const { return {.output = in}; }
  void forward(Context<double>&, TensorView<const double> x, Parameters<const double>, TensorView<double> y) const {
    std::copy(x.begin(), x.end(), y.begin());
  }
  void backward(Context<double>& context, TensorView<const double>, TensorView<const double>, TensorView<double> dy,
                Parameters<const double>, TensorView<double> dx, Parameters<double>) const {
    std::copy(dy.begin(), dy.end(), dx.begin());
    seen->push_back({context.first_sample, dx.begin(), dx.end()});
  }
};

// Slices of a segment are at different nodes at the same time.
TEST_CASE("in a segmented plan no memory of a slice is another's") {
  std::vector<Recorder::Range> seen;
  GraphBuilder<double> graph({6});
  const auto wide = graph.add(Dense{.units = 40}, graph.add(BatchNormalization{}, graph.input()));
  const auto left = graph.add(Recorder{&seen}, wide);  // its dx is added to that of the next
  const auto narrow = graph.add(Dense{.units = 3}, wide);
  const auto right = graph.add(Recorder{&seen}, narrow);
  const auto end = graph.add(Dense{.units = 2}, narrow);
  const Model<double> model = graph.build(graph.add(Concatenate{}, {left, right, end}), 4);
  const Tensor<double> x = test::random_tensor<double>(Shape{16, 6}, 7);
  const Tensor<double> target = test::random_tensor<double>(Shape{16, 45}, 8);
  set_num_threads(1);
  check_gradients({model, MeanSquaredError{}, x, target});
  seen.clear();
  Model<double> copy = model;
  Trainer<double>(copy, MeanSquaredError{}, SGD{}).train_on_batch(x, target);
  set_num_threads(0);
  REQUIRE(seen.size() >= 8);  // four slices, two nodes
  for (const Recorder::Range& a : seen) {
    for (const Recorder::Range& b : seen) {
      if (a.first_sample != b.first_sample) CHECK((a.to <= b.from || b.to <= a.from));
    }
  }
}

TEST_CASE("gradients of a variational autoencoder") {
  for (const Index batch : {1, 5, 33}) {
    CAPTURE(batch);
    const Model<double> model = test::autoencoder<double>(3);
    const Tensor<double> x = test::random_tensor<double>(Shape{batch, 20}, 6);
    check_gradients({model, BinaryCrossentropy{.reduction = Reduction::sum}, x, x});
  }
}

TEST_CASE("gradients of a chain without coupling, in several slices") {
  const Model<double> model = Sequential<double>(
      {8, 8, 2},
      {Conv2D{.filters = 5, .kernel_size = 3, .padding = same, .activation = elu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 3, .kernel_size = 3, .padding = same, .activation = gelu}, UpSampling2D{.size = 2},
       Conv2D{.filters = 2, .kernel_size = 3, .padding = same}},
      9);
  const Tensor<double> x = test::random_tensor<double>(Shape{21, 8, 8, 2}, 7);
  check_gradients({model, MeanSquaredError{}, x, test::random_tensor<double>(Shape{21, 8, 8, 2}, 8)});
}

TEST_CASE("a batch that is smaller than planned has the loss and gradients of its own size") {
  const Model<float> model = test::denoiser();
  const Tensor<float> x = test::random_tensor<float>(Shape{5, 28, 28, 1}, 9);
  const auto gradients_with = [&](Index planned) {
    const Plan<float> plan(model, planned, Mode::training, AnyLoss<float>(BinaryCrossentropy{}));
    Workspace<float> workspace(plan);
    const auto feed = [&](Index first, TensorView<float> slice, TensorView<float> target) {
      const auto from = x.samples(first, slice.batch());
      std::copy(from.begin(), from.end(), slice.begin());
      std::copy(from.begin(), from.end(), target.begin());
    };
    const LossTerms loss = Execution<float>(plan, workspace, model.weights(), 5, {}).run({feed});
    std::vector<float> result(workspace.gradients.begin(), workspace.gradients.end());
    result.push_back(static_cast<float>(loss.total()));
    return result;
  };
  const auto own = gradients_with(5);
  const auto smaller = gradients_with(64);
  for (std::size_t i = 0; i < own.size(); ++i) {
    REQUIRE(smaller[i] == doctest::Approx(own[i]).epsilon(1e-4).scale(1e-3));
  }
}

TEST_CASE("buffers that live at the same time do not meet") {
  for (std::uint32_t round = 0; round < 200; ++round) {
    const RandomKey key{11, round};
    Index word = 0;
    struct Request {
      Index size;
      int first, last, id;
    };
    BufferPlanner planner;
    std::vector<Request> requests;
    Index sum = 0;
    for (int i = 0; i < 12; ++i) {
      const auto size = static_cast<Index>(random_below(key, 50, word));
      const auto first = static_cast<int>(random_below(key, 20, word));
      const auto last = first + static_cast<int>(random_below(key, 8, word));
      requests.push_back({size, first, last, planner.request(size, first, last)});
      sum += round_up(size, 16);
    }
    const Index end = planner.place(16);
    CHECK(end <= sum);
    for (const Request& a : requests) {
      CHECK(planner.offset(a.id) % 16 == 0);
      CHECK(planner.offset(a.id) + a.size <= end);
      for (const Request& b : requests) {
        const bool same_time = a.first <= b.last && b.first <= a.last;
        if (a.id >= b.id || !same_time || a.size == 0 || b.size == 0) continue;
        const bool apart = planner.offset(a.id) + a.size <= planner.offset(b.id) ||
                           planner.offset(b.id) + b.size <= planner.offset(a.id);
        CHECK(apart);
      }
    }
  }
}
