#include "linnet/kernels/conv2d.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/conv2d_cases.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

constexpr ConvAlgorithm kFast[] = {ConvAlgorithm::im2col, ConvAlgorithm::direct,      ConvAlgorithm::rows,
                                   ConvAlgorithm::narrow, ConvAlgorithm::narrow_rows, ConvAlgorithm::depthwise};

/// Whole numbers in [-4, 4]: every sum of their products here is exact in float.
template <class T>
std::vector<T> whole_numbers(Index n, std::uint32_t stream) {
  std::vector<T> values(static_cast<std::size_t>(n));
  const RandomKey key{3, stream};
  for (Index i = 0; i < n; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<T>(key.bits(i) % 9) - T(4);
  }
  return values;
}

template <class T>
std::vector<T> fractions(Index n, std::uint32_t stream) {
  std::vector<T> values(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<T>(RandomKey{4, stream}.uniform(i)) - T(0.5);
  }
  return values;
}

template <class T, class Buffer = std::vector<T>>
struct Operands {
  Buffer x, w, bias, dy, dw, dx_bias;
};
/// All of them from `numbers`(how many, stream).
template <class T>
Operands<T> make_operands(const Conv2DGeometry& g, std::vector<T> (*numbers)(Index, std::uint32_t)) {
  return {numbers(g.batch * g.input_size(), 1),  numbers(g.kernel_size(), 2), numbers(g.filters, 3),
          numbers(g.batch * g.output_size(), 4), numbers(g.kernel_size(), 5), numbers(g.channels, 6)};
}

/// The result of one direction by one algorithm (with a relu, if it has one). What a kernel must overwrite begins as
/// NaN. All memory is in a Buffer.
template <class T, class Buffer>
std::vector<T> run(ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g,
                   const Operands<T, Buffer>& in, bool relu = false) {
  const auto unwritten = [](Index n) {
    return std::vector<T>(static_cast<std::size_t>(n), std::numeric_limits<T>::quiet_NaN());
  };
  Buffer packed(unwritten(conv2d_packed_size<T>(direction, algorithm, g)));
  Buffer scratch(unwritten(conv2d_scratch(direction, algorithm, g)));
  conv2d_pack<T>(direction, algorithm, g, in.w.data(), packed.data());
  if (direction == ConvDirection::forward) {
    const Index size = g.batch * g.output_size();
    Buffer y(unwritten(size));
    conv2d_forward<T>(algorithm, g, in.x.data(), in.w.data(), packed.data(), {in.bias.data(), relu}, y.data(),
                      scratch.data());
    return {y.data(), y.data() + size};
  }
  if (direction == ConvDirection::backward_data) {
    const Index size = g.batch * g.input_size();
    Buffer dx(unwritten(size));
    conv2d_backward_data<T>(algorithm, g, in.dy.data(), in.w.data(), packed.data(), {in.dx_bias.data(), relu},
                            dx.data(), scratch.data());
    return {dx.data(), dx.data() + size};
  }
  Buffer dw(std::vector<T>(in.dw.data(), in.dw.data() + g.kernel_size()));
  conv2d_backward_weights<T>(algorithm, g, in.x.data(), in.dy.data(), dw.data(), scratch.data());
  return {dw.data(), dw.data() + g.kernel_size()};
}

constexpr ConvDirection kDirections[] = {ConvDirection::forward, ConvDirection::backward_data,
                                         ConvDirection::backward_weights};

/// 1x1 convolutions, which are matrix products: in several blocks of pixels, in groups whose filters are less and more
/// than a pack, of more channels than a block has; and such that are none, for one reason each, along either axis.
std::vector<Conv2DGeometry> product_cases() {
  const auto pixels = [](Index n) { return conv_axis(n, 1, 1, 1, 0, 0); };
  std::vector<Conv2DGeometry> cases = {same_conv(3, 1, 530, 20, 2), same_conv(14, 1, 530, 20)};
  for (const auto& [channels, filters] : {std::pair<Index, Index>{40, 36}, {40, 20}, {24, 32}, {6, 8}, {4, 66}}) {
    for (const Index groups : {1, 2}) cases.push_back({2, channels, filters, groups, pixels(15), pixels(16)});
  }
  const ConvAxis others[] = {{.input = 6, .output = 6, .pad = 1},
                             {.input = 6, .output = 6, .pad = -1},
                             {.input = 6, .output = 7, .pad = 0},
                             {.input = 6, .output = 5, .pad = 0},
                             {.input = 2, .output = 2, .stride = 2}};
  for (const ConvAxis& axis : others) {
    for (const Index filters : {7, 20}) {
      cases.push_back({2, 9, filters, 1, axis, pixels(4)});
      cases.push_back({2, 9, filters, 1, pixels(4), axis});
    }
  }
  return cases;
}

