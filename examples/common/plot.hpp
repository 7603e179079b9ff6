// Line plots as SVG: crisp at any size, in the page's colors, told apart by marks and dashes as well.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "html.hpp"

namespace report {

struct Series {
  std::string name;
  std::vector<double> x, y;
  int color = 0;        ///< of the six of the page; from the seventh on they come again, dotted
  bool dashed = false;  ///< a second kind of line in the same color
};
/// For what others are compared with: the color of the text.
inline constexpr int kReferenceColor = 5;

struct Reference {
  std::string name;
  double y = 0;
};

struct LinePlot {
  std::string title;  ///< what a screen reader says
  std::string x_label, y_label;
  std::vector<Series> series;
  std::vector<Reference> references = {};    ///< dotted lines across, with their names
  std::vector<Reference> x_references = {};  ///< dotted lines upwards, at `y` of the x axis
  bool y_percent = false;
  bool x_whole = false;  ///< marks at whole numbers only
};

namespace detail {
/// A step of 1, 2 or 5 times a power of ten that cuts `range` into at most `most` parts.
inline double nice_step(double range, int most) {
  const double rough = range / most, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}
/// The decimals that tell marks apart which are `step` apart.
inline int decimals_of(double step) { return std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))); }
/// A mark at (x, y), of a shape for each color: lines can be told apart without seeing colors.
inline std::string mark(int color, double x, double y) {
  const auto at = [&](double dx, double dy) { return number(x + dx, 1) + "," + number(y + dy, 1) + " "; };
  const std::string style = " style=\"fill:var(--c" + std::to_string(color % 6) + ")\"/>";
  if (color % 6 == 0) {
    return "<circle r=\"3.4\" cx=\"" + number(x, 1) + "\" cy=\"" + number(y, 1) + "\"" + style;
  }
  constexpr double r = 4;
  const std::string points = color % 6 == 1   ? at(-r, -r) + at(r, -r) + at(r, r) + at(-r, r)
                             : color % 6 == 2 ? at(0, -1.3 * r) + at(1.2 * r, r) + at(-1.2 * r, r)
                             : color % 6 == 3 ? at(0, -1.4 * r) + at(1.4 * r, 0) + at(0, 1.4 * r) + at(-1.4 * r, 0)
                             : color % 6 == 4 ? at(0, 1.3 * r) + at(1.2 * r, -r) + at(-1.2 * r, -r)
                                              : at(-1.6 * r, 0) + at(0, -0.6 * r) + at(1.6 * r, 0) + at(0, 0.6 * r);
  return "<polygon points=\"" + points + "\"" + style;
}
inline std::string dash(const Series& s) {
  return s.dashed ? " stroke-dasharray=\"6 5\"" : s.color > 5 ? " stroke-dasharray=\"2 3\"" : "";
}
}  // namespace detail

