// The figures of a study, and how the report writes means and ranges.
#include <algorithm>
#include <array>
#include <cmath>

#include "report.hpp"

namespace augment {

double mean(const Numbers& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

std::string spread(const Numbers& values, int decimals, const std::string& unit) {
  if (values.empty()) return "&ndash;";
  const std::string text = number(mean(values), decimals) + unit;
  if (values.size() == 1) return text;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return text + " <span class=\"soft range\">(" + number(*low, decimals) + " to " + number(*high, decimals) +
         ")</span>";
}
std::string percents(const Numbers& values) {
  Numbers hundred = values;
  for (double& v : hundred) v *= 100;
  return spread(hundred, 1, "%");
}

bool apart(const Numbers& a, const Numbers& b) {
  const auto [low_a, high_a] = std::minmax_element(a.begin(), a.end());
  const auto [low_b, high_b] = std::minmax_element(b.begin(), b.end());
  return *low_a > *high_b || *low_b > *high_a;
}

std::string Group::title() const {
  return std::to_string(digit) + ", " + (size == "all" ? "all " + thousands(first().at("size").get<Index>()) : size);
}
Numbers Group::at(const std::string& pointer) const {
  const json::json_pointer path(pointer);
  Numbers all;
  for (const json* model : models) {
    if (model->contains(path) && model->at(path).is_number()) all.push_back(model->at(path));
  }
  return all;
}
std::string Group::spread_at(const std::string& pointer, int decimals) const {
  const Numbers values = at(pointer);
  std::string text = spread(values, decimals);
  if (!values.empty() && values.size() < models.size()) {
    text +=
        " <span class=\"soft\">" + std::to_string(values.size()) + " of " + std::to_string(models.size()) + "</span>";
  }
  return text;
}
Numbers Group::negative_elbo(const std::string& which) const {
  Numbers sum = at("/" + which + "/reconstruction");
  const Numbers kl = at("/" + which + "/kl");
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += kl[i];
  return sum;
}
Numbers Group::rates(const std::string& pointer) const {
  Numbers all;
  for (const json* model : models) all.push_back(rate(model->at(json::json_pointer(pointer))));
  return all;
}
std::string Group::rate_at(const std::string& pointer) const {
  return models.size() == 1 ? rate_text(first().at(json::json_pointer(pointer))) : percents(rates(pointer));
}
json Group::pooled(const std::string& pointer) const {
  Index count = 0, of = 0;
  for (const json* model : models) {
    const json& one = model->at(json::json_pointer(pointer));
    count += one.at("count").get<Index>();
    of += one.at("of").get<Index>();
  }
  return figures::counted(count, of);
}

StudyFigures::StudyFigures(json metrics) : metrics_(std::move(metrics)) {
  for (const json& model : metrics_.at("models")) {
    const int digit = model.at("digit");
    const std::string size = model.at("all") == true ? "all" : std::to_string(model.at("size").get<Index>());
    const std::string recipe = model.at("recipe");
    const auto same = [&](const Group& g) { return g.digit == digit && g.size == size && g.recipe == recipe; };
    auto found = std::find_if(groups_.begin(), groups_.end(), same);
    if (found == groups_.end()) found = groups_.insert(found, {digit, size, recipe, {}});
    found->models.push_back(&model);
    if (std::find(sizes_.begin(), sizes_.end(), size) == sizes_.end()) sizes_.push_back(size);
  }
}
const Group* StudyFigures::find(int digit, const std::string& size, const std::string& recipe) const {
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
    return g.digit == digit && g.size == size && g.recipe == recipe;
  });
  return found == groups_.end() ? nullptr : &*found;
}
const json* StudyFigures::real_of(int digit) const {
  for (const json& real : metrics_.at("real")) {
    if (real.at("digit") == digit) return &real;
  }
  return nullptr;
}

}  // namespace augment
