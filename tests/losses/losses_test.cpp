// Losses against plain formulas in long double, numeric gradients, and what they refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "linnet/losses/binary_crossentropy.hpp"
#include "linnet/losses/categorical_crossentropy.hpp"
#include "linnet/losses/huber.hpp"
#include "linnet/losses/mean_absolute_error.hpp"
#include "linnet/losses/mean_squared_error.hpp"
#include "linnet/losses/sparse_categorical_crossentropy.hpp"
#include "linnet/model/any_loss.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

using Real = long double;
/// The loss of one row (the classes of one position, or one element), before any reduction.
using RowLoss = std::function<Real(const std::vector<Real>& y, const std::vector<Real>& t)>;

Real clamped(Real p) { return std::min(std::max(p, 1e-7L), 1 - 1e-7L); }
Real log_softmax(const std::vector<Real>& z, std::size_t i) {
  Real sum = 0;
  for (Real v : z) sum += std::exp(v - z[i]);
  return -std::log(sum);
}

/// One kind of loss: how to make it, the plain formula, and what its outputs and targets are.
struct Case {
  std::string name;
  std::function<AnyLoss<double>(Reduction)> make;
  std::function<AnyLoss<float>(Reduction)> make_float;
  RowLoss row;
  bool rows_are_classes, probabilities, sparse;
};

template <class Make>
Case make_case(std::string name, Make make, RowLoss row, bool classes = false, bool probabilities = false,
               bool sparse = false) {
  return {std::move(name),
          [=](Reduction r) -> AnyLoss<double> { return make(r); },
          [=](Reduction r) -> AnyLoss<float> { return make(r); },
          std::move(row),
          classes,
          probabilities,
          sparse};
}

std::vector<Case> cases() {
  const RowLoss bce = [](const auto& y, const auto& t) {
    return -t[0] * std::log(clamped(y[0])) - (1 - t[0]) * std::log(1 - clamped(y[0]));
  };
  const RowLoss bce_logits = [](const auto& z, const auto& t) {
    return t[0] * std::log1p(std::exp(-z[0])) + (1 - t[0]) * std::log1p(std::exp(z[0]));
  };
  const RowLoss cce = [](const auto& y, const auto& t) {
    Real loss = 0;
    for (std::size_t i = 0; i < y.size(); ++i) loss -= t[i] * std::log(clamped(y[i]));
    return loss;
  };
  const RowLoss cce_logits = [](const auto& z, const auto& t) {
    Real loss = 0;
    for (std::size_t i = 0; i < z.size(); ++i) loss -= t[i] * log_softmax(z, i);
    return loss;
  };
  const RowLoss sparse = [](const auto& y, const auto& t) {
    return -std::log(clamped(y[static_cast<std::size_t>(t[0])]));
  };
  const RowLoss sparse_logits = [](const auto& z, const auto& t) {
    return -log_softmax(z, static_cast<std::size_t>(t[0]));
  };
  const RowLoss squared = [](const auto& y, const auto& t) { return (y[0] - t[0]) * (y[0] - t[0]); };
  const RowLoss absolute = [](const auto& y, const auto& t) { return std::abs(y[0] - t[0]); };
  const RowLoss huber = [](const auto& y, const auto& t) {
    const Real e = std::abs(y[0] - t[0]);
    return e <= 0.75L ? e * e / 2 : 0.75L * (e - 0.375L);
  };
  return {
      make_case(
          "bce",
          [](Reduction r) {
            return BinaryCrossentropy{false, r};
          },
          bce, false, true),
      make_case(
          "bce logits",
          [](Reduction r) {
            return BinaryCrossentropy{true, r};
          },
          bce_logits),
      make_case(
          "cce",
          [](Reduction r) {
            return CategoricalCrossentropy{false, r};
          },
          cce, true, true),
      make_case(
          "cce logits",
          [](Reduction r) {
            return CategoricalCrossentropy{true, r};
          },
          cce_logits, true),
      make_case(
          "sparse", [](Reduction) { return SparseCategoricalCrossentropy{false}; }, sparse, true, true, true),
      make_case(
          "sparse logits", [](Reduction) { return SparseCategoricalCrossentropy{true}; }, sparse_logits, true, false,
          true),
      make_case(
          "mse", [](Reduction r) { return MeanSquaredError{r}; }, squared),
      make_case(
          "mae", [](Reduction r) { return MeanAbsoluteError{r}; }, absolute),
      make_case(
          "huber",
          [](Reduction r) {
            return Huber{0.75, r};
          },
          huber),
  };
}

