// The experiment of `augment benefit` and its section of the report: whether synthetic digits help a classifier.
#include <algorithm>
#include <array>
#include <limits>

#include "report.hpp"

namespace augment {

namespace {

Estimate estimate(const Numbers& values) {
  if (values.size() < 2) return {mean(values), 0};
  const Interval interval = mean_interval(values);
  return {mean(values), (interval.high - interval.low) / 2};
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

}  // namespace

bool BenefitFigures::few_tested() const {
  return metrics_.at("data").at("held_out").get<Index>() < figures::kFewHeldOut * classifier::kClasses;
}
Numbers BenefitFigures::accuracies(Index n, const std::string& arm) const {
  Numbers values;
  for (const json& e : metrics_.at("experiments")) {
    if (e.at("samples") == n) values.push_back(e.at("accuracy").at(arm));
  }
  return values;
}
BenefitFigures::Differences BenefitFigures::differences(Index n) const {
  const auto difference = [&](const std::string& arm, const std::string& base) {
    Numbers a = accuracies(n, arm);
    const Numbers other = accuracies(n, base);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] -= other[i];
    return estimate(a);
  };
  return {
      .vae = difference("vae", "real"), .affine = difference("affine", "real"), .beyond = difference("both", "affine")};
}
std::string BenefitFigures::verdict(Index n) const {
  if (few_tested()) return "too few held-out images to tell";
  const Differences d = differences(n);
  const auto more = [](const Estimate& e) { return e.mean - e.half > 0; };
  const auto less = [](const Estimate& e) { return e.mean + e.half < 0; };
  const auto alone = [&](const Estimate& e) {
    return more(e) ? "help" : less(e) ? "hurt" : "change nothing that the intervals bear out";
  };
  if (more(d.beyond)) return "it helps, beyond what distorted images do";
  const std::string both = std::string("samples alone ") + alone(d.vae) + ", distorted images alone " + alone(d.affine);
  return both +
         (less(d.beyond) ? ", and beside distorted images samples hurt"
                         : ", and beside distorted images samples change nothing that the intervals bear out") +
         (more(d.affine) ? ": distortion is enough" : "");
}

void add_benefit(Page& page, const BenefitFigures& benefit, const StudyFigures* study, const run::Folder& folder) {
  page.section("Does it help?");
  const json &b = benefit.metrics(), &config = b.at("config");
  const std::size_t seeds = benefit.seeds();
  const std::size_t done = b.at("experiments").size(), planned = seeds * benefit.sizes().size();
  if (done < planned) {
    page.paragraph(wrong("Not finished: " + std::to_string(done) + " of " + std::to_string(planned) +
                         " experiments. <code>augment benefit --resume</code> goes on."));
  }
  if (benefit.few_tested()) {
    page.paragraph(wrong("Few held-out images (" + std::to_string(b.at("data").at("held_out").get<Index>()) +
                         "): the figures below may be chance, and bear no verdict."));
  }
  constexpr std::size_t kFewSeeds = 5;
  if (seeds < kFewSeeds) {
    page.paragraph(
        wrong("Few random subsets (" + std::to_string(seeds) + "): the intervals are wide, and tell little."));
  }
  if (study != nullptr && study->metrics().at("data").at("crc32") != b.at("data").at("crc32")) {
    page.paragraph(wrong("Of other images than the rest of this report: " +
                         escaped(b.at("data").at("origin").get<std::string>()) + "."));
  }
  page.paragraph("Classifiers of all ten digits, trained on few real ones of each class, " + std::to_string(seeds) +
                 " random subsets, " + std::to_string(config.at("steps").get<Index>()) +
                 " steps of 64 images for every one of them; accuracy on " +
                 thousands(b.at("data").at("held_out").get<Index>()) +
                 " held-out digits, mean and 95% confidence interval (Student's t). The autoencoder learns from the "
                 "same few digits, "
                 "distorted; its samples are drawn from their posteriors, and filtered by the classifier of the second "
                 "line: nothing has "
                 "seen more than the few.");
  std::vector<std::string> head = {"trained on"};
  for (const Index n : benefit.sizes()) head.push_back(std::to_string(n) + " of each (%)");
  std::vector<std::vector<std::string>> rows;
  for (const Arm& arm : kArms) {
    std::vector<std::string> row = {arm.title};
    for (const Index n : benefit.sizes()) {
      const Numbers values = benefit.accuracies(n, arm.name);
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
    page.add(strips_html(folder, strips));
  }
  std::vector<std::string> points;
  for (const Index n : benefit.sizes()) {
    if (!benefit.finished(n)) continue;
    Index least = std::numeric_limits<Index>::max(), most = 0;
    for (const json& e : b.at("experiments")) {
      for (const json& kept : e.at("synthetic")) {
        if (e.at("samples") != n) continue;
        least = std::min(least, kept.get<Index>());
        most = std::max(most, kept.get<Index>());
      }
    }
    const BenefitFigures::Differences d = benefit.differences(n);
    points.push_back(std::to_string(n) + " of each: <b>" + benefit.verdict(n) +
                     "</b>. Paired differences in points: samples against real digits only " + points_text(d.vae) +
                     ", distorted against real only " + points_text(d.affine) + ", both against distorted " +
                     points_text(d.beyond) + ". The filter kept " + thousands(least) + " to " + thousands(most) +
                     " different samples of a class; they are repeated, so that all classes with any are as frequent.");
  }
  page.list(points);
}

}  // namespace augment
