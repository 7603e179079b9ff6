// Random numbers by counter: the same key gives the same numbers on every machine, in any order and on any
// thread. Nothing has a state.
//
// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC'11, doi:10.1145/2063384.2063405.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// 128 random bits: the Philox4x32-10 block for this counter and key.
constexpr PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// Names a sequence of random numbers: who draws them (seed, stream), when (step), and for which
/// sample. Element i of the sequence is word i % 4 of the Philox block
/// {i / 4, sample, step, stream} under the key `seed`.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;  ///< tells layers, shuffling and data corruption apart
  std::uint32_t step = 0;
  std::uint32_t sample = 0;

  constexpr RandomKey with_stream(std::uint32_t s) const { return {seed, s, step, sample}; }
  constexpr RandomKey with_step(std::uint32_t s) const { return {seed, stream, s, sample}; }
  constexpr RandomKey with_sample(std::uint32_t s) const { return {seed, stream, step, s}; }

  /// Block `i` of the sequence: its words 4i .. 4i + 3.
  constexpr PhiloxCounter block(std::uint32_t i) const {
    return philox4x32({i, sample, step, stream},
                      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  }
  /// Word `i` of the sequence.
  constexpr std::uint32_t bits(Index i) const {
    return block(static_cast<std::uint32_t>(i / 4))[static_cast<std::size_t>(i % 4)];
  }
  /// Uniform in [0, 1): the upper 24 bits of word i, in steps of 2^-24.
  constexpr float uniform(Index i) const { return static_cast<float>(bits(i) >> 8) * 0x1p-24f; }
};

/// The streams that are not a layer's; layer n of a model draws from stream n.
namespace random_stream {
inline constexpr std::uint32_t kInitializer = 0x80000000u;  ///< + index of the parameter
inline constexpr std::uint32_t kShuffle = 0xC0000000u;
inline constexpr std::uint32_t kCorruption = 0xC0000001u;
inline constexpr std::uint32_t kSubset = 0xC0000002u;
inline constexpr std::uint32_t kGradientCheck = 0xC0000003u;
inline constexpr std::uint32_t kCorruptionAmount = 0xC0000004u;
inline constexpr std::uint32_t kDistortion = 0xC0000005u;
inline constexpr std::uint32_t kElastic = 0xC0000006u;
}  // namespace random_stream

/// A number in [0, range), from word i and the words after it: unbiased (D. Lemire, "Fast random integer
/// generation in an interval", ACM TOMACS 29(1), 2019). `i` is moved past what was used.
inline std::uint32_t random_below(const RandomKey& key, std::uint32_t range, Index& i) {
  const std::uint32_t threshold = (0u - range) % range;
  while (true) {
    const std::uint64_t product = std::uint64_t{key.bits(i++)} * range;
    if (static_cast<std::uint32_t>(product) >= threshold) {
      return static_cast<std::uint32_t>(product >> 32);
    }
  }
}

/// The numbers 0 .. n - 1 in random order (Fisher and Yates). Throws ValueError if n is negative or does not
/// fit 32 bits.
inline std::vector<Index> random_permutation(const RandomKey& key, Index n) {
  if (n < 0 || static_cast<std::uint64_t>(n) > 0xFFFFFFFFu) {
    throw ValueError("random_permutation: expected a count in [0, 2^32), got " + std::to_string(n));
  }
  std::vector<Index> order(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
  Index word = 0;
  for (Index i = n - 1; i > 0; --i) {
    const Index j = static_cast<Index>(random_below(key, static_cast<std::uint32_t>(i + 1), word));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  return order;
}

LINNET_NAMESPACE_END