struct Tally {
  Index shapes = 0, comparisons = 0, mismatches = 0, mostly_zero = 0, results = 0;
};

template <class T>
void compare_with_reference(const Conv2DGeometry& g, Tally& tally) {
  const Operands<T> in = make_operands<T>(g, whole_numbers<T>);
  ++tally.shapes;
  for (const ConvDirection direction : kDirections) {
    const std::vector<T> expected = run(direction, ConvAlgorithm::reference, g, in);
    ++tally.results;
    const auto zeros = std::count(expected.begin(), expected.end(), T(0));
    if (2 * zeros > static_cast<std::ptrdiff_t>(expected.size())) ++tally.mostly_zero;
    const bool has_relu = direction != ConvDirection::backward_weights;
    std::vector<T> rectified = expected;
    for (T& value : rectified) value = std::max(T(0), value);
    for (const ConvAlgorithm algorithm : kFast) {
      if (!conv2d_can(algorithm, direction, g)) continue;
      ++tally.comparisons;
      if (run(direction, algorithm, g, in) != expected ||
          (has_relu && run(direction, algorithm, g, in, true) != rectified)) {
        ++tally.mismatches;
        MESSAGE(to_string(isa()), " ", to_string(algorithm), " direction ", static_cast<int>(direction), ": ",
                g.to_string(), " pads ", g.y.pad, " ", g.x.pad);
      }
    }
  }
}

}  // namespace

TEST_CASE("convolutions of whole numbers equal the reference to the bit, in over 2,000 shapes") {
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    Tally tally;
    for (const Conv2DGeometry& g : test::named_conv_cases()) {
      compare_with_reference<float>(g, tally);
      compare_with_reference<double>(g, tally);
    }
    // A few channels to a few filters, of which half a pack is enough, in rows of whole tiles.
    for (const Index channels : {1, 2, 3, 4, 6, 8, 9}) {
      for (const Index filters : {3, 6, 8, 9, 24}) {
        const ConvAxis halved = conv_axis(46, 4, 2, 1, 1, 1);
        compare_with_reference<float>(same_conv(23, 3, channels, filters), tally);
        compare_with_reference<double>(same_conv(13, 3, channels, filters), tally);
        compare_with_reference<float>({1, channels, filters, 1, halved, halved}, tally);
        compare_with_reference<float>(same_conv(18, 5, channels, filters), tally);
      }
    }
    // In several blocks of rows, of images, and with weights that no cache keeps.
    compare_with_reference<float>({2, 40, 36, 2, conv_axis(40, 3, 1, 1, 1, 1), conv_axis(72, 3, 1, 1, 1, 1)}, tally);
    compare_with_reference<float>(same_conv(28, 3, 20, 20, 5), tally);
    compare_with_reference<float>(same_conv(3, 3, 130, 128, 3), tally);
    for (const Conv2DGeometry& g : product_cases()) {
      compare_with_reference<float>(g, tally);
      compare_with_reference<double>(g, tally);
    }
    compare_with_reference<float>(same_conv(64, 3, 1, 5), tally);
    compare_with_reference<float>(same_conv(64, 3, 6, 1), tally);
    compare_with_reference<float>({1, 2, 3, 1, conv_axis(128, 4, 2, 1, 1, 1), conv_axis(128, 4, 2, 1, 1, 1)}, tally);
    compare_with_reference<float>({1, 9, 3, 1, conv_axis(70, 3, 1, 1, 2, 2), conv_axis(80, 3, 1, 1, 0, 2)}, tally);
    for (std::uint32_t i = 0; i < 2000; ++i) {
      if (i % 4 == 3) {
        compare_with_reference<double>(test::random_conv_case(i), tally);
      } else {
        compare_with_reference<float>(test::random_conv_case(i), tally);
      }
    }
    CHECK(tally.shapes >= 2000);
    CHECK(tally.comparisons > 3 * 2 * tally.shapes);
    CHECK(tally.mismatches == 0);
    CHECK(tally.mostly_zero * 4 < tally.results);  // a comparison of zeros shows little
  });
}

