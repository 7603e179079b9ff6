// Learning-rate schedules against values worked out by hand from Keras's formulas.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "linnet/optimizers/schedule.hpp"

using namespace linnet;

TEST_CASE("the steps of an epoch include the batch that is not whole") {
  static_assert(steps_per_epoch(0, 32) == 0);
  static_assert(steps_per_epoch(1, 32) == 1);
  static_assert(steps_per_epoch(64, 32) == 2);
  static_assert(steps_per_epoch(65, 32) == 3);
  constexpr Index kMost = std::numeric_limits<Index>::max();
  CHECK(steps_per_epoch(kMost, kMost) == 1);
  CHECK(steps_per_epoch(kMost, 2) == kMost / 2 + 1);
  CHECK_THROWS_WITH_AS(steps_per_epoch(8, 0), "steps_per_epoch: expected a batch size >= 1, got 0", ValueError);
}

TEST_CASE("a number is a constant schedule") {
  const Schedule rate = 0.25;
  CHECK(rate.at(0) == 0.25);
  CHECK(rate.at(1'000'000) == 0.25);
}

TEST_CASE("step and exponential decay") {
  const Schedule step = StepDecay{.initial_learning_rate = 0.8, .decay_steps = 10, .decay_rate = 0.5};
  CHECK(step.at(0) == 0.8);
  CHECK(step.at(9) == 0.8);
  CHECK(step.at(10) == doctest::Approx(0.4));
  CHECK(step.at(35) == doctest::Approx(0.1));
  const Schedule exponential = ExponentialDecay{.initial_learning_rate = 0.8, .decay_steps = 10, .decay_rate = 0.25};
  CHECK(exponential.at(0) == 0.8);
  CHECK(exponential.at(5) == doctest::Approx(0.4));
  CHECK(exponential.at(20) == doctest::Approx(0.05));
}

TEST_CASE("cosine decay") {
  const Schedule plain = CosineDecay{.initial_learning_rate = 1, .decay_steps = 100, .alpha = 0.1};
  CHECK(plain.at(0) == 1);
  CHECK(plain.at(50) == doctest::Approx(0.55));
  CHECK(plain.at(25) == doctest::Approx(0.9 * 0.5 * (1 + std::sqrt(0.5)) + 0.1));
  CHECK(plain.at(100) == doctest::Approx(0.1));
  CHECK(plain.at(1000) == doctest::Approx(0.1));
}

TEST_CASE("a linear warm-up in front of any other schedule") {
  const Schedule constant = Schedule(0.8).with_warm_up(4);
  CHECK(constant.at(0) == doctest::Approx(0.2));
  CHECK(constant.at(1) == doctest::Approx(0.4));
  CHECK(constant.at(3) == 0.8);
  CHECK(constant.at(4) == 0.8);
  const Schedule decaying =
      Schedule(StepDecay{.initial_learning_rate = 1, .decay_steps = 2, .decay_rate = 0.5}).with_warm_up(2);
  CHECK(decaying.at(0) == doctest::Approx(0.5));
  CHECK(decaying.at(1) == 1);
  CHECK(decaying.at(2) == 1);
  CHECK(decaying.at(3) == 1);
  CHECK(decaying.at(4) == doctest::Approx(0.5));
}

TEST_CASE("schedules refuse values out of range, in the optimizer's name") {
  const auto check = [](const Schedule& schedule) { schedule.validate("Adam"); };
  CHECK_NOTHROW(check(StepDecay{}));
  CHECK_THROWS_WITH_AS(check(StepDecay{.decay_steps = 0}), doctest::Contains("Adam: expected decay steps >= 1, got 0"),
                       ValueError);
  CHECK_THROWS_AS(check(-0.1), ValueError);
  CHECK_THROWS_AS(check(ExponentialDecay{.decay_rate = -1}), ValueError);
  CHECK_THROWS_AS(check(StepDecay{.decay_rate = NAN}), ValueError);
  CHECK_THROWS_AS(check(CosineDecay{.initial_learning_rate = INFINITY}), ValueError);
  CHECK_THROWS_AS(check(CosineDecay{.alpha = -1}), ValueError);
  CHECK_THROWS_AS(check(Schedule(0.1).with_warm_up(-1)), ValueError);
}
