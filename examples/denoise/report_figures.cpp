// The figures of a study as its report reads them.
#include <algorithm>
#include <cmath>

#include "report.hpp"

namespace denoise {

double share(const json& matrix, int actual, int recognized) {
  double total = 0;
  for (const json& n : matrix.at(static_cast<std::size_t>(actual))) total += n.get<double>();
  return total == 0
             ? 0
             : matrix.at(static_cast<std::size_t>(actual)).at(static_cast<std::size_t>(recognized)).get<double>() /
                   total;
}
std::vector<int> classes_of(const json& matrix) {
  std::vector<int> classes;
  for (int a = 0; a < static_cast<int>(matrix.size()); ++a) {
    const json& row = matrix[static_cast<std::size_t>(a)];
    if (std::any_of(row.begin(), row.end(), [](const json& n) { return n != 0; })) classes.push_back(a);
  }
  return classes;
}
std::vector<Turn> turns_of(const json& matrix) {
  std::vector<Turn> turns;
  for (const int a : classes_of(matrix)) {
    for (int r = 0; r < static_cast<int>(matrix.size()); ++r) {
      if (a != r && share(matrix, a, r) > 0) turns.push_back({a, r, share(matrix, a, r)});
    }
  }
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.share > b.share; });
  return turns;
}
std::string turn_text(const Turn& turn) {
  return std::to_string(turn.actual) + " &rarr; " + std::to_string(turn.recognized) + " (" + percent(turn.share) + ")";
}
const json* level_of(const json& levels, double noise) {
  for (const json& level : levels) {
    if (std::abs(level.at("noise").get<double>() - noise) < 1e-9) return &level;
  }
  return nullptr;
}

const json& StudyFigures::find_counterpart() const {
  for (const json& recipe : recipes) {
    if (shown(recipe) && recipe.at("model") == twin.at("model") && recipe.at("epochs") == twin.at("epochs"))
      return recipe;
  }
  return main;
}
const json& StudyFigures::ending_with(const std::string& output, double at) const {
  return *level_of((twin.at("output") == output ? twin : counterpart).at("levels"), at);
}
std::string StudyFigures::difference_text(double at) const {
  const json &r = ending_with("relu", at), &s = ending_with("sigmoid", at), &cut = r.at("cut_off");
  const double cost = cut.at("zeros_bce").get<double>() + cut.at("ones_bce").get<double>();
  return "With a relu at the end the loss at noise " + level_text(at) + " is " + number(r.at("bce"), 4) +
         ", with a sigmoid " + number(s.at("bce"), 4) + ". Of the relu's, " + number(cost, 4) +
         " is of pixels that are cut off wrongly; the MSE is " + number(r.at("mse"), 4) + " with a relu and " +
         number(s.at("mse"), 4) + " with a sigmoid.";
}

}  // namespace denoise
