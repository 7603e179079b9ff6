// SGD, with momentum and Nesterov's variant, in Keras's form:
//
//   v = momentum v - rate g;  w = w + v,  or (Nesterov) w = w + momentum v - rate g
//
// (I. Sutskever et al., ICML 2013). PyTorch keeps v / -rate instead: the same as long as the rate is constant.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "linnet/optimizers/clipping.hpp"
#include "linnet/optimizers/schedule.hpp"

LINNET_NAMESPACE_BEGIN

struct SGD {
  static constexpr std::string_view kName = "SGD";

  Schedule learning_rate = 0.01;
  double momentum = 0;  ///< in [0, 1)
  bool nesterov = false;
  double weight_decay = 0;  ///< L2: weight_decay * w is added to the gradient
  GradientClipping clip = {};

  void validate() const {
    learning_rate.validate("SGD");
    clip.validate("SGD");
    if (!(momentum >= 0 && momentum < 1) || !(weight_decay >= 0)) {
      throw ValueError("SGD: expected a momentum in [0, 1) and a weight decay >= 0, got " + std::to_string(momentum) +
                       " and " + std::to_string(weight_decay));
    }
    if (nesterov && momentum == 0) throw ValueError("SGD: nesterov needs a momentum > 0, got 0");
  }
  int slots() const { return momentum > 0 ? 1 : 0; }

  template <class T>
  void update(Index, double rate, std::span<T> w, std::span<const T> g, std::span<const std::span<T>> slots) const {
    sgd_update<T>(static_cast<Index>(w.size()), static_cast<T>(rate), static_cast<T>(momentum), nesterov,
                  static_cast<T>(weight_decay), w.data(), g.data(), slots.empty() ? nullptr : slots[0].data());
  }
};

LINNET_NAMESPACE_END
