// Convolution kernels: all three directions, by every algorithm that can do the shape, and Eigen's matrix product on
// im2col patches as a peer. (Eigen fixes its instruction set when it is compiled: at plain -O2 on x86-64 that is SSE2.)
//
// The operations counted are the nominal ones, 2 * outputs * taps * channels: a kernel that skips the zeros of the
// padding can be faster than the peak.
#include <Eigen/Core>
#include <string>
#include <vector>

#include "convolution.hpp"
#include "kernels/conv2d_cases.hpp"
#include "linnet/core/eigen.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

const char* to_string(ConvDirection direction) {
  switch (direction) {
    case ConvDirection::forward:
      return "forward";
    case ConvDirection::backward_data:
      return "by_data";
    default:
      return "by_weights";
  }
}

double nominal_flop(const Conv2DGeometry& g) {
  return 2.0 * static_cast<double>(g.batch * g.output_size() * g.taps() * g.group_channels());
}

void run_kernel(benchmark::State& state, ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g,
                int threads) {
  set_num_threads(threads);
  bench::Convolution convolution(direction, algorithm, g);
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) convolution.run();
  watch.count_flop(state, nominal_flop(g), threads);
}

/// Visits the pieces of an image's patches {outputs, taps * channels}: visit(a piece of `channels` elements, the pixel
/// that it is of, or null in the padding).
template <class Pixel, class Visit>
void for_each_pixel(const Conv2DGeometry& g, Pixel* image, RowMajorMatrix<float>& patches, const Visit& visit) {
  for (Index oy = 0; oy < g.y.output; ++oy) {
    for (Index ox = 0; ox < g.x.output; ++ox) {
      float* piece = patches.row(oy * g.x.output + ox).data();
      for (Index ty = 0; ty < g.y.taps; ++ty) {
        for (Index tx = 0; tx < g.x.taps; ++tx, piece += g.channels) {
          const Index iy = g.y.pixel(oy, ty), ix = g.x.pixel(ox, tx);
          const bool inside = iy >= 0 && iy < g.y.input && ix >= 0 && ix < g.x.input;
          visit(piece, inside ? image + (iy * g.x.input + ix) * g.channels : nullptr);
        }
      }
    }
  }
}

/// A direction by Eigen's product, an image at a time: plain loops copy its patches, or add them to dx. One thread, one
/// group.
void run_eigen(benchmark::State& state, ConvDirection direction, const Conv2DGeometry& g) {
  Eigen::setNbThreads(1);
  Tensor<float> x = bench::uniform_tensor({g.batch, g.input_size()}, 1);
  Tensor<float> y = bench::uniform_tensor({g.batch, g.output_size()}, 2);
  Tensor<float> w = bench::uniform_tensor({g.taps() * g.channels, g.filters}, 3);
  RowMajorMatrix<float> patches(g.y.output * g.x.output, g.taps() * g.channels);
  const bench::Watch watch;
  for ([[maybe_unused]] auto _ : state) {
    if (direction == ConvDirection::backward_weights) w.fill(0);
    for (Index n = 0; n < g.batch; ++n) {
      float* const image = x.data() + n * g.input_size();
      MatrixMap<float> output(y.data() + n * g.output_size(), g.y.output * g.x.output, g.filters);
      if (direction == ConvDirection::backward_data) {
        patches.noalias() = output * as_matrix(w).transpose();
        std::fill_n(image, g.input_size(), 0.0f);
        for_each_pixel(g, image, patches, [&](const float* piece, float* pixel) {
          for (Index c = 0; pixel != nullptr && c < g.channels; ++c) pixel[c] += piece[c];
        });
        continue;
      }
      for_each_pixel(g, static_cast<const float*>(image), patches, [&](float* piece, const float* pixel) {
        if (pixel != nullptr) {
          std::copy_n(pixel, g.channels, piece);
        } else {
          std::fill_n(piece, g.channels, 0.0f);
        }
      });
      if (direction == ConvDirection::forward) {
        output.noalias() = patches * as_matrix(w);
      } else {
        as_matrix(w).noalias() += patches.transpose() * output;
      }
    }
    benchmark::ClobberMemory();
  }
  watch.count_flop(state, nominal_flop(g), 1);
  state.counters.erase("bytes");  // Eigen takes its memory from malloc, which is not counted
}

const int registered = [] {
  for (const test::NamedConvCase& c : test::benchmark_conv_cases()) {
    const std::string shape = c.network + "/" + c.geometry.to_string();
    for (const ConvDirection direction :
         {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
      const std::string where = shape + "/" + to_string(direction) + "/";
      for (const ConvAlgorithm algorithm :
           {ConvAlgorithm::reference, ConvAlgorithm::im2col, ConvAlgorithm::direct, ConvAlgorithm::rows,
            ConvAlgorithm::narrow, ConvAlgorithm::narrow_rows, ConvAlgorithm::depthwise}) {
        if (!conv2d_can(algorithm, direction, c.geometry)) continue;
        const bool chosen = algorithm == choose_conv2d(direction, c.geometry);
        Conv2DGeometry g = c.geometry;
        if (algorithm == ConvAlgorithm::reference) g.batch = 1;  // it is slow
        for (const int threads : {1, 2}) {
          if (threads > 1 && (!chosen || threads > g.batch)) continue;
          benchmark::RegisterBenchmark((where + linnet::to_string(algorithm) + (chosen ? " (chosen)" : "") +
                                        "/threads:" + std::to_string(threads))
                                           .c_str(),
                                       run_kernel, direction, algorithm, g, threads)
              ->UseRealTime()
              ->Unit(benchmark::kMicrosecond);
        }
      }
      if (c.geometry.groups > 1) continue;
      benchmark::RegisterBenchmark((where + "Eigen/threads:1").c_str(), run_eigen, direction, c.geometry)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return 0;
}();

}  // namespace