/// Sizes around the vector's, one element, odd images, one sample.
const std::vector<Shape> kElementShapes{{1, 1},       {1, 2},       {2, 3},       {1, 5},       {3, 7},       {1, 8},
                                        {2, 9},       {1, 15},      {4, 16},      {1, 17},      {2, 31},      {1, 33},
                                        {3, 1, 1, 1}, {2, 1, 1, 3}, {1, 7, 5, 1}, {2, 3, 3, 4}, {1, 2, 9, 7}, {5, 4},
                                        {2, 5, 5, 3}, {1, 11, 13},  {2, 1025}};
const std::vector<Shape> kClassShapes{{1, 2},       {2, 2},        {1, 3},        {3, 5},    {1, 7},
                                      {2, 8},       {1, 9},        {4, 10},       {1, 15},   {2, 16},
                                      {1, 17},      {2, 33},       {1, 4, 2},     {2, 3, 5}, {1, 1, 1, 3},
                                      {2, 3, 3, 4}, {1, 5, 3, 10}, {3, 2, 2, 17}, {1, 100},  {2, 1, 11}};

template <class T>
struct Data {
  Tensor<T> y, target;
};

/// Sparse targets name one class per sample.
std::vector<Shape> shapes_of(const Case& c) {
  std::vector<Shape> shapes = c.rows_are_classes ? kClassShapes : kElementShapes;
  if (c.sparse) std::erase_if(shapes, [](const Shape& s) { return s.rank() != 2; });
  for (Index classes = 4; c.sparse && shapes.size() < 20; ++classes) shapes.push_back({3, classes});
  return shapes;
}

/// Outputs (away from the kinks of the losses) and targets for a case.
template <class T>
Data<T> make_data(const Case& c, const Shape& shape, std::uint32_t stream) {
  const RandomKey key{5, stream};
  const Index classes = shape.back();
  Data<T> data{Tensor<T>(shape), Tensor<T>(shape)};
  for (Index i = 0; i < shape.size(); ++i) {
    const double u = static_cast<double>(key.uniform(2 * i)), v = static_cast<double>(key.uniform(2 * i + 1));
    data.y[i] = static_cast<T>(c.probabilities ? 0.02 + 0.96 * u : 6 * u - 3);
    data.target[i] = static_cast<T>(v);
    double distance = std::abs(static_cast<double>(data.y[i] - data.target[i]));
    while (distance < 0.01 || std::abs(distance - 0.75) < 0.01) {
      data.y[i] += T(0.02);
      distance = std::abs(static_cast<double>(data.y[i] - data.target[i]));
    }
  }
  if (c.sparse) {
    data.target = Tensor<T>(c.make(Reduction::mean).target_shape(shape.without_batch()).with_batch(shape[0]));
    Index word = 0;
    for (Index i = 0; i < data.target.size(); ++i) {
      data.target[i] = static_cast<T>(random_below(key.with_step(1), static_cast<std::uint32_t>(classes), word));
    }
  }
  return data;
}

/// The sum of the samples' losses by the plain formula.
template <class T>
Real plain_loss(const Case& c, const Data<T>& data, Reduction reduction) {
  const Index columns = c.rows_are_classes ? data.y.shape().back() : 1;
  const Index rows = data.y.size() / columns;
  Real total = 0;
  for (Index row = 0; row < rows; ++row) {
    std::vector<Real> y, t;
    for (Index i = 0; i < columns; ++i) {
      y.push_back(data.y[row * columns + i]);
      if (!c.sparse) t.push_back(data.target[row * columns + i]);
    }
    if (c.sparse) t.push_back(data.target[row]);
    total += c.row(y, t);
  }
  return reduction == Reduction::mean ? total * data.y.batch() / rows : total;
}

}  // namespace

