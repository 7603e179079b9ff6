// NumPy's .npy files (NumPy enhancement proposal 1), versions 1 to 3, in C order.
#pragma once

#include <cctype>
#include <charconv>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "linnet/core/tensor.hpp"
#include "linnet/io/byte_order.hpp"
#include "linnet/io/file.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

template <class T>
constexpr std::string_view npy_type() {
  if constexpr (std::is_same_v<T, float>) return "<f4";
  if constexpr (std::is_same_v<T, double>) return "<f8";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "|u1";
  if constexpr (std::is_same_v<T, std::int32_t>) return "<i4";
  if constexpr (std::is_same_v<T, std::int64_t>) return "<i8";
}

/// The text behind `key` in the header's dictionary.
inline std::string_view npy_field(const std::string& path, std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) {
    throw FormatError(path + ": the NPY header has no " + std::string(key));
  }
  std::size_t begin = at + key.size();
  while (begin < header.size() && (header[begin] == ' ' || header[begin] == ':')) ++begin;
  return header.substr(begin);
}

template <class Stored, class T>
void convert_elements(const std::string& path, const std::uint8_t* from, Tensor<T>& to) {
  for (Index i = 0; i < to.size(); ++i, from += sizeof(Stored)) {
    const Stored value = read_little_endian<Stored>(from);
    if (!fits<T>(value)) {
      std::ostringstream text;
      text << value;
      throw FormatError(path + ": element " + std::to_string(i) + ": " + text.str() +
                        " does not fit the type that is asked for");
    }
    to[i] = static_cast<T>(value);
  }
}

}  // namespace detail

/// The array in the bytes of an .npy file; `path` is for messages. Elements of another type are converted to T. Throws
/// FormatError for anything that is not a C-ordered array of float32, float64, uint8, int32 or int64, and for elements
/// that T cannot hold: 2.5, 300 or NaN as uint8, 1e300 as float.
template <class T>
Tensor<T> parse_npy(const std::string& path, std::span<const std::uint8_t> content) {
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  if (content.size() < 10 || text.substr(0, 6) != "\x93NUMPY") throw FormatError(path + ": not an NPY file");
  const int version = content[6];
  if (version < 1 || version > 3) throw FormatError(path + ": NPY version " + std::to_string(version) + " is unknown");
  const std::size_t begin = version == 1 ? 10 : 12;
  if (content.size() < begin) throw FormatError(path + ": truncated in the NPY header");
  const std::size_t length = version == 1 ? read_little_endian<std::uint16_t>(content.data() + 8)
                                          : read_little_endian<std::uint32_t>(content.data() + 8);
  if (content.size() - begin < length) throw FormatError(path + ": truncated in the NPY header");
  const std::string_view header = text.substr(begin, length);

  const std::string_view order = detail::npy_field(path, header, "'fortran_order'");
  if (order.substr(0, 5) != "False") throw FormatError(path + ": expected an array in C order, it is in Fortran order");
  std::string_view extents_text = detail::npy_field(path, header, "'shape'");
  const std::size_t close = extents_text.find(')');
  if (extents_text.empty() || extents_text[0] != '(' || close == std::string_view::npos) {
    throw FormatError(path + ": the NPY header has no shape");
  }
  extents_text = extents_text.substr(1, close - 1);
  std::vector<Index> extents;
  while (!extents_text.empty()) {
    Index extent = 0;
    const auto [end, error] = std::from_chars(extents_text.data(), extents_text.data() + extents_text.size(), extent);
    if (error != std::errc() || extent < 0) throw FormatError(path + ": the NPY header has a damaged shape");
    extents.push_back(extent);
    extents_text.remove_prefix(static_cast<std::size_t>(end - extents_text.data()));
    while (!extents_text.empty() && (extents_text[0] == ',' || extents_text[0] == ' ')) extents_text.remove_prefix(1);
  }
  std::string_view type = detail::npy_field(path, header, "'descr'");
  if (type.size() < 5 || type[0] != '\'' || type.find('\'', 1) == std::string_view::npos) {
    throw FormatError(path + ": expected an array of numbers");
  }
  type = type.substr(1, type.find('\'', 1) - 1);

  std::size_t element = 0;
  if (type == "<f4" || type == "<i4") element = 4;
  if (type == "<f8" || type == "<i8") element = 8;
  if (type == "|u1") element = 1;
  if (element == 0) {
    throw FormatError(path + ": expected elements of type <f4, <f8, |u1, <i4 or <i8, got " + std::string(type));
  }
  Shape shape;
  Index bytes = 0;
  try {
    shape = Shape(std::span<const Index>(extents));
    bytes = checked_multiply(shape.size(), static_cast<Index>(element));
  } catch (const ShapeError& error) {
    throw FormatError(path + ": " + error.what());
  }
  const std::size_t available = content.size() - begin - length;
  if (available != static_cast<std::size_t>(bytes)) {
    throw FormatError(path + ": expected " + std::to_string(bytes) + " bytes for an array " + shape.to_string() +
                      ", got " + std::to_string(available));
  }
  Tensor<T> tensor(shape);
  const std::uint8_t* data = content.data() + begin + length;
  if (type == "<f4") detail::convert_elements<float>(path, data, tensor);
  if (type == "<f8") detail::convert_elements<double>(path, data, tensor);
  if (type == "|u1") detail::convert_elements<std::uint8_t>(path, data, tensor);
  if (type == "<i4") detail::convert_elements<std::int32_t>(path, data, tensor);
  if (type == "<i8") detail::convert_elements<std::int64_t>(path, data, tensor);
  return tensor;
}

/// The bytes of an .npy file with this array.
template <class T>
Bytes format_npy(TensorView<const T> view) {
  std::string shape = "(";
  for (const Index extent : view.shape().extents()) shape += std::to_string(extent) + ", ";
  if (view.shape().rank() > 1) shape.resize(shape.size() - 2);
  if (view.shape().rank() == 1) shape.resize(shape.size() - 1);
  std::string header =
      "{'descr': '" + std::string(detail::npy_type<T>()) + "', 'fortran_order': False, 'shape': " + shape + "), }";
  constexpr std::size_t kPrefix = 10, kAlignment = 64;  // the data begin on a multiple of 64
  header.append((kAlignment - (kPrefix + header.size() + 1) % kAlignment) % kAlignment, ' ');
  header += '\n';
  Bytes content = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  append_little_endian<std::uint16_t>(content, static_cast<std::uint16_t>(header.size()));
  content.insert(content.end(), header.begin(), header.end());
  for (Index i = 0; i < view.shape().size(); ++i) append_little_endian<T>(content, view[i]);
  return content;
}

/// Reads an .npy file. Throws FileError or FormatError naming it.
template <class T>
Tensor<T> load_npy(const std::string& path) {
  return parse_npy<T>(path, read_file(path));
}

/// Writes an .npy file. Throws FileError when it cannot be written.
template <class T>
void save_npy(const std::string& path, TensorView<const T> view) {
  write_file(path, format_npy<T>(view));
}
template <class T>
void save_npy(const std::string& path, const Tensor<T>& tensor) {
  save_npy<T>(path, tensor.view());
}

LINNET_NAMESPACE_END
