// Learning-rate schedules: the rate as a function of the steps done so far.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "linnet/core/error.hpp"
#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// The steps of one pass over `samples` samples; the last batch may be smaller. What decay_steps is counted in:
/// `.decay_steps = epochs * steps_per_epoch(samples, batch_size)`. Throws ValueError for a batch size below 1.
constexpr Index steps_per_epoch(Index samples, Index batch_size) {
  if (batch_size < 1) {
    throw ValueError("steps_per_epoch: expected a batch size >= 1, got " + std::to_string(batch_size));
  }
  return samples / batch_size + (samples % batch_size == 0 ? 0 : 1);
}

/// rate, always.
struct ConstantRate {
  double rate = 1e-3;
  double at(Index) const { return rate; }
};

/// initial_learning_rate * decay_rate^floor(step / decay_steps): a stair.
struct StepDecay {
  double initial_learning_rate = 1e-3;
  Index decay_steps = 1000;
  double decay_rate = 0.1;
  double at(Index step) const {
    return initial_learning_rate * std::pow(decay_rate, static_cast<double>(step / decay_steps));
  }
};

/// initial_learning_rate * decay_rate^(step / decay_steps).
struct ExponentialDecay {
  double initial_learning_rate = 1e-3;
  Index decay_steps = 1000;
  double decay_rate = 0.96;
  double at(Index step) const {
    return initial_learning_rate * std::pow(decay_rate, static_cast<double>(step) / static_cast<double>(decay_steps));
  }
};

/// Half a cosine from initial_learning_rate down to alpha times it in decay_steps steps, then constant
/// (I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, without restarts).
struct CosineDecay {
  double initial_learning_rate = 1e-3;
  Index decay_steps = 1000;
  double alpha = 0;
  double at(Index step) const {
    const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(decay_steps));
    const double cosine = 0.5 * (1 + std::cos(3.14159265358979323846 * done));
    return initial_learning_rate * std::fma(1 - alpha, cosine, alpha);
  }
};

/// Any of them. A number is a constant rate.
class Schedule {
 public:
  Schedule(double rate = 1e-3) : kind_(ConstantRate{rate}) {}  // NOLINT: learning_rate = 1e-3
  Schedule(ConstantRate s) : kind_(s) {}                       // NOLINT
  Schedule(StepDecay s) : kind_(s) {}                          // NOLINT
  Schedule(ExponentialDecay s) : kind_(s) {}                   // NOLINT
  Schedule(CosineDecay s) : kind_(s) {}                        // NOLINT

  /// This schedule after a straight line up to its first rate, which takes `steps` steps.
  Schedule with_warm_up(Index steps) const {
    Schedule result = *this;
    result.warm_up_steps_ = steps;
    return result;
  }

  /// The rate for the step after `step` steps. A warm-up's first step has 1 / steps of the rate.
  double at(Index step) const {
    if (step < warm_up_steps_) {
      return rate_at(0) * static_cast<double>(step + 1) / static_cast<double>(warm_up_steps_);
    }
    return rate_at(step - warm_up_steps_);
  }

  /// Throws ValueError (naming `who`) for rates and factors below 0 or not finite, and steps below 1.
  void validate(const std::string& who) const {
    const auto require = [&](bool good, const char* what, double value) {
      if (!good) throw ValueError(who + ": expected " + what + ", got " + std::to_string(value));
    };
    const auto require_factor = [&](const char* what, double value) {
      require(value >= 0 && std::isfinite(value), what, value);
    };
    require(warm_up_steps_ >= 0, "warm-up steps >= 0", static_cast<double>(warm_up_steps_));
    std::visit(
        [&](const auto& s) {
          if constexpr (requires { s.decay_steps; }) {
            require(s.decay_steps >= 1, "decay steps >= 1", static_cast<double>(s.decay_steps));
          }
          if constexpr (requires { s.decay_rate; }) require_factor("a decay rate >= 0", s.decay_rate);
          if constexpr (requires { s.alpha; }) require_factor("an alpha >= 0", s.alpha);
        },
        kind_);
    require_factor("a learning rate >= 0", rate_at(0));
  }

 private:
  double rate_at(Index step) const {
    return std::visit([step](const auto& s) { return s.at(step); }, kind_);
  }
  std::variant<ConstantRate, StepDecay, ExponentialDecay, CosineDecay> kind_;
  Index warm_up_steps_ = 0;
};

LINNET_NAMESPACE_END