TEST_CASE("binary cross-entropy refuses outputs that no sigmoid gives") {
  const Tensor<float> target(Shape{1, 2}, 0.5f), above(Shape{1, 2}, 3.0f), below(Shape{1, 2}, -0.5f);
  CHECK(std::isfinite(BinaryCrossentropy{}.evaluate<float>(1, above, target, {})));  // as a relu gives
  const std::string message = error_of<ValueError>([&] { BinaryCrossentropy{}.evaluate<float>(1, below, target, {}); });
  CHECK(mentions(message, "is a sigmoid missing, or from_logits = true?"));
  CHECK(std::isfinite(BinaryCrossentropy{.from_logits = true}.evaluate<float>(1, below, target, {})));
}

TEST_CASE("losses have the value of the plain formula, and the gradient of its differences") {
  test::for_each_isa([&](Isa isa) {
    for (const Case& c : cases()) {
      for (const Shape& shape : shapes_of(c)) {
        for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
          CAPTURE(to_string(isa));
          CAPTURE(c.name);
          CAPTURE(shape.to_string());
          Data<double> data = make_data<double>(c, shape, 3);
          const AnyLoss<double> loss = c.make(reduction);
          Tensor<double> dy(shape, 77.0);
          const Index batch = shape[0] + 2;  // the samples are a part of a batch
          const double value = loss.evaluate(batch, data.y, data.target, dy);
          CHECK(value == doctest::Approx(static_cast<double>(plain_loss(c, data, reduction))).epsilon(1e-13));
          CHECK(loss.evaluate(batch, data.y, data.target, {}) == value);
          for (Index i = 0; i < std::min<Index>(shape.size(), 60); ++i) {
            const double y = data.y[i], step = 1e-6;
            data.y[i] = y + step;
            const Real above = plain_loss(c, data, reduction);
            data.y[i] = y - step;
            const Real below = plain_loss(c, data, reduction);
            data.y[i] = y;
            const auto slope = static_cast<double>((above - below) / (2 * step) / batch);
            // The differences of the plain formula are in long double: far closer than 1e-5 + 1e-3 |slope|.
            CHECK(std::abs(dy[i] - slope) <= 1e-8 + 1e-7 * std::abs(slope));
          }
        }
      }
    }
  });
}

TEST_CASE("losses in float agree with double, with the same bits in every instruction set") {
  for (const Case& c : cases()) {
    for (const Shape& shape : shapes_of(c)) {
      CAPTURE(c.name);
      CAPTURE(shape.to_string());
      const Data<float> data = make_data<float>(c, shape, 4);
      Data<double> wide{Tensor<double>(shape), Tensor<double>(data.target.shape())};
      for (Index i = 0; i < data.y.size(); ++i) wide.y[i] = static_cast<double>(data.y[i]);
      for (Index i = 0; i < data.target.size(); ++i) wide.target[i] = static_cast<double>(data.target[i]);
      Tensor<double> wide_dy(shape);
      const double expected = c.make(Reduction::mean).evaluate(shape[0], wide.y, wide.target, wide_dy);
      std::vector<double> values;
      std::vector<Tensor<float>> gradients;
      test::for_each_isa([&](Isa isa) {
        Tensor<float> dy(shape);
        const double value = c.make_float(Reduction::mean).evaluate(shape[0], data.y, data.target, dy);
        CHECK(value == doctest::Approx(expected).epsilon(1e-6));
        for (Index i = 0; i < dy.size(); ++i) {
          CHECK(static_cast<double>(dy[i]) == doctest::Approx(wide_dy[i]).epsilon(2e-6).scale(0.1));
        }
        if (isa != Isa::baseline) {
          values.push_back(value);
          gradients.push_back(dy);
        }
      });
      for (std::size_t k = 1; k < values.size(); ++k) {
        CHECK(values[k] == values[0]);
        CHECK(std::equal(gradients[k].begin(), gradients[k].end(), gradients[0].begin()));
      }
    }
  }
}

TEST_CASE("the parts of a batch add up to the whole, bit for bit") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Shape shape = c.sparse ? Shape{6, 21} : c.rows_are_classes ? Shape{6, 3, 7} : Shape{6, 5, 5, 3};
    const Data<float> data = make_data<float>(c, shape, 9);
    const AnyLoss<float> loss = c.make_float(Reduction::sum);
    Tensor<float> whole(shape), parts(shape);
    loss.evaluate(6, data.y, data.target, whole);
    for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 3}, {4, 2}}) {
      double one_by_one = 0;
      for (Index i = first; i < first + count; ++i) {
        one_by_one += loss.evaluate(6, data.y.samples(i, 1), data.target.samples(i, 1), {});
      }
      CHECK(loss.evaluate(6, data.y.samples(first, count), data.target.samples(first, count),
                          parts.samples(first, count)) == one_by_one);
    }
    CHECK(std::equal(whole.begin(), whole.end(), parts.begin()));
  }
}

