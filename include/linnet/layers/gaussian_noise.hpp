// GaussianNoise: in training, adds normal noise with standard deviation `stddev`. Backward: dx = dy.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "linnet/kernels/random.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

struct GaussianNoise {
  static constexpr std::string_view kName = "GaussianNoise";
  double stddev = 0.1;  ///< >= 0

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("stddev", stddev);
  }

  LayerPlan plan(const Shape& in) const {
    if (!(stddev >= 0)) {
      throw ValueError("GaussianNoise: expected a standard deviation >= 0, got " + std::to_string(stddev));
    }
    return {.output = in, .scratch = in.size()};
  }
  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    std::copy(x.begin(), x.end(), y.begin());
    if (!context.training || stddev == 0) return;
    const Index size = x.sample_size();
    const std::span<T> noise = context.scratch.first(static_cast<std::size_t>(size));
    for (Index s = 0; s < x.batch(); ++s) {
      fill_normal<T>(context.random(s), noise);
      axpy<T>(size, static_cast<T>(stddev), noise.data(), y.data() + s * size);
    }
  }
  template <class T>
  void backward(Context<T>&, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (!dx.empty()) std::copy(dy.begin(), dy.end(), dx.begin());
  }
};

LINNET_NAMESPACE_END
