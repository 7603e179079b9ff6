// The report's section of diversity and memory.
#include <algorithm>

#include "report.hpp"

namespace augment {

void add_diversity(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.section("Diversity and memory");
  const auto of = [&](const json& d, const char* key, int decimals) {
    return d.is_null() || d.at(key).is_null() ? std::string("&ndash;") : number(d.at(key), decimals);
  };
  for_each_digit(page, study, [&](const json& real) {
    std::vector<std::vector<std::string>> rows;
    const auto line = [&](const std::string& what, const json& d, const json& scores) {
      rows.push_back({what, of(d, "pixel_distance", 2), of(d, "dissimilarity", 3), of(d, "vendi", 2),
                      scores.contains("density") ? number(scores.at("density"), 2) : "&ndash;",
                      scores.contains("coverage") ? number(scores.at("coverage"), 2) : "&ndash;",
                      scores.contains("feature_distance") ? number(scores.at("feature_distance"), 1) : "&ndash;"});
    };
    line("<b>real, held out</b>", real.at("diversity"), real);
    line("uniform noise", real.at("noise"), json::object());
    for (const Group& g : study.groups()) {
      if (g.digit != real.at("digit")) continue;
      const auto scores = [&](const std::string& which, const std::string& what) {
        const std::string at = "/" + which;
        rows.push_back({what, g.spread_at(at + "/diversity/pixel_distance", 2),
                        g.spread_at(at + "/diversity/dissimilarity", 3), g.spread_at(at + "/diversity/vendi", 2),
                        g.spread_at(at + "/density", 2), g.spread_at(at + "/coverage", 2),
                        g.spread_at(at + "/feature_distance", 1)});
      };
      scores("prior", g.size + ", " + g.recipe);
      if (g.first().contains("posterior")) scores("posterior", g.size + ", " + g.recipe + ", posteriors");
      if (g.recipe == "plain" && !g.at("/own_diversity/vendi").empty()) {
        const Index counted =
            std::min(g.first().at("size").get<Index>(), real.at("diversity").at("count").get<Index>());
        rows.push_back({"<span class=\"soft\">" + std::to_string(counted) + " of " + g.size + " training images</span>",
                        g.spread_at("/own_diversity/pixel_distance", 2), g.spread_at("/own_diversity/dissimilarity", 3),
                        g.spread_at("/own_diversity/vendi", 2), "&ndash;", "&ndash;", "&ndash;"});
      }
    }
    page.add(
        table({"images", "pixel distance", "1 &minus; SSIM", "Vendi score", "density", "coverage", "feature distance"},
              rows));
  });
  std::string counts, compared, wins;
  for (const json& real : study.metrics().at("real")) {
    const std::string digit = std::to_string(real.at("digit").get<int>()) + ": ";
    append(compared, digit + std::to_string(real.at("compared").get<Index>()));
    const json &d = real.at("diversity"), &noise = real.at("noise");
    if (d.is_null()) continue;
    append(counts, digit + std::to_string(d.at("count").get<Index>()));
    const bool won =
        noise.at("pixel_distance") > d.at("pixel_distance") && noise.at("dissimilarity") > d.at("dissimilarity");
    append(wins, digit + (won ? "yes" : "no"));
  }
  page.note(
      "Pixel distance (the original report's idea) and 1 &minus; SSIM: means over all pairs. Vendi score: the "
      "effective number of different images, cosine kernel on pixels. " +
      (counts.empty() ? std::string("There are too few held-out images for any of the three. ")
                      : "All three are of equally many images (" + counts +
                            "; of the training images up to as many), of synthetic ones the first that are recognized; "
                            "where there are fewer, no figure, since scores depend on the count. Does uniform noise "
                            "beat real digits by the first two (" +
                            wins + ")? They measure difference, not diversity of digits. ") +
      "Density and coverage (k = 5, in pixel space) and the Frechet distance of the classifier's last but one layer "
      "(not FID) compare as many synthetic images with one half of the held-out digits (" +
      compared +
      "); in the first line those are the other half. Smooth images lie near many: a coverage or a density above the "
      "first line's says so, and is no merit.");
  page.heading("Memory");
  std::vector<std::vector<std::string>> rows;
  for (const Group& g : study.groups()) {
    for (const std::string which : {"prior", "posterior"}) {
      const Numbers samples = g.at("/" + which + "/nearest"), held_out = g.at("/held_out_nearest");
      if (samples.empty()) continue;
      rows.push_back({g.title(), escaped(g.recipe) + (which == "prior" ? "" : ", posteriors"), spread(samples, 2),
                      spread(held_out, 2), number(mean(samples) / mean(held_out), 2)});
    }
  }
  page.add(table({"digit, images", "recipe", "from samples", "from held-out digits", "ratio"}, rows, 2));
  page.note(
      "The median distance, in pixel space, to the nearest training image. A ratio far below 1 "
      "means copies. Smooth images are nearer to everything than sharp ones, so somewhat below 1 is no proof.");
  for_each_digit(page, study, [&](const json& real) {
    json strips = json::array();
    for (const std::string& size : study.sizes()) {
      if (size != study.smallest() && size != study.largest()) continue;
      const Group* g = study.find(real.at("digit"), size, "plain");
      if (g == nullptr || !g->first().contains("pictures")) continue;
      for (json strip : g->first().at("pictures").at("nearest")) {
        strip["name"] = strip.at("name").get<std::string>() + ", " + size;
        strips.push_back(strip);
      }
    }
    page.add(strips_html(folder, strips));
  });
  page.note("The samples that lie nearest to a training image, that image below, and the distance.");
}

}  // namespace augment
