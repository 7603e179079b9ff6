// Numbers in files: read and written little-endian on every machine, and checked before their type is changed.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
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
  const std::size_t size = to.size();
  to.resize(size + sizeof(Number));  // of an insertion g++ 12 warns at -O3
  std::copy_n(bytes, sizeof(Number), to.begin() + static_cast<std::ptrdiff_t>(size));
}

/// Whether a To can hold `value`: integers exactly, floating-point numbers rounded but without overflow. Where this is
/// false, a static_cast would give another number or be undefined.
template <class To, class From>
bool fits(From value) {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    return std::in_range<To>(value);
  } else if constexpr (std::is_integral_v<From>) {
    return true;
  } else if constexpr (std::is_integral_v<To>) {
    // 2^digits is the first number that is too large, and a From has it exactly; comparisons with NaN are false.
    const From end = std::ldexp(From(1), std::numeric_limits<To>::digits);
    return value >= static_cast<From>(std::numeric_limits<To>::min()) && value < end && value == std::trunc(value);
  } else {
    return !std::isfinite(value) || sizeof(From) <= sizeof(To) ||
           std::abs(value) <= static_cast<From>(std::numeric_limits<To>::max());
  }
}

LINNET_NAMESPACE_END
