// Corruption: noise that a denoiser learns to remove.
#pragma once

#include <array>
#include <span>
#include <string>

#include "linnet/core/names.hpp"
#include "linnet/core/random.hpp"
#include "linnet/kernels/image.hpp"
#include "linnet/kernels/random.hpp"

LINNET_NAMESPACE_BEGIN

struct Corruption {
  enum class Kind {
    gaussian,        ///< x + amount * N(0, 1), held within [0, 1]
    salt_and_pepper  ///< with probability `amount` a pixel becomes 0 or 1, both equally likely
  };
  Kind kind = Kind::gaussian;
  double amount = 0.5;
  /// Every image gets an amount of its own, uniform in [0, amount): what trains a model that is not told the level.
  bool blind = false;

  /// Throws ValueError for an amount below 0, or a probability above 1.
  void validate() const {
    const bool probability = kind == Kind::salt_and_pepper;
    if (amount >= 0 && (!probability || amount <= 1)) return;
    throw ValueError(std::string("Corruption: expected an amount ") + (probability ? "in [0, 1]" : ">= 0") + ", got " +
                     std::to_string(amount));
  }

  /// Corrupts the elements of one image, in place. The same key gives the same noise on every machine.
  template <class T>
  void apply(const RandomKey& key, std::span<T> image) const {
    constexpr Index kChunk = 256;  // elements: their random numbers are on the stack
    std::array<T, kChunk> random;
    const RandomKey own = key.with_stream(random_stream::kCorruption);
    const double share = blind ? double{key.with_stream(random_stream::kCorruptionAmount).uniform(0)} : 1;
    const T image_amount = static_cast<T>(amount * share);
    for (Index first = 0; first < static_cast<Index>(image.size()); first += kChunk) {
      const Index n = std::min(kChunk, static_cast<Index>(image.size()) - first);
      const std::span<T> numbers(random.data(), static_cast<std::size_t>(n));
      if (kind == Kind::gaussian) {
        fill_normal<T>(own, numbers, first);
        add_noise_clipped<T>(n, image_amount, random.data(), image.data() + first);
      } else {
        fill_uniform<T>(own, numbers, first);
        salt_and_pepper<T>(n, image_amount, random.data(), image.data() + first);
      }
    }
  }
};

inline constexpr auto names(Corruption::Kind) {
  return std::array{NameOf{Corruption::Kind::gaussian, "gaussian"},
                    NameOf{Corruption::Kind::salt_and_pepper, "salt-and-pepper"}};
}

LINNET_NAMESPACE_END
