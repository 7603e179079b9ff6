// A convolution of a whole batch by one of linnet's kernels: what the benchmarks time.
#pragma once

#include <algorithm>

#include "linnet/core/parallel.hpp"
#include "linnet/kernels/conv2d.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "uniform_tensor.hpp"

namespace linnet::bench {

/// The memory of a convolution of a whole batch, each thread an equal share of the images.
class Convolution {
 public:
  Convolution(ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g)
      : direction_(direction),
        algorithm_(algorithm),
        g_(g),
        x_(uniform_tensor({g.batch, g.input_size()}, 1)),
        y_(uniform_tensor({g.batch, g.output_size()}, 2)),
        w_(uniform_tensor({g.kernel_size()}, 3)),
        packed_({conv2d_packed_size<float>(direction, algorithm, g)}),
        scratch_({num_threads(), conv2d_scratch(direction, algorithm, g)}),
        partials_({direction == ConvDirection::backward_weights ? num_threads() : 0, g.kernel_size()}) {
    conv2d_pack<float>(direction, algorithm, g, w_.data(), packed_.data());
  }

  void run() {
    const Index pieces = num_threads();
    parallel_for(pieces, [&](Index piece, int thread) {
      const Index first = g_.batch * piece / pieces, last = g_.batch * (piece + 1) / pieces;
      Conv2DGeometry slice = g_;
      slice.batch = last - first;
      float* x = x_.data() + first * g_.input_size();
      float* y = y_.data() + first * g_.output_size();
      float* scratch = scratch_.data() + thread * conv2d_scratch(direction_, algorithm_, g_);
      if (direction_ == ConvDirection::forward) {
        conv2d_forward<float>(algorithm_, slice, x, w_.data(), packed_.data(), {}, y, scratch);
      } else if (direction_ == ConvDirection::backward_data) {
        conv2d_backward_data<float>(algorithm_, slice, y, w_.data(), packed_.data(), {}, x, scratch);
      } else {
        float* dw = partials_.data() + piece * g_.kernel_size();
        std::fill(dw, dw + g_.kernel_size(), 0.0f);
        conv2d_backward_weights<float>(algorithm_, slice, x, y, dw, scratch);
      }
    });
    if (direction_ != ConvDirection::backward_weights) return;
    const Index size = g_.kernel_size();
    parallel_for(pieces, [&](Index piece, int) {
      const Index first = size * piece / pieces, count = size * (piece + 1) / pieces - first;
      for (Index partial = 1; partial < pieces; ++partial) {
        add_to<float>(count, partials_.data() + partial * size + first, partials_.data() + first);
      }
    });
  }

 private:
  ConvDirection direction_;
  ConvAlgorithm algorithm_;
  Conv2DGeometry g_;
  Tensor<float> x_, y_, w_, packed_, scratch_, partials_;
};

}  // namespace linnet::bench
