// Dropout: in training, sets each element to 0 with probability `rate` and scales the others by
// 1 / (1 - rate), so that the expected sum stays (N. Srivastava et al., JMLR 15, 2014).
//
// Backward: dx is dy through the same mask, which is drawn again from the sample's random numbers.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "linnet/kernels/random.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

struct Dropout {
  static constexpr std::string_view kName = "Dropout";
  double rate = 0.5;  ///< in [0, 1)

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("rate", rate);
  }

  LayerPlan plan(const Shape& in) const {
    if (!(rate >= 0 && rate < 1)) {
      throw ValueError("Dropout: expected a rate in [0, 1), got " + std::to_string(rate));
    }
    return {.output = in, .scratch = in.size()};
  }
  template <class T>
  void forward(Context<T>& context, TensorView<const T> x, Parameters<const T>, TensorView<T> y) const {
    apply(context, x, y);
  }
  template <class T>
  void backward(Context<T>& context, TensorView<const T>, TensorView<const T>, TensorView<T> dy, Parameters<const T>,
                TensorView<T> dx, Parameters<T>) const {
    if (!dx.empty()) apply<T>(context, dy, dx);
  }

 private:
  template <class T>
  void apply(const Context<T>& context, TensorView<const T> from, TensorView<T> to) const {
    if (!context.training || rate == 0) {
      std::copy(from.begin(), from.end(), to.begin());
      return;
    }
    const T scale = static_cast<T>(1 / (1 - rate));
    const T threshold = static_cast<T>(rate);
    const Index size = from.sample_size();
    const std::span<T> uniform = context.scratch.first(static_cast<std::size_t>(size));
    for (Index s = 0; s < from.batch(); ++s) {
      fill_uniform<T>(context.random(s), uniform);
      scale_gated(size, scale, uniform.data(), threshold, from.data() + s * size, to.data() + s * size);
    }
  }
};

LINNET_NAMESPACE_END
