// The gradient check: a layer's backward() against central differences of its forward(), in double. It also holds a
// layer to the rest of its contract. For your own layers:
//
//     const auto report = linnet::testing::check_gradients(MyLayer{}, {{8, 8, 3}});
//     if (!report.ok) std::cerr << report.message << '\n';
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "linnet/core/random.hpp"
#include "linnet/testing/layer_runner.hpp"

LINNET_NAMESPACE_BEGIN
namespace testing {

struct GradientCheckOptions {
  Index batch = 2;
  double step = 1e-6;
  double atol = 1e-5, rtol = 1e-3;  ///< an error e is fine if e <= atol + rtol * |numeric|
  std::uint64_t seed = 1;
  /// Inputs and weights are drawn from [-scale, scale], but keep away from 0 by `gap`, where many
  /// activations have a kink; and no two inputs are closer to each other than 1e-4, so that a maximum is one.
  double scale = 1;
  double gap = 1e-3;
};

struct GradientReport {
  bool ok = true;
  double worst = 0;          ///< the largest |analytic - numeric|
  Index compared = 0;        ///< numbers compared
  double largest = 0;        ///< the largest |numeric|: 0 would show nothing
  std::string message = {};  ///< the first thing that is wrong
};

namespace detail {

/// Numbers in [-scale, scale], none within `gap` of 0, all different.
inline void fill_apart(Tensor<double>& tensor, const RandomKey& key, const GradientCheckOptions& options) {
  const auto order = random_permutation(key, tensor.size());
  for (Index i = 0; i < tensor.size(); ++i) {
    const double place =
        (static_cast<double>(order[static_cast<std::size_t>(i)]) + 0.5) / static_cast<double>(tensor.size());
    const double jitter =
        (static_cast<double>(key.with_sample(7).uniform(i)) - 0.5) / static_cast<double>(2 * tensor.size());
    const double value = options.scale * (2 * (place + jitter) - 1);
    tensor[i] = value < 0 ? value - options.gap : value + options.gap;
  }
}

inline std::string place_of(Index i, const Shape& shape) {
  std::string text = "]";
  for (int axis = shape.rank(); axis-- > 0; i /= shape[axis]) {
    text = std::to_string(i % shape[axis]) + (text == "]" ? "" : ", ") + text;
  }
  return "[" + text;
}

}  // namespace detail

/// Checks a layer for samples of the given shapes (one per input). The loss is the sum of y times fixed numbers, plus
/// what the layer adds itself. Throws only what the layer throws.
inline GradientReport check_gradients(const AnyLayer<double>& layer, const std::vector<Shape>& inputs,
                                      const GradientCheckOptions& options = {}) {
  GradientReport report;
  const auto fail = [&](const std::string& what) {
    if (report.ok) report.message = std::string(layer.kind()) + ": " + what;
    report.ok = false;
  };
  LayerRunner<double> run(layer, inputs, options.batch);
  run.context.random_key = {options.seed, 3, 5};
  const RandomKey key{options.seed, random_stream::kGradientCheck};
  std::uint32_t draws = 0;
  for (std::size_t i = 0; i < run.inputs(); ++i) detail::fill_apart(run.x(i), key.with_step(draws++), options);
  for (std::size_t i = 0; i < run.parameters(); ++i)
    detail::fill_apart(run.weights(i), key.with_step(draws++), options);
  for (std::size_t i = 0; i < run.parameters(); ++i) {
    if (run.plan().parameters[i].trainable) continue;
    for (double& w : run.weights(i)) w = std::abs(w) + 0.5;  // a state such as a variance
  }
  Tensor<double> direction(run.y().shape());
  detail::fill_apart(direction, key.with_step(draws++), options);

  const auto loss = [&] {
    const double own = run.forward();
    double total = own;
    for (Index i = 0; i < direction.size(); ++i) total += run.y()[i] * direction[i];
    return total;
  };

  for (const bool training : {false, true}) {  // in inference there is nowhere to save anything
    run.y().fill(std::nan(""));
    run.forward(training);
    if (run.saves_in_inference()) fail("forward() writes to Context::saved in inference");
    if (!std::all_of(run.y().begin(), run.y().end(), [](double v) { return std::isfinite(v); })) {
      fail(std::string("forward() in ") + (training ? "training" : "inference") +
           " leaves outputs unwritten, or not finite");
    }
  }
  run.dy() = direction;
  for (std::size_t i = 0; i < run.inputs(); ++i) run.dx(i).fill(std::nan(""));
  constexpr double kBefore = 0.75;  // backward() must add to this
  for (std::size_t i = 0; i < run.parameters(); ++i) run.dw(i).fill(kBefore);
  run.backward();
  std::vector<Tensor<double>> dx, dw;
  for (std::size_t i = 0; i < run.inputs(); ++i) dx.push_back(run.dx(i));
  for (std::size_t i = 0; i < run.parameters(); ++i) dw.push_back(run.dw(i));

  // Without dx the weights' gradients must be the same.
  for (std::size_t i = 0; i < run.parameters(); ++i) run.dw(i).fill(kBefore);
  loss();
  run.backward(false);
  for (std::size_t i = 0; i < run.parameters(); ++i) {
    if (!std::equal(dw[i].begin(), dw[i].end(), run.dw(i).begin())) fail("dw differs when dx is not wanted");
  }

  // As a plan runs it, in pieces of the whole batch: every gradient is the same but for the order of additions, and
  // written by one piece.
  std::vector<Tensor<double>> written;
  for (const Tensor<double>& gradient : dw) written.emplace_back(gradient.shape());
  for (Index piece = 0; piece < run.plan().weight_pieces; ++piece) {
    for (std::size_t i = 0; i < run.parameters(); ++i) run.dw(i).fill(std::nan(""));
    run.dx().fill(std::nan(""));
    loss();
    run.backward_piece(piece);
    if (!std::equal(dx[0].begin(), dx[0].end(), run.dx().begin())) fail("dx differs when dw is empty");
    for (std::size_t i = 0; i < run.parameters(); ++i) {
      for (Index k = 0; k < dw[i].size(); ++k) {
        if (std::isnan(run.dw(i)[k])) continue;
        written[i][k] += 1;
        const double expected = dw[i][k] - kBefore;
        if (!(std::abs(run.dw(i)[k] - expected) <= options.atol + options.rtol * std::abs(expected))) {
          fail("dw of backward_weights() differs");
        }
      }
    }
  }
  for (const Tensor<double>& times : written) {
    const bool once = std::all_of(times.begin(), times.end(), [](double n) { return n == 1; });
    if (run.plan().weight_pieces > 0 && !once) fail("backward_weights() does not write every gradient in one piece");
  }

  const auto compare = [&](const std::string& name, Tensor<double>& values, const Tensor<double>& gradient,
                           double before) {
    for (Index i = 0; i < values.size(); ++i) {
      const double kept = values[i];
      values[i] = kept + options.step;
      const double above = loss();
      values[i] = kept - options.step;
      const double below = loss();
      values[i] = kept;
      const double numeric = (above - below) / (2 * options.step);
      const double analytic = gradient[i] - before;
      const double error = std::abs(analytic - numeric);
      ++report.compared;
      report.worst = std::max(report.worst, error);
      report.largest = std::max(report.largest, std::abs(numeric));
      if (!(error <= options.atol + options.rtol * std::abs(numeric))) {
        fail("d " + name + detail::place_of(i, values.shape()) + ": analytic " + std::to_string(analytic) +
             ", numeric " + std::to_string(numeric));
      }
    }
  };
  for (std::size_t i = 0; i < run.inputs(); ++i) {
    compare("input" + (run.inputs() > 1 ? " " + std::to_string(i) : std::string()), run.x(i), dx[i], 0);
  }
  for (std::size_t i = 0; i < run.parameters(); ++i) {
    if (run.plan().parameters[i].trainable) compare(run.plan().parameters[i].name, run.weights(i), dw[i], kBefore);
  }

  // A sample's output depends on no other sample.
  for (const bool training : {false, true}) {
    if (training && run.plan().couples_batch) continue;
    run.forward(training);
    const Tensor<double> together = run.y();
    LayerRunner<double> alone(layer, inputs, 1);
    alone.context.random_key = run.context.random_key;
    alone.context.batch = options.batch;
    for (std::size_t i = 0; i < run.parameters(); ++i) alone.weights(i) = run.weights(i);
    for (Index s = 0; s < options.batch; ++s) {
      for (std::size_t i = 0; i < run.inputs(); ++i)
        alone.x(i) = Tensor<double>(TensorView<const double>(run.x(i).samples(s, 1)));
      alone.context.first_sample = s;
      alone.forward(training);
      const auto expected = together.samples(s, 1);
      if (!std::equal(alone.y().begin(), alone.y().end(), expected.begin())) {
        fail("sample " + std::to_string(s) + " alone has another output than in the batch");
      }
    }
  }
  return report;
}

/// The same for a loss: its dy against central differences of its value, for outputs drawn from (low, high) and the
/// given targets. The loss is an AnyLoss<double>, or any loss.
template <class L>
GradientReport check_loss_gradients(const L& loss, Tensor<double> y, const Tensor<double>& target,
                                    const GradientCheckOptions& options = {}) {
  GradientReport report;
  const Index batch = y.batch();
  Tensor<double> dy(y.shape(), std::nan(""));
  loss.evaluate(batch, y.view(), target.view(), dy.view());
  const auto value = [&] {
    return loss.evaluate(batch, std::as_const(y).view(), target.view(), TensorView<double>{}) /
           static_cast<double>(batch);
  };
  for (Index i = 0; i < y.size(); ++i) {
    const double kept = y[i];
    y[i] = kept + options.step;
    const double above = value();
    y[i] = kept - options.step;
    const double below = value();
    y[i] = kept;
    const double numeric = (above - below) / (2 * options.step);
    const double error = std::abs(dy[i] - numeric);
    ++report.compared;
    report.worst = std::max(report.worst, error);
    report.largest = std::max(report.largest, std::abs(numeric));
    if (!(error <= options.atol + options.rtol * std::abs(numeric)) && report.ok) {
      report.ok = false;
      report.message = "d y" + detail::place_of(i, y.shape()) + ": analytic " + std::to_string(dy[i]) + ", numeric " +
                       std::to_string(numeric);
    }
  }
  return report;
}

}  // namespace testing
LINNET_NAMESPACE_END
