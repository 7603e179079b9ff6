// Files as a whole: read at once, and written so that a crash leaves the old file or the new one, never half of
// either.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "linnet/core/error.hpp"

#if defined(_WIN32)
#include <process.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

LINNET_NAMESPACE_BEGIN

using Bytes = std::vector<std::uint8_t>;

namespace detail {
inline void require_path(const std::string& path) {
  if (path.empty()) throw FileError("expected the path of a file, got an empty one");
}
}  // namespace detail

/// The content of a file. Throws FileError when it is missing or cannot be read.
inline Bytes read_file(const std::string& path) {
  detail::require_path(path);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw FileError(path + ": there is no such file");
  if (std::filesystem::is_directory(path, error)) throw FileError(path + ": expected a file, it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path + ": cannot be opened: " + std::strerror(errno));
  // In pieces: the size that a file claims may be wrong, and memory is taken only for what is there.
  Bytes content;
  constexpr std::size_t kPiece = 1 << 20;
  while (file) {
    const std::size_t before = content.size();
    content.resize(before + kPiece);
    file.read(reinterpret_cast<char*>(content.data() + before), kPiece);
    content.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw FileError(path + ": cannot be read: " + std::strerror(errno));
  return content;
}

namespace detail {

inline int process_id() {
#if defined(_WIN32)
  return _getpid();
#else
  return getpid();
#endif
}

/// A file beside `path` under a name of its own, open for writing. It is removed at the end, unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) {
    static std::atomic<unsigned> count = 0;
    do {  // a name may be taken, by a file that a crash has left behind
      name_ = path + "." + std::to_string(process_id()) + "-" + std::to_string(count++) + ".part";
      errno = 0;
      file_ = std::fopen(name_.c_str(), "wbx");
    } while (file_ == nullptr && errno == EEXIST);
    if (file_ == nullptr) name_.clear();
  }
  ~TemporaryFile() {
    if (file_ != nullptr) std::fclose(file_);
    std::error_code ignored;
    if (!name_.empty()) std::filesystem::remove(name_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool opened() const { return file_ != nullptr; }
  /// Writes all, to the disk, and closes the file. False, and errno says why, when that fails.
  bool write(std::span<const std::uint8_t> content) {
    if (!content.empty() && std::fwrite(content.data(), 1, content.size(), file_) != content.size()) return false;
    if (std::fflush(file_) != 0) return false;
#if !defined(_WIN32)
    if (fsync(fileno(file_)) != 0) return false;  // a renamed file that is not on the disk may be empty after a crash
#endif
    return std::fclose(std::exchange(file_, nullptr)) == 0;
  }
  /// Gives the file its final name. False, and errno says why, when that fails.
  bool rename_to(const std::string& path) {
    std::error_code error;
    std::filesystem::rename(name_, path, error);
    if (error) {
      errno = error.value();
      return false;
    }
    name_.clear();
    return true;
  }

 private:
  std::string name_;
  std::FILE* file_ = nullptr;
};

}  // namespace detail

/// Puts `content` under `path`: it is written beside it under another name, flushed to the disk and renamed. When
/// anything fails, FileError is thrown and what was at `path` is untouched. Of several writers of one path, the last to
/// finish wins.
inline void write_file(const std::string& path, std::span<const std::uint8_t> content) {
  detail::require_path(path);
  detail::TemporaryFile temporary(path);
  if (!temporary.opened() || !temporary.write(content)) {
    throw FileError(path + ": cannot be written: " + std::strerror(errno));
  }
  if (!temporary.rename_to(path)) throw FileError(path + ": cannot be replaced: " + std::strerror(errno));
#if !defined(_WIN32)
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY);
  if (directory >= 0) {
    fsync(directory);  // the new name itself; not every file system can, and the content is safe
    close(directory);
  }
#endif
}
/// The same for a text.
inline void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

LINNET_NAMESPACE_END
