// The report: one HTML file, made of nothing but metrics.json and the pictures of the run folder, and of OUT/benefit.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <functional>

#include "../common/html.hpp"
#include "../common/plot.hpp"
#include "augment.hpp"

namespace augment {

using namespace report;
using figures::rate, figures::rate_text, figures::strips_html;

namespace {

using Numbers = std::vector<double>;

double mean(const Numbers& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// "162.1 (158.3 to 166.0)": the mean over subsets, and their range.
std::string spread(const Numbers& values, int decimals, const std::string& unit = "") {
  if (values.empty()) return "&ndash;";
  const std::string text = number(mean(values), decimals) + unit;
  if (values.size() == 1) return text;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return text + " <span class=\"soft range\">(" + number(*low, decimals) + " to " + number(*high, decimals) +
         ")</span>";
}

/// Shares in percent: their mean, and their range.
std::string percents(const Numbers& values) {
  Numbers hundred = values;
  for (double& v : hundred) v *= 100;
  return spread(hundred, 1, "%");
}

/// The models of a digit, a size and a recipe: one for each subset.
struct Group {
  int digit;
  std::string size;    ///< "10", "all"
  std::string recipe;  ///< "plain", "improved"
  std::vector<const json*> models;

  const json& first() const { return *models.front(); }
  Numbers values(const std::function<const json*(const json&)>& get) const {
    Numbers all;
    for (const json* model : models) {
      const json* value = get(*model);
      if (value != nullptr && value->is_number()) all.push_back(value->get<double>());
    }
    return all;
  }
  /// Mean and range, and how many of the models have the figure, if not all.
  std::string spread_at(const std::string& pointer, int decimals) const {
    const Numbers values = at(pointer);
    std::string text = spread(values, decimals);
    if (!values.empty() && values.size() < models.size()) {
      text +=
          " <span class=\"soft\">" + std::to_string(values.size()) + " of " + std::to_string(models.size()) + "</span>";
    }
    return text;
  }
  Numbers at(const std::string& pointer) const {
    const json::json_pointer path(pointer);
    return values([&](const json& model) { return model.contains(path) ? &model.at(path) : nullptr; });
  }
  /// -ELBO of "elbo" or "train_elbo".
  Numbers negative_elbo(const std::string& which) const {
    Numbers sum = at("/" + which + "/reconstruction");
    const Numbers kl = at("/" + which + "/kl");
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += kl[i];
    return sum;
  }
  /// A rate in percent: of one model with its Wilson interval, of several their mean and range (samples of one model
  /// tell nothing of another subset).
  std::string rate_at(const std::string& pointer) const {
    return models.size() == 1 ? rate_text(first().at(json::json_pointer(pointer))) : percents(rates(pointer));
  }
  /// The rate of each model.
  Numbers rates(const std::string& pointer) const {
    Numbers all;
    for (const json* model : models) all.push_back(rate(model->at(json::json_pointer(pointer))));
    return all;
  }
  /// A counted share of all models together.
  json pooled(const std::string& pointer) const {
    Index count = 0, of = 0;
    for (const json* model : models) {
      const json& one = model->at(json::json_pointer(pointer));
      count += one.at("count").get<Index>();
      of += one.at("of").get<Index>();
    }
    return figures::counted(count, of);
  }
};

/// Quantile 0.975 of Student's t distribution with so many degrees of freedom, from 1 to 30; above, that of 30, which
/// is somewhat wider (E. Pearson, H. Hartley, "Biometrika tables for statisticians", 1966).
double student_t(std::size_t degrees) {
  constexpr std::array<double, 30> kTable = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                             2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                             2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  return kTable[std::min(std::max<std::size_t>(degrees, 1), kTable.size()) - 1];
}

/// A mean with half the width of its 95% confidence interval.
struct Estimate {
  double mean, half;
};
Estimate estimate(const Numbers& values) {
  const double m = mean(values), n = static_cast<double>(values.size());
  double squares = 0;
  for (const double v : values) squares += (v - m) * (v - m);
  return {m, n > 1 ? student_t(values.size() - 1) * std::sqrt(squares / (n - 1) / n) : 0};
}
std::string points_text(const Estimate& e) {
  return number(100 * e.mean, 1) + " <span class=\"soft\">&plusmn; " + number(100 * e.half, 1) + "</span>";
}

struct Arm {
  const char* name;
  const char* title;
};
constexpr std::array<Arm, 5> kArms = {{{"real", "real digits only"},
                                       {"affine", "+ distorted (affine, elastic)"},
                                       {"vae", "+ samples of the autoencoder (which has seen distorted digits)"},
                                       {"both", "+ both"},
                                       {"vae-only", "samples of the autoencoder only"}}};

class AugmentReport {
 public:
  /// Either may be null.
  AugmentReport(const json& study, const json& benefit, const run::Folder& folder, const run::Folder& benefit_folder)
      : m(study), b(benefit), folder_(folder), benefit_folder_(benefit_folder) {
    if (m.is_null()) return;
    for (const json& model : m.at("models")) {
      const std::string size = model.at("all") == true ? "all" : std::to_string(model.at("size").get<Index>());
      const auto same = [&](const Group& g) {
        return g.digit == model.at("digit") && g.size == size && g.recipe == model.at("recipe");
      };
      auto found = std::find_if(groups_.begin(), groups_.end(), same);
      if (found == groups_.end()) {
        groups_.push_back({model.at("digit"), size, model.at("recipe"), {}});
        found = groups_.end() - 1;
      }
      found->models.push_back(&model);
      if (std::find(sizes_.begin(), sizes_.end(), size) == sizes_.end()) sizes_.push_back(size);
    }
  }

  std::string html() {
    if (!m.is_null()) {
      overview();
      losses();
      pictures();
      extremes();
      verdicts();
      diversity();
    }
    if (!b.is_null()) benefit();
    if (!m.is_null()) conclusions();
    return page.html();
  }

 private:
  const json &m, &b;
  const run::Folder &folder_, &benefit_folder_;
  std::vector<Group> groups_;
  std::vector<std::string> sizes_;
  int sections_ = 0;
  static constexpr Index kFewSamples = 20;  ///< of which no rate is told
  Page page{
      "What an autoencoder adds to few examples",
      "Variational autoencoders of single digits, trained and measured with linnet. Held-out figures are of images "
      "that no training saw."};

  void section(const std::string& title) { page.section(std::to_string(++sections_) + ". " + title); }
  const Group* find(int digit, const std::string& size, const std::string& recipe) const {
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
      return g.digit == digit && g.size == size && g.recipe == recipe;
    });
    return found == groups_.end() ? nullptr : &*found;
  }
  const std::string& smallest() const { return sizes_.front(); }
  const std::string& largest() const { return sizes_.back(); }
  static std::string row_name(const Group& g) {
    return std::to_string(g.digit) + ", " +
           (g.size == "all" ? "all " + thousands(g.first().at("size").get<Index>()) : g.size);
  }
  /// What is done for each digit, under a heading.
  template <class Do>
  void for_each_digit(const Do& action) {
    for (const json& real : m.at("real")) {
      page.heading("Digit " + std::to_string(real.at("digit").get<int>()));
      action(real);
    }
  }

