// CRC-32, by which a run knows its data and files again.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>

#include <zlib.h>

#include "linnet/io/file.hpp"

namespace checksum {

/// Of several spans of bytes, one after the other, in hexadecimal digits.
inline std::string of(std::initializer_list<std::span<const std::uint8_t>> parts) {
  uLong sum = crc32(0, nullptr, 0);
  for (const auto& part : parts) {
    if (!part.empty()) sum = crc32_z(sum, part.data(), part.size());
  }
  char text[16];
  std::snprintf(text, sizeof text, "%08lx", static_cast<unsigned long>(sum));
  return text;
}

inline std::string of_file(const std::string& path) {
  const linnet::Bytes bytes = linnet::read_file(path);
  return of({bytes});
}

}  // namespace checksum
