// Optimizers against plain formulas, one element after the other.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "linnet/core/random.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/optimizers/adam.hpp"
#include "linnet/optimizers/rmsprop.hpp"
#include "linnet/optimizers/sgd.hpp"
#include "linnet/training/any_optimizer.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

using Real = long double;

/// One weight with its state, and the update of the plain formula.
struct Weight {
  Real w, a = 0, b = 0;
};
using PlainUpdate = std::function<void(Weight&, Real g, Index step, Real rate)>;

struct OptimizerCase {
  const char* name;
  AnyOptimizer<double> optimizer;
  AnyOptimizer<float> optimizer_float;
  PlainUpdate plain;
};

template <class O>
OptimizerCase make_case(const char* name, const O& optimizer, PlainUpdate plain) {
  return {name, optimizer, optimizer, std::move(plain)};
}

std::vector<OptimizerCase> optimizer_cases() {
  const auto adam = [](Weight& x, Real g, Index step, Real rate) {
    x.a = 0.8L * x.a + 0.2L * g;
    x.b = 0.95L * x.b + 0.05L * g * g;
    const Real m = x.a / (1 - std::pow(0.8L, static_cast<Real>(step)));
    const Real v = x.b / (1 - std::pow(0.95L, static_cast<Real>(step)));
    x.w -= rate * m / (std::sqrt(v) + 1e-7L);
  };
  return {
      make_case("sgd", SGD{}, [](Weight& x, Real g, Index, Real rate) { x.w -= rate * g; }),
      make_case("sgd decay", SGD{.weight_decay = 0.1},
                [](Weight& x, Real g, Index, Real rate) { x.w -= rate * (g + 0.1L * x.w); }),
      make_case("momentum", SGD{.momentum = 0.9, .weight_decay = 0.1},
                [](Weight& x, Real g, Index, Real rate) {
                  x.a = 0.9L * x.a - rate * (g + 0.1L * x.w);
                  x.w += x.a;
                }),
      make_case("nesterov", SGD{.momentum = 0.9, .nesterov = true},
                [](Weight& x, Real g, Index, Real rate) {
                  x.a = 0.9L * x.a - rate * g;
                  x.w += 0.9L * x.a - rate * g;
                }),
      make_case("rmsprop", RMSprop{.rho = 0.8},
                [](Weight& x, Real g, Index, Real rate) {
                  x.a = 0.8L * x.a + 0.2L * g * g;
                  x.w -= rate * g / (std::sqrt(x.a) + 1e-7L);
                }),
      make_case("rmsprop momentum", RMSprop{.rho = 0.8, .momentum = 0.7, .epsilon = 1e-3},
                [](Weight& x, Real g, Index, Real rate) {
                  x.a = 0.8L * x.a + 0.2L * g * g;
                  x.b = 0.7L * x.b - rate * g / (std::sqrt(x.a) + 1e-3L);
                  x.w += x.b;
                }),
      make_case("adam", Adam{.beta_1 = 0.8, .beta_2 = 0.95}, adam),
      make_case("adamw", AdamW{.weight_decay = 0.1, .beta_1 = 0.8, .beta_2 = 0.95},
                [=](Weight& x, Real g, Index step, Real rate) {
                  x.w -= rate * 0.1L * x.w;
                  adam(x, g, step, rate);
                }),
  };
}

constexpr Index kSteps = 25;
double rate_of(Index step) { return 0.05 / static_cast<double>(step); }
double gradient_of(Index step, Index i) {
  const double g = static_cast<double>(RandomKey{8, 0, static_cast<std::uint32_t>(step)}.uniform(i)) - 0.4;
  return i == 3 ? 0 : g;  // a weight that never gets a gradient
}
double initial_weight(Index i) { return static_cast<double>(RandomKey{9}.uniform(i)) - 0.5; }

/// n weights after kSteps steps, updated in the given parts.
template <class T>
Tensor<T> run(const AnyOptimizer<T>& optimizer, Index n, std::span<const Index> parts) {
  Tensor<T> w(Shape{n}), g(Shape{n}), a(Shape{n}), b(Shape{n});
  for (Index i = 0; i < n; ++i) w[i] = static_cast<T>(initial_weight(i));
  for (Index step = 1; step <= kSteps; ++step) {
    for (Index i = 0; i < n; ++i) g[i] = static_cast<T>(gradient_of(step, i));
    Index first = 0;
    for (const Index part : parts) {
      const auto at = static_cast<std::size_t>(first), count = static_cast<std::size_t>(part);
      const std::array<std::span<T>, 2> slots{a.view().span().subspan(at, count), b.view().span().subspan(at, count)};
      optimizer.update(step, rate_of(step), w.view().span().subspan(at, count),
                       std::as_const(g).view().span().subspan(at, count),
                       std::span(slots).first(static_cast<std::size_t>(optimizer.slots())));
      first += part;
    }
  }
  return w;
}

}  // namespace

