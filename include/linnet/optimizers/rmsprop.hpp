// RMSprop (G. Hinton, "Neural networks for machine learning", lecture 6e, 2012):
//
//   s = rho s + (1 - rho) g^2;  step = rate g / (sqrt(s) + epsilon);  w = w - step
//
// with momentum: v = momentum v + step;  w = w - v.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "linnet/optimizers/clipping.hpp"
#include "linnet/optimizers/schedule.hpp"

LINNET_NAMESPACE_BEGIN

struct RMSprop {
  static constexpr std::string_view kName = "RMSprop";

  Schedule learning_rate = 1e-3;
  double rho = 0.9;     ///< in [0, 1)
  double momentum = 0;  ///< in [0, 1)
  double epsilon = 1e-7;
  GradientClipping clip = {};

  void validate() const {
    learning_rate.validate("RMSprop");
    clip.validate("RMSprop");
    if (!(rho >= 0 && rho < 1) || !(momentum >= 0 && momentum < 1) || !(epsilon > 0)) {
      throw ValueError("RMSprop: expected rho and momentum in [0, 1) and an epsilon > 0, got " + std::to_string(rho) +
                       ", " + std::to_string(momentum) + " and " + std::to_string(epsilon));
    }
  }
  int slots() const { return momentum > 0 ? 2 : 1; }

  template <class T>
  void update(Index, double rate, std::span<T> w, std::span<const T> g, std::span<const std::span<T>> slots) const {
    rmsprop_update<T>(static_cast<Index>(w.size()), static_cast<T>(rate), static_cast<T>(rho), static_cast<T>(1 - rho),
                      static_cast<T>(momentum), static_cast<T>(epsilon), w.data(), g.data(), slots[0].data(),
                      slots.size() > 1 ? slots[1].data() : nullptr);
  }
};

LINNET_NAMESPACE_END
