// Pages: one HTML file that needs no network, readable in a light and a dark scheme.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet/core/shape.hpp"
#include "linnet/io/file.hpp"

namespace report {

using linnet::Index;

inline std::string number(double value, int decimals) {
  if (!std::isfinite(value)) return value > 0 ? "&infin;" : value < 0 ? "-&infin;" : "&ndash;";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  const std::string_view view(text);
  return std::string(view.find_first_not_of("-0.") == view.npos && view.front() == '-' ? view.substr(1) : view);
}
/// "0.003", "4": with at most six digits.
inline std::string compact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}
inline std::string percent(double share, int decimals = 1) { return number(100 * share, decimals) + "%"; }

/// "12,345".
inline std::string thousands(Index value) {
  std::string text = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t i = text.size(); i > 3 + sign; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

/// One more item of a list in words.
inline void append(std::string& list, const std::string& item, const char* between = ", ") {
  list += (list.empty() ? "" : between) + item;
}

inline std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

inline std::string base64(const linnet::Bytes& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// The PNG file at `path`, inside the page.
inline std::string picture(const std::string& path, std::string_view alt) {
  return "<img alt=\"" + escaped(alt) + "\" src=\"data:image/png;base64," + base64(linnet::read_file(path)) + "\">";
}

/// A table; the cells are HTML. Numbers stand to the right in all columns but the first `left` ones.
inline std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows,
                         std::size_t left = 1) {
  const auto line = [&](const std::vector<std::string>& cells, const char* tag) {
    std::string text = "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += std::string("<") + tag + (i < left ? "" : " class=\"number\"") + ">" + cells[i] + "</" + tag + ">";
    }
    return text + "</tr>\n";
  };
  std::string text = "<div class=\"scroll\"><table>\n";
  if (!head.empty()) text += "<thead>" + line(head, "th") + "</thead>";
  text += "<tbody>\n";
  for (const auto& row : rows) text += line(row, "td");
  return text + "</tbody></table></div>\n";
}

/// Words that cannot be told from right ones by color alone: a cross stands before them.
inline std::string wrong(const std::string& html) { return "<span class=\"wrong\">&#10007;&nbsp;" + html + "</span>"; }

// The colors of series are those of M. Okabe and K. Ito, "Color universal design" (2008), lighter in the dark scheme.
inline constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ground: #fcfcfb; --ink: #1c1e22; --soft: #5b6069; --line: #dadce1; --card: #f2f3f5;
  --wrong: #b3261e; --c0: #0072b2; --c1: #c45a00; --c2: #00845f; --c3: #a23b82; --c4: #7a6a00; --c5: #3b3f46; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e9eaec; --soft: #a4a9b2; --line: #363b43;
  --card: #1f2228; --wrong: #ff8a80; --c0: #56b4e9; --c1: #f0a04b; --c2: #3fc79a; --c3: #e39ac7; --c4: #f0e442; --c5: #d5d8dd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 20px; margin: 44px 0 8px; }
h3 { font-size: 16px; margin: 26px 0 6px; } p { margin: 8px 0; } .soft { color: var(--soft); }
td .range { display: block; font-size: 12.5px; }
.swatch { background: #000; color: #fff; border: 2px solid; border-radius: 3px; padding: 1px 7px; margin-right: 4px; box-shadow: 0 0 0 1px #000; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 22px 0; }
.tile { background: var(--card); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 23px; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 14px; }
.strip { display: grid; grid-template-columns: 96px 1fr; gap: 2px 10px; align-items: center; margin: 10px 0; }
.strip > .name { color: var(--soft); font-size: 14px; }
.verdicts { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; font-size: 13px; text-align: center; color: var(--soft);
  font-variant-numeric: tabular-nums; margin-bottom: 5px; }
.wrong { color: var(--wrong); font-weight: 600; }
img { width: 100%; height: auto; display: block; image-rendering: pixelated; border-radius: 4px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin: 8px 0; }
th { text-align: left; font-weight: 600; color: var(--soft); vertical-align: bottom; }
td, th { padding: 5px 8px 5px 0; border-bottom: 1px solid var(--line); } td:first-child { white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
pre { background: var(--card); border-radius: 10px; padding: 14px 16px; overflow-x: auto; font-size: 13px; line-height: 1.45; }
figure { margin: 14px 0; } figcaption { color: var(--soft); font-size: 14px; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font: 13px system-ui, sans-serif; }
svg .grid { stroke: var(--line); } svg .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
svg .reference { stroke: var(--soft); stroke-dasharray: 2 4; stroke-width: 1.3; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; color: var(--soft); margin: 4px 0; padding: 0; list-style: none; }
.legend svg { display: inline-block; width: 34px; height: 12px; vertical-align: middle; margin-right: 6px; }
.heat td { text-align: center; padding: 4px 2px; border: 1px solid var(--ground); font-variant-numeric: tabular-nums; font-size: 13px; }
.heat th { text-align: center; padding: 4px 6px; border: 0; }
.planes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 18px; } .planes figure { margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 18px; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--soft); }
)";

/// A page under construction. What is added is HTML.
class Page {
 public:
  Page(std::string_view title, std::string_view lead) {
    text_ =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>" +
        escaped(title) + "</title><link rel=\"icon\" href=\"data:,\"><style>" + std::string(kStyle) +
        "</style></head><body><main>\n<h1>" + escaped(title) + "</h1>\n<p class=\"soft\">" + std::string(lead) +
        "</p>\n";
  }
  /// Sections are numbered.
  void section(std::string_view title) {
    text_ += "<h2>" + std::to_string(++sections_) + ". " + escaped(title) + "</h2>\n";
  }
  void heading(std::string_view title) { text_ += "<h3>" + escaped(title) + "</h3>\n"; }
  void paragraph(const std::string& html) { text_ += "<p>" + html + "</p>\n"; }
  void note(const std::string& html) { text_ += "<p class=\"soft\">" + html + "</p>\n"; }
  void add(const std::string& html) { text_ += html; }
  void list(const std::vector<std::string>& points) {
    text_ += "<ul>\n";
    for (const std::string& point : points) text_ += "<li>" + point + "</li>\n";
    text_ += "</ul>\n";
  }
  void tiles(const std::vector<std::pair<std::string, std::string>>& values) {
    text_ += "<div class=\"tiles\">\n";
    for (const auto& [value, what] : values) {
      text_ += "<div class=\"tile\"><b>" + value + "</b><span>" + what + "</span></div>\n";
    }
    text_ += "</div>\n";
  }
  /// A row of pictures with lines of words below, one word under each of its columns.
  static std::string strip(const std::string& name, const std::string& image,
                           const std::vector<std::vector<std::string>>& lines) {
    std::string html = "<span class=\"name\">" + name + "</span><div>" + image;
    for (const auto& line : lines) {
      html += "<div class=\"verdicts\">";
      for (const std::string& word : line) html += "<span>" + word + "</span>";
      html += "</div>";
    }
    return html + "</div>\n";
  }
  std::string html() const { return text_ + "</main></body></html>\n"; }

 private:
  std::string text_;
  int sections_ = 0;
};

}  // namespace report
