// The vector type: what each operation means, lane by lane, and that memory past the lanes is left alone.
#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "linnet/core/random.hpp"
#include "support.hpp"

#define LINNET_KERNEL_FILE "simd/pack_operations.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

using namespace linnet;

namespace {

template <class T>
constexpr int kLanes = static_cast<int>(64 / sizeof(T));

/// Equal to the last bit, the sign of a zero included; one NaN is as good as another.
template <class T>
bool equal(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
}

/// Numbers whose products and sums have to be rounded.
template <class T>
std::vector<T> numbers(int n, std::uint32_t stream) {
  std::vector<T> result;
  for (Index i = 0; i < n; ++i) {
    result.push_back(static_cast<T>(RandomKey{5, stream}.uniform(i)) * T(3) / T(7) - T(0.2));
  }
  return result;
}

/// The compiler can't fuse what goes through it with anything.
template <class T>
T rounded(T value) {
  volatile T kept = value;
  return kept;
}

template <class T>
struct Operation {
  std::string name;
  T (*of_lane)(T a, T b, T c);
};

/// Two pieces of memory that end where a page that may not be touched begins: reading or writing past them crashes.
class FencedPage {
 public:
  FencedPage() {
    REQUIRE(memory_ != MAP_FAILED);
    for (const std::size_t page : {std::size_t{1}, std::size_t{3}}) REQUIRE(mprotect(at(page), kPage, PROT_NONE) == 0);
  }
  ~FencedPage() { munmap(memory_, 4 * kPage); }
  FencedPage(const FencedPage&) = delete;
  FencedPage& operator=(const FencedPage&) = delete;
  void* end() const { return at(1); }
  void* other_end() const { return at(3); }

 private:
  void* at(std::size_t page) const { return static_cast<char*>(memory_) + page * kPage; }

  const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory_ = mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
};

}  // namespace

TEST_CASE_TEMPLATE("arithmetic of packs is that of its lanes", T, float, double) {
  const Operation<T> operations[] = {
      {"+", [](T a, T b, T) { return a + b; }},
      {"-", [](T a, T b, T) { return a - b; }},
      {"*", [](T a, T b, T) { return a * b; }},
      {"/", [](T a, T b, T) { return a / b; }},
      {"max", [](T a, T b, T) { return a > b ? a : b; }},
      {"min", [](T a, T b, T) { return a < b ? a : b; }},
      {"fma", [](T a, T b, T c) { return std::fma(a, b, c); }},
      {"multiply_add", nullptr},  // rounds once or twice, as the set can
      {"accumulate", nullptr},
      {"a product, rounded, and a sum", [](T a, T b, T c) { return rounded(b * c) + a; }},
      {"a product, rounded, and a difference", [](T a, T b, T c) { return rounded(a * c) - b; }},
      {"sqrt", [](T a, T, T) { return std::sqrt(a); }},
      {"abs", [](T a, T, T) { return a < 0 ? 0 - a : a; }},
      {"select_less", [](T a, T b, T c) { return a < b ? c : a; }},
      {"select_equal", [](T a, T b, T c) { return a == b ? c : a; }},
      {"select_unordered", [](T a, T b, T c) { return std::isnan(a) ? b : c; }},
  };
  constexpr int kOperations = static_cast<int>(std::size(operations));
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T special[] = {T(0),
                       T(-0.0),
                       kInfinity,
                       -kInfinity,
                       std::numeric_limits<T>::quiet_NaN(),
                       std::numeric_limits<T>::denorm_min(),
                       T(1) / 3,
                       T(-2),
                       std::numeric_limits<T>::max(),
                       std::numeric_limits<T>::min()};
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (std::uint32_t round = 0; round < 40; ++round) {
      std::vector<T> a = numbers<T>(kLanes<T>, 3 * round), b = numbers<T>(kLanes<T>, 3 * round + 1);
      const std::vector<T> c = numbers<T>(kLanes<T>, 3 * round + 2);
      // Every special value meets every other, and itself, in one lane or another.
      for (std::size_t i = 0; i < a.size() && round >= 10; ++i) {
        const std::size_t pair = round * a.size() + i;
        a[i] = special[pair % std::size(special)];
        b[i] = special[pair / std::size(special) % std::size(special)];
      }
      std::vector<T> results(static_cast<std::size_t>((kOperations + 2) * kLanes<T>));
      const bool fused = LINNET_DISPATCH(pack_operations<T>, (a.data(), b.data(), c.data(), results.data()));
      if (set != Isa::baseline) CHECK(fused);
      const T* result = results.data();
      for (const Operation<T>& operation : operations) {
        CAPTURE(operation.name);
        for (std::size_t i = 0; i < a.size(); ++i) {
          const T expected = operation.of_lane != nullptr ? operation.of_lane(a[i], b[i], c[i])
                             : fused                      ? std::fma(a[i], b[i], c[i])
                                                          : rounded(a[i] * b[i]) + c[i];
          CAPTURE(a[i]);
          CAPTURE(b[i]);
          CAPTURE(c[i]);
          CHECK(equal(result[i], expected));
        }
        result += kLanes<T>;
      }
      for (int i = 0; i < kLanes<T>; ++i) {
        CHECK(equal(result[i], a[1]));
        CHECK(equal(result[kLanes<T> + i], T(0)));
      }
    }
  });
}

