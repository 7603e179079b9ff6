// safetensors files: named tensors and a map of texts (https://github.com/huggingface/safetensors, "Format").
//
// Eight bytes with the length of the header, the header, a JSON object of
//     "name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}
// and "__metadata__", a map from text to text, and then the data, which the tensors fill without gaps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/core/tensor.hpp"
#include "linnet/io/byte_order.hpp"
#include "linnet/io/file.hpp"
#include "linnet/io/json.hpp"

LINNET_NAMESPACE_BEGIN

/// A tensor as it lies in a safetensors file.
struct StoredTensor {
  std::string dtype;  ///< "F32", "F64", ...
  Shape shape;
  Bytes bytes;

  /// The name of T in files.
  template <class T>
  static constexpr const char* dtype_of() {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    return std::is_same_v<T, float> ? "F32" : "F64";
  }
  /// Whether to_tensor() can read it.
  bool is_floating() const { return dtype == "F32" || dtype == "F64"; }

  /// The elements as T. Throws FormatError (naming `where`) unless they are F32 or F64, and for one that is too large
  /// for a T.
  template <class T>
  Tensor<T> to_tensor(const std::string& where) const {
    Tensor<T> tensor(shape);
    if (dtype == "F32") {
      for (Index i = 0; i < tensor.size(); ++i) {
        tensor[i] = static_cast<T>(read_little_endian<float>(bytes.data() + i * 4));
      }
    } else if (dtype == "F64") {
      for (Index i = 0; i < tensor.size(); ++i) {
        const double value = read_little_endian<double>(bytes.data() + i * 8);
        if (!fits<T>(value)) throw FormatError(where + ": element " + std::to_string(i) + " is too large");
        tensor[i] = static_cast<T>(value);
      }
    } else {
      throw FormatError(where + ": expected elements of type F32 or F64, got " + dtype);
    }
    return tensor;
  }
};

/// What is in a safetensors file.
struct SafetensorsFile {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Adds a copy of a tensor. Throws ValueError when there is one of that name.
  template <class T>
  void add(const std::string& name, TensorView<const T> view) {
    if (tensors.contains(name)) throw ValueError("SafetensorsFile: there is a tensor " + name + " already");
    StoredTensor stored{StoredTensor::dtype_of<T>(), view.shape(), {}};
    stored.bytes.reserve(static_cast<std::size_t>(view.shape().size()) * sizeof(T));
    for (Index i = 0; i < view.shape().size(); ++i) append_little_endian<T>(stored.bytes, view[i]);
    tensors.emplace(name, std::move(stored));
  }
};

namespace detail {
inline std::size_t dtype_size(std::string_view dtype) {
  for (const auto& [name, size] : {std::pair{"F64", 8},
                                   {"I64", 8},
                                   {"U64", 8},
                                   {"F32", 4},
                                   {"I32", 4},
                                   {"U32", 4},
                                   {"F16", 2},
                                   {"BF16", 2},
                                   {"I16", 2},
                                   {"U16", 2},
                                   {"I8", 1},
                                   {"U8", 1},
                                   {"BOOL", 1}}) {
    if (dtype == name) return static_cast<std::size_t>(size);
  }
  return 0;
}
}  // namespace detail