inline std::string svg(const LinePlot& plot) {
  constexpr double kLeft = 66, kRight = 884, kTop = 14, kBottom = 316;
  constexpr std::size_t kMarks = 12;  // on a line, at most
  double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low, y_low = x_low, y_high = -x_low;
  for (const Series& s : plot.series) {
    for (const double x : s.x) x_low = std::min(x_low, x), x_high = std::max(x_high, x);
    for (const double y : s.y) {
      if (std::isfinite(y)) y_low = std::min(y_low, y), y_high = std::max(y_high, y);
    }
  }
  for (const Reference& r : plot.references) y_low = std::min(y_low, r.y), y_high = std::max(y_high, r.y);
  if (!(x_low <= x_high) || !(y_low <= y_high)) return "";
  if (x_low == x_high) x_low -= 0.5, x_high += 0.5;

  if (y_high - y_low < 1e-12) {
    const double room = plot.y_percent ? 0.1 : 0.5;
    y_low -= room, y_high += room;
    if (plot.y_percent) y_high = std::min(y_high, 1.0);
  }
  const double y_step = detail::nice_step(y_high - y_low, 7);
  std::vector<double> ticks;
  for (double k = std::floor(y_low / y_step); (k - 1) * y_step < y_high; ++k) ticks.push_back(k * y_step);
  const auto x_of = [&](double x) { return kLeft + (kRight - kLeft) * (x - x_low) / (x_high - x_low); };
  const auto y_of = [&](double y) {
    return kBottom - (kBottom - kTop) * (y - ticks.front()) / (ticks.back() - ticks.front());
  };

  std::string text = "<svg viewBox=\"0 0 900 370\" role=\"img\" aria-label=\"" + escaped(plot.title) + "\">\n";
  for (const double tick : ticks) {
    text += "<line class=\"grid\" x1=\"" + number(kLeft, 0) + "\" x2=\"" + number(kRight, 0) + "\" y1=\"" +
            number(y_of(tick), 1) + "\" y2=\"" + number(y_of(tick), 1) + "\"/><text x=\"" + number(kLeft - 8, 0) +
            "\" y=\"" + number(y_of(tick) + 4.5, 1) + "\" text-anchor=\"end\">" +
            (plot.y_percent ? percent(tick, detail::decimals_of(100 * y_step))
                            : number(tick, detail::decimals_of(y_step))) +
            "</text>\n";
  }
  double x_step = detail::nice_step(x_high - x_low, 13);
  if (plot.x_whole) x_step = std::max(1.0, x_step);
  const auto x_tick = [&](double x) {
    text += "<text x=\"" + number(x_of(x), 1) + "\" y=\"" + number(kBottom + 20, 0) + "\" text-anchor=\"middle\">" +
            number(x, detail::decimals_of(x_step)) + "</text>\n";
  };
  const double first_tick = std::ceil(x_low / x_step - 1e-9);
  if (plot.x_whole && x_low == std::floor(x_low) && first_tick * x_step - x_low >= x_step / 2) x_tick(x_low);
  for (double k = first_tick; k * x_step <= x_high + 1e-9; ++k) x_tick(k * x_step);
  text += "<text x=\"" + number((kLeft + kRight) / 2, 0) + "\" y=\"360\" text-anchor=\"middle\">" +
          escaped(plot.x_label) + "</text><text transform=\"translate(14 " + number((kTop + kBottom) / 2, 0) +
          ") rotate(-90)\" text-anchor=\"middle\">" + escaped(plot.y_label) + "</text>\n";
  for (const Reference& r : plot.references) {
    text += "<line class=\"reference\" x1=\"" + number(kLeft, 0) + "\" x2=\"" + number(kRight, 0) + "\" y1=\"" +
            number(y_of(r.y), 1) + "\" y2=\"" + number(y_of(r.y), 1) + "\"/><text x=\"" + number(kRight, 0) +
            "\" y=\"" + number(y_of(r.y) - 5, 1) + "\" text-anchor=\"end\">" + escaped(r.name) + "</text>\n";
  }
  for (const Reference& r : plot.x_references) {
    text += "<line class=\"reference\" x1=\"" + number(x_of(r.y), 1) + "\" x2=\"" + number(x_of(r.y), 1) + "\" y1=\"" +
            number(kTop, 0) + "\" y2=\"" + number(kBottom, 0) + "\"/><text x=\"" + number(x_of(r.y) + 6, 1) +
            "\" y=\"" + number(kBottom - 8, 0) + "\">" + escaped(r.name) + "</text>\n";
  }
  for (const Series& s : plot.series) {
    const std::string color = "var(--c" + std::to_string(s.color % 6) + ")";
    std::string points;
    for (std::size_t i = 0; i < s.y.size(); ++i) {
      if (std::isfinite(s.y[i])) points += number(x_of(s.x[i]), 1) + "," + number(y_of(s.y[i]), 1) + " ";
    }
    text += "<polyline class=\"line\" style=\"stroke:" + color + "\"" + detail::dash(s) + " points=\"" + points +
            "\"><title>" + escaped(s.name) + "</title></polyline>\n";
    const std::size_t every = s.y.size() / kMarks + 1;
    for (std::size_t i = s.y.empty() ? 0 : (s.y.size() - 1) % every; i < s.y.size(); i += every) {
      if (std::isfinite(s.y[i])) text += detail::mark(s.color, x_of(s.x[i]), y_of(s.y[i])) + "\n";
    }
  }
  return text + "</svg>\n";
}

/// The plot with its legend and a caption (HTML).
inline std::string figure(const LinePlot& plot, const std::string& caption = "") {
  std::string legend = "<ul class=\"legend\">\n";
  for (const Series& s : plot.series) {
    legend +=
        "<li><svg viewBox=\"0 0 34 12\" aria-hidden=\"true\"><line x1=\"0\" x2=\"34\" y1=\"6\" y2=\"6\" "
        "style=\"stroke:var(--c" +
        std::to_string(s.color % 6) + ");stroke-width:2.4\"" + detail::dash(s) + "/>" + detail::mark(s.color, 17, 6) +
        "</svg>" + escaped(s.name) + "</li>\n";
  }
  return "<figure>" + legend + "</ul>" + svg(plot) +
         (caption.empty() ? "" : "<figcaption>" + caption + "</figcaption>") + "</figure>\n";
}

}  // namespace report