namespace {
/// Whether two results are the same to the bit, or both not a number.
template <class T>
bool same_bits(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}
}  // namespace

TEST_CASE("a relu in a kernel keeps what is not a number, infinities and the signs of zeros") {
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
    for (const auto& [channels, filters] : {std::pair<Index, Index>{16, 1}, {3, 8}, {3, 16}, {5, 20}, {18, 18}}) {
      for (const bool depthwise : {false, true}) {
        if (depthwise && channels != filters) continue;
        Conv2DGeometry g = same_conv(12, 3, channels, filters);
        if (depthwise) g.groups = channels;
        Operands<float> in = make_operands<float>(g, fractions<float>);
        in.x[40] = in.dy[40] = nan;
        in.x[90] = in.dy[90] = infinity;
        in.bias[0] = in.dx_bias[0] = -0.0f;
        for (const ConvDirection direction : {ConvDirection::forward, ConvDirection::backward_data}) {
          for (const ConvAlgorithm algorithm : kFast) {
            if (!conv2d_can(algorithm, direction, g)) continue;
            CAPTURE(to_string(algorithm));
            const auto plain = run(direction, algorithm, g, in), rectified = run(direction, algorithm, g, in, true);
            CHECK(std::any_of(plain.begin(), plain.end(), [](float z) { return std::isnan(z); }));
            Index different = 0;
            for (std::size_t i = 0; i < plain.size(); ++i) {
              different += same_bits(rectified[i], plain[i] < 0 ? 0.0f : plain[i]) ? 0 : 1;
            }
            CHECK(different == 0);
          }
        }
      }
    }
  });
}

#if __has_include(<sys/mman.h>)
namespace {
/// How many results of kernels in guarded memory are others than in a vector.
template <class Guarded>
Index count_differences(const Conv2DGeometry& g) {
  const Operands<float> in = make_operands<float>(g, whole_numbers<float>);
  const Operands<float, Guarded> guarded = {Guarded(in.x),  Guarded(in.w),  Guarded(in.bias),
                                            Guarded(in.dy), Guarded(in.dw), Guarded(in.dx_bias)};
  Index different = 0;
  for (const ConvDirection direction : kDirections) {
    for (const ConvAlgorithm algorithm : kFast) {
      if (!conv2d_can(algorithm, direction, g)) continue;
      different += run(direction, algorithm, g, guarded) == run(direction, algorithm, g, in) ? 0 : 1;
    }
  }
  return different;
}
}  // namespace

TEST_CASE("kernels stay within their memory") {
  std::vector<Conv2DGeometry> cases = test::named_conv_cases();
  for (const Conv2DGeometry& g : product_cases()) cases.push_back(g);
  for (std::uint32_t i = 0; i < 200; ++i) cases.push_back(test::random_conv_case(i));
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const Conv2DGeometry& g : cases) {
      CHECK(count_differences<GuardedCopy<float>>(g) == 0);
      CHECK(count_differences<GuardedCopy<float, true>>(g) == 0);
    }
  });
}
#endif

TEST_CASE("a sample's outputs do not depend on the samples beside it") {
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const Conv2DGeometry& g :
         {same_conv(15, 1, 40, 36, 3), same_conv(14, 3, 5, 16, 3), same_conv(9, 5, 7, 20, 3)}) {
      const Operands<float> in = make_operands<float>(g, fractions<float>);
      Conv2DGeometry one = g;
      one.batch = 1;
      for (const ConvDirection direction : {ConvDirection::forward, ConvDirection::backward_data}) {
        for (const ConvAlgorithm algorithm : kFast) {
          if (!conv2d_can(algorithm, direction, g)) continue;
          std::vector<float> one_by_one;
          for (Index n = 0; n < g.batch; ++n) {
            Operands<float> sample = in;
            sample.x.erase(sample.x.begin(), sample.x.begin() + n * g.input_size());
            sample.dy.erase(sample.dy.begin(), sample.dy.begin() + n * g.output_size());
            const auto result = run(direction, algorithm, one, sample);
            one_by_one.insert(one_by_one.end(), result.begin(), result.end());
          }
          CHECK(run(direction, algorithm, g, in) == one_by_one);
        }
      }
    }
  });
}

