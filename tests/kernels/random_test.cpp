// Random numbers: published test vectors, and the runs against the single numbers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "linnet/kernels/random.hpp"
#include "support.hpp"

using namespace linnet;

namespace {

constexpr RandomKey kKey{0x0123456789ABCDEFu, 5, 6, 7};

template <class T, class Fill>
std::vector<T> run(const Fill& fill, Index count, Index first = 0) {
  std::vector<T> numbers(static_cast<std::size_t>(count));
  fill(kKey, std::span<T>(numbers), first);
  return numbers;
}

/// A normal distribution's chance of being below z.
double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

}  // namespace

TEST_CASE("Philox4x32-10 gives its authors' known answers") {
  // From kat_vectors of the Random123 distribution, by the authors of the paper in random.hpp.
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t kOnes = 0xffffffff;
  CHECK(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a key's words are those of Philox under its counter") {
  static_assert(kKey.bits(9) == philox4x32({2, 7, 6, 5}, {0x89ABCDEF, 0x01234567})[1]);
  CHECK(kKey.uniform(9) == static_cast<float>(kKey.bits(9) >> 8) / 16777216.0f);
}

TEST_CASE("runs of uniform numbers are the single ones, from any element on and on every set") {
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (const Index first : {0, 1, 2, 3, 5, 64, 1001}) {
      for (const Index count : {0, 1, 3, 4, 63, 64, 65, 200}) {
        const auto numbers = run<float>(fill_uniform<float>, count, first);
        const auto wide = run<double>(fill_uniform<double>, count, first);
        bool equal = true;
        for (Index i = 0; i < count; ++i) {
          const float expected = kKey.uniform(first + i);
          equal = equal && numbers[static_cast<std::size_t>(i)] == expected &&
                  wide[static_cast<std::size_t>(i)] == static_cast<double>(expected);
        }
        CHECK(equal);
      }
    }
  });
}

TEST_CASE("normal numbers have the same bits on every set and in every part of a run") {
  std::vector<float> first;
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    const auto whole = run<float>(fill_normal<float>, 1000);
    if (first.empty()) first = whole;
    CHECK(whole == first);
    for (const Index from : {1, 2, 3, 100}) {
      const auto part = run<float>(fill_normal<float>, 130, from);
      CHECK(std::equal(part.begin(), part.end(), whole.begin() + from));
    }
  });
}

TEST_CASE("normal numbers follow Box and Muller's formula") {
  const auto z = run<float>(fill_normal<float>, 4000);
  for (Index i = 0; i < 4000; i += 2) {
    const double u = (static_cast<double>(kKey.bits(i) >> 8) + 1) / 16777216.0;
    const double angle = 2 * 3.14159265358979323846 * static_cast<double>(kKey.bits(i + 1) >> 8) / 16777216.0;
    const double radius = std::sqrt(-2 * std::log(u));
    CHECK(std::abs(static_cast<double>(z[static_cast<std::size_t>(i)]) - radius * std::cos(angle)) < 2e-6);
    CHECK(std::abs(static_cast<double>(z[static_cast<std::size_t>(i) + 1]) - radius * std::sin(angle)) < 2e-6);
  }
}

TEST_CASE("the distributions are what they say") {
  constexpr Index kCount = 1'000'000;
  const double sqrt_count = std::sqrt(static_cast<double>(kCount));
  // Kolmogorov and Smirnov's statistic: above 1.95 in one run of a thousand. The key is fixed.
  const auto statistic = [&](std::vector<float> numbers, auto&& below) {
    std::sort(numbers.begin(), numbers.end());
    double largest = 0;
    for (Index i = 0; i < kCount; ++i) {
      const double expected = below(static_cast<double>(numbers[static_cast<std::size_t>(i)]));
      largest = std::max({largest, std::abs(expected - static_cast<double>(i) / kCount),
                          std::abs(expected - static_cast<double>(i + 1) / kCount)});
    }
    return largest * sqrt_count;
  };
  const auto uniform = run<float>(fill_uniform<float>, kCount);
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 0.0f);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 1.0f);
  CHECK(statistic(uniform, [](double u) { return u; }) < 1.95);
  CHECK(statistic(run<float>(fill_normal<float>, kCount), normal_below) < 1.95);
}

TEST_CASE("numbers below a range are in it, and evenly spread") {
  Index word = 0;
  std::vector<int> seen(7);
  for (int i = 0; i < 70'000; ++i) ++seen[random_below(kKey, 7, word)];
  CHECK(word >= 70'000);
  double chi_square = 0;
  for (const int count : seen) chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  CHECK(chi_square < 22.5);  // 6 degrees of freedom: above it in one run of a thousand
  CHECK(random_below(kKey, 1, word) == 0);
}

TEST_CASE("a permutation holds every number once") {
  for (const Index n : {0, 1, 2, 17, 1000}) {
    auto order = random_permutation(kKey, n);
    CHECK(order == random_permutation(kKey, n));
    if (n == 1000) {
      CHECK(order != random_permutation(kKey.with_step(8), n));
      CHECK(!std::is_sorted(order.begin(), order.end()));
    }
    std::sort(order.begin(), order.end());
    for (Index i = 0; i < n; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  // Every order of three comes up about as often as another.
  std::vector<int> seen(27);
  for (std::uint32_t step = 0; step < 6000; ++step) {
    const auto order = random_permutation(kKey.with_step(step), 3);
    ++seen[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }
  double chi_square = 0;
  int orders = 0;
  for (const int count : seen) {
    if (count == 0) continue;
    ++orders;
    chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  CHECK(orders == 6);
  CHECK(chi_square < 20.6);  // 5 degrees of freedom: above it in one run of a thousand
  CHECK(test::error_of<ValueError>([] { random_permutation(kKey, -1); }) ==
        "random_permutation: expected a count in [0, 2^32), got -1");
}