TEST_CASE_TEMPLATE("a part of a pack: zeros behind it, and nothing behind it is touched", T, float, double) {
  const FencedPage page;
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (int n = 0; n <= 2 * kLanes<T>; ++n) {
      CAPTURE(n);
      const std::vector<T> from = numbers<T>(n, 7);
      T* const end = static_cast<T*>(page.end());
      std::copy(from.begin(), from.end(), end - n);
      std::vector<T> loaded(3 * kLanes<T>, T(77));
      const int stored = std::min(n, kLanes<T>);
      std::fill(static_cast<T*>(page.other_end()) - stored, static_cast<T*>(page.other_end()), T(77));
      T* const to = static_cast<T*>(page.other_end()) - stored;
      LINNET_DISPATCH(pack_partial<T>, (end - n, n, loaded.data(), to));
      for (int i = 0; i < kLanes<T>; ++i) {
        const T expected = i < n ? from[static_cast<std::size_t>(i)] : T(0);
        CHECK(equal(loaded[static_cast<std::size_t>(i)], expected));
        CHECK(equal(loaded[static_cast<std::size_t>(kLanes<T> + i)], expected));
        CHECK(equal(loaded[static_cast<std::size_t>(2 * kLanes<T> + i)], expected));
        if (i < stored) CHECK(equal(to[i], expected));
      }
    }
  });
}

TEST_CASE_TEMPLATE("several packs are stored, or added, with nothing written beside them", T, float, double) {
  const std::vector<T> from = numbers<T>(5 * kLanes<T>, 9);
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    for (int n = 1; n <= kLanes<T>; ++n) {
      for (const bool half : {false, true}) {
        for (const int count : {1, 2, 5}) {
          for (const bool rectified : {false, true}) {
            for (const int step : {n, n + 1}) {
              if (half && n > kLanes<T> / 2) continue;
              CAPTURE(n);
              CAPTURE(half);
              CAPTURE(count);
              CAPTURE(step);
              std::vector<T> to(static_cast<std::size_t>(count * step + kLanes<T>), T(77));
              LINNET_DISPATCH(pack_stores<T>, (from.data(), half, count, step, n, rectified, to.data()));
              for (std::size_t i = 0; i < to.size(); ++i) {
                const std::size_t pack = i / static_cast<std::size_t>(step), lane = i % static_cast<std::size_t>(step);
                const bool written = pack < static_cast<std::size_t>(count) && lane < static_cast<std::size_t>(n);
                const T twice = written ? T(2) * from[pack * kLanes<T> + lane] : T(77);
                CHECK(equal(to[i], rectified && twice < 0 ? T(0) : twice));
              }
            }
          }
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("a sum over lanes adds halves, in every set", T, float, double) {
  const std::vector<T> from = numbers<T>(kLanes<T> * kLanes<T>, 8);
  test::for_each_isa([&](Isa set) {
    CAPTURE(to_string(set));
    std::vector<T> one_by_one(kLanes<T>), together(kLanes<T>), three(kLanes<T>, T(1));
    LINNET_DISPATCH(pack_sums<T>, (from.data(), one_by_one.data(), together.data(), three.data()));
    for (std::size_t i = 0; i < one_by_one.size(); ++i) {
      std::vector<T> lanes(from.begin() + static_cast<std::ptrdiff_t>(i) * kLanes<T>,
                           from.begin() + static_cast<std::ptrdiff_t>(i + 1) * kLanes<T>);
      for (std::size_t half = lanes.size() / 2; half > 0; half /= 2) {
        for (std::size_t k = 0; k < half; ++k) lanes[k] = lanes[k] + lanes[k + half];
      }
      CHECK(equal(one_by_one[i], lanes[0]));
      CHECK(equal(together[i], lanes[0]));
      CHECK(equal(three[i], i < 3 ? lanes[0] : T(0)));
    }
  });
}