TEST_CASE("gradients by weights of many pixels keep their digits") {
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const auto& [taps, filters] : {std::pair<Index, Index>{1, 16}, {1, 20}, {3, 16}}) {
      const Conv2DGeometry g = same_conv(28, taps, 16, filters, 16);
      Operands<float> in = make_operands<float>(g, fractions<float>);
      for (float& value : in.x) value += 0.5f;  // positive: nothing cancels
      for (float& value : in.dy) value += 0.5f;
      Operands<double> exact;
      exact.x.assign(in.x.begin(), in.x.end());
      exact.dy.assign(in.dy.begin(), in.dy.end());
      exact.dw.assign(in.dw.begin(), in.dw.end());
      const auto expected = run(ConvDirection::backward_weights, ConvAlgorithm::reference, g, exact);
      const auto got = run(ConvDirection::backward_weights, choose_conv2d(ConvDirection::backward_weights, g), g, in);
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(got[i]) - expected[i]) / expected[i]);
      }
      CHECK(worst < 1e-6);  // one chain over all 12,544 pixels would be off by 5e-6
    }
  });
}

TEST_CASE("an output of rows is one chain of operations, whatever the tile and however many filters there are") {
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    // The first filters of many: tiles of whole packs, of halves, and of other sizes, since rows differ in length.
    const Conv2DGeometry all = same_conv(23, 3, 5, 16);
    const Operands<float> in = make_operands<float>(all, fractions<float>);
    const auto expected = run(ConvDirection::forward, ConvAlgorithm::rows, all, in);
    for (const Index filters : {3, 8, 9}) {
      for (const Index width : {23, 17, 9, 3}) {
        CAPTURE(filters);
        CAPTURE(width);
        Conv2DGeometry g = all;
        g.filters = filters;
        g.x.output = width;
        Operands<float> first = in;
        for (Index i = 0; i < g.kernel_size(); ++i) {
          first.w[static_cast<std::size_t>(i)] = in.w[static_cast<std::size_t>(i / filters * 16 + i % filters)];
        }
        const auto got = run(ConvDirection::forward, ConvAlgorithm::rows, g, first);
        Index different = 0;
        for (Index i = 0; i < g.output_size(); ++i) {
          const Index pixel = i / filters, row = pixel / width, column = pixel % width;
          const Index of_all = (row * 23 + column) * 16 + i % filters;
          different += got[static_cast<std::size_t>(i)] == expected[static_cast<std::size_t>(of_all)] ? 0 : 1;
        }
        CHECK(different == 0);
      }
    }
  });
}

TEST_CASE("AVX2 and AVX-512 give the same bits on fractions") {
  if (!supported(Isa::avx512)) {
    MESSAGE("SKIPPED: this processor has no AVX-512");
    return;
  }
  const IsaGuard guard;
  // The gradient by weights takes large images in blocks of rows.
  std::vector<Conv2DGeometry> cases = {same_conv(64, 3, 1, 16),
                                       same_conv(64, 3, 16, 1),
                                       same_conv(40, 3, 40, 20),
                                       same_conv(20, 1, 530, 36),
                                       {1, 64, 64, 32, conv_axis(56, 3, 1, 1, 1, 1), conv_axis(56, 3, 1, 1, 1, 1)}};
  for (const Index channels : {1, 2, 3}) {
    cases.push_back({1, channels, 16, 1, conv_axis(128, 4, 2, 1, 1, 1), conv_axis(128, 4, 2, 1, 1, 1)});
    cases.push_back({2, channels, 16, 1, conv_axis(70, 3, 1, 1, 2, 2), conv_axis(80, 3, 1, 1, 0, 2)});
    for (const Index filters : {3, 8, 24}) cases.push_back(same_conv(23, 3, channels, filters));
  }
  for (std::uint32_t i = 0; i < 300; ++i) cases.push_back(test::random_conv_case(i));
  Index different = 0;
  for (const Conv2DGeometry& g : cases) {
    const Operands<float> in = make_operands<float>(g, fractions<float>);
    for (const ConvDirection direction : kDirections) {
      for (const ConvAlgorithm algorithm : kFast) {
        if (!conv2d_can(algorithm, direction, g)) continue;
        set_isa(Isa::avx2);
        const auto narrow = run(direction, algorithm, g, in);
        set_isa(Isa::avx512);
        different += run(direction, algorithm, g, in) != narrow ? 1 : 0;
      }
    }
  }
  CHECK(different == 0);
}

