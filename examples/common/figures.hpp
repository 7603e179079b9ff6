// Figures and pictures as metrics.json holds them and reports show them.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "classifier.hpp"
#include "data.hpp"
#include "html.hpp"
#include "linnet/evaluation/classification.hpp"
#include "linnet/io/image_grid.hpp"
#include "run.hpp"

namespace figures {

using namespace linnet;
using nlohmann::json;

/// The images of a strip of a picture.
inline constexpr Index kStripImages = 10;

/// A share with Wilson's interval at 95%: "count", "of", "low", "high".
inline json counted(Index successes, Index trials) {
  const Interval interval = wilson_interval(successes, trials);
  return {{"count", successes}, {"of", trials}, {"low", interval.low}, {"high", interval.high}};
}
inline double rate(const json& counted) {
  return counted.at("count").get<double>() / std::max(1.0, counted.at("of").get<double>());
}
/// "95.2% (94.8 to 95.6)".
inline std::string rate_text(const json& counted) {
  using report::number;
  return report::percent(rate(counted)) + " <span class=\"soft\">(" + number(100 * counted.at("low").get<double>(), 1) +
         " to " + number(100 * counted.at("high").get<double>(), 1) + ")</span>";
}

/// What metrics.json begins with: the options, the images, and what has computed the figures.
inline json metrics_of(const json& options, const data::Images& images) {
  return {{"version", LINNET_VERSION_STRING},
          {"config", options},
          {"data", data::about(images)},
          {"machine", run::about_machine()}};
}

/// What a report says of the images of a run, and of the program that made it, from metrics.json.
inline std::string images_text(const json& metrics) {
  const json& data = metrics.at("data");
  return report::escaped(data.at("origin").get<std::string>()) + "; " +
         report::thousands(data.at("train").get<Index>()) + " to train, " +
         report::thousands(data.at("held_out").get<Index>()) + " held out; CRC-32 " +
         data.at("crc32").get<std::string>();
}
inline std::string version_text(const json& metrics) {
  return "linnet " + metrics.at("version").get<std::string>() + ", " +
         report::escaped(metrics.at("machine").at("compiler").get<std::string>());
}

/// Figures of fewer held-out images may be chance.
inline constexpr Index kFewHeldOut = 30;

/// A note on the judge, from its share of clean held-out digits; "" for a good one.
inline std::string judge_note(const json& recognized) {
  if (rate(recognized) >= 0.99) return "";
  return "A judge that misses more than 1% of clean digits blurs small differences between the rates below; more "
         "training images make a better one.";
}

/// What is not finite is null in JSON: only a PSNR of images that are the same.
inline double number_of(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::infinity() : value.get<double>();
}

inline json matrix(const ConfusionMatrix& matrix) {
  json rows = json::array();
  for (int a = 0; a < matrix.classes(); ++a) {
    json row = json::array();
    for (int r = 0; r < matrix.classes(); ++r) row.push_back(matrix.count(a, r));
    rows.push_back(row);
  }
  return rows;
}

/// Some samples of a batch.
inline Tensor<float> rows_of(const Tensor<float>& all, const std::vector<Index>& indices) {
  Tensor<float> rows(all.shape().without_batch().with_batch(static_cast<Index>(indices.size())));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto from = all.samples(indices[i], 1);
    std::copy(from.begin(), from.end(), rows.samples(static_cast<Index>(i), 1).begin());
  }
  return rows;
}

/// A strip of images as a picture of the run, with what the classifier sees in each ("verdicts" beside "truth").
inline json strip(const run::Folder& folder, const std::string& name, const std::string& file,
                  const Tensor<float>& images, const Model<float>* judge, const std::vector<int>& truth,
                  Index columns = kStripImages) {
  const std::string path = "pictures/" + file + ".png";
  const GridStyle style{.columns = columns, .gap = 3};
  // Always of full width, so that all of a page have one size.
  Tensor<float> all(images.shape().without_batch().with_batch(std::max(columns, images.batch())),
                    static_cast<float>(style.ground) / 255);
  std::copy(images.begin(), images.end(), all.begin());
  write_grid(folder.file(path), all, style);
  json result = {{"name", name}, {"picture", path}, {"columns", columns}};
  if (judge != nullptr) {
    const classifier::Verdicts verdicts = classifier::judge(*judge, images.view());
    result["verdicts"] = verdicts.digit;
    result["confidence"] = verdicts.confidence;
    result["truth"] = truth;
  }
  return result;
}

/// Strips one below the other; under each image its verdict, wrong ones marked, or its text of "labels".
inline std::string strips_html(const run::Folder& folder, const json& strips) {
  std::string html = "<div class=\"strip\">\n";
  for (const json& strip : strips) {
    const auto columns = strip.at("columns").get<std::size_t>();
    std::vector<std::vector<std::string>> lines;
    if (strip.contains("verdicts")) {
      std::vector<std::string>& verdicts = lines.emplace_back();
      for (std::size_t i = 0; i < strip.at("verdicts").size(); ++i) {
        const std::string digit = std::to_string(strip.at("verdicts").at(i).get<int>());
        verdicts.push_back(strip.at("verdicts").at(i) == strip.at("truth").at(i) ? digit : report::wrong(digit));
      }
    }
    if (strip.contains("labels")) lines.push_back(strip.at("labels"));
    for (auto& line : lines) line.resize(std::max(line.size(), columns));
    const std::string name = strip.at("name");
    html += report::Page::strip(report::escaped(name), report::picture(folder.file(strip.at("picture")), name), lines);
  }
  return html + "</div>\n";
}

}  // namespace figures
