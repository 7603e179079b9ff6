// zlib: unpacking gzip files and the entries of zip archives.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/error.hpp"

LINNET_NAMESPACE_BEGIN

enum class Compression { gzip, raw_deflate };

/// Unpacks `packed`; `path` is for messages. Memory grows with what comes out, not with what a header claims; more
/// than `limit` bytes are an error. Throws FormatError for damaged or truncated data, or bytes behind its end.
inline std::vector<std::uint8_t> inflate_bytes(const std::string& path, std::span<const std::uint8_t> packed,
                                               Compression kind,
                                               std::size_t limit = std::numeric_limits<std::size_t>::max()) {
  z_stream stream = {};
  constexpr int kWindow = 15;
  if (inflateInit2(&stream, kind == Compression::gzip ? kWindow + 16 : -kWindow) != Z_OK) {
    throw FileError(path + ": zlib cannot be started");
  }
  struct Closer {
    z_stream* stream;
    ~Closer() { inflateEnd(stream); }
  } closer{&stream};

  std::vector<std::uint8_t> out;
  std::size_t taken = 0;
  constexpr std::size_t kPiece = 1 << 18;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const std::size_t in_size = std::min(packed.size() - taken, kPiece);
    stream.next_in = const_cast<Bytef*>(packed.data() + taken);
    stream.avail_in = static_cast<uInt>(in_size);
    const std::size_t before = out.size();
    out.resize(before + kPiece);
    stream.next_out = out.data() + before;
    stream.avail_out = static_cast<uInt>(kPiece);
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in_size - stream.avail_in;
    out.resize(before + kPiece - stream.avail_out);
    if (out.size() > limit) {
      throw FormatError(path + ": expected at most " + std::to_string(limit) + " unpacked bytes, there are more");
    }
    const bool stuck = status == Z_BUF_ERROR || (status == Z_OK && out.size() == before && taken == packed.size());
    if (stuck) throw FormatError(path + ": the compressed data end too early (truncated?)");
    if (status != Z_OK && status != Z_STREAM_END) {
      throw FormatError(path + ": the compressed data are damaged (" + (stream.msg ? stream.msg : "zlib error") + ")");
    }
  }
  if (taken != packed.size()) {
    throw FormatError(path + ": " + std::to_string(packed.size() - taken) + " bytes behind the compressed data");
  }
  return out;
}

LINNET_NAMESPACE_END