/// Reads the content of a safetensors file; `path` is for messages. Throws FormatError.
inline SafetensorsFile parse_safetensors(const std::string& path, std::span<const std::uint8_t> content) {
  constexpr std::size_t kLength = 8;
  if (content.size() < kLength) throw FormatError(path + ": not a safetensors file (shorter than 8 bytes)");
  // The header is an object: anything else here is another kind of file, whatever length its first bytes spell.
  if (content.size() > kLength && content[kLength] != '{') {
    throw FormatError(path + ": not a safetensors file: no JSON object behind its first 8 bytes");
  }
  const std::uint64_t header_size = read_little_endian<std::uint64_t>(content.data());
  if (header_size > content.size() - kLength) {
    throw FormatError(path + ": not a safetensors file, or truncated: its header should have " +
                      std::to_string(header_size) + " bytes, there are " + std::to_string(content.size() - kLength));
  }
  const std::string_view header_text(reinterpret_cast<const char*>(content.data()) + kLength,
                                     static_cast<std::size_t>(header_size));
  const nlohmann::json header = detail::parse_strict_json(path + ": the header", header_text);
  const std::span<const std::uint8_t> data = content.subspan(kLength + static_cast<std::size_t>(header_size));

  SafetensorsFile file;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, value] : header.items()) {
    const std::string where = path + ": " + detail::excerpt(name);
    if (name == "__metadata__") {
      if (!value.is_object()) throw FormatError(where + ": expected a map of texts");
      for (const auto& [key, text] : value.items()) {
        if (!text.is_string()) throw FormatError(where + ": " + detail::excerpt(key) + " is no text");
        file.metadata[key] = text.get<std::string>();
      }
      continue;
    }
    const auto is_list = [](const nlohmann::json& list) {
      return list.is_array() && std::all_of(list.begin(), list.end(),
                                            [](const nlohmann::json& item) { return item.is_number_unsigned(); });
    };
    if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() || !value.contains("shape") ||
        !is_list(value["shape"]) || !value.contains("data_offsets") || !is_list(value["data_offsets"]) ||
        value["data_offsets"].size() != 2) {
      throw FormatError(where + ": expected a dtype, a shape and two data_offsets");
    }
    StoredTensor stored;
    stored.dtype = value["dtype"].get<std::string>();
    const std::size_t element = detail::dtype_size(stored.dtype);
    if (element == 0) throw FormatError(where + ": unknown dtype " + detail::excerpt(stored.dtype));
    Index bytes = 0;
    try {
      std::vector<Index> extents;
      for (const nlohmann::json& item : value["shape"]) {
        const auto extent = item.get<std::uint64_t>();
        if (extent > static_cast<std::uint64_t>(std::numeric_limits<Index>::max())) {
          throw ShapeError("an extent of " + std::to_string(extent) + " is too large");
        }
        extents.push_back(static_cast<Index>(extent));
      }
      stored.shape = Shape(std::span<const Index>(extents));
      bytes = checked_multiply(stored.shape.size(), static_cast<Index>(element));
    } catch (const ShapeError& error) {
      throw FormatError(where + ": " + error.what());
    }
    const auto begin = value["data_offsets"][0].get<std::uint64_t>();
    const auto end = value["data_offsets"][1].get<std::uint64_t>();
    if (begin > end || end > data.size() || end - begin != static_cast<std::uint64_t>(bytes)) {
      throw FormatError(where + ": expected " + std::to_string(bytes) + " bytes within the " +
                        std::to_string(data.size()) + " of the file (truncated?), got the range " +
                        std::to_string(begin) + " to " + std::to_string(end));
    }
    const auto from = data.begin() + static_cast<std::ptrdiff_t>(begin);
    stored.bytes.assign(from, from + bytes);
    ranges.emplace_back(begin, end);
    file.tensors.emplace(name, std::move(stored));
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != expected) {
      throw FormatError(path + ": the tensors overlap or leave a gap at byte " +
                        std::to_string(std::min(begin, expected)));
    }
    expected = end;
  }
  if (expected != data.size()) {
    throw FormatError(path + ": " + std::to_string(data.size() - expected) + " bytes behind the last tensor");
  }
  return file;
}

/// The bytes of a safetensors file: tensors in the order of their names, the header padded so that the data begin on a
/// multiple of 8 bytes. Throws ValueError for a name or a text that is not UTF-8.
inline Bytes format_safetensors(const SafetensorsFile& file) {
  nlohmann::json header = nlohmann::json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::size_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const std::span<const Index> extents = tensor.shape.extents();
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", std::vector<Index>(extents.begin(), extents.end())},
                    {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = detail::dump_json("safetensors header", header);
  text.append((8 - text.size() % 8) % 8, ' ');
  Bytes content;
  content.reserve(8 + text.size() + offset);
  append_little_endian<std::uint64_t>(content, text.size());
  content.insert(content.end(), text.begin(), text.end());
  for (const auto& [name, tensor] : file.tensors) {
    content.insert(content.end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  return content;
}

/// Reads a safetensors file. Throws FileError or FormatError naming it.
inline SafetensorsFile load_safetensors(const std::string& path) { return parse_safetensors(path, read_file(path)); }

/// Writes a safetensors file. Throws FileError when it cannot be written; what was there before is then untouched.
inline void save_safetensors(const std::string& path, const SafetensorsFile& file) {
  write_file(path, format_safetensors(file));
}

LINNET_NAMESPACE_END
