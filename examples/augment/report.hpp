// What the sections of the report have in common: the figures of a study and of an experiment, as metrics.json has them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../common/html.hpp"
#include "augment.hpp"

namespace augment {

using namespace report;
using figures::rate, figures::rate_text, figures::strips_html;

using Numbers = std::vector<double>;

double mean(const Numbers& values);
/// "162.1 (158.3 to 166.0)": the mean over subsets, and their range.
std::string spread(const Numbers& values, int decimals, const std::string& unit = "");
/// Shares in percent: their mean, and their range.
std::string percents(const Numbers& values);

/// Whether all values of one lie above all of the other.
bool apart(const Numbers& a, const Numbers& b);

/// A mean with half the width of its 95% confidence interval.
struct Estimate {
  double mean, half;
};

/// The models of a digit, a size and a recipe: one for each subset.
struct Group {
  int digit;
  std::string size;    ///< "10", "all"
  std::string recipe;  ///< "plain", "improved"
  std::vector<const json*> models;

  const json& first() const { return *models.front(); }
  /// "2, 10", "2, all 5,958": digit and number of images.
  std::string title() const;
  /// A figure of every model that has it.
  Numbers at(const std::string& pointer) const;
  /// Mean and range, and how many of the models have the figure, if not all.
  std::string spread_at(const std::string& pointer, int decimals) const;
  /// -ELBO of "elbo" or "train_elbo".
  Numbers negative_elbo(const std::string& which) const;
  /// The rate of each model.
  Numbers rates(const std::string& pointer) const;
  /// A rate in percent: of one model with its Wilson interval, of several their mean and range (samples of one model
  /// tell nothing of another subset).
  std::string rate_at(const std::string& pointer) const;
  /// A counted share of all models together.
  json pooled(const std::string& pointer) const;
  /// Whether the latents tell next to nothing: less, in nats, than which of three an image is.
  bool collapsed() const { return mean(at("/elbo/kl")) < 1; }
};

/// A study: its models in groups, by digit, size and recipe.
class StudyFigures {
 public:
  explicit StudyFigures(json metrics);
  StudyFigures(const StudyFigures&) = delete;  // groups point into the metrics
  StudyFigures& operator=(const StudyFigures&) = delete;

  const json& metrics() const { return metrics_; }
  const std::vector<Group>& groups() const { return groups_; }
  /// "10", "100", "all": in order.
  const std::vector<std::string>& sizes() const { return sizes_; }
  const std::string& smallest() const { return sizes_.front(); }
  const std::string& largest() const { return sizes_.back(); }
  /// Null if there is none.
  const Group* find(int digit, const std::string& size, const std::string& recipe) const;
  /// What real images of a digit score; null for a digit that is not in the study.
  const json* real_of(int digit) const;

 private:
  json metrics_;
  std::vector<Group> groups_;
  std::vector<std::string> sizes_;
};

/// What is done for each digit of a study, under a heading.
template <class Do>
void for_each_digit(Page& page, const StudyFigures& study, const Do& action) {
  for (const json& real : study.metrics().at("real")) {
    page.heading("Digit " + std::to_string(real.at("digit").get<int>()));
    action(real);
  }
}

/// The experiment of `augment benefit`, which may not be finished.
class BenefitFigures {
 public:
  explicit BenefitFigures(json metrics) : metrics_(std::move(metrics)) {}

  const json& metrics() const { return metrics_; }
  /// The numbers of real images of each class.
  std::vector<Index> sizes() const { return metrics_.at("config").at("samples"); }
  std::size_t seeds() const { return metrics_.at("config").at("seeds"); }
  /// Whether all random subsets of so many images are done.
  bool finished(Index n) const { return accuracies(n, "real").size() == seeds(); }
  /// Whether there are too few images to test on for a verdict: for each class so few as for a digit.
  bool few_tested() const;
  /// Of classifiers trained in one way on n images of each class, one for each random subset.
  Numbers accuracies(Index n, const std::string& arm) const;

  /// Differences of accuracy, paired by subset. `beyond` is what counts: the autoencoder has learned from distorted
  /// digits itself, so its samples carry some of what distortion gives.
  struct Differences {
    Estimate vae, affine;  ///< against real images only
    Estimate beyond;       ///< both against distorted images
  };
  Differences differences(Index n) const;
  /// In words: "it helps, ...".
  std::string verdict(Index n) const;

 private:
  json metrics_;
};

// ---- The sections, in their order: report_losses.cpp, report_pictures.cpp, ... ----

void add_losses(Page& page, const StudyFigures& study);
void add_pictures(Page& page, const StudyFigures& study, const run::Folder& folder);
void add_extremes(Page& page, const StudyFigures& study, const run::Folder& folder);
void add_verdicts(Page& page, const StudyFigures& study);
void add_diversity(Page& page, const StudyFigures& study, const run::Folder& folder);
/// `study`: null if the report is of the experiment alone.
void add_benefit(Page& page, const BenefitFigures& benefit, const StudyFigures* study, const run::Folder& folder);

}  // namespace augment
