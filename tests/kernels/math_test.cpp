// The elementary functions against the C library's in double: the bounds that math.hpp states.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "linnet/kernels/math.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

struct Function {
  const char* name;
  void (*vector)(Index, const float*, float*);
  double (*exact)(double);
  double bound;  ///< in ULP, as in math.hpp
};

const Function kFunctions[] = {
    {"exp", vector_exp<float>, [](double x) { return std::exp(x); }, 2},
    {"expm1", vector_expm1<float>, [](double x) { return std::expm1(x); }, 3},
    {"log", vector_log<float>, [](double x) { return std::log(x); }, 2},
    {"log1p", vector_log1p<float>, [](double x) { return std::log1p(x); }, 3},
    {"sigmoid", vector_sigmoid<float>, [](double x) { return 1 / (1 + std::exp(-x)); }, 4},
    {"tanh", vector_tanh<float>, [](double x) { return std::tanh(x); }, 4},
    {"softplus", vector_softplus<float>,
     [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, 4},
    {"erf", vector_erf<float>, [](double x) { return std::erf(x); }, 4},
};

/// The distance of `got` from `exact` in units in the last place of a float there; infinite where only one of
/// them is a NaN, or they are infinite and differ.
double ulps(float got, double exact) {
  if (std::isnan(got) || std::isnan(exact)) {
    return std::isnan(got) && std::isnan(exact) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (std::isinf(static_cast<float>(exact))) {  // or so close to the largest float that it rounds to infinity
    const double top = std::copysign(static_cast<double>(std::numeric_limits<float>::max()), exact);
    return static_cast<double>(got) == top || got == static_cast<float>(exact)
               ? 0
               : std::numeric_limits<double>::infinity();
  }
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::abs(static_cast<double>(got) - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

/// Every 1,021st of all the floats, negative ones, infinities and NaNs among them.
std::vector<float> floats_of_every_size() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 1021) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  return x;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);  // a NaN's sign and payload mean nothing
    if (!both_nan && std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
  }
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("elementary functions keep their bounds over all floats, with the same bits on every set") {
  const std::vector<float> x = floats_of_every_size();
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    std::vector<float> first;
    test::for_each_isa([&](Isa set) {
      CAPTURE(to_string(set));
      std::vector<float> y(x.size());
      f.vector(static_cast<Index>(x.size()), x.data(), y.data());
      if (!first.empty()) {
        CHECK(same_bits(y, first));
        return;
      }
      first = y;
      double worst = 0;
      float worst_at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y[i], f.exact(static_cast<double>(x[i])));
        if (error > worst) {
          worst = error;
          worst_at = x[i];
        }
      }
      CAPTURE(worst_at);
      CHECK(worst <= f.bound);
      CHECK(worst > 0);  // results in double would be no floats
    });
  }
}

TEST_CASE("elementary functions at their special values") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto of = [](auto* function, float x) {
    float y = 77;
    function(1, &x, &y);
    return y;
  };
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    CHECK(of(vector_exp<float>, 0.0f) == 1.0f);
    CHECK(of(vector_exp<float>, -kInfinity) == 0.0f);
    CHECK(of(vector_exp<float>, kInfinity) == kInfinity);
    CHECK(of(vector_exp<float>, 89.0f) == kInfinity);
    CHECK(of(vector_exp<float>, -200.0f) == 0.0f);
    CHECK(of(vector_expm1<float>, -kInfinity) == -1.0f);
    CHECK(of(vector_expm1<float>, 1e-38f) == 1e-38f);
    CHECK(std::signbit(of(vector_expm1<float>, -0.0f)));
    CHECK(of(vector_log<float>, 1.0f) == 0.0f);
    CHECK(of(vector_log<float>, 0.0f) == -kInfinity);
    CHECK(std::isnan(of(vector_log<float>, -1.0f)));
    CHECK(of(vector_log1p<float>, -1.0f) == -kInfinity);
    CHECK(std::isnan(of(vector_log1p<float>, -2.0f)));
    CHECK(of(vector_sigmoid<float>, 0.0f) == 0.5f);
    CHECK(of(vector_sigmoid<float>, -kInfinity) == 0.0f);
    CHECK(of(vector_sigmoid<float>, 100.0f) == 1.0f);
    CHECK(of(vector_tanh<float>, kInfinity) == 1.0f);
    CHECK(of(vector_tanh<float>, -kInfinity) == -1.0f);
    CHECK(of(vector_softplus<float>, 1000.0f) == 1000.0f);
    CHECK(of(vector_erf<float>, 10.0f) == 1.0f);
    CHECK(of(vector_erf<float>, -10.0f) == -1.0f);
    for (const Function& f : kFunctions) {
      CAPTURE(f.name);
      CHECK(std::isnan(of(f.vector, nan)));
    }
  });
}

TEST_CASE("elementary functions of any count, and of double") {
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (Index n = 0; n < 40; ++n) {
      std::vector<double> x(static_cast<std::size_t>(n) + 1), y(x.size(), 77.0);
      for (Index i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = 0.1 + 0.07 * static_cast<double>(i);
      vector_log<double>(n, x.data(), y.data());
      for (Index i = 0; i < n; ++i) {
        CHECK(y[static_cast<std::size_t>(i)] ==
              doctest::Approx(std::log(x[static_cast<std::size_t>(i)])).epsilon(1e-15));
      }
      CHECK(y.back() == 77.0);  // nothing behind the end is touched
    }
  });
}
