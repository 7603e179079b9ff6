// The sums over an epoch that its means are made of: losses and metrics, in an order that no thread decides.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "linnet/model/execute.hpp"
#include "linnet/training/metrics.hpp"

LINNET_NAMESPACE_BEGIN

/// Adds the loss of a batch to the sums of an epoch. (A fused operation by name: left to the compiler, the bits would
/// depend on its flags.)
inline void add_losses(const LossTerms& loss, Index samples, std::span<double> sums) {
  sums[0] = std::fma(loss.data, static_cast<double>(samples), sums[0]);
  sums[1] = std::fma(loss.layers, static_cast<double>(samples), sums[1]);
}

/// Metrics of a batch's slices, added up in the order of the slices whoever computes them first.
template <class T>
class MetricSums {
 public:
  MetricSums(std::span<const AnyMetric<T>> metrics, Index batch) : metrics_(metrics) {
    values_.resize(metrics.size() * static_cast<std::size_t>(batch));
  }
  /// Keeps the metrics of the samples that begin with sample `first` of the batch.
  void take(Index first, TensorView<const T> y, TensorView<const T> target) {
    for (Index i = 0; i < y.batch(); ++i) {
      for (std::size_t m = 0; m < metrics_.size(); ++m) {
        values_[static_cast<std::size_t>(first + i) * metrics_.size() + m] =
            metrics_[m].evaluate(y.samples(i, 1), target.samples(i, 1));
      }
    }
  }
  /// Adds the batch's samples to `sums`, one sum per metric.
  void add(Index samples, std::span<double> sums) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(samples); ++i) {
      for (std::size_t m = 0; m < metrics_.size(); ++m) sums[m] += values_[i * metrics_.size() + m];
    }
  }

 private:
  std::span<const AnyMetric<T>> metrics_;
  std::vector<double> values_;
};

LINNET_NAMESPACE_END
