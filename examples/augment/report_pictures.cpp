// The report's section of pictures: samples, reconstructions, latent planes, traversals and interpolations.
#include <algorithm>
#include <array>
#include <cmath>

#include "report.hpp"

namespace augment {

namespace {

/// The colors of the ten digits in the frames of latent planes, all of them bright: the tiles are black.
constexpr std::array<const char*, 10> kDigitColors = {"#ffffff", "#f0a04b", "#56b4e9", "#3fc79a", "#f0e442",
                                                      "#e39ac7", "#ff6b5e", "#b39df5", "#9be15d", "#c9a27a"};

/// The latent plane with a frame around each tile in the color of the digit that the classifier sees there; where it
/// is another than `digit`, that one is written into the tile.
std::string plane_html(const run::Folder& folder, const json& plane, int digit) {
  const int side = plane.at("side");
  const std::vector<int> verdicts = plane.at("verdicts");
  const Numbers confidence = plane.at("confidence");
  std::string html =
      "<svg viewBox=\"0 0 420 420\" role=\"img\" aria-label=\"latent plane\"><image width=\"420\" "
      "height=\"420\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
      base64(read_file(folder.file(plane.at("picture")))) + "\"/>\n";
  const double tile = 420.0 / side;
  for (int i = 0; i < side * side; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool right = verdicts[at] == digit;
    const double x = tile * (i % side), y = tile * (i / side);
    const std::string color = kDigitColors[static_cast<std::size_t>(verdicts[at])];
    // Never quite invisible: where the classifier is least sure is what one looks for.
    html += "<rect x=\"" + number(x + 0.8, 1) + "\" y=\"" + number(y + 0.8, 1) + "\" width=\"" + number(tile - 1.6, 1) +
            "\" height=\"" + number(tile - 1.6, 1) + "\" style=\"fill:none;stroke-width:1.6;stroke:" + color +
            ";stroke-opacity:" + number(0.35 + 0.65 * confidence[at], 2) + "\"/>";
    if (!right) {
      html += "<text x=\"" + number(x + 3, 1) + "\" y=\"" + number(y + 11, 1) +
              "\" style=\"font-size:11px;font-weight:700;fill:" + color + "\">" + std::to_string(verdicts[at]) +
              "</text>";
    }
    html += "\n";
  }
  return html + "</svg>";
}
/// Which frame is which digit, of those that are seen in some plane.
std::string plane_legend(const std::vector<const json*>& planes) {
  std::array<bool, 10> seen = {};
  for (const json* plane : planes) {
    for (const int verdict : plane->at("verdicts").get<std::vector<int>>()) {
      seen[static_cast<std::size_t>(verdict)] = true;
    }
  }
  std::string html = "<p class=\"legend\">";
  for (std::size_t digit = 0; digit < seen.size(); ++digit) {
    if (!seen[digit]) continue;
    html += std::string("<span class=\"swatch\" style=\"border-color:") + kDigitColors[digit] + "\">" +
            std::to_string(digit) + "</span> ";
  }
  return html + "</p>\n";
}

std::string scatter(const json& points, const std::string& name) {
  constexpr double kShown = 5;
  const auto at = [](double v) { return number(210 + 200 * std::clamp(v / kShown, -1.0, 1.0), 1); };
  const double limit = prior_radius(2);
  std::string html =
      "<figure><svg viewBox=\"0 0 420 420\" role=\"img\" aria-label=\"encoded held-out digits\">"
      "<line class=\"grid\" x1=\"10\" x2=\"410\" y1=\"210\" y2=\"210\"/><line class=\"grid\" x1=\"210\" "
      "x2=\"210\" y1=\"10\" y2=\"410\"/><circle cx=\"210\" cy=\"210\" r=\"" +
      number(200 * limit / kShown, 1) + "\" class=\"reference\" style=\"fill:none\"/>\n";
  for (std::size_t i = 0; i < points.at("x").size(); ++i) {
    html += "<circle r=\"2.6\" cx=\"" + at(points.at("x")[i]) + "\" cy=\"" + at(-points.at("y")[i].get<double>()) +
            "\" style=\"fill:var(--c0);fill-opacity:0.6\"/>";
  }
  return html +
         "<text x=\"405\" y=\"204\" text-anchor=\"end\">z1 = 5</text><text x=\"216\" y=\"20\">z2 = 5</text></svg>"
         "<figcaption>" +
         name + "</figcaption></figure>\n";
}

}  // namespace

void add_pictures(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.section("What they draw");
  for_each_digit(page, study, [&](const json& real) {
    const int digit = real.at("digit");
    json samples = json::array(), posteriors = json::array(), reconstructions = json::array(), between = json::array(),
         traversals = json::array(), others = json::array();
    std::string planes, points;
    std::vector<const json*> all_planes;
    for (const Group& g : study.groups()) {
      if (g.digit != digit || !g.first().contains("pictures")) continue;
      const json& p = g.first().at("pictures");
      const std::string name = g.size + ", " + g.recipe;
      const auto named = [&](json strip, const std::string& extra) {
        strip["name"] = name + extra;
        return strip;
      };
      samples.push_back(named(p.at("samples"), ""));
      if (g.first().contains("posterior")) {
        posteriors.push_back(named(g.first().at("posterior").at("strip"), ", posteriors"));
      }
      if (reconstructions.empty()) reconstructions.push_back(p.at("reconstructions")[0]);
      reconstructions.push_back(named(p.at("reconstructions")[1], ""));
      if (p.contains("interpolations")) {
        for (const json& one : p.at("interpolations")) {
          between.push_back(named(one, ", " + one.at("name").get<std::string>()));
        }
      }
      if (p.contains("plane")) {
        all_planes.push_back(&p.at("plane"));
        planes +=
            "<figure>" + plane_html(folder, p.at("plane"), digit) + "<figcaption>" + name + "</figcaption></figure>\n";
        points += scatter(p.at("points"), name);
      }
      if (g.size == study.smallest() || g.size == study.largest()) {
        const double limit = g.first().at("extremes").at("limit");
        for (const json& one : p.at("traversals")) {
          json strip = named(one, ", z" + one.at("name").get<std::string>().substr(7));
          for (json& label : strip["labels"]) {
            if (std::abs(std::stod(label.get<std::string>())) <= limit)
              label = "<b>" + label.get<std::string>() + "</b>";
          }
          (g.recipe == "plain" ? traversals : others).push_back(strip);
        }
      }
    }
    page.paragraph("Random samples of the prior; below each what the classifier sees.");
    page.add(strips_html(folder, samples));
    if (!posteriors.empty()) {
      page.paragraph("Samples of the posteriors of distorted training images, as the improved recipe is best used.");
      page.add(strips_html(folder, posteriors));
    }
    page.paragraph("Held-out digits and their reconstructions, through the means of their latents.");
    page.add(strips_html(folder, reconstructions));
    if (!planes.empty()) {
      page.paragraph(
          "The latent plane, in steps of equal probability of the prior. Each tile has a frame in the color of the "
          "digit that the classifier sees, the fainter, the less sure, and the digit itself where it is another.");
      page.add(plane_legend(all_planes));
      page.add("<div class=\"planes\">" + planes + "</div>\n");
      page.paragraph("Where held-out digits lie; the circle holds 95% of the prior.");
      page.add("<div class=\"planes\">" + points + "</div>\n");
    }
    if (!traversals.empty()) {
      page.paragraph(
          "Each latent from &minus;4 to 4 standard deviations, the others 0; bold: within the radius that "
          "holds 95% of the prior.");
      page.add(strips_html(folder, traversals));
      page.add("<details><summary>The improved recipe's latents</summary>" + strips_html(folder, others) +
               "</details>\n");
    }
    if (!between.empty()) {
      page.paragraph("Between two held-out digits, which stand at the ends, along a straight line of latents.");
      page.add(strips_html(folder, between));
    }
  });
}

}  // namespace augment
