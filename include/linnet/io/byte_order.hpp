// Numbers in files: little-endian, whatever the machine is.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "linnet/core/version.hpp"

LINNET_NAMESPACE_BEGIN

/// The number whose little-endian bytes begin at `from`.
template <class Number>
Number read_little_endian(const std::uint8_t* from) {
  std::uint8_t bytes[sizeof(Number)];
  std::copy_n(from, sizeof(Number), bytes);
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes, bytes + sizeof(Number));
  Number value;
  std::memcpy(&value, bytes, sizeof(Number));
  return value;
}

/// Appends the little-endian bytes of `value`.
template <class Number>
void append_little_endian(std::vector<std::uint8_t>& to, std::type_identity_t<Number> value) {
  std::uint8_t bytes[sizeof(Number)];
  std::memcpy(bytes, &value, sizeof(Number));
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes, bytes + sizeof(Number));
  to.insert(to.end(), bytes, bytes + sizeof(Number));
}

LINNET_NAMESPACE_END
