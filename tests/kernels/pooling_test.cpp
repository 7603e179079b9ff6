// Max pooling against its definition, window by window: every size of window, stride and padding takes the paths that
// the kernel has for windows within the image and at its edges.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "linnet/kernels/pooling.hpp"
#include "linnet/kernels/random.hpp"
#include "support.hpp"

using namespace linnet;

TEST_CASE("max pooling forward and backward are what the definition says, at every edge") {
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const Index taps : {2, 3}) {
      for (const Index stride : {1, 2, 3}) {
        for (const Index pad : {0, 1}) {
          for (const Index channels : {1, 18, 32}) {
            const Index input = 7, output = (input + 2 * pad - taps) / stride + 1;
            PoolGeometry g;
            g.batch = 2;
            g.channels = channels;
            g.y = {.input = input, .output = output, .taps = taps, .stride = stride, .pad = pad};
            g.x = g.y;
            CAPTURE(taps);
            CAPTURE(stride);
            CAPTURE(pad);
            CAPTURE(channels);
            const auto size = [&](Index side) { return static_cast<std::size_t>(2 * side * side * channels); };
            std::vector<float> x(size(input)), y(size(output)), places(y.size()), dy(y.size()), dx(x.size());
            fill_uniform<float>(RandomKey{1}, x);
            fill_uniform<float>(RandomKey{2}, dy);
            std::vector<float> expected_y(y.size()), expected_dx(x.size(), 0.0f);
            for (Index n = 0; n < 2; ++n) {
              for (Index oy = 0; oy < output; ++oy) {
                for (Index ox = 0; ox < output; ++ox) {
                  for (Index c = 0; c < channels; ++c) {
                    const auto at = static_cast<std::size_t>(((n * output + oy) * output + ox) * channels + c);
                    float largest = -std::numeric_limits<float>::infinity();
                    std::size_t from = 0;
                    for (Index iy = oy * stride - pad; iy < oy * stride - pad + taps; ++iy) {
                      for (Index ix = ox * stride - pad; ix < ox * stride - pad + taps; ++ix) {
                        if (iy < 0 || ix < 0 || iy >= input || ix >= input) continue;
                        const auto in = static_cast<std::size_t>(((n * input + iy) * input + ix) * channels + c);
                        if (x[in] > largest) largest = x[in], from = in;
                      }
                    }
                    expected_y[at] = largest;
                    expected_dx[from] += dy[at];
                  }
                }
              }
            }
            max_pool_forward<float>(g, x.data(), y.data(), nullptr);
            CHECK(y == expected_y);
            max_pool_forward<float>(g, x.data(), y.data(), places.data());
            CHECK(y == expected_y);
            max_pool_backward<float>(g, places.data(), dy.data(), dx.data());
            double error = 0;
            for (std::size_t i = 0; i < dx.size(); ++i)
              error = std::max(error, double{std::abs(dx[i] - expected_dx[i])});
            CHECK(error < 1e-6);  // overlapping windows add in another order
          }
        }
      }
    }
  });
}