  void overview() {
    std::vector<std::pair<std::string, std::string>> tiles;
    for (const json& real : m.at("real")) {
      const int digit = real.at("digit");
      const Group *plain = find(digit, smallest(), "plain"), *improved = find(digit, smallest(), "improved");
      if (plain == nullptr || improved == nullptr) continue;
      tiles.emplace_back(
          number(mean(plain->negative_elbo("elbo")), 0) + " &rarr; " + number(mean(improved->negative_elbo("elbo")), 0),
          "digit " + std::to_string(digit) + ", " + smallest() +
              " examples: held-out &minus;ELBO in nats, plain and improved");
    }
    page.tiles(tiles);
    std::string few;
    for (const json& real : m.at("real")) {
      const Index count = real.at("held_out");
      if (count >= figures::kFewHeldOut) continue;
      few += (few.empty() ? "" : ", ") + std::to_string(count) + " of " + std::to_string(real.at("digit").get<int>());
    }
    if (!few.empty()) {
      page.paragraph(wrong("Few held-out images (" + few + "): the figures below may be chance."));
    }
    if (m.at("config").at("quick") == true) {
      page.paragraph(
          "A first look (<code>--quick</code>): so few epochs that the improved recipe, which learns more "
          "slowly, has hardly begun.");
    }
    section("The networks and the run");
    std::vector<std::vector<std::string>> rows;
    for (const json& recipe : m.at("recipes")) {
      rows.push_back({escaped(recipe.at("title").get<std::string>()), std::to_string(recipe.at("latent").get<Index>()),
                      compact(recipe.at("beta")), std::to_string(recipe.at("epochs").get<Index>()),
                      std::to_string(recipe.at("batch").get<Index>()), compact(recipe.at("lr")) + ", cosine to 0"});
    }
    page.add(table({"recipe", "latents", "beta", "epochs", "batch", "Adam, learning rate"}, rows));
    const Index plain_latents = m.at("recipes")[0].at("latent"), latents = m.at("recipes")[1].at("latent");
    page.paragraph(
        "An epoch is a pass over the images, or 100 batches where a pass is shorter. <em>Plain</em>: images as they "
        "are, as "
        "in the original report (ML-PW-12). <em>Improved</em>: every image is turned, scaled, sheared, shifted and "
        "bent anew "
        "each time" +
        (plain_latents == latents
             ? ""
             : ", and there are " + std::to_string(latents) + " latents instead of " + std::to_string(plain_latents)) +
        ". How many epochs is fixed beforehand; no run is stopped, and none is chosen, by held-out images.");
    page.add("<details><summary>The plain network, layer by layer</summary><pre>" +
             escaped(m.at("summary").get<std::string>()) + "</pre></details>\n");
    const json& c = m.at("classifier");
    const std::string other = c.at("other_training_data");
    page.add(
        "<details><summary>The run</summary>" +
        table({},
              {{"images", figures::images_text(m)},
               {"loss",
                "binary cross-entropy summed over the pixels + beta &middot; KL divergence, mean over the batch, in "
                "nats; &minus;ELBO in this report is that with beta = 1, whatever beta training had"},
               {"classifier", thousands(c.at("parameters").get<Index>()) + " parameters, trained on " +
                                  (other.empty() ? "the training images of all classes" : wrong(escaped(other))) +
                                  "; it judges only, and recognizes " + rate_text(c.at("recognized")) +
                                  " of the held-out digits"},
               {"random subsets", "drawn by number: the same for every recipe"},
               {"seed", std::to_string(m.at("config").at("seed").get<std::uint64_t>())},
               {"version, compiler", figures::version_text(m)},
               {"the same again", "<code>augment study --config config.json --out OTHER</code>"}},
              2) +
        "</details>\n");
    const std::string note = figures::judge_note(c.at("recognized"));
    if (!note.empty()) {
      page.note("The classifier recognizes " + percent(rate(c.at("recognized"))) + " of the held-out digits. " + note);
    }
  }