TEST_CASE("the chosen kernel does not depend on the batch, and can do the work") {
  for (std::uint32_t i = 0; i < 500; ++i) {
    Conv2DGeometry g = test::random_conv_case(i);
    for (const ConvDirection direction : kDirections) {
      g.batch = 1;
      const ConvAlgorithm one = choose_conv2d(direction, g);
      g.batch = 64;
      CHECK(choose_conv2d(direction, g) == one);
      CHECK(conv2d_can(one, direction, g));
    }
  }
}

TEST_CASE("matrix products of whole numbers") {
  for_each_isa([&](Isa) {
    for (std::uint32_t i = 0; i < 200; ++i) {
      Index word = 0;
      const RandomKey key{5, i};
      const auto size = [&] { return 1 + static_cast<Index>(random_below(key, 40, word)); };
      const Index rows = i % 8 == 3 ? 2 * kTransposedRows + size() : size();
      const Index columns = i % 8 == 5 ? kTransposedColumns + size() : size();
      const Index depth = i % 8 == 7 ? 100 + 30 * size() : size();  // long ones are cut
      const auto a = whole_numbers<float>(rows * depth, 1);
      const auto b = whole_numbers<float>(depth * columns, 2);
      const auto bias = whole_numbers<float>(columns, 3);
      std::vector<float> expected(static_cast<std::size_t>(rows * columns));
      for (Index r = 0; r < rows; ++r) {
        for (Index j = 0; j < columns; ++j) {
          float total = bias[static_cast<std::size_t>(j)];
          for (Index k = 0; k < depth; ++k) {
            total += a[static_cast<std::size_t>(r * depth + k)] * b[static_cast<std::size_t>(k * columns + j)];
          }
          expected[static_cast<std::size_t>(r * columns + j)] = total;
        }
      }
      std::vector<float> panels(static_cast<std::size_t>(panels_size<float>(depth, columns)));
      pack_panels<float>(depth, columns, b.data(), columns, 1, panels.data());
      std::vector<float> c(expected.size(), std::nanf(""));
      gemm_packed<float>(rows, columns, depth, a.data(), depth, panels.data(), c.data(), columns, {bias.data()});
      CHECK(c == expected);
      std::fill(c.begin(), c.end(), std::nanf(""));
      gemm<float>(rows, columns, depth, a.data(), depth, b.data(), columns, c.data(), columns, {bias.data()});
      CHECK(c == expected);

      // With a relu, which waits for the last block of the inner index.
      std::vector<float> rectified = expected;
      for (float& value : rectified) value = std::max(0.0f, value);
      gemm_packed<float>(rows, columns, depth, a.data(), depth, panels.data(), c.data(), columns, {bias.data(), true});
      CHECK(c == rectified);
      gemm<float>(rows, columns, depth, a.data(), depth, b.data(), columns, c.data(), columns, {bias.data(), true});
      CHECK(c == rectified);

      // A B from B stored the other way round.
      std::vector<float> b_transposed(b.size());
      for (Index k = 0; k < depth; ++k) {
        for (Index j = 0; j < columns; ++j) {
          b_transposed[static_cast<std::size_t>(j * depth + k)] = b[static_cast<std::size_t>(k * columns + j)];
        }
      }
      std::vector<float> scratch(static_cast<std::size_t>(gemm_a_bt_scratch(depth)));
      std::fill(c.begin(), c.end(), std::nanf(""));
      gemm_a_bt<float>(rows, columns, depth, a.data(), depth, b_transposed.data(), depth, c.data(), columns,
                       scratch.data());
      for (Index k = 0; k < rows * columns; ++k)
        c[static_cast<std::size_t>(k)] += bias[static_cast<std::size_t>(k % columns)];
      CHECK(c == expected);

      // A^T B from A stored the other way round, on top of the bias.
      std::vector<float> a_transposed(a.size());
      for (Index r = 0; r < rows; ++r) {
        for (Index k = 0; k < depth; ++k) {
          a_transposed[static_cast<std::size_t>(k * rows + r)] = a[static_cast<std::size_t>(r * depth + k)];
        }
      }
      for (Index r = 0; r < rows; ++r) std::copy(bias.begin(), bias.end(), c.begin() + r * columns);
      gemm_at_b<float>(rows, columns, depth, a_transposed.data(), rows, b.data(), columns, c.data(), columns);
      CHECK(c == expected);
      std::fill(c.begin(), c.end(), std::nanf(""));
      gemm_at_b<float>(rows, columns, depth, a_transposed.data(), rows, b.data(), columns, c.data(), columns, false);
      for (Index k = 0; k < rows * columns; ++k)
        c[static_cast<std::size_t>(k)] += bias[static_cast<std::size_t>(k % columns)];
      CHECK(c == expected);

      // The same twice: written over what C held, then added to it.
      std::fill(c.begin(), c.end(), std::nanf(""));
      for (const bool accumulate : {false, true}) {
        gemm_at_b<float>(rows, columns, depth, a_transposed.data(), rows, b.data(), columns, c.data(), columns,
                         accumulate);
      }
      for (Index k = 0; k < rows * columns; ++k) {
        const float once = expected[static_cast<std::size_t>(k)] - bias[static_cast<std::size_t>(k % columns)];
        REQUIRE(c[static_cast<std::size_t>(k)] == 2 * once);
      }
    }
  });
}

