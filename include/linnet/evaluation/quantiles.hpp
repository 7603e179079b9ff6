// Quantiles of the distributions that confidence intervals and latents are measured with. Each is found by bisection of
// its distribution function, to the last digits of a double: they are asked for seldom.
#pragma once

#include <cmath>
#include <string>

#include "linnet/core/error.hpp"
#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

inline void require_share(const char* who, double p) {
  if (!(p > 0 && p < 1)) {
    throw ValueError(std::string(who) + ": expected a share between 0 and 1, got " + std::to_string(p));
  }
}

/// x in [low, high] with cdf(x) = p, for a distribution function that grows.
template <class F>
double inverse(const F& cdf, double p, double low, double high) {
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) return middle;
    (cdf(middle) < p ? low : high) = middle;
  }
}

/// The regularized incomplete beta function I_x(a, b) by its continued fraction, which converges for x <= (a + 1) /
/// (a + b + 2) (NIST Digital Library of Mathematical Functions, 8.17.22; below it 8.17.4).
inline double incomplete_beta(double x, double a, double b) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(1 - x, b, a);
  double fraction = 1;
  for (int m = 200; m >= 1; --m) {  // from its end
    const double n = m;
    const double odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1));
    const double even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n));
    fraction = 1 + even / (1 + odd / fraction);
  }
  fraction = 1 - (a + b) * x / (a + 1) / fraction;
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) / a / fraction;
}

}  // namespace detail

/// x below which a standard normal variable lies with probability p. Throws ValueError for p outside (0, 1).
inline double normal_quantile(double p) {
  detail::require_share("normal_quantile", p);
  return detail::inverse([](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }, p, -40, 40);
}

/// The same for Student's t distribution with so many degrees of freedom. Throws ValueError for p outside (0, 1) and
/// degrees below 1.
inline double student_t_quantile(double p, double degrees) {
  detail::require_share("student_t_quantile", p);
  if (!(degrees >= 1)) {
    throw ValueError("student_t_quantile: expected at least one degree of freedom, got " + std::to_string(degrees));
  }
  if (p < 0.5) return -student_t_quantile(1 - p, degrees);
  const auto cdf = [&](double t) {
    return 1 - detail::incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  };
  return detail::inverse(cdf, p, 0, 1e16);
}

/// The radius within which a standard normal variable of so many dimensions lies with probability p: the root of the
/// chi-squared distribution's quantile, whose distribution function is an incomplete gamma function (Abramowitz and
/// Stegun, 6.5.29). Throws ValueError for p outside (0, 1) and dimensions below 1.
inline double normal_radius(double p, Index dimensions) {
  detail::require_share("normal_radius", p);
  if (dimensions < 1) {
    throw ValueError("normal_radius: expected at least one dimension, got " + std::to_string(dimensions));
  }
  const double a = static_cast<double>(dimensions) / 2;
  const auto cdf = [&](double radius) {
    const double x = radius * radius / 2;
    double term = std::exp(a * std::log(x) - x - std::lgamma(a + 1)), sum = term;
    for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= x / (a + k);
    return sum;
  };
  return detail::inverse(cdf, p, 0, 10 + std::sqrt(2 * a));  // beyond lies less than rounding
}

LINNET_NAMESPACE_END
