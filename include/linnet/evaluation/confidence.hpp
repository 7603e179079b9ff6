// How far measured figures can be trusted: confidence intervals.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "linnet/core/error.hpp"
#include "linnet/core/shape.hpp"
#include "linnet/evaluation/quantiles.hpp"

LINNET_NAMESPACE_BEGIN

/// The bounds of an interval.
struct Interval {
  double low = 0, high = 0;
};

/// Wilson's score interval for a rate of `successes` in `trials`, at 95% unless another quantile of the normal
/// distribution is given (E. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
/// the American Statistical Association 22, 1927). {0, 1} without a trial. Throws ValueError for impossible counts.
inline Interval wilson_interval(Index successes, Index trials, double z = 1.959963984540054) {
  if (successes < 0 || trials < successes) {
    throw ValueError("wilson_interval: expected 0 <= successes <= trials, got " + std::to_string(successes) + " of " +
                     std::to_string(trials));
  }
  if (trials == 0) return {0, 1};
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  const double middle = p + z * z / (2 * n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = 1 / (1 + z * z / n);
  // At the ends the formula gives 0 and 1 exactly; its rounding does not.
  return {successes == 0 ? 0 : (middle - half) * scale, successes == trials ? 1 : (middle + half) * scale};
}

/// The difference between two rates of success in the same `trials`, first minus second, of which `first_only`
/// succeeded only by the first and `second_only` only by the second; at 95% unless another quantile of the normal
/// distribution is given (A. Agresti, "Categorical data analysis", 2nd edition, 10.1.1; for many trials). {-1, 1}
/// without a trial. Throws ValueError for impossible counts.
inline Interval paired_difference_interval(Index first_only, Index second_only, Index trials,
                                           double z = 1.959963984540054) {
  if (first_only < 0 || second_only < 0 || trials < first_only || trials - first_only < second_only) {
    throw ValueError("paired_difference_interval: expected counts that trials hold, got " + std::to_string(first_only) +
                     " and " + std::to_string(second_only) + " of " + std::to_string(trials));
  }
  if (trials == 0) return {-1, 1};
  const double n = static_cast<double>(trials), a = static_cast<double>(first_only),
               b = static_cast<double>(second_only);
  const double difference = (a - b) / n, half = z * std::sqrt(a + b - (a - b) * (a - b) / n) / n;
  return {difference - half, difference + half};
}

/// Student's interval for the mean of a normal distribution, of which `values` is a sample. Throws ValueError for fewer
/// than two values, and for a confidence outside (0, 1).
inline Interval mean_interval(std::span<const double> values, double confidence = 0.95) {
  if (values.size() < 2) {
    throw ValueError("mean_interval: expected at least two values, got " + std::to_string(values.size()));
  }
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  for (const double v : values) squares = std::fma(v - sum / n, v - sum / n, squares);
  const double half = student_t_quantile((1 + confidence) / 2, n - 1) * std::sqrt(squares / (n - 1) / n);
  return {sum / n - half, sum / n + half};
}

LINNET_NAMESPACE_END
