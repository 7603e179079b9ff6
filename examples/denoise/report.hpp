// What the sections of the report have in common: the figures of a study, as metrics.json has them.
#pragma once

#include <string>
#include <vector>

#include "../common/html.hpp"
#include "study.hpp"

namespace denoise {

using figures::number_of, figures::rate, figures::rate_text, figures::strips_html;
using nlohmann::json;
using namespace report;

/// The share of class `actual` that was taken for `recognized`, by a confusion matrix.
double share(const json& matrix, int actual, int recognized);
/// The classes that are there: a matrix has ten, a set of images may have fewer.
std::vector<int> classes_of(const json& matrix);
/// A digit that was taken for another, and the share of its class that was.
struct Turn {
  int actual, recognized;
  double share;
};
/// The confusions of a matrix that occur, the most frequent first.
std::vector<Turn> turns_of(const json& matrix);
std::string turn_text(const Turn& turn);
/// The figures at a level of noise; null if there are none.
const json* level_of(const json& levels, double noise);

/// A study: shortcuts into its figures.
struct StudyFigures {
  explicit StudyFigures(const json& all) : metrics(all) {}
  StudyFigures(const StudyFigures&) = delete;  // they point into the figures
  StudyFigures& operator=(const StudyFigures&) = delete;

  const json& metrics;
  const json &levels = metrics.at("levels"), &recipes = metrics.at("recipes"), &config = metrics.at("config"),
             &sweep = metrics.at("sweep");
  const json& main = recipes.at(0);   ///< the recipe that the report is about
  const json& twin = recipes.back();  ///< one that is there for its last activation alone
  const json& counterpart = find_counterpart();
  const std::vector<double> sweep_noise = sweep.at("noise");  ///< the levels of the sweep
  const double floor = metrics.at("floor");
  const bool judged = metrics.contains("classifier");
  const std::string noise_axis = config.at("noise-kind") == "gaussian" ? "noise (standard deviation, pixels in [0, 1])"
                                                                       : "noise (share of the pixels)";

  bool shown(const json& recipe) const { return recipe.at("name") != twin.at("name"); }
  /// The figures at a level of noise of the twin, or of its counterpart, by the last activation.
  const json& ending_with(const std::string& output, double at) const;
  /// Where the difference between relu and sigmoid comes from.
  std::string difference_text(double at) const;

 private:
  /// The recipe that differs from the twin in nothing but the last activation.
  const json& find_counterpart() const;
};

// ---- The sections, in their order: report.cpp, report_levels.cpp, report_conclusions.cpp ----

/// Networks, simple filters and a classifier of noisy digits.
void add_figures_of_levels(Page& page, const StudyFigures& study);
/// relu beside sigmoid.
void add_last_activation(Page& page, const StudyFigures& study, const run::Folder& folder);
/// Which digits turn into which, and the worst failures.
void add_confusions(Page& page, const StudyFigures& study, const run::Folder& folder);
/// Recognition and PSNR over the noise.
void add_other_levels(Page& page, const StudyFigures& study);
/// Sentences, each with its figures.
void add_conclusions(Page& page, const StudyFigures& study);

}  // namespace denoise
