// NumPy's .npz files: zip archives of .npy files (PKWARE's APPNOTE.TXT, stored or deflated entries, no zip64).
#pragma once

#include <zlib.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "linnet/io/inflate.hpp"
#include "linnet/io/npy.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::uint32_t kZipLocal = 0x04034B50, kZipCentral = 0x02014B50, kZipEnd = 0x06054B50;

inline std::uint32_t crc_of(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

/// The entries of a zip archive, unpacked and checked. Throws FormatError.
inline std::map<std::string, Bytes> read_zip(const std::string& path) {
  const Bytes file = read_file(path);
  const auto need = [&](std::size_t at, std::size_t count) {
    if (at > file.size() || file.size() - at < count) throw FormatError(path + ": truncated zip archive");
    return file.data() + at;
  };
  constexpr std::size_t kEndSize = 22, kCentralSize = 46, kLocalSize = 30;
  if (file.size() < kEndSize) throw FormatError(path + ": not a zip archive");
  // The end record may be followed by a comment of up to 64 KiB.
  std::size_t end = file.size() - kEndSize;
  const std::size_t lowest = end > 0xFFFF ? end - 0xFFFF : 0;
  while (read_little_endian<std::uint32_t>(file.data() + end) != kZipEnd) {
    if (end == lowest) throw FormatError(path + ": not a zip archive, or truncated");
    --end;
  }
  const std::size_t count = read_little_endian<std::uint16_t>(file.data() + end + 10);
  std::size_t at = read_little_endian<std::uint32_t>(file.data() + end + 16);
  std::map<std::string, Bytes> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* central = need(at, kCentralSize);
    if (read_little_endian<std::uint32_t>(central) != kZipCentral) throw FormatError(path + ": damaged zip directory");
    const int method = read_little_endian<std::uint16_t>(central + 10);
    const std::uint32_t crc = read_little_endian<std::uint32_t>(central + 16);
    const std::size_t packed_size = read_little_endian<std::uint32_t>(central + 20);
    const std::size_t size = read_little_endian<std::uint32_t>(central + 24);
    const std::size_t name_size = read_little_endian<std::uint16_t>(central + 28);
    const std::size_t rest =
        read_little_endian<std::uint16_t>(central + 30) + std::size_t{read_little_endian<std::uint16_t>(central + 32)};
    const std::size_t local_at = read_little_endian<std::uint32_t>(central + 42);
    const std::string name(reinterpret_cast<const char*>(need(at + kCentralSize, name_size)), name_size);
    at += kCentralSize + name_size + rest;
    const std::string where = path + ": entry " + name;
    if (size == 0xFFFFFFFF || packed_size == 0xFFFFFFFF || local_at == 0xFFFFFFFF) {
      throw FormatError(where + ": zip64 archives (4 GiB and more) are not supported");
    }
    const std::uint8_t* local = need(local_at, kLocalSize);
    if (read_little_endian<std::uint32_t>(local) != kZipLocal) throw FormatError(where + ": damaged");
    const std::size_t data_at = local_at + kLocalSize + read_little_endian<std::uint16_t>(local + 26) +
                                read_little_endian<std::uint16_t>(local + 28);
    const std::span<const std::uint8_t> packed(need(data_at, packed_size), packed_size);
    Bytes bytes;
    if (method == 0) {
      bytes.assign(packed.begin(), packed.end());
    } else if (method == 8) {
      bytes = inflate_bytes(where, packed, Compression::raw_deflate, size);
    } else {
      throw FormatError(where + ": compression method " + std::to_string(method) + " is not supported");
    }
    if (bytes.size() != size || crc_of(bytes) != crc) {
      throw FormatError(where + ": its size or checksum is another than recorded");
    }
    if (!entries.emplace(name, std::move(bytes)).second) throw FormatError(where + ": there are two of that name");
  }
  return entries;
}

}  // namespace detail

/// All arrays of an .npz file by name (without ".npy"), converted to T. Throws FileError or FormatError.
template <class T>
std::map<std::string, Tensor<T>> load_npz(const std::string& path) {
  std::map<std::string, Tensor<T>> arrays;
  for (const auto& [entry, bytes] : detail::read_zip(path)) {
    if (!entry.ends_with(".npy")) throw FormatError(path + ": expected .npy entries, got " + entry);
    arrays.emplace(entry.substr(0, entry.size() - 4), parse_npy<T>(path + ": entry " + entry, bytes));
  }
  return arrays;
}

/// Writes arrays as an .npz file, uncompressed, in the order of their names. Throws FileError when it cannot be written
/// or would reach 4 GiB.
template <class T>
void save_npz(const std::string& path, const std::map<std::string, Tensor<T>>& arrays) {
  Bytes file, central;
  for (const auto& [name, tensor] : arrays) {
    const std::string entry = name + ".npy";
    const Bytes bytes = format_npy<T>(tensor.view());
    if (file.size() + bytes.size() + central.size() > 0xFFFF0000u || arrays.size() > 0xFFFE || entry.size() > 0xFFFF) {
      throw FileError(path + ": an .npz file holds at most 4 GiB and 65,534 arrays");
    }
    const auto common = [&](Bytes& to) {
      append_little_endian<std::uint16_t>(to, 20);      // version needed
      append_little_endian<std::uint16_t>(to, 0x0800);  // names are UTF-8
      append_little_endian<std::uint16_t>(to, 0);       // stored
      append_little_endian<std::uint16_t>(to, 0);       // time 00:00
      append_little_endian<std::uint16_t>(to, 0x0021);  // 1980-01-01: the same file every day
      append_little_endian<std::uint32_t>(to, detail::crc_of(bytes));
      append_little_endian<std::uint32_t>(to, static_cast<std::uint32_t>(bytes.size()));
      append_little_endian<std::uint32_t>(to, static_cast<std::uint32_t>(bytes.size()));
      append_little_endian<std::uint16_t>(to, static_cast<std::uint16_t>(entry.size()));
      append_little_endian<std::uint16_t>(to, 0);  // no extra field
    };
    const auto offset = static_cast<std::uint32_t>(file.size());
    append_little_endian<std::uint32_t>(file, detail::kZipLocal);
    common(file);
    file.insert(file.end(), entry.begin(), entry.end());
    file.insert(file.end(), bytes.begin(), bytes.end());
    append_little_endian<std::uint32_t>(central, detail::kZipCentral);
    append_little_endian<std::uint16_t>(central, 20);  // made by
    common(central);
    central.insert(central.end(), 10, 0);  // no comment, first disk, no attributes
    append_little_endian<std::uint32_t>(central, offset);
    central.insert(central.end(), entry.begin(), entry.end());
  }
  const auto directory = static_cast<std::uint32_t>(file.size());
  file.insert(file.end(), central.begin(), central.end());
  append_little_endian<std::uint32_t>(file, detail::kZipEnd);
  append_little_endian<std::uint32_t>(file, 0);  // one disk
  append_little_endian<std::uint16_t>(file, static_cast<std::uint16_t>(arrays.size()));
  append_little_endian<std::uint16_t>(file, static_cast<std::uint16_t>(arrays.size()));
  append_little_endian<std::uint32_t>(file, static_cast<std::uint32_t>(central.size()));
  append_little_endian<std::uint32_t>(file, directory);
  append_little_endian<std::uint16_t>(file, 0);  // no comment
  write_file(path, file);
}

LINNET_NAMESPACE_END
