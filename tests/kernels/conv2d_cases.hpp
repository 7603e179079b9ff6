// Convolution cases: the one table that correctness tests, gradient checks and benchmarks draw from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "linnet/core/random.hpp"
#include "linnet/kernels/conv2d_geometry.hpp"

namespace linnet::test {

inline ConvAxis conv_axis(Index input, Index taps, Index stride, Index dilation, Index before, Index after) {
  const Index covered = (taps - 1) * dilation + 1;
  return {input, (input + before + after - covered) / stride + 1, taps, stride, dilation, before};
}

/// A square kernel with 'same' padding and stride 1.
inline Conv2DGeometry same_conv(Index size, Index taps, Index channels, Index filters, Index batch = 1) {
  const ConvAxis axis = conv_axis(size, taps, 1, 1, (taps - 1) / 2, taps / 2);
  return {batch, channels, filters, 1, axis, axis};
}

/// The cases that have a name: those of the denoiser, and what is easily got wrong.
inline std::vector<Conv2DGeometry> named_conv_cases() {
  std::vector<Conv2DGeometry> cases = {
      same_conv(28, 3, 1, 16), same_conv(14, 3, 16, 16), same_conv(7, 3, 16, 16), same_conv(28, 3, 16, 1),
      same_conv(1, 3, 3, 5),   same_conv(2, 5, 4, 4),    same_conv(9, 1, 17, 33), same_conv(5, 7, 2, 3),
      same_conv(6, 2, 16, 2),  same_conv(12, 3, 40, 3),
  };
  cases.push_back({2, 6, 6, 6, conv_axis(9, 3, 1, 1, 1, 1), conv_axis(8, 3, 1, 1, 1, 1)});
  cases.push_back({1, 20, 20, 20, conv_axis(9, 3, 2, 1, 0, 1), conv_axis(8, 3, 2, 1, 0, 1)});
  cases.push_back({2, 6, 9, 3, conv_axis(7, 3, 2, 1, 1, 1), conv_axis(10, 2, 3, 2, 0, 1)});
  cases.push_back({1, 3, 4, 1, conv_axis(5, 2, 1, 1, 4, 6), conv_axis(4, 3, 1, 1, 7, 0)});  // more padding than kernel
  cases.push_back({1, 2, 18, 1, conv_axis(11, 3, 1, 4, 0, 0), conv_axis(12, 2, 1, 5, 3, 3)});
  // Four taps and stride 2, as in upsampling and a 3x3 convolution after it; then with other padding, and in x alone.
  for (const auto& [channels, filters] : {std::pair<Index, Index>{16, 16}, {1, 16}, {17, 3}, {5, 40}}) {
    cases.push_back({2, channels, filters, 1, conv_axis(14, 4, 2, 1, 1, 1), conv_axis(28, 4, 2, 1, 1, 1)});
    cases.push_back({1, channels, filters, 1, conv_axis(9, 4, 2, 1, 0, 0), conv_axis(9, 4, 2, 1, 2, 3)});
    cases.push_back({1, channels, filters, 1, conv_axis(7, 3, 1, 2, 2, 2), conv_axis(6, 4, 2, 1, 0, 1)});
    cases.push_back({1, channels, filters, 1, conv_axis(8, 3, 3, 2, 1, 4), conv_axis(5, 4, 2, 1, 4, 4)});
  }
  return cases;
}

struct NamedConvCase {
  std::string network;
  Conv2DGeometry geometry;
};

/// What the benchmarks run: the shapes of this project's own networks and of well-known ones, in batches that take long
/// enough to be timed.
inline std::vector<NamedConvCase> benchmark_conv_cases() {
  const auto strided = [](Index size, Index taps, Index stride, Index before, Index after, Index channels,
                          Index filters, Index groups = 1, Index batch = 1) -> Conv2DGeometry {
    const ConvAxis axis = conv_axis(size, taps, stride, 1, before, after);
    return {batch, channels, filters, groups, axis, axis};
  };
  return {
      {"few", same_conv(28, 3, 1, 8, 64)},
      {"few", same_conv(28, 3, 3, 8, 64)},
      {"few", same_conv(28, 3, 8, 8, 64)},
      {"denoiser", same_conv(28, 3, 1, 16, 64)},
      {"denoiser", same_conv(14, 3, 16, 16, 64)},
      {"denoiser", same_conv(7, 3, 16, 16, 64)},
      // Upsampling and the convolution after it: as the convolution from output to input, so by data is forward.
      {"denoiser, upsampled", strided(14, 4, 2, 1, 1, 16, 16, 1, 64)},
      {"denoiser, upsampled", strided(28, 4, 2, 1, 1, 1, 16, 1, 64)},
      {"denoiser, not fused", same_conv(28, 3, 16, 16, 32)},
      {"denoiser, not fused", same_conv(28, 3, 16, 1, 64)},
      {"ResNet-18", strided(224, 7, 2, 3, 3, 3, 64)},
      {"ResNet-18", same_conv(56, 3, 64, 64, 2)},
      {"ResNet-18", strided(56, 3, 2, 1, 1, 64, 128, 1, 2)},
      {"ResNet-18", strided(56, 1, 2, 0, 0, 64, 128, 1, 2)},
      {"ResNet-18", same_conv(28, 3, 128, 128, 2)},
      {"ResNet-18", same_conv(14, 3, 256, 256, 2)},
      {"ResNet-18", same_conv(7, 3, 512, 512, 2)},
      {"LeNet-5", strided(32, 5, 1, 0, 0, 1, 6, 1, 32)},
      {"LeNet-5", strided(14, 5, 1, 0, 0, 6, 16, 1, 32)},
      {"MobileNet", strided(112, 3, 1, 1, 1, 32, 32, 32)},
      {"MobileNet", strided(56, 3, 2, 1, 1, 128, 128, 128, 2)},
      {"MobileNet", same_conv(56, 1, 128, 128, 2)},
  };
}

/// Case `i` of an endless sequence of random ones.
inline Conv2DGeometry random_conv_case(std::uint32_t i) {
  const RandomKey key{2026, 1, i};
  Index word = 0;
  const auto below = [&](std::uint32_t n) { return static_cast<Index>(random_below(key, n, word)); };
  const auto axis = [&] {
    const Index input = 1 + below(11), taps = 1 + below(4), dilation = 1 + below(3);
    Index before = below(4), after = below(4);
    const Index covered = (taps - 1) * dilation + 1;
    if (input + before + after < covered) after = covered - input - before;
    return conv_axis(input, taps, 1 + below(3), dilation, before, after);
  };
  Conv2DGeometry g;
  g.batch = 1 + below(3);
  const Index kind = below(6);
  if (kind == 0) {  // depthwise
    g.groups = g.channels = g.filters = 2 + below(34);
  } else if (kind == 1) {
    g.groups = 2 + below(2);
    g.channels = g.groups * (1 + below(9));
    g.filters = g.groups * (1 + below(9));
  } else {
    g.channels = kind == 2 ? 1 : 1 + below(36);
    g.filters = kind == 3 ? 1 + below(4) : 1 + below(36);
  }
  g.y = axis();
  g.x = axis();
  return g;
}

}  // namespace linnet::test
