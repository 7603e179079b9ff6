// Shapes, tensors, and loops that threads share.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/core/tensor.hpp"
#include "support.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define LINNET_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LINNET_TEST_SANITIZED
#endif
#endif

using namespace linnet;
using test::error_of;
using test::mentions;

TEST_CASE("shapes check their sizes") {
  constexpr Index kLargest = std::numeric_limits<Index>::max();
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{2, 3, 4}.size() == 24);
  CHECK(Shape{2, 0, 4}.size() == 0);
  CHECK(Shape{2, 3, 4}.to_string() == "(2, 3, 4)");
  CHECK(Shape{3, 4}.with_batch(2) == Shape{2, 3, 4});
  CHECK(Shape{2, 3, 4}.without_batch() == Shape{3, 4});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(mentions(error_of<ShapeError>([] { Shape{2, -1}; }), "got -1"));
  CHECK(mentions(error_of<ShapeError>([] { Shape{kLargest, 2}; }), "more than this machine can address"));
  CHECK(mentions(error_of<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1, 1, 1}; }), "at most 7"));
  CHECK(mentions(error_of<ShapeError>([] { Shape{}.without_batch(); }), "batch"));
  CHECK(checked_add(kLargest - 1, 1) == kLargest);
  CHECK(mentions(error_of<ShapeError>([] { checked_add(kLargest, 1); }), "more than"));
  CHECK(checked_multiply(0, kLargest) == 0);
}

TEST_CASE("tensors own, views look") {
  Tensor<float> a(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
  const Tensor<float> copy = a;
  const TensorView<float> second = a.samples(1, 1);
  CHECK(second.shape() == Shape{1, 3});
  second[0] = 40;
  CHECK(a[3] == 40);
  CHECK(copy[3] == 4);
  const TensorView<const float> reading = a;
  CHECK(reading.reshaped(Shape{3, 2}).shape() == Shape{3, 2});
  CHECK(reading.sample_size() == 3);
  CHECK(TensorView<float>().empty());
  CHECK(mentions(error_of<ShapeError>([&] { reading.reshaped(Shape{4}); }), "(2, 3) cannot become (4)"));
  CHECK(mentions(error_of<ShapeError>([] { Tensor<float>(Shape{2}, {1, 2, 3}); }), "has 2 elements, got 3"));
  CHECK(mentions(error_of<ShapeError>([&] { a.samples(1, 2); }), "the batch of 2, got 2 from sample 1 on"));
  CHECK(mentions(error_of<ShapeError>([&] { a.samples(-1, 2); }), "samples"));
  CHECK(a.samples(2, 0).empty());
}

TEST_CASE("a tensor that there is no room for is a typed error") {
  CHECK(mentions(error_of<ShapeError>([] { Tensor<float>({Index{1} << 61}); }), "more than this machine can address"));
#if !defined(LINNET_TEST_SANITIZED)  // AddressSanitizer ends the program where operator new would throw
  CHECK(error_of<MemoryError>([] { Tensor<float>({Index{1} << 58}); }) ==
        "out of memory: 1099511627776.0 MiB could not be allocated");
  CHECK_THROWS_AS(Tensor<double>({Index{1} << 58}), std::bad_alloc);
#endif
}

TEST_CASE("a shared loop runs every piece once, whatever the threads") {
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::vector<std::atomic<int>> runs(1000);
    std::atomic<bool> in_range{true};
    parallel_for(1000, [&](Index piece, int thread) {
      ++runs[static_cast<std::size_t>(piece)];
      if (thread < 0 || thread >= threads) in_range = false;
      // A loop inside a loop runs on the thread that has come to it.
      parallel_for(2, [&](Index, int inner) {
        if (inner != 0) in_range = false;
      });
    });
    for (const auto& count : runs) CHECK(count == 1);
    CHECK(in_range);
  }
  set_num_threads(before);
  CHECK(mentions(error_of<ValueError>([] { set_num_threads(-1); }), "got -1"));
}

TEST_CASE("an exception leaves a shared loop as an exception") {
  const int before = num_threads();
  for (const int threads : {1, 2, 8}) {
    set_num_threads(threads);
    const auto fail = [] {
      parallel_for(100, [](Index piece, int) {
        if (piece == 7) throw ValueError("piece 7");
      });
    };
    CHECK(error_of<ValueError>(fail) == "piece 7");
  }
  set_num_threads(before);
}