TEST_CASE("matrix products of fractions have the same bits with AVX2 and AVX-512") {
  std::vector<std::vector<float>> with_avx2;
  for_each_isa([&](Isa set) {
    if (set == Isa::baseline) return;  // does not fuse
    CAPTURE(to_string(set));
    std::size_t next = 0;
    const auto check = [&](const std::vector<float>& c) {
      if (set == Isa::avx2) with_avx2.push_back(c);
      if (set == Isa::avx512) CHECK(c == with_avx2.at(next++));
    };
    for (const Index columns : {1, 15, 16, 20, 33, 64, 80}) {
      for (const Index rows : {1, 7, 14, 70}) {
        const Index depth = 37;
        CAPTURE(columns);
        CAPTURE(rows);
        const auto a = fractions<float>(rows * depth, 1), b = fractions<float>(depth * columns, 2);
        const auto bias = fractions<float>(columns, 3);
        std::vector<float> c(static_cast<std::size_t>(rows * columns));
        gemm<float>(rows, columns, depth, a.data(), depth, b.data(), columns, c.data(), columns, {bias.data()});
        check(c);
        std::vector<float> panels(static_cast<std::size_t>(panels_size<float>(depth, columns)));
        pack_panels<float>(depth, columns, b.data(), columns, 1, panels.data());
        gemm_packed<float>(rows, columns, depth, a.data(), depth, panels.data(), c.data(), columns, {bias.data()});
        check(c);
        std::vector<float> scratch(static_cast<std::size_t>(gemm_a_bt_scratch(depth)));
        gemm_a_bt<float>(rows, columns, depth, a.data(), depth, b.data(), depth, c.data(), columns, scratch.data());
        check(c);
        gemm_at_b<float>(rows, columns, depth, a.data(), rows, b.data(), columns, c.data(), columns);
        check(c);
      }
    }
  });
}

TEST_CASE("an infinite pixel reaches the same weights with every instruction set") {
  Conv2DGeometry g = same_conv(8, 3, 1, 16);
  Operands<float> in = make_operands<float>(g, whole_numbers<float>);
  in.x[3] = std::numeric_limits<float>::infinity();  // in the first row, which the padding keeps from the last taps
  const auto expected = run(ConvDirection::backward_weights, ConvAlgorithm::reference, g, in);
  for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    const auto got = run(ConvDirection::backward_weights, ConvAlgorithm::rows, g, in);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::isfinite(got[i]) == std::isfinite(expected[i]));
  });
}

TEST_CASE("the chosen kernel does not depend on the image's extents and padding, which packing does not know") {
  for (std::uint32_t i = 0; i < 500; ++i) {
    Conv2DGeometry g = test::random_conv_case(i);
    for (const ConvDirection direction : kDirections) {
      const ConvAlgorithm chosen = choose_conv2d(direction, g);
      Conv2DGeometry other = g;
      for (ConvAxis* axis : {&other.y, &other.x}) {
        axis->input = axis->output = 1;
        axis->pad = 0;
      }
      CHECK(choose_conv2d(direction, other) == chosen);
    }
  }
}
