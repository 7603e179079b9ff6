// First values of weights: the distributions of the papers that initializer.hpp names.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "linnet/layers/initialize.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

Tensor<double> initialized(const Initializer& initializer, const Shape& shape, std::uint32_t stream = 1) {
  Tensor<double> w(shape, 77.0);
  initialize<double>(initializer, RandomKey{3, stream}, w.view());
  return w;
}

struct Moments {
  double mean, deviation, largest;
};
Moments moments(const Tensor<double>& w) {
  double sum = 0, squares = 0, largest = 0;
  for (const double v : w) {
    sum += v;
    squares += v * v;
    largest = std::max(largest, std::abs(v));
  }
  const double n = static_cast<double>(w.size()), mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean), largest};
}

}  // namespace

TEST_CASE("uniform and normal initializers have the variance of their formula") {
  // A 3x3 convolution of 40 to 60 channels (fans 360 and 540), a dense layer, and a vector.
  struct Fans {
    Shape shape;
    double in, out;
  };
  for (const Fans& fans : {Fans{{3, 3, 40, 60}, 360, 540}, {{200, 300}, 200, 300}, {{50'000}, 50'000, 50'000}}) {
    CAPTURE(fans.shape.to_string());
    const double glorot = std::sqrt(2 / (fans.in + fans.out)), he = std::sqrt(2 / fans.in);
    const auto check = [&](const Initializer& initializer, double deviation, double limit) {
      const Moments got = moments(initialized(initializer, fans.shape));
      const double n = static_cast<double>(fans.shape.size());
      CHECK(std::abs(got.mean) < 5 * deviation / std::sqrt(n));
      CHECK(got.deviation == doctest::Approx(deviation).epsilon(5 / std::sqrt(n)));
      CHECK(got.largest <= limit * (1 + 1e-12));
      CHECK(got.largest > 0.98 * limit);
    };
    check(glorot_uniform, glorot, glorot * std::sqrt(3.0));
    check(he_uniform, he, he * std::sqrt(3.0));
    // Cut at two standard deviations of the normal before the cut; 0.8796 is the deviation after it (Keras).
    check(glorot_normal, glorot, 2 * glorot / 0.87962566103423978);
    check(he_normal, he, 2 * he / 0.87962566103423978);
  }
}

TEST_CASE("orthogonal weights are orthonormal, times the gain") {
  for (const Shape& shape : {Shape{7, 7}, Shape{12, 5}, Shape{5, 12}, Shape{3, 3, 2, 6}, Shape{1, 1}}) {
    CAPTURE(shape.to_string());
    Initializer initializer = orthogonal;
    initializer.value = 2;
    const Tensor<double> w = initialized(initializer, shape);
    const Index columns = shape.back(), rows = shape.size() / columns;
    const bool tall = rows >= columns;
    const Index vectors = tall ? columns : rows, length = tall ? rows : columns;
    for (Index a = 0; a < vectors; ++a) {
      for (Index b = 0; b < vectors; ++b) {
        double dot = 0;
        for (Index i = 0; i < length; ++i) {
          dot += tall ? w[i * columns + a] * w[i * columns + b] : w[a * columns + i] * w[b * columns + i];
        }
        CHECK(dot == doctest::Approx(a == b ? 4.0 : 0.0).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("constants are constant") {
  for (const auto& [initializer, value] : {std::pair{zeros, 0.0}, {ones, 1.0}, {constant(-2.5), -2.5}}) {
    const Tensor<double> w = initialized(initializer, {3, 4});
    CHECK(std::all_of(w.begin(), w.end(), [v = value](double x) { return x == v; }));
  }
}

TEST_CASE("initializers repeat with their key, on every set") {
  for (const Initializer& initializer : {glorot_uniform, glorot_normal, he_uniform, he_normal, orthogonal}) {
    std::vector<float> first;
    test::for_each_isa([&](Isa) {
      Tensor<float> w(Shape{20, 30});
      initialize<float>(initializer, RandomKey{3, 1}, w.view());
      if (first.empty()) first.assign(w.begin(), w.end());
      CHECK(std::equal(w.begin(), w.end(), first.begin()));
    });
    const Tensor<double> a = initialized(initializer, {20, 30}, 1), b = initialized(initializer, {20, 30}, 2);
    CHECK(!std::equal(a.begin(), a.end(), b.begin()));
  }
}