  /// A plot by epoch with one color for each size, of the sum of the named figures.
  void curve(int digit, const std::string& recipe, const std::string& title, const std::vector<std::string>& own,
             const std::vector<std::string>& held_out) {
    LinePlot plot{
        .title = title, .x_label = "epoch", .y_label = title + " (nats an image)", .series = {}, .x_whole = true};
    int color = 0;
    for (const std::string& size : sizes_) {
      const Group* group = find(digit, size, recipe);
      if (group == nullptr) continue;
      const json& history = group->first().at("history");
      Numbers epochs;
      for (std::size_t e = 1; e <= history.at("loss").size(); ++e) epochs.push_back(static_cast<double>(e));
      const auto values = [&](const std::vector<std::string>& names) {
        Numbers sum(epochs.size(), 0.0);
        for (const std::string& name : names) {
          const Numbers part = history.at(name);
          for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
        }
        return sum;
      };
      plot.series.push_back({size + ", held out", epochs, values(held_out), color, false});
      plot.series.push_back({size + ", training", epochs, values(own), color++, true});
    }
    page.add(figure(plot));
  }

  void losses() {
    section("Loss by epoch and size");
    for (const json& recipe : m.at("recipes")) {
      const bool plain = recipe.at("name") == "plain";
      page.add("<details" + std::string(plain ? " open" : "") + "><summary>" +
               escaped(recipe.at("title").get<std::string>()) + "</summary>\n");
      for_each_digit([&](const json& real) {
        const int digit = real.at("digit");
        const std::string name = recipe.at("name");
        curve(digit, name, "\u2212ELBO", {"reconstruction", "kl"}, {"val_reconstruction", "val_kl"});
        page.add("<details><summary>its two terms: reconstruction and KL divergence</summary>\n");
        curve(digit, name, "reconstruction", {"reconstruction"}, {"val_reconstruction"});
        curve(digit, name, "KL divergence", {"kl"}, {"val_kl"});
        page.add("</details>\n");
      });
      page.add("</details>\n");
    }
    page.note(
        "One line for each number of training images; of several random subsets the first. Of at most 500 training "
        "images, as they are, without distortion, and of at most 500 held-out ones; the table has all.");
    std::vector<std::vector<std::string>> rows;
    for (const Group& g : groups_) {
      const auto terms = [&](const std::string& which) {
        return number(mean(g.at("/" + which + "/reconstruction")), 1) + " + " +
               number(mean(g.at("/" + which + "/kl")), 1);
      };
      rows.push_back({row_name(g), escaped(g.recipe), terms("train_elbo"), spread(g.negative_elbo("train_elbo"), 1),
                      terms("elbo"), "<b>" + spread(g.negative_elbo("elbo"), 1) + "</b>"});
    }
    page.add(table({"digit, images", "recipe", "training: reconstruction + KL", "&minus;ELBO",
                    "held out: reconstruction + KL", "&minus;ELBO"},
                   rows, 2));
    page.note(
        "After the last epoch, in nats an image; mean and range over the random subsets. Training loss alone "
        "misleads: with few images it is low because they are known by heart.");
    constexpr double kCollapsed = 1;  // nats: of the image, the latents tell less than which of three it is
    std::string collapsed;
    for (const Group& g : groups_) {
      if (mean(g.at("/elbo/kl")) < kCollapsed)
        collapsed += (collapsed.empty() ? "" : "; ") + row_name(g) + ", " + g.recipe;
    }
    if (!collapsed.empty()) {
      page.paragraph(wrong("Collapsed, with a KL divergence near 0: " + collapsed +
                           ". Their latents carry next to nothing; more epochs or a smaller --beta help."));
    }
  }

  /// The colors of the ten digits in the frames of latent planes, all of them bright: the tiles are black.
  static constexpr std::array<const char*, 10> kDigitColors = {"#ffffff", "#f0a04b", "#56b4e9", "#3fc79a", "#f0e442",
                                                               "#e39ac7", "#ff6b5e", "#b39df5", "#9be15d", "#c9a27a"};

