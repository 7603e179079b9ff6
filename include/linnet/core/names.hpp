// Names of enumerators, in files and messages. An enumeration opts in with a table beside it:
//
//     inline constexpr auto names(Kind) {
//       return std::array{NameOf{Kind::relu, "relu"}, NameOf{Kind::tanh, "tanh"}};
//     }
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "linnet/core/error.hpp"

LINNET_NAMESPACE_BEGIN

template <class Enum>
struct NameOf {
  Enum value;
  std::string_view name;
};
template <class Enum>
NameOf(Enum, std::string_view) -> NameOf<Enum>;

/// The name of `value` in its enumeration's table.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& entry : names(value)) {
    if (entry.value == value) return entry.name;
  }
  return "?";
}

/// The enumerator called `text`. Throws ValueError that lists the names there are.
template <class Enum>
Enum parse_name(std::string_view text) {
  std::string known;
  for (const auto& entry : names(Enum{})) {
    if (entry.name == text) return entry.value;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw ValueError("expected one of " + known + ", got \"" + std::string(text) + "\"");
}

LINNET_NAMESPACE_END