TEST_CASE("probabilities of 0 and 1 are clamped, and have no gradient") {
  Tensor<float> y({1, 4}, {0.f, 1.f, 0.f, 1.f}), target({1, 4}, {1.f, 0.f, 0.f, 1.f}), dy({1, 4}, 9.f);
  const double value = BinaryCrossentropy{.reduction = Reduction::sum}.evaluate<float>(1, y, target, dy);
  const double margin_above = 1 - static_cast<double>(1.f - 1e-7f);  // what float makes of 1 - 1e-7
  CHECK(value == doctest::Approx(-std::log(1e-7) - std::log(margin_above)).epsilon(1e-5));
  for (float d : dy) CHECK(d == 0.f);

  Tensor<double> p({1, 2}, {0.0, 1.0}), first({1, 2}, {1.0, 0.0}), dp({1, 2}, 9.0);
  CHECK(CategoricalCrossentropy{}.evaluate<double>(1, p, first, dp) == doctest::Approx(-std::log(1e-7)));
  CHECK(dp[0] == 0);
  Tensor<double> hot({1, 1}, {0.0});
  CHECK(SparseCategoricalCrossentropy{}.evaluate<double>(1, p, hot, dp) == doctest::Approx(-std::log(1e-7)));
  CHECK(dp[0] == 0);
}

TEST_CASE("logits of any size give finite losses and the right gradients") {
  Tensor<float> z({1, 6}, {-1000.f, 1000.f, -1000.f, 1000.f, -3e38f, 0.f});
  Tensor<float> target({1, 6}, {1.f, 0.f, 0.f, 1.f, 1.f, 0.5f}), dz({1, 6});
  const BinaryCrossentropy bce{.from_logits = true, .reduction = Reduction::sum};
  const float expected_value[] = {1000.f, 1000.f, 0.f, 0.f, 3e38f, 0.69314718f};
  const float expected_slope[] = {-1.f, 1.f, 0.f, 0.f, -1.f, 0.f};
  for (Index i = 0; i < 6; ++i) {
    const TensorView<const float> one_z(&z[i], Shape{1, 1}), one_t(&target[i], Shape{1, 1});
    const TensorView<float> one_dz(&dz[i], Shape{1, 1});
    CHECK(bce.evaluate<float>(1, one_z, one_t, one_dz) == doctest::Approx(static_cast<double>(expected_value[i])));
    CHECK(dz[i] == expected_slope[i]);
  }
  Tensor<float> classes({1, 3}, {1000.f, -1000.f, 999.f}), hot({1, 1}, {1.f}), dc({1, 3});
  CHECK(SparseCategoricalCrossentropy{.from_logits = true}.evaluate<float>(1, classes, hot, dc) ==
        doctest::Approx(2000 + std::log1p(std::exp(-1.0))));
  CHECK(dc[0] == doctest::Approx(0.7310585786));
  CHECK(dc[1] == -1.f);
  CHECK(dc[2] == doctest::Approx(0.2689414214));
}

TEST_CASE("a sum over a million elements in float keeps its digits") {
  Tensor<float> y(Shape{1, 1000003}, 0.1f), target(Shape{1, 1000003}, 0.f);
  const double exact = static_cast<double>(0.1f) * static_cast<double>(0.1f);
  CHECK(MeanSquaredError{}.evaluate<float>(1, y, target, {}) == doctest::Approx(exact).epsilon(1e-6));
}