  /// The latent plane with a frame around each tile in the color of the digit that the classifier sees there; where it
  /// is another than `digit`, that one is written into the tile.
  std::string plane_html(const json& plane, int digit) const {
    const int side = plane.at("side");
    const std::vector<int> verdicts = plane.at("verdicts");
    const Numbers confidence = plane.at("confidence");
    std::string html =
        "<svg viewBox=\"0 0 420 420\" role=\"img\" aria-label=\"latent plane\"><image width=\"420\" "
        "height=\"420\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
        base64(read_file(folder_.file(plane.at("picture")))) + "\"/>\n";
    const double tile = 420.0 / side;
    for (int i = 0; i < side * side; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool right = verdicts[at] == digit;
      const double x = tile * (i % side), y = tile * (i / side);
      const std::string color = kDigitColors[static_cast<std::size_t>(verdicts[at])];
      // Never quite invisible: where the classifier is least sure is what one looks for.
      html += "<rect x=\"" + number(x + 0.8, 1) + "\" y=\"" + number(y + 0.8, 1) + "\" width=\"" +
              number(tile - 1.6, 1) + "\" height=\"" + number(tile - 1.6, 1) +
              "\" style=\"fill:none;stroke-width:1.6;stroke:" + color +
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
  static std::string plane_legend(const std::vector<const json*>& planes) {
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

  void pictures() {
    section("What they draw");
    for_each_digit([&](const json& real) {
      const int digit = real.at("digit");
      json samples = json::array(), posteriors = json::array(), reconstructions = json::array(),
           between = json::array(), traversals = json::array(), others = json::array();
      std::string planes, points;
      std::vector<const json*> all_planes;
      for (const Group& g : groups_) {
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
          planes += "<figure>" + plane_html(p.at("plane"), digit) + "<figcaption>" + name + "</figcaption></figure>\n";
          points += scatter(p.at("points"), name);
        }
        if (g.size == smallest() || g.size == largest()) {
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
      page.add(strips_html(folder_, samples));
      if (!posteriors.empty()) {
        page.paragraph("Samples of the posteriors of distorted training images, as the improved recipe is best used.");
        page.add(strips_html(folder_, posteriors));
      }
      page.paragraph("Held-out digits and their reconstructions, through the means of their latents.");
      page.add(strips_html(folder_, reconstructions));
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
        page.add(strips_html(folder_, traversals));
        page.add("<details><summary>The improved recipe's latents</summary>" + strips_html(folder_, others) +
                 "</details>\n");
      }
      if (!between.empty()) {
        page.paragraph("Between two held-out digits, which stand at the ends, along a straight line of latents.");
        page.add(strips_html(folder_, between));
      }
    });
  }

  static std::string scatter(const json& points, const std::string& name) {
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

  void extremes() {
    section("Extreme latents");
    page.paragraph(
        "From the prior's mean along " +
        std::to_string(groups_.front().first().at("extremes").at("inside").at("of").get<Index>()) +
        " random directions: the radius at which the classifier first sees another digit. A failure within the "
        "radius that holds 95% of the prior (" +
        number(prior_radius(2), 2) +
        " for two latents) is the model's fault, one beyond it is to be expected. Of several "
        "subsets all directions together, but for the share within that radius: mean and range.");
    std::vector<std::vector<std::string>> rows;
    for (const Group& g : groups_) {
      const json& e = g.first().at("extremes");
      const Numbers first = first_failures(g.models);
      const auto quantile = [&](double share) {
        const double r = first[static_cast<std::size_t>(share * static_cast<double>(first.size() - 1))];
        return std::isfinite(r) ? number(r, 1) : "&gt; " + number(e.at("reach"), 1);
      };
      rows.push_back({row_name(g), escaped(g.recipe), number(e.at("limit"), 2), quantile(0.5), quantile(0.05),
                      g.rate_at("/extremes/inside"), percent(failing(first, kExtreme * e.at("limit").get<double>()))});
    }
    page.add(table({"digit, images", "recipe", "95% radius", "median of failure", "5th percentile",
                    "fail within the 95% radius", "within three of it"},
                   rows, 2));
    page.note(
        "With many latents nearly all of the prior lies far from its mean, and the image at the mean itself is no "
        "typical one: there a radius of 0 says less than with two.");
    for_each_digit([&](const json& real) {
      const int digit = real.at("digit");
      LinePlot plot{.title = "Recognition over the radius",
                    .x_label = "distance from the prior's mean (standard deviations)",
                    .y_label = "recognized (%)",
                    .series = {},
                    .x_references = {{"95% of the prior", groups_.front().first().at("extremes").at("limit")}},
                    .y_percent = true};
      int color = 0;
      json failures = json::array();
      for (const std::string& size : sizes_) {
        const Group* g = find(digit, size, "plain");
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
      if (!failures.empty()) page.add(strips_html(folder_, failures));
    });
  }

  /// So many times the radius that holds 95% of the prior is extreme.
  static constexpr double kExtreme = 3;
  /// The radii of first failures of some models together, in order; infinite for a direction that never fails.
  static Numbers first_failures(const std::vector<const json*>& models) {
    Numbers first;
    for (const json* model : models) {
      for (const json& r : model->at("extremes").at("first")) first.push_back(r.is_null() ? INFINITY : r.get<double>());
    }
    std::sort(first.begin(), first.end());
    return first;
  }
  /// The share of them within a radius.
  static double failing(const Numbers& first, double radius) {
    const auto end = std::upper_bound(first.begin(), first.end(), radius);
    return static_cast<double>(end - first.begin()) / static_cast<double>(first.size());
  }

  void verdicts() {
    section("What the classifier sees");
    std::vector<std::vector<std::string>> rows;
    for (const Group& g : groups_) {
      const json* real = real_of(g.digit);
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
        others += (others.empty() ? "" : ", ") + std::to_string(most - taken.begin()) + " (" + thousands(*most) + ")";
        *most = 0;
      }
      rows.push_back({row_name(g), escaped(g.recipe), g.rate_at("/prior/recognized"),
                      g.first().contains("posterior") ? g.rate_at("/posterior/recognized") : "&ndash;",
                      rate_text(real->at("recognized")), others.empty() ? "&ndash;" : others,
                      number(mean(g.negative_elbo("elbo")), 0)});
    }
    page.add(
        table({"digit, images", "recipe", "prior", "posteriors", "real, held out", "else", "&minus;ELBO"}, rows, 2));
    page.note(
        "Recognized as the digit: samples of the prior, of the posteriors of (distorted) training images, and real "
        "digits, the ceiling; <em>else</em>: what the others of the prior are taken for, and how often. Of several "
        "subsets mean and range; elsewhere the interval is Wilson's, at 95%. Recognition alone misleads: a model that "
        "has ten images by heart draws digits that are "
        "recognized, and its held-out &minus;ELBO, beside them, says how little it knows of others.");
    page.heading("By distance from the prior's mean");
    rows.clear();
    for (const Group& g : groups_) {
      std::vector<std::string> row = {row_name(g), escaped(g.recipe)};
      for (int k = 0; k < 4; ++k) {
        const json all = g.pooled("/prior/by_radius/" + std::to_string(k));
        row.push_back(all.at("of") < kFewSamples ? "&ndash;" : rate_text(all));
      }
      row.push_back(percent(rate(real_of(g.digit)->at("recognized"))));
      rows.push_back(row);
    }
    page.add(table({"digit, images", "recipe", "up to 1", "1 to 2", "2 to the 95% radius", "beyond", "real"}, rows, 2));
    page.note(
        "The same samples of the prior, recognized; real digits beside them. With many latents none lie near the "
        "mean.");
    page.heading("The original report's claims");
    std::string list = "<ul>\n";
    for (const std::string& point : claims()) list += "<li>" + point + "</li>\n";
    page.add(list + "</ul>\n");
  }
  const json* real_of(int digit) const {
    for (const json& real : m.at("real")) {
      if (real.at("digit") == digit) return &real;
    }
    return nullptr;
  }

  /// Whether all values of one lie above all of the other.
  static bool apart(const Numbers& a, const Numbers& b) {
    const auto [low_a, high_a] = std::minmax_element(a.begin(), a.end());
    const auto [low_b, high_b] = std::minmax_element(b.begin(), b.end());
    return *low_a > *high_b || *low_b > *high_a;
  }
  /// The shares of samples that are not recognized, one for each subset.
  Numbers failures(int digit, const std::string& size) const {
    Numbers shares = find(digit, size, "plain")->rates("/prior/recognized");
    for (double& share : shares) share = 1 - share;
    return shares;
  }

  std::vector<std::string> claims() const {
    std::vector<std::string> points;
    // The share of directions that fail where latents are extreme, of each subset.
    const auto extreme = [&](int digit, const std::string& size) {
      const Group* g = find(digit, size, "plain");
      Numbers shares;
      for (const json* model : g->models) {
        shares.push_back(failing(first_failures({model}), kExtreme * model->at("extremes").at("limit").get<double>()));
      }
      return shares;
    };
    const auto by_size = [&](const std::function<std::string(const std::string&)>& of_size) {
      std::string text;
      for (const std::string& size : sizes_) text += (text.empty() ? "" : ", ") + of_size(size) + " with " + size;
      return text;
    };
    const auto among = [&](int digit) {
      return by_size([&](const std::string& size) { return percents(failures(digit, size)); });
    };
    const auto along = [&](int digit) {
      return by_size([&](const std::string& size) { return percents(extreme(digit, size)); });
    };
    const std::string radii = "out to three times the 95% radius, ";
    if (real_of(8) != nullptr && real_of(2) != nullptr) {
      std::string more, less, unclear, single;
      for (const std::string& size : sizes_) {
        const Numbers two = extreme(2, size), eight = extreme(8, size);
        std::string& where = std::min(two.size(), eight.size()) < 2 ? single
                             : !apart(two, eight)                   ? unclear
                             : mean(eight) > mean(two)              ? more
                                                                    : less;
        where += (where.empty() ? "" : ", ") + size;
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
    if (const json* three = real_of(3)) {
      std::string worse;
      const double floor = three->at("recognized").at("low");
      for (const std::string& size : sizes_) {
        const std::vector<const json*>& models = find(3, size, "plain")->models;
        if (std::any_of(models.begin(), models.end(), [&](const json* model) {
              return model->at("prior").at("recognized").at("high").get<double>() < floor;
            })) {
          worse += (worse.empty() ? "" : ", ") + size;
        }
      }
      points.push_back("<em>3 is recognized well.</em> Of its samples fail " + among(3) + "; of real held-out ones " +
                       percent(1 - rate(three->at("recognized"))) + ": " +
                       (three->at("recognized").at("of") < figures::kFewHeldOut ? "too few of these to compare with."
                        : worse.empty()                                         ? "as well as real ones."
                                        : "in some subset not as well with " + worse + ".") +
                       " Of directions, " + radii + "it fails along " + along(3) + ".");
    }
    if (sizes_.size() > 1) {
      bool only_few = true, only_extreme = true;
      std::string most;
      double largest_share = -1;
      const auto extreme_of_all = [&](const std::string& size) {
        Numbers shares;
        for (const json& real : m.at("real")) shares.push_back(mean(extreme(real.at("digit"), size)));
        return mean(shares);
      };
      for (const std::string& size : sizes_) {
        if (extreme_of_all(size) > largest_share) largest_share = extreme_of_all(size), most = size;
      }
      const std::string within = by_size([&](const std::string& size) {
        Index count = 0, of = 0;
        for (const json& real : m.at("real")) {
          const json one = find(real.at("digit"), size, "plain")->pooled("/extremes/inside");
          count += one.at("count").get<Index>();
          of += one.at("of").get<Index>();
        }
        only_few = only_few && (size == smallest() || count == 0);
        only_extreme = only_extreme && count == 0;
        return percent(static_cast<double>(count) / static_cast<double>(of));
      });
      points.push_back(
          "<em>Failures occur only with " + smallest() +
          " examples, and only where latents are extreme.</em> Directions that fail within the 95% radius, "
          "all digits together: " +
          within + ". " +
          (only_extreme ? "None: only extreme latents fail."
           : only_few   ? "Only with the fewest examples, but there within the prior, not only at extremes."
                        : "Not only with the fewest examples, and not only at extremes.") +
          " And extreme latents, " + radii + "fail along " +
          by_size([&](const std::string& size) { return percent(extreme_of_all(size)); }) +
          (largest_share > 0 ? ", most with " + most + "." : "."));
    }
    return points;
  }

  void diversity() {
    section("Diversity and memory");
    const auto of = [&](const json& d, const char* key, int decimals) {
      return d.is_null() || d.at(key).is_null() ? std::string("&ndash;") : number(d.at(key), decimals);
    };
    for_each_digit([&](const json& real) {
      std::vector<std::vector<std::string>> rows;
      const auto line = [&](const std::string& what, const json& d, const json& scores) {
        rows.push_back({what, of(d, "pixel_distance", 2), of(d, "dissimilarity", 3), of(d, "vendi", 2),
                        scores.contains("density") ? number(scores.at("density"), 2) : "&ndash;",
                        scores.contains("coverage") ? number(scores.at("coverage"), 2) : "&ndash;",
                        scores.contains("feature_distance") ? number(scores.at("feature_distance"), 1) : "&ndash;"});
      };
      line("<b>real, held out</b>", real.at("diversity"), real);
      line("uniform noise", real.at("noise"), json::object());
      for (const Group& g : groups_) {
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
          rows.push_back(
              {"<span class=\"soft\">" + std::to_string(counted) + " of " + g.size + " training images</span>",
               g.spread_at("/own_diversity/pixel_distance", 2), g.spread_at("/own_diversity/dissimilarity", 3),
               g.spread_at("/own_diversity/vendi", 2), "&ndash;", "&ndash;", "&ndash;"});
        }
      }
      page.add(table(
          {"images", "pixel distance", "1 &minus; SSIM", "Vendi score", "density", "coverage", "feature distance"},
          rows));
    });
    std::string counts, wins;
    for (const json& real : m.at("real")) {
      const json &d = real.at("diversity"), &noise = real.at("noise");
      if (d.is_null()) continue;
      counts = std::to_string(d.at("count").get<Index>());
      const bool won =
          noise.at("pixel_distance") > d.at("pixel_distance") && noise.at("dissimilarity") > d.at("dissimilarity");
      wins += std::string(wins.empty() ? "" : ", ") + std::to_string(real.at("digit").get<int>()) +
              (won ? ": yes" : ": no");
    }
    page.note(
        "Pixel distance (the original report's idea) and 1 &minus; SSIM: means over all pairs. Vendi score: the "
        "effective number of different images, cosine kernel on pixels. " +
        (counts.empty() ? std::string("There are too few held-out images for any of the three. ")
                        : "All three are of " + counts +
                              " images (of the training images up to as many), of synthetic ones the first that are "
                              "recognized; where there are fewer, no figure, since scores depend on the count. Does "
                              "uniform noise beat real digits by the "
                              "first two (" +
                              wins + ")? They measure difference, not diversity of digits. ") +
        "Density and coverage (k = 5, in pixel space) and the "
        "Frechet distance of the classifier's last but one layer (not FID) compare equal numbers of images (" +
        std::to_string(m.at("real")[0].at("compared").get<Index>()) +
        ") with one half of the held-out digits; in the first line those are the other half. Smooth images lie near "
        "many: a coverage or a density above the first line's says so, and is no merit.");
    page.heading("Memory");
    std::vector<std::vector<std::string>> rows;
    for (const Group& g : groups_) {
      for (const std::string which : {"prior", "posterior"}) {
        const Numbers samples = g.at("/" + which + "/nearest"), held_out = g.at("/held_out_nearest");
        if (samples.empty()) continue;
        rows.push_back({row_name(g), escaped(g.recipe) + (which == "prior" ? "" : ", posteriors"), spread(samples, 2),
                        spread(held_out, 2), number(mean(samples) / mean(held_out), 2)});
      }
    }
    page.add(table({"digit, images", "recipe", "from samples", "from held-out digits", "ratio"}, rows, 2));
    page.note(
        "The median distance, in pixel space, to the nearest training image. A ratio far below 1 "
        "means copies. Smooth images are nearer to everything than sharp ones, so somewhat below 1 is no proof.");
    for_each_digit([&](const json& real) {
      json strips = json::array();
      for (const std::string& size : sizes_) {
        if (size != smallest() && size != largest()) continue;
        const Group* g = find(real.at("digit"), size, "plain");
        if (g == nullptr || !g->first().contains("pictures")) continue;
        for (json strip : g->first().at("pictures").at("nearest")) {
          strip["name"] = strip.at("name").get<std::string>() + ", " + size;
          strips.push_back(strip);
        }
      }
      page.add(strips_html(folder_, strips));
    });
    page.note("The samples that lie nearest to a training image, that image below, and the distance.");
  }

  Numbers accuracies(Index n, const std::string& arm) const {
    Numbers values;
    for (const json& e : b.at("experiments")) {
      if (e.at("samples") == n) values.push_back(e.at("accuracy").at(arm));
    }
    return values;
  }
  Estimate difference(Index n, const std::string& arm, const std::string& base) const {
    Numbers a = accuracies(n, arm);
    const Numbers other = accuracies(n, base);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] -= other[i];
    return estimate(a);
  }
  /// `beyond`: both against distorted digits, which is what counts: the autoencoder has learned from distorted digits
  /// itself, so its samples carry some of what distortion gives.
  static std::string verdict(const Estimate& vae, const Estimate& affine, const Estimate& beyond) {
    const auto more = [](const Estimate& e) { return e.mean - e.half > 0; };
    const auto less = [](const Estimate& e) { return e.mean + e.half < 0; };
    const auto alone = [&](const Estimate& e) {
      return more(e) ? "help" : less(e) ? "hurt" : "change nothing that the intervals bear out";
    };
    if (more(beyond)) return "it helps, beyond what distorted images do";
    const std::string both = std::string("samples alone ") + alone(vae) + ", distorted images alone " + alone(affine);
    return both +
           (less(beyond) ? ", and beside distorted images samples hurt"
                         : ", and samples add nothing to distorted images") +
           (more(affine) ? ": distortion is enough" : "");
  }

  static std::string capital(std::string text) {
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return text;
  }
  /// Whether the experiment has too few images to be tested on for a verdict: for each class so few as for a digit.
  bool few_tested() const {
    return b.at("data").at("held_out").get<Index>() < figures::kFewHeldOut * classifier::kClasses;
  }
  std::string benefit_verdict(Index n) const {
    if (few_tested()) return "too few held-out images to tell";
    return verdict(difference(n, "vae", "real"), difference(n, "affine", "real"), difference(n, "both", "affine"));
  }

  void benefit() {
    section("Does it help?");
    const json& config = b.at("config");
    const auto seeds = config.at("seeds").get<std::size_t>();
    const std::size_t done = b.at("experiments").size(), planned = seeds * config.at("samples").size();
    if (done < planned) {
      page.paragraph(wrong("Not finished: " + std::to_string(done) + " of " + std::to_string(planned) +
                           " experiments. <code>augment benefit --resume</code> goes on."));
    }
    if (few_tested()) {
      page.paragraph(wrong("Few held-out images (" + std::to_string(b.at("data").at("held_out").get<Index>()) +
                           "): the figures below may be chance, and bear no verdict."));
    }
    if (!m.is_null() && m.at("data").at("crc32") != b.at("data").at("crc32")) {
      page.paragraph(wrong("Of other images than the rest of this report: " +
                           escaped(b.at("data").at("origin").get<std::string>()) + "."));
    }
    page.paragraph(
        "Classifiers of all ten digits, trained on few real ones of each class, " + std::to_string(seeds) +
        " random subsets, " + std::to_string(config.at("steps").get<Index>()) +
        " steps of 64 images for every one of them; accuracy on " +
        thousands(b.at("data").at("held_out").get<Index>()) +
        " held-out digits, mean and 95% confidence interval (Student's t). The autoencoder learns from the "
        "same few digits, "
        "distorted; its samples are drawn from their posteriors, and filtered by the classifier of the second "
        "line: nothing has "
        "seen more than the few.");
    std::vector<std::string> head = {"trained on"};
    for (const json& n : config.at("samples")) head.push_back(std::to_string(n.get<Index>()) + " of each (%)");
    std::vector<std::vector<std::string>> rows;
    for (const Arm& arm : kArms) {
      std::vector<std::string> row = {arm.title};
      for (const json& n : config.at("samples")) {
        const Numbers values = accuracies(n, arm.name);
        row.push_back(values.empty() ? "&ndash;" : points_text(estimate(values)));
      }
      rows.push_back(row);
    }
    page.add(table(head, rows));
    json strips = json::array();
    for (const json& e : b.at("experiments")) {
      if (e.contains("strip")) strips.push_back(e.at("strip"));
    }
    if (!strips.empty()) {
      page.paragraph("Synthetic digits of the first subset, of each class the median by the filter's confidence.");
      page.add(strips_html(benefit_folder_, strips));
    }
    std::string list = "<ul>\n";
    for (const json& n : config.at("samples")) {
      if (accuracies(n, "real").size() < seeds) continue;
      Index least = std::numeric_limits<Index>::max(), most = 0;
      for (const json& e : b.at("experiments")) {
        for (const json& kept : e.at("synthetic")) {
          if (e.at("samples") != n) continue;
          least = std::min(least, kept.get<Index>());
          most = std::max(most, kept.get<Index>());
        }
      }
      const Estimate vae = difference(n, "vae", "real"), affine = difference(n, "affine", "real"),
                     beyond = difference(n, "both", "affine");
      list += "<li>" + std::to_string(n.get<Index>()) + " of each: <b>" + benefit_verdict(n) +
              "</b>. Paired differences in points: samples against real digits only " + points_text(vae) +
              ", distorted against real only " + points_text(affine) + ", both against distorted " +
              points_text(beyond) + ". The filter kept " + thousands(least) + " to " + thousands(most) +
              " different samples of a class; they are repeated, so that all classes with any are as frequent.</li>\n";
    }
    page.add(list + "</ul>\n");
  }

  /// One sentence for each question, with the figures of every digit.
  void conclusions() {
    section("Conclusions");
    std::string list = "<ul>\n";
    const auto add = [&](const std::string& text) { list += "<li>" + text + "</li>\n"; };
    // "2: 463 and 162; 3: 428 and 148", for digits that have all that is asked for.
    const auto by_digit = [&](const std::function<std::string(const json& real)>& of_digit) {
      std::string text;
      for (const json& real : m.at("real")) {
        const std::string one = of_digit(real);
        if (one.empty()) continue;
        text += (text.empty() ? "" : "; ") + std::to_string(real.at("digit").get<int>()) + ": " + one;
      }
      return text;
    };
    const auto plain = [&](const json& real, const std::string& size) -> const Group& {
      return *find(real.at("digit"), size, "plain");
    };
    const auto improved = [&](const json& real, const std::string& size) -> const Group& {
      return *find(real.at("digit"), size, "improved");
    };
    const auto loss = [](const Group& g, const char* which) { return mean(g.negative_elbo(which)); };
    const bool several = sizes_.size() > 1;
    const std::string from_to = several ? "with " + smallest() + " and with " + largest() : "with " + smallest();
    const auto both = [&](const std::function<std::string(const std::string& size)>& of_size) {
      return several ? of_size(smallest()) + " and " + of_size(largest()) : of_size(smallest());
    };
    add("Loss. Plain recipe, in nats, training images " + from_to + ": " + by_digit([&](const json& real) {
          return both([&](const std::string& size) { return number(loss(plain(real, size), "train_elbo"), 0); });
        }) +
        "; held-out images: " + by_digit([&](const json& real) {
          return both([&](const std::string& size) { return number(loss(plain(real, size), "elbo"), 0); });
        }) +
        ".");
    add("The improved recipe, held out, " + from_to + ": " + by_digit([&](const json& real) {
          return both([&](const std::string& size) { return number(loss(improved(real, size), "elbo"), 0); });
        }) +
        (several ? ". " + better_than_all() : "."));
    add("Memory. Distance of the plain model's samples from the nearest training image, beside that of held-out "
        "digits, "
        "with " +
        smallest() + " examples: " + by_digit([&](const json& real) {
          const Group& g = plain(real, smallest());
          return number(mean(g.at("/prior/nearest")), 1) + " beside " + number(mean(g.at("/held_out_nearest")), 1);
        }) +
        "; recognized are " + by_digit([&](const json& real) {
          return percent(mean(plain(real, smallest()).rates("/prior/recognized"))) + " (real digits " +
                 percent(rate(real.at("recognized"))) + ")";
        }) +
        ".");
    add("Recognition with " + largest() + (largest() == "all" ? " images" : " examples") +
        ", plain recipe, and as a share of the classifier's rate on real digits: " + by_digit([&](const json& real) {
          const double rate_of_samples = mean(plain(real, largest()).rates("/prior/recognized"));
          const double rate_of_real = rate(real.at("recognized"));
          return percent(rate_of_samples, 2) +
                 (rate_of_real > 0 ? ", " + percent(rate_of_samples / rate_of_real, 2) : "");
        }) +
        ".");
    const auto figures_of = [&](const json& real, const char* pointer, int decimals) {
      const Numbers few = plain(real, smallest()).at(pointer), all = plain(real, largest()).at(pointer);
      return few.empty() || all.empty() ? std::string()
                                        : number(mean(few), decimals) + " and " + number(mean(all), decimals);
    };
    const std::string vendi = by_digit([&](const json& real) { return figures_of(real, "/prior/diversity/vendi", 1); });
    const std::string coverage = by_digit([&](const json& real) { return figures_of(real, "/prior/coverage", 2); });
    if (several && !vendi.empty()) {
      add("Diversity. The original report says that it is the same for every size. Vendi score of the plain model's "
          "samples " +
          from_to + ": " + vendi + (coverage.empty() ? "" : "; coverage of held-out digits: " + coverage) +
          ". Vendi score of real digits: " + by_digit([&](const json& real) {
            const json& d = real.at("diversity");
            return d.is_null() || d.at("vendi").is_null() ? std::string() : number(d.at("vendi"), 1);
          }) +
          ".");
    }
    if (!b.is_null() && m.at("data").at("crc32") == b.at("data").at("crc32")) {
      for (const json& n : b.at("config").at("samples")) {
        if (accuracies(n, "real").size() < b.at("config").at("seeds").get<std::size_t>()) continue;
        add("Do synthetic digits help a classifier of " + std::to_string(n.get<Index>()) + " digits of each class? " +
            capital(benefit_verdict(n)) + ".");
      }
    }
    page.add(list + "</ul>\n");
  }
  /// For which digits the improved recipe with the fewest images beats the plain one with the most.
  std::string better_than_all() const {
    std::string better;
    for (const json& real : m.at("real")) {
      const int digit = real.at("digit");
      if (mean(find(digit, smallest(), "improved")->negative_elbo("elbo")) <
          mean(find(digit, largest(), "plain")->negative_elbo("elbo"))) {
        better += (better.empty() ? "" : ", ") + std::to_string(digit);
      }
    }
    return "With " + smallest() + " it is better than the plain recipe with " + largest() + " for " +
           (better.empty() ? "no digit." : better + ".");
  }
};

}  // namespace

void require_place_for_report(const std::string& path) {
  const run::Folder folder(path);
  const bool of_study = folder.has("config.json"), of_benefit = folder.has("benefit/config.json");
  if (of_study ? folder.program() != kProgram || folder.command() != "study"
               : folder.has("report.html") && !of_benefit) {
    throw FileError(path +
                    ": expected the folder of a study, or a new one, for the report; there is something else in it");
  }
}

void write_report(const std::string& path) {
  namespace fs = std::filesystem;
  const run::Folder folder(path), benefit_folder((fs::path(path) / "benefit").string());
  // One of the two is enough; without either, the study's folder is what tells why.
  const json benefit = benefit_folder.has("metrics.json") ? benefit_folder.metrics(kProgram) : json(nullptr);
  const json study = folder.has("metrics.json") || benefit.is_null() ? folder.metrics(kProgram) : json(nullptr);
  if (!study.is_null() && !study.contains("models")) {
    throw FormatError(folder.file("metrics.json") + ": expected the figures of a study; `augment train` has no report");
  }
  try {
    write_file(folder.file("report.html"), AugmentReport(study, benefit, folder, benefit_folder).html());
  } catch (const json::exception& problem) {
    throw FormatError(path + ": not the figures of a study by linnet " LINNET_VERSION_STRING " (" + problem.what() +
                      ")");
  }
}

}  // namespace augment
