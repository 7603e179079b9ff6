// The report's sections of what the classifier sees: at extreme latents and elsewhere, and the original report's claims.
#include <algorithm>
#include <cmath>
#include <functional>

#include "../common/plot.hpp"
#include "report.hpp"

namespace augment {

namespace {

constexpr Index kFewSamples = 20;  ///< of which no rate is told
/// So many times the radius that holds 95% of the prior is extreme.
constexpr double kExtreme = 3;
/// The radii of first failures of some models together, in order; infinite for a direction that never fails.
Numbers first_failures(const std::vector<const json*>& models) {
  Numbers first;
  for (const json* model : models) {
    for (const json& r : model->at("extremes").at("first")) first.push_back(r.is_null() ? INFINITY : r.get<double>());
  }
  std::sort(first.begin(), first.end());
  return first;
}
/// How many of some models fail at the prior's mean already: then all their directions do, and there is no more to learn.
Index failing_at_mean(const std::vector<const json*>& models) {
  return std::count_if(models.begin(), models.end(),
                       [](const json* model) { return model->at("extremes").at("first").at(0) == 0.0; });
}
/// The share of them within a radius.
double failing(const Numbers& first, double radius) {
  const auto end = std::upper_bound(first.begin(), first.end(), radius);
  return static_cast<double>(end - first.begin()) / static_cast<double>(first.size());
}

/// The share of directions that fail within the 95% radius, and whether the mean itself does: one image, not many.
std::string inside_text(const Group& g) {
  const Index at_mean = failing_at_mean(g.models);
  if (at_mean == 0) return g.rate_at("/extremes/inside");
  const std::string text =
      g.models.size() == 1 ? percent(g.rates("/extremes/inside")[0]) : g.rate_at("/extremes/inside");
  return text + " <span class=\"soft range\">at the mean already: " + std::to_string(at_mean) + " of " +
         std::to_string(g.models.size()) + (g.models.size() == 1 ? " model" : " models") + "</span>";
}

/// What is recognized at a distance: of one model with its interval, of several their mean and range; those with few
/// samples there do not count.
std::string rate_of_bin(const Group& g, int bin) {
  const json::json_pointer path("/prior/by_radius/" + std::to_string(bin));
  std::vector<const json*> counted;
  for (const json* model : g.models) {
    if (model->at(path).at("of") >= kFewSamples) counted.push_back(&model->at(path));
  }
  if (counted.empty()) return "&ndash;";
  if (counted.size() == 1) return rate_text(*counted.front());
  Numbers rates;
  for (const json* one : counted) rates.push_back(rate(*one));
  return percents(rates);
}

/// The shares of samples that are not recognized, one for each subset.
Numbers failures(const StudyFigures& study, int digit, const std::string& size) {
  Numbers shares = study.find(digit, size, "plain")->rates("/prior/recognized");
  for (double& share : shares) share = 1 - share;
  return shares;
}

std::vector<std::string> claims(const StudyFigures& study) {
  std::vector<std::string> points;
  // The share of directions that fail where latents are extreme, of each subset.
  const auto extreme = [&](int digit, const std::string& size) {
    const Group* g = study.find(digit, size, "plain");
    Numbers shares;
    for (const json* model : g->models) {
      shares.push_back(failing(first_failures({model}), kExtreme * model->at("extremes").at("limit").get<double>()));
    }
    return shares;
  };
  const auto by_size = [&](const std::function<std::string(const std::string&)>& of_size) {
    std::string text;
    for (const std::string& size : study.sizes()) append(text, of_size(size) + " with " + size);
    return text;
  };
  const auto among = [&](int digit) {
    return by_size([&](const std::string& size) { return percents(failures(study, digit, size)); });
  };
  const auto along = [&](int digit) {
    return by_size([&](const std::string& size) { return percents(extreme(digit, size)); });
  };
  const std::string radii = "out to three times the 95% radius, ";
  if (study.real_of(8) != nullptr && study.real_of(2) != nullptr) {
    std::string more, less, unclear, single;
    for (const std::string& size : study.sizes()) {
      const Numbers two = extreme(2, size), eight = extreme(8, size);
      std::string& where = std::min(two.size(), eight.size()) < 2 ? single
                           : !apart(two, eight)                   ? unclear
                           : mean(eight) > mean(two)              ? more
                                                                  : less;
      append(where, size);
    }
    const auto clause = [](const std::string& what, const std::string& which) {
      return which.empty() ? "" : " " + what + " with " + which + ".";
    };
    points.push_back("<em>8 fails more often than 2.</em> Of directions, " + radii + "the 8 fails along " + along(8) +
                     ", the 2 along " + along(2) + "." + clause("In every subset more often", more) +
                     clause("In every subset less often", less) + clause("The ranges overlap", unclear) +
                     clause("One model of each, which tells nothing of others,", single) +
                     " Of samples of the prior, which are seldom extreme, fail " + among(8) + " of the 8s and " +
                     among(2) + " of the 2s.");
  }
  if (const json* three = study.real_of(3)) {
    std::string worse;
    const double floor = three->at("recognized").at("low");
    for (const std::string& size : study.sizes()) {
      const std::vector<const json*>& models = study.find(3, size, "plain")->models;
      if (std::any_of(models.begin(), models.end(), [&](const json* model) {
            return model->at("prior").at("recognized").at("high").get<double>() < floor;
          })) {
        append(worse, size);
      }
    }
    points.push_back("<em>3 is recognized well.</em> Of its samples fail " + among(3) + "; of real held-out ones " +
                     percent(1 - rate(three->at("recognized"))) + ": " +
                     (three->at("recognized").at("of") < figures::kFewHeldOut ? "too few of these to compare with."
                      : worse.empty()                                         ? "not clearly worse than real ones."
                                                                              : "clearly worse with " + worse + ".") +
                     " Of directions, " + radii + "it fails along " + along(3) + ".");
  }
  if (study.sizes().size() > 1) {
    std::string most;
    double largest_share = -1;
    const auto extreme_of_all = [&](const std::string& size) {
      Numbers shares;
      for (const json& real : study.metrics().at("real")) shares.push_back(mean(extreme(real.at("digit"), size)));
      return mean(shares);
    };
    bool only_few = true, only_extreme = true;
    Index at_mean = 0;
    for (const std::string& size : study.sizes()) {
      if (extreme_of_all(size) > largest_share) largest_share = extreme_of_all(size), most = size;
      only_few = only_few && (size == study.smallest() || extreme_of_all(size) == 0);
    }
    const std::string within = by_size([&](const std::string& size) {
      Index count = 0, of = 0;
      for (const json& real : study.metrics().at("real")) {
        const Group& g = *study.find(real.at("digit"), size, "plain");
        const json one = g.pooled("/extremes/inside");
        at_mean += failing_at_mean(g.models);
        count += one.at("count").get<Index>();
        of += one.at("of").get<Index>();
      }
      only_extreme = only_extreme && count == 0;
      return percent(static_cast<double>(count) / static_cast<double>(of));
    });
    const std::string examples = study.smallest() + " examples";
    points.push_back("<em>Failures occur only with " + examples +
                     ", and only where latents are extreme.</em> Of directions, all digits together, " + radii +
                     "fail " + by_size([&](const std::string& size) { return percent(extreme_of_all(size)); }) +
                     (largest_share <= 0 ? ": none."
                      : only_few         ? ": only with " + examples + "."
                                         : ": not only with " + examples + "; most with " + most + ".") +
                     " Within the 95% radius, where latents are not extreme, fail " + within +
                     (only_extreme ? ": none, only extreme latents fail." : ": not only extreme latents fail.") +
                     (at_mean == 0
                          ? ""
                          : " (Of " + std::to_string(at_mean) +
                                " models the image at the mean itself fails, which counts for all directions.)"));
  }
  return points;
}

}  // namespace

void add_extremes(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.section("Extreme latents");
  page.paragraph(
      "From the prior's mean along " +
      std::to_string(study.groups().front().first().at("extremes").at("inside").at("of").get<Index>()) +
      " random directions: the radius at which the classifier first sees another digit. A failure within the "
      "radius that holds 95% of the prior (" +
      number(prior_radius(2), 2) +
      " for two latents) is the model's fault, one beyond it is to be expected. Of several "
      "subsets all directions together, but for the share within that radius: mean and range.");
  std::vector<std::vector<std::string>> rows;
  for (const Group& g : study.groups()) {
    const json& e = g.first().at("extremes");
    const Numbers first = first_failures(g.models);
    const auto quantile = [&](double share) {
      const double r = first[static_cast<std::size_t>(share * static_cast<double>(first.size() - 1))];
      return std::isfinite(r) ? number(r, 1) : "&gt; " + number(e.at("reach"), 1);
    };
    rows.push_back({g.title(), escaped(g.recipe), number(e.at("limit"), 2), quantile(0.5), quantile(0.05),
                    inside_text(g), percent(failing(first, kExtreme * e.at("limit").get<double>()))});
  }
  page.add(table({"digit, images", "recipe", "95% radius", "median of failure", "5th percentile",
                  "fail within the 95% radius", "within three of it"},
                 rows, 2));
  page.note(
      "With many latents nearly all of the prior lies far from its mean, and the image at the mean itself is no "
      "typical one: there a radius of 0 says less than with two.");
  for_each_digit(page, study, [&](const json& real) {
    const int digit = real.at("digit");
    LinePlot plot{.title = "Recognition over the radius",
                  .x_label = "distance from the prior's mean (standard deviations)",
                  .y_label = "recognized (%)",
                  .series = {},
                  .x_references = {{"95% of the prior", study.groups().front().first().at("extremes").at("limit")}},
                  .y_percent = true};
    int color = 0;
    json failures = json::array();
    for (const std::string& size : study.sizes()) {
      const Group* g = study.find(digit, size, "plain");
      if (g == nullptr) continue;
      const json& e = g->first().at("extremes");
      Numbers rates;
      for (std::size_t k = 0; k < e.at("radius").size(); ++k) {
        rates.push_back(rate(g->pooled("/extremes/recognized/" + std::to_string(k))));
      }
      plot.series.push_back({size + " images", e.at("radius").get<Numbers>(), rates, color++, false});
      if (e.contains("strip")) {
        json strip = e.at("strip");
        strip["name"] = "first failures, " + size;
        failures.push_back(strip);
      }
    }
    page.add(figure(plot, "Plain recipe. Share of the directions whose image at this radius is recognized."));
    if (!failures.empty()) page.add(strips_html(folder, failures));
  });
}

void add_verdicts(Page& page, const StudyFigures& study) {
  page.section("What the classifier sees");
  std::vector<std::vector<std::string>> rows;
  for (const Group& g : study.groups()) {
    const json* real = study.real_of(g.digit);
    std::vector<Index> taken(10, 0);
    for (const json* model : g.models) {
      const std::vector<Index> one = model->at("prior").at("taken_for");
      for (std::size_t i = 0; i < one.size(); ++i) taken[i] += one[i];
    }
    taken[static_cast<std::size_t>(g.digit)] = 0;
    std::string others;
    for (int k = 0; k < 3; ++k) {
      const auto most = std::max_element(taken.begin(), taken.end());
      if (*most == 0) break;
      append(others, std::to_string(most - taken.begin()) + " (" + thousands(*most) + ")");
      *most = 0;
    }
    rows.push_back({g.title(), escaped(g.recipe), g.rate_at("/prior/recognized"),
                    g.first().contains("posterior") ? g.rate_at("/posterior/recognized") : "&ndash;",
                    rate_text(real->at("recognized")), others.empty() ? "&ndash;" : others,
                    number(mean(g.negative_elbo("elbo")), 0)});
  }
  page.add(table({"digit, images", "recipe", "prior", "posteriors", "real, held out", "else", "&minus;ELBO"}, rows, 2));
  page.note(
      "Recognized as the digit: samples of the prior, of the posteriors of (distorted) training images, and real "
      "digits, the ceiling; <em>else</em>: what the others of the prior are taken for, and how often. Of several "
      "subsets mean and range; elsewhere the interval is Wilson's, at 95%. Recognition alone misleads: a model that "
      "has ten images by heart draws digits that are "
      "recognized, and its held-out &minus;ELBO, beside them, says how little it knows of others.");
  page.heading("By distance from the prior's mean");
  rows.clear();
  for (const Group& g : study.groups()) {
    std::vector<std::string> row = {g.title(), escaped(g.recipe)};
    for (int k = 0; k < 4; ++k) {
      row.push_back(rate_of_bin(g, k));
    }
    row.push_back(percent(rate(study.real_of(g.digit)->at("recognized"))));
    rows.push_back(row);
  }
  page.add(table({"digit, images", "recipe", "up to 1", "1 to 2", "2 to the 95% radius", "beyond", "real"}, rows, 2));
  page.note(
      "The same samples of the prior, recognized; real digits beside them. With many latents none lie near the "
      "mean.");
  page.heading("The original report's claims");
  page.note("Of the plain recipe, which is the original report's.");
  page.list(claims(study));
}

}  // namespace augment
