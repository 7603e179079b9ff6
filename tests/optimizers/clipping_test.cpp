// Gradient clipping by value and by the norm of all gradients.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "linnet/optimizers/clipping.hpp"

using namespace linnet;

TEST_CASE("clipping by value limits each element and keeps a NaN") {
  std::vector<float> g(37, 0.25f);
  g[0] = 3.f;
  g[20] = -3.f;
  g[35] = -std::numeric_limits<float>::infinity();
  g[36] = std::numeric_limits<float>::quiet_NaN();
  GradientClipping{}.clip_values(std::span<float>(g));
  CHECK(g[0] == 3.f);
  GradientClipping{.value = 0.5}.clip_values(std::span<float>(g));
  CHECK(g[0] == 0.5f);
  CHECK(g[1] == 0.25f);
  CHECK(g[20] == -0.5f);
  CHECK(g[35] == -0.5f);
  CHECK(std::isnan(g[36]));
}

TEST_CASE("clipping by global norm scales down, never up") {
  CHECK(GradientClipping{.global_norm = 5}.norm_factor(25) == 1);
  CHECK(GradientClipping{.global_norm = 10}.norm_factor(25) == 1);
  CHECK(GradientClipping{.global_norm = 1}.norm_factor(25) == doctest::Approx(0.2));
  CHECK(GradientClipping{}.norm_factor(25) == 1);
}

TEST_CASE("the squares of large gradients do not overflow") {
  const std::vector<float> g{3e30f, -4e30f};
  const double squares = sum_of_squares<float>(2, g.data());
  CHECK(squares == doctest::Approx(25e60));
  CHECK(GradientClipping{.global_norm = 1}.norm_factor(squares) == doctest::Approx(0.2e-30));
}
