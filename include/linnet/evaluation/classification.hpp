// What a classifier got right: a confusion matrix.
#pragma once

#include <string>
#include <vector>

#include "linnet/core/error.hpp"
#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

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
