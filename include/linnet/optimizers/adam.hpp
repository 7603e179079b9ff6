// Adam and AdamW.
//
//   m = beta_1 m + (1 - beta_1) g,  v = beta_2 v + (1 - beta_2) g^2
//   w = w - rate * (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)
//
// at step t = 1, 2, ... (D. Kingma, J. Ba, "Adam", ICLR 2015, algorithm 1). The step is that of the whole model.
// AdamW first multiplies w by 1 - rate * weight_decay (I. Loshchilov, F. Hutter, "Decoupled weight decay
// regularization", ICLR 2019).
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "linnet/optimizers/clipping.hpp"
#include "linnet/optimizers/schedule.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

inline void validate_adam(const std::string& who, const Schedule& learning_rate, const GradientClipping& clip,
                          double beta_1, double beta_2, double epsilon, double weight_decay) {
  learning_rate.validate(who);
  clip.validate(who);
  if (!(beta_1 >= 0 && beta_1 < 1) || !(beta_2 >= 0 && beta_2 < 1) || !(epsilon > 0) || !(weight_decay >= 0)) {
    throw ValueError(who + ": expected betas in [0, 1), an epsilon > 0 and a weight decay >= 0, got " +
                     std::to_string(beta_1) + ", " + std::to_string(beta_2) + ", " + std::to_string(epsilon) + " and " +
                     std::to_string(weight_decay));
  }
}

/// beta^step by repeated squaring: products round alike everywhere, std::pow does not.
inline double whole_power(double base, Index exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 != 0) result *= base;
  }
  return result;
}

template <class T>
void update_adam(Index step, double rate, double beta_1, double beta_2, double epsilon, double weight_decay,
                 std::span<T> w, std::span<const T> g, std::span<const std::span<T>> slots) {
  const double correction_1 = 1 - whole_power(beta_1, step);
  const double correction_2 = 1 - whole_power(beta_2, step);
  adam_update<T>(static_cast<Index>(w.size()), static_cast<T>(rate / correction_1),
                 static_cast<T>(1 / std::sqrt(correction_2)), static_cast<T>(beta_1), static_cast<T>(1 - beta_1),
                 static_cast<T>(beta_2), static_cast<T>(1 - beta_2), static_cast<T>(epsilon),
                 static_cast<T>(std::fma(-rate, weight_decay, 1.0)), w.data(), g.data(), slots[0].data(),
                 slots[1].data());
}

}  // namespace detail

struct Adam {
  static constexpr std::string_view kName = "Adam";

  Schedule learning_rate = 1e-3;
  double beta_1 = 0.9;    ///< in [0, 1)
  double beta_2 = 0.999;  ///< in [0, 1)
  double epsilon = 1e-7;  ///< Keras's; PyTorch has 1e-8
  GradientClipping clip = {};

  void validate() const { detail::validate_adam("Adam", learning_rate, clip, beta_1, beta_2, epsilon, 0); }
  int slots() const { return 2; }

  template <class T>
  void update(Index step, double rate, std::span<T> w, std::span<const T> g,
              std::span<const std::span<T>> slots) const {
    detail::update_adam<T>(step, rate, beta_1, beta_2, epsilon, 0, w, g, slots);
  }
};

struct AdamW {
  static constexpr std::string_view kName = "AdamW";

  Schedule learning_rate = 1e-3;
  double weight_decay = 0.004;  ///< Keras's; PyTorch has 0.01. Applies to all trainable weights.
  double beta_1 = 0.9;          ///< in [0, 1)
  double beta_2 = 0.999;        ///< in [0, 1)
  double epsilon = 1e-7;
  GradientClipping clip = {};

  void validate() const { detail::validate_adam("AdamW", learning_rate, clip, beta_1, beta_2, epsilon, weight_decay); }
  int slots() const { return 2; }

  template <class T>
  void update(Index step, double rate, std::span<T> w, std::span<const T> g,
              std::span<const std::span<T>> slots) const {
    detail::update_adam<T>(step, rate, beta_1, beta_2, epsilon, weight_decay, w, g, slots);
  }
};

LINNET_NAMESPACE_END