TEST_CASE("a loss on probabilities takes over the activation before it") {
  CHECK(BinaryCrossentropy{.reduction = Reduction::sum}.from_logits_of(sigmoid)->from_logits);
  CHECK(BinaryCrossentropy{.reduction = Reduction::sum}.from_logits_of(sigmoid)->reduction == Reduction::sum);
  CHECK_FALSE(BinaryCrossentropy{}.from_logits_of(softmax));
  CHECK_FALSE(BinaryCrossentropy{.from_logits = true}.from_logits_of(sigmoid));
  CHECK(CategoricalCrossentropy{}.from_logits_of(softmax)->from_logits);
  CHECK_FALSE(CategoricalCrossentropy{}.from_logits_of(sigmoid));
  CHECK(SparseCategoricalCrossentropy{}.from_logits_of(softmax)->from_logits);
  CHECK_FALSE(SparseCategoricalCrossentropy{}.from_logits_of(linear));
  CHECK(AnyLoss<float>(BinaryCrossentropy{}).from_logits_of(sigmoid));
  CHECK_FALSE(AnyLoss<float>(MeanSquaredError{}).from_logits_of(sigmoid));
}

TEST_CASE("shapes that a loss has no use for are refused") {
  CHECK(BinaryCrossentropy{}.target_shape({28, 28, 1}) == Shape{28, 28, 1});
  CHECK(SparseCategoricalCrossentropy{}.target_shape({10}) == Shape{1});
  CHECK_THROWS_AS(BinaryCrossentropy{}.target_shape({0}), ShapeError);
  CHECK_THROWS_AS(CategoricalCrossentropy{}.target_shape(Shape{}), ShapeError);
  CHECK_THROWS_WITH_AS(SparseCategoricalCrossentropy{}.target_shape({4, 10}),
                       "SparseCategoricalCrossentropy: expected an output {classes}, got (4, 10)", ShapeError);
  CHECK_THROWS_AS(Huber{.delta = 0}.target_shape({3}), ValueError);
  CHECK_THROWS_AS(Huber{.delta = std::nan("")}.target_shape({3}), ValueError);
}

TEST_CASE("targets outside [0, 1] are refused with their place") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {1.5f, std::nextafter(1.f, 2.f), -1e-30f, -1e-45f, nan, infinity, -infinity}) {
    for (const bool from_logits : {false, true}) {
      CAPTURE(bad);
      Tensor<float> y({2, 3, 7, 2}, 0.5f), target({2, 3, 7, 2}, 0.5f);
      target[42 + 2 * 14 + 5 * 2 + 1] = bad;
      const std::string problem =
          "expected targets in [0, 1], got " + std::to_string(bad) + " (element 39 of a sample)";
      CHECK_THROWS_WITH_AS(BinaryCrossentropy{.from_logits = from_logits}.evaluate<float>(2, y, target, {}),
                           ("BinaryCrossentropy: " + problem).c_str(), ValueError);
      CHECK_THROWS_WITH_AS(CategoricalCrossentropy{.from_logits = from_logits}.evaluate<float>(2, y, target, {}),
                           ("CategoricalCrossentropy: " + problem).c_str(), ValueError);
      target[42 + 2 * 14 + 5 * 2 + 1] = 1.f;
      target[0] = 0.f;
      CHECK_NOTHROW(BinaryCrossentropy{.from_logits = from_logits}.evaluate<float>(2, y, target, {}));
    }
  }
}

TEST_CASE("classes that there are not are refused") {
  Tensor<float> y({2, 3}, 0.5f);
  for (const float bad : {3.f, -1.f, 0.5f, std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
    Tensor<float> target({2, 1}, {2.f, bad});
    CHECK_THROWS_WITH_AS(
        SparseCategoricalCrossentropy{}.evaluate<float>(2, y, target, {}),
        ("SparseCategoricalCrossentropy: expected a class, a whole number in [0, 3), got " + std::to_string(bad))
            .c_str(),
        ValueError);
  }
}

TEST_CASE("an output that is not finite gives a loss that is not") {
  Tensor<float> y({1, 3}, {0.5f, std::numeric_limits<float>::quiet_NaN(), 0.5f});
  Tensor<float> target({1, 3}, {0.f, 0.5f, 1.f}), hot({1, 1}, {0.f});
  CHECK(std::isnan(BinaryCrossentropy{}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(BinaryCrossentropy{.from_logits = true}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(CategoricalCrossentropy{}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(CategoricalCrossentropy{.from_logits = true}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(SparseCategoricalCrossentropy{.from_logits = true}.evaluate<float>(1, y, hot, {})));
  CHECK(std::isnan(MeanSquaredError{}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(MeanAbsoluteError{}.evaluate<float>(1, y, target, {})));
  CHECK(std::isnan(Huber{}.evaluate<float>(1, y, target, {})));
}
