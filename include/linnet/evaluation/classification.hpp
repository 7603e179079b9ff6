// What a classifier got right: a confusion matrix, and how far a measured rate can be trusted.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "linnet/core/error.hpp"
#include "linnet/core/shape.hpp"

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

/// How often each class was taken for which.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int classes) : classes_(classes) {
    if (classes < 1) throw ValueError("ConfusionMatrix: expected classes >= 1, got " + std::to_string(classes));
    counts_.resize(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes), 0);
  }

  /// Throws ValueError for a class that does not exist.
  void add(int actual, int recognized) { ++counts_[index(actual, recognized)]; }

  int classes() const { return classes_; }
  /// Members of class `actual` that were taken for `recognized`.
  Index count(int actual, int recognized) const { return counts_[index(actual, recognized)]; }
  /// Members of a class.
  Index total(int actual) const {
    Index sum = 0;
    for (int r = 0; r < classes_; ++r) sum += count(actual, r);
    return sum;
  }
  Index total() const {
    Index sum = 0;
    for (const Index n : counts_) sum += n;
    return sum;
  }
  Index correct() const {
    Index sum = 0;
    for (int c = 0; c < classes_; ++c) sum += count(c, c);
    return sum;
  }
  /// The share that was recognized rightly, of all and of one class; NaN where there are none.
  double accuracy() const { return static_cast<double>(correct()) / static_cast<double>(total()); }
  double recall(int actual) const {
    return static_cast<double>(count(actual, actual)) / static_cast<double>(total(actual));
  }

 private:
  std::size_t index(int actual, int recognized) const {
    if (actual < 0 || actual >= classes_ || recognized < 0 || recognized >= classes_) {
      throw ValueError("ConfusionMatrix: expected classes in [0, " + std::to_string(classes_) + "), got " +
                       std::to_string(actual) + " recognized as " + std::to_string(recognized));
    }
    return static_cast<std::size_t>(actual) * static_cast<std::size_t>(classes_) + static_cast<std::size_t>(recognized);
  }

  int classes_;
  std::vector<Index> counts_;
};

LINNET_NAMESPACE_END