TEST_CASE("optimizers follow the plain formulas, whatever parts the weights come in") {
  const Index n = 53;
  test::for_each_isa([&](Isa isa) {
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(to_string(isa));
      CAPTURE(c.name);
      const std::array<Index, 1> whole{n};
      const std::array<Index, 5> parts{1, 16, 7, 20, 9};
      const Tensor<double> w = run(c.optimizer, n, whole);
      const Tensor<float> narrow = run(c.optimizer_float, n, whole);
      for (Index i = 0; i < n; ++i) {
        Weight expected{static_cast<Real>(initial_weight(i))};
        for (Index step = 1; step <= kSteps; ++step) {
          c.plain(expected, static_cast<Real>(gradient_of(step, i)), step, static_cast<Real>(rate_of(step)));
        }
        const auto value = static_cast<double>(expected.w);
        CHECK(w[i] == doctest::Approx(value).epsilon(1e-13).scale(1));
        CHECK(static_cast<double>(narrow[i]) == doctest::Approx(value).epsilon(2e-6).scale(1));
      }
      const Tensor<double> in_parts = run(c.optimizer, n, parts);
      const Tensor<float> narrow_in_parts = run(c.optimizer_float, n, parts);
      CHECK(std::equal(w.begin(), w.end(), in_parts.begin()));
      CHECK(std::equal(narrow.begin(), narrow.end(), narrow_in_parts.begin()));
    }
  });
}

TEST_CASE("optimizers give the same bits on AVX2 and AVX-512") {
  if (!supported(Isa::avx512)) {
    MESSAGE("SKIPPED: this processor has no AVX-512");
    return;
  }
  const test::IsaGuard guard;
  const std::array<Index, 1> whole{53};
  for (const OptimizerCase& c : optimizer_cases()) {
    CAPTURE(c.name);
    set_isa(Isa::avx2);
    const Tensor<float> a = run(c.optimizer_float, 53, whole);
    set_isa(Isa::avx512);
    const Tensor<float> b = run(c.optimizer_float, 53, whole);
    CHECK(std::equal(a.begin(), a.end(), b.begin()));
  }
}

TEST_CASE("optimizers say how much state they keep") {
  CHECK(SGD{}.slots() == 0);
  CHECK(SGD{.momentum = 0.5}.slots() == 1);
  CHECK(RMSprop{}.slots() == 1);
  CHECK(RMSprop{.momentum = 0.5}.slots() == 2);
  CHECK(Adam{}.slots() == 2);
  CHECK(AdamW{}.slots() == 2);
}

TEST_CASE("optimizers refuse values out of range") {
  const double nan = std::nan("");
  CHECK_NOTHROW(SGD{.learning_rate = 0}.validate());
  CHECK_THROWS_WITH_AS(SGD{.learning_rate = -0.1}.validate(), doctest::Contains("SGD: expected a learning rate"),
                       ValueError);
  CHECK_THROWS_AS(SGD{.learning_rate = nan}.validate(), ValueError);
  CHECK_THROWS_AS(SGD{.momentum = 1}.validate(), ValueError);
  CHECK_THROWS_AS(SGD{.nesterov = true}.validate(), ValueError);
  CHECK_THROWS_AS(SGD{.weight_decay = -1}.validate(), ValueError);
  CHECK_THROWS_AS(SGD{.clip = {.value = -1}}.validate(), ValueError);
  CHECK_THROWS_AS(RMSprop{.rho = -0.1}.validate(), ValueError);
  CHECK_THROWS_AS(RMSprop{.epsilon = 0}.validate(), ValueError);
  CHECK_THROWS_WITH_AS(Adam{.beta_1 = 1}.validate(), doctest::Contains("Adam: expected betas in [0, 1)"), ValueError);
  CHECK_THROWS_AS(Adam{.beta_2 = nan}.validate(), ValueError);
  CHECK_THROWS_AS(Adam{.epsilon = -1e-7}.validate(), ValueError);
  CHECK_THROWS_AS(Adam{.clip = {.global_norm = nan}}.validate(), ValueError);
  CHECK_THROWS_AS(AdamW{.weight_decay = nan}.validate(), ValueError);
  CHECK_THROWS_AS(AnyOptimizer<float>(Adam{.beta_1 = 2}), ValueError);
}
