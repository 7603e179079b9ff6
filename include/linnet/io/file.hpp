// Files as a whole: read at once, and written so that a crash leaves the old file or the new one, never half of
// either.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/core/error.hpp"

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

LINNET_NAMESPACE_BEGIN

using Bytes = std::vector<std::uint8_t>;

/// The content of a file. Throws FileError when it is missing or cannot be read.
inline Bytes read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw FileError(path + ": there is no such file");
  if (std::filesystem::is_directory(path, error)) throw FileError(path + ": expected a file, it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path + ": cannot be opened: " + std::strerror(errno));
  // By pieces: the size that a file claims may be wrong, and memory is taken only for what is there.
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

/// Puts `content` under `path`: it is written beside it under another name, flushed to the disk and renamed. When anything
/// fails, FileError is thrown and what was at `path` is untouched.
inline void write_file(const std::string& path, std::span<const std::uint8_t> content) {
  const std::string temporary = path + ".part";
  const auto fail = [&](const char* what) {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw FileError(path + ": cannot be " + what + ": " + reason);
  };
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail("written");
  bool good = content.empty() || std::fwrite(content.data(), 1, content.size(), file) == content.size();
  good = std::fflush(file) == 0 && good;
#if !defined(_WIN32)
  good = good && fsync(fileno(file)) == 0;  // a renamed file whose content is not on the disk may be empty after a crash
#endif
  good = std::fclose(file) == 0 && good;
  if (!good) fail("written");
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) {
    errno = error.value();
    fail("replaced");
  }
#if !defined(_WIN32)
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY);
  if (directory >= 0) {
    fsync(directory);  // the new name itself; not every file system can, and the content is safe
    close(directory);
  }
#endif
}
inline void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

LINNET_NAMESPACE_END
