// The exceptions that linnet throws. Every message names who complains (a layer, a file, a
// function), what was expected and what came, in one line.
#pragma once

#include <cstddef>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>

#include "linnet/core/version.hpp"

LINNET_NAMESPACE_BEGIN

/// Base of everything that linnet throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A shape that does not fit: wrong rank, wrong extents, or a size that overflows.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument or a configuration outside its domain (a rate of 2, a target outside [0, 1], ...).
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, cannot be read or written.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A file whose content is not what its format, or the model that it is loaded into, asks for.
class FormatError : public FileError {
 public:
  using FileError::FileError;
};

/// Memory that the system does not give; what() says how much was asked for. A std::bad_alloc, as everyone expects, and
/// therefore no Error: its text must not need memory itself.
class MemoryError : public std::bad_alloc {
 public:
  explicit MemoryError(std::size_t bytes) noexcept {
    std::snprintf(text_, sizeof text_, "out of memory: %.1f MiB could not be allocated",
                  static_cast<double>(bytes) / (1024.0 * 1024.0));
  }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[80];
};

/// A loss, an activation or a weight that is not finite.
class NumericError : public Error {
 public:
  using Error::Error;
};

LINNET_NAMESPACE_END
