// JSON in files: parsed strictly, read field by field, and quoted briefly in messages.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/core/error.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

/// The beginning of `text` for a message, which stays readable whatever a file holds.
inline std::string excerpt(std::string_view text, std::size_t longest = 60) {
  if (text.size() <= longest) return std::string(text);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a UTF-8 character
  return std::string(text.substr(0, end)) + "...";
}
/// `json` for a message, shortened in the same way.
inline std::string quote(const nlohmann::json& json) {
  return excerpt(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// Parses JSON without repeated names, which nlohmann/json would silently overwrite, and without deep nesting, which
/// later recursions might not survive. `where` is for messages: the file, and what of it. Throws FormatError.
inline nlohmann::json parse_strict_json(const std::string& where, std::string_view text) {
  constexpr int kDeepest = 64;
  int depth = 0;
  std::vector<std::set<std::string, std::less<>>> names;  // of each object that is open
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::object_start || event == Event::array_start) ++depth;
    if (event == Event::object_end || event == Event::array_end) --depth;
    if (depth > kDeepest) {
      throw FormatError(where + ": expected at most " + std::to_string(kDeepest) + " levels of JSON, there are more");
    }
    if (event == Event::key && !names.back().insert(value.get<std::string>()).second) {
      throw FormatError(where + ": the name " + quote(value) + " occurs twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(where + " is not valid JSON (" + excerpt(error.what(), 200) + ")");
  }
}

/// The text of `json`. Throws ValueError when a name or a text in it is not UTF-8.
inline std::string dump_json(const std::string& where, const nlohmann::json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(where + ": expected names and texts in UTF-8, got " + quote(json));
  }
}

/// The number, if it is an integer and a Number can hold it.
template <class Number>
std::optional<Number> to_integer(const nlohmann::json& json) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<std::uint64_t>();
    if (std::in_range<Number>(value)) return static_cast<Number>(value);
  } else if (json.is_number_integer()) {
    const auto value = json.get<std::int64_t>();
    if (std::in_range<Number>(value)) return static_cast<Number>(value);
  }
  return std::nullopt;
}

/// The fields of an object, each of a known type. Every function throws FormatError that names `where` and the field.
class JsonFields {
 public:
  JsonFields(std::string where, const nlohmann::json& object) : where_(std::move(where)), object_(&object) {
    if (!object.is_object()) throw FormatError(where_ + ": expected an object, got " + quote(object));
  }

  const nlohmann::json& at(const char* name) const {
    const auto found = object_->find(name);
    if (found == object_->end()) fail(name, "it is missing");
    return *found;
  }
  std::string text(const char* name) const {
    const nlohmann::json& json = at(name);
    if (!json.is_string()) fail(name, "expected a text, got " + quote(json));
    return json.get<std::string>();
  }
  const nlohmann::json& list(const char* name) const {
    const nlohmann::json& json = at(name);
    if (!json.is_array()) fail(name, "expected a list, got " + quote(json));
    return json;
  }
  /// An integer that is at least `lowest`.
  template <class Number>
  Number integer(const char* name, Number lowest) const {
    return integer(name, at(name), lowest);
  }
  template <class Number>
  std::vector<Number> integers(const char* name, Number lowest) const {
    std::vector<Number> numbers;
    for (const nlohmann::json& item : list(name)) numbers.push_back(integer(name, item, lowest));
    return numbers;
  }

  [[noreturn]] void fail(const char* name, const std::string& problem) const {
    throw FormatError(where_ + ": field \"" + name + "\": " + problem);
  }

 private:
  template <class Number>
  Number integer(const char* name, const nlohmann::json& json, Number lowest) const {
    const std::optional<Number> number = to_integer<Number>(json);
    if (!number || *number < lowest) {
      fail(name, "expected an integer from " + std::to_string(lowest) + " to " +
                     std::to_string(std::numeric_limits<Number>::max()) + ", got " + quote(json));
    }
    return *number;
  }

  std::string where_;
  const nlohmann::json* object_;
};

}  // namespace detail

LINNET_NAMESPACE_END
