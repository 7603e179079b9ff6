// A step allocates nothing after the first: every operator new of this program is counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "model/networks.hpp"

namespace {
std::atomic<long> allocations{0};

[[gnu::noinline]] void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void release(void* memory) { std::free(memory); }
}  // namespace

void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
// The library's nothrow forms call those above, but not those of a sanitizer's run-time library.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

using namespace linnet;

namespace {

/// Allocations in ten steps after the first.
template <class L>
long allocations_of_steps(Model<float> model, L loss, const Tensor<float>& x, const Tensor<float>& target) {
  Trainer trainer(model, loss, Adam{.clip = {.value = 1, .global_norm = 1}});
  trainer.train_on_batch(x, target);
  const long before = allocations;
  for (int step = 0; step < 10; ++step) trainer.train_on_batch(x, target);
  return allocations - before;
}

}  // namespace

TEST_CASE("the counter counts") {
  const long before = allocations;
  ::operator delete(::operator new(8));  // a new-expression might be optimized away
  Tensor<float> tensor(Shape{3});
  CHECK(allocations >= before + 2);
}

TEST_CASE("a training step allocates nothing") {
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    const Tensor<float> images = test::random_tensor<float>(Shape{40, 28, 28, 1}, 1);
    CHECK(allocations_of_steps(test::denoiser(), BinaryCrossentropy{}, images, images) == 0);
    CHECK(allocations_of_steps(test::branched(), CategoricalCrossentropy{},
                               test::random_tensor<float>(Shape{20, 6, 5, 3}, 2),
                               test::one_hot_targets<float>(20, 3, 3)) == 0);
    const Tensor<float> vectors = test::random_tensor<float>(Shape{40, 20}, 4);
    CHECK(allocations_of_steps(test::autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}, vectors,
                               vectors) == 0);
    const Tensor<float> digits = test::random_tensor<float>(Shape{20, 784}, 5);
    CHECK(allocations_of_steps(test::digit_autoencoder(), BinaryCrossentropy{.reduction = Reduction::sum}, digits,
                               digits) == 0);
  }
  set_num_threads(0);
}

TEST_CASE("metrics with long names allocate nothing either") {
  struct WithALongName : MeanSquaredErrorMetric {
    std::string name() const { return "mean_squared_error_over_all_elements"; }
  };
  const Tensor<float> vectors = test::random_tensor<float>(Shape{400, 20}, 4);
  const TensorSource<float> source(vectors, vectors);
  Model<float> model = test::autoencoder();
  Trainer trainer(model, BinaryCrossentropy{}, Adam{});
  const auto epoch = [&](Index batch) {
    trainer.fit(source, {.epochs = 1, .batch_size = batch, .metrics = {WithALongName{}}});
    const long before = allocations;
    trainer.fit(source, {.epochs = 1, .batch_size = batch, .metrics = {WithALongName{}}});
    return allocations - before;
  };
  CHECK(epoch(8) == epoch(80));
}

TEST_CASE("an epoch allocates as often as it has to, not per step") {
  const Tensor<float> vectors = test::random_tensor<float>(Shape{400, 20}, 4);
  const TensorSource<float> source(vectors, vectors);
  Model<float> model = test::autoencoder();
  Trainer trainer(model, BinaryCrossentropy{}, Adam{});
  const auto epoch = [&](Index batch) {
    trainer.fit(source, {.epochs = 1, .batch_size = batch});
    const long before = allocations;
    trainer.fit(source, {.epochs = 1, .batch_size = batch});
    return allocations - before;
  };
  CHECK(epoch(8) == epoch(80));  // 50 steps and 5
}

TEST_CASE("a prediction with a Predictor allocates nothing") {
  const Model<float> model = test::denoiser();
  const Tensor<float> x = test::random_tensor<float>(Shape{10, 28, 28, 1}, 1);
  Tensor<float> y(Shape{10, 28, 28, 1});
  Predictor<float> predictor(model, 4);
  predictor(x, y);
  const long before = allocations;
  predictor(x, y);
  CHECK(allocations == before);
}
