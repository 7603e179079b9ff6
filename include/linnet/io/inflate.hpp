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

namespace detail {

/// zlib's state while it unpacks.
class Inflater {
 public:
  /// `path` is for messages.
  Inflater(const std::string& path, std::span<const std::uint8_t> packed, Compression kind)
      : path_(path), packed_(packed), kind_(kind) {
    constexpr int kWindow = 15;
    if (inflateInit2(&stream_, kind == Compression::gzip ? kWindow + 16 : -kWindow) != Z_OK) {
      throw FileError(path_ + ": zlib cannot be started");
    }
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// True when everything has been unpacked, so that next() has nothing more to give.
  bool done() const { return done_; }

  /// Appends at most `most` bytes. Throws FormatError for damaged or truncated data, or bytes behind its end.
  void next(std::vector<std::uint8_t>& out, std::size_t most) {
    constexpr std::size_t kPiece = 1 << 18;
    const std::size_t in_size = std::min(packed_.size() - taken_, kPiece), out_size = std::min(most, kPiece);
    stream_.next_in = const_cast<Bytef*>(packed_.data() + taken_);
    stream_.avail_in = static_cast<uInt>(in_size);
    const std::size_t before = out.size();
    out.resize(before + out_size);
    stream_.next_out = out.data() + before;
    stream_.avail_out = static_cast<uInt>(out_size);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    taken_ += in_size - stream_.avail_in;
    out.resize(before + out_size - stream_.avail_out);
    if (status == Z_STREAM_END) {
      end_member();
      return;
    }
    const bool stuck = status == Z_BUF_ERROR || (status == Z_OK && out.size() == before && taken_ == packed_.size());
    if (stuck) throw FormatError(path_ + ": the compressed data end too early (truncated?)");
    if (status != Z_OK) {
      throw FormatError(path_ + ": the compressed data are damaged (" + (stream_.msg ? stream_.msg : "zlib error") +
                        ")");
    }
  }

 private:
  /// A gzip file may have several members, which are unpacked one after the other (RFC 1952).
  void end_member() {
    const std::span<const std::uint8_t> rest = packed_.subspan(taken_);
    done_ = rest.empty();
    if (done_) return;
    if (kind_ != Compression::gzip || rest.size() < 2 || rest[0] != 0x1F || rest[1] != 0x8B) {
      throw FormatError(path_ + ": " + std::to_string(rest.size()) + " bytes behind the compressed data");
    }
    inflateReset(&stream_);
  }

  std::string path_;
  std::span<const std::uint8_t> packed_;
  Compression kind_;
  z_stream stream_ = {};
  std::size_t taken_ = 0;
  bool done_ = false;
};

}  // namespace detail

/// Unpacks `packed`; `path` is for messages. Memory grows with what comes out, not with what a header claims; more
/// than `limit` bytes are an error. Throws FormatError for damaged or truncated data, or bytes behind its end.
inline std::vector<std::uint8_t> inflate_bytes(const std::string& path, std::span<const std::uint8_t> packed,
                                               Compression kind, std::size_t limit) {
  detail::Inflater inflater(path, packed, kind);
  std::vector<std::uint8_t> out;
  while (!inflater.done()) {
    const std::size_t left = limit - out.size();
    inflater.next(out, left + (left < std::numeric_limits<std::size_t>::max() ? 1 : 0));  // one more shows too many
    if (out.size() > limit) {
      throw FormatError(path + ": expected at most " + std::to_string(limit) + " unpacked bytes, there are more");
    }
  }
  return out;
}

/// The first `count` unpacked bytes, or fewer where there are not so many. Throws FormatError as inflate_bytes(), but
/// only for what it meets on the way.
inline std::vector<std::uint8_t> inflate_beginning(const std::string& path, std::span<const std::uint8_t> packed,
                                                   Compression kind, std::size_t count) {
  detail::Inflater inflater(path, packed, kind);
  std::vector<std::uint8_t> out;
  while (!inflater.done() && out.size() < count) inflater.next(out, count - out.size());
  return out;
}

LINNET_NAMESPACE_END
