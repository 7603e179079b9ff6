// The report's sections on levels of noise: figures at each, the last activation, confusions, and levels that a model was
// not trained on.
#include <algorithm>
#include <cmath>

#include "../common/plot.hpp"
#include "report.hpp"

namespace denoise {

namespace {

/// A confusion matrix as a table; the deeper the blue, the larger the share of its row.
std::string heat_map(const json& matrix, const std::string& caption) {
  const int classes = static_cast<int>(matrix.size());
  std::string html =
      "<div class=\"scroll\"><table class=\"heat\"><caption class=\"soft\">" + caption + "</caption><tr><th></th>";
  for (int r = 0; r < classes; ++r) html += "<th>" + std::to_string(r) + "</th>";
  html += "</tr>\n";
  for (const int a : classes_of(matrix)) {
    html += "<tr><th>" + std::to_string(a) + "</th>";
    for (int r = 0; r < classes; ++r) {
      const double part = share(matrix, a, r);
      const int depth = static_cast<int>(std::lround(100 * std::sqrt(part) * 0.62));
      html += "<td style=\"background:color-mix(in srgb, var(" + std::string(a == r ? "--c0" : "--c1") + ") " +
              std::to_string(depth) + "%, transparent)\">" + (part >= 0.0005 ? number(100 * part, 1) : "") + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

/// The figures of one row of the table of a level.
std::vector<std::string> figure_row(const std::string& name, const json& f, double floor) {
  const auto value = [&](const char* key, int decimals) {
    return f.contains(key) ? number(number_of(f.at(key)), decimals) : std::string("&ndash;");
  };
  std::vector<std::string> row = {name,
                                  value("bce", 4),
                                  f.contains("bce") ? number(f.at("bce").get<double>() - floor, 4) : "&ndash;",
                                  value("mse", 4),
                                  value("psnr", 2),
                                  value("ssim", 3)};
  row.push_back(f.contains("recognized") ? rate_text(f.at("recognized")) : "&ndash;");
  row.push_back(f.contains("confident_wrong") ? percent(rate(f.at("confident_wrong")), 2) : "&ndash;");
  return row;
}

/// "0.1022 to 0.1101": the held-out losses of a model's last five epochs.
std::string last_losses(const json& level) {
  const std::vector<double> all = level.at("val_loss");
  const auto [low, high] = std::minmax_element(all.end() - std::min<std::ptrdiff_t>(5, std::ssize(all)), all.end());
  return "<span class=\"soft\">" + number(*low, 4) + " to " + number(*high, 4) + "</span>";
}

}  // namespace

void add_figures_of_levels(Page& page, const StudyFigures& study) {
  page.section("Figures for each level");
  if (study.judged) {
    const std::string other = study.metrics.at("classifier").at("other_training_data");
    page.paragraph("The classifier is a convolutional network of " +
                   thousands(study.metrics.at("classifier").at("parameters").get<Index>()) +
                   " parameters, trained on " +
                   (other.empty() ? "clean training digits alone" : wrong(escaped(other))) + "; it recognizes " +
                   rate_text(study.metrics.at("classifier").at("recognized")) +
                   " of the clean held-out digits. Intervals are Wilson's, at 95%. <em>Confident but wrong</em>: not "
                   "recognized, though the classifier is at least " +
                   percent(kConfident, 0) + " sure.");
    if (!other.empty()) {
      page.note(
          "Should the held-out images be among those that the classifier was trained on, its rates are too "
          "good.");
    }
    const std::string note = figures::judge_note(study.metrics.at("classifier").at("recognized"));
    if (!note.empty()) page.note(note);
  }
  for (std::size_t i = 0; i < study.levels.size(); ++i) {
    const json& level = study.levels[i];
    page.heading("Noise " + level_text(level.at("noise")));
    std::vector<std::vector<std::string>> rows = {
        figure_row("noisy, as it is", level.at("noisy"), study.floor),
        figure_row("box filter, 3x3", level.at("box"), study.floor),
        figure_row("Gaussian blur, " + number(level.at("blur_deviation"), 2) + " pixels", level.at("blur"),
                   study.floor)};
    for (const json& recipe : study.recipes) {
      const json* figures = level_of(recipe.at("levels"), level.at("noise"));
      if (figures == nullptr) continue;
      rows.push_back(
          figure_row("<b>" + escaped(recipe.at("title").get<std::string>()) + "</b>", *figures, study.floor));
    }
    if (level.contains("noisy_classifier")) {
      rows.push_back(
          figure_row("classifier trained on this noise, no denoising", level.at("noisy_classifier"), study.floor));
    }
    std::vector<std::string> head = {"images", "BCE", "excess", "MSE", "PSNR (dB)", "SSIM"};
    if (study.judged) {
      head.insert(head.end(), {"recognized", "confident but wrong"});
    } else {
      for (auto& row : rows) row.resize(head.size());
    }
    page.add(table(head, rows));
  }
  page.note(
      "The width of the blur is the best on training images. PSNR is that of the mean squared error over all "
      "pixels." +
      std::string(study.judged && !study.metrics.at("classifier").at("given").get<bool>()
                      ? " The classifier of noisy digits begins with what that of clean ones has learned."
                      : ""));
}

void add_last_activation(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.heading("relu or sigmoid at the end");
  std::vector<std::vector<std::string>> rows;
  for (const double at : study.twin.at("noise")) {
    for (const std::string output : {"sigmoid", "relu"}) {
      const json& level = study.ending_with(output, at);
      std::vector<std::string> row = {level_text(at), output, number(level.at("bce"), 4), last_losses(level),
                                      number(level.at("mse"), 4)};
      if (level.contains("cut_off")) {
        const json& cut = level.at("cut_off");
        row.insert(row.end(), {percent(cut.at("zeros"), 2), number(cut.at("zeros_bce"), 4), percent(cut.at("ones"), 2),
                               number(cut.at("ones_bce"), 4)});
      } else {
        row.insert(row.end(), 4, "&ndash;");
      }
      row.push_back(std::to_string(level.at("dead_seeds").get<int>()));
      rows.push_back(std::move(row));
    }
  }
  page.add(
      table({"noise", "at the end", "BCE", "last five epochs", "MSE", "at 0", "costs", "at 1", "costs", "dead seeds"},
            rows, 2));
  page.note(
      "The original report ended its network with relu under binary cross-entropy. A relu gives exactly 0 for many "
      "pixels, and for some 1 and more; where the target is another, the logarithm is cut off at 1e-7 and costs 16.1 "
      "nats times the distance, and no gradient corrects it. A sigmoid reaches neither. <em>At 0</em>, <em>at "
      "1</em>: "
      "the share of pixels that are cut off wrongly; <em>costs</em>: what they add to the BCE. <em>Last five "
      "epochs</em>: the lowest and the highest held-out loss. <em>Dead seeds</em>: initializations "
      "whose output became the same everywhere, and that were begun again with the next seed.");
  if (study.twin.at("noise").size() < study.levels.size()) {
    page.paragraph("The network with " + study.twin.at("output").get<std::string>() +
                   " at the end is there for this comparison, and trained at noise " +
                   level_text(study.twin.at("noise")[0]) + " only; <code>--full</code> trains it at every level.");
  }
  for (const double at : study.twin.at("noise")) page.paragraph(study.difference_text(at));
  for (const double at : study.twin.at("noise")) {
    json strips;
    for (const std::string output : {"sigmoid", "relu"}) {
      json strip = study.ending_with(output, at).at("strips").at(0);
      strip["name"] = "noise " + level_text(at) + ", " + output;
      strips.push_back(strip);
    }
    page.add(strips_html(folder, strips));
  }
}

void add_confusions(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.section("What turns into what");
  page.paragraph("Rows: the digit; columns: what the classifier takes it for; percent of the row.");
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe)) continue;
    page.heading(recipe.at("title").get<std::string>());
    for (std::size_t i = 0; i < study.levels.size(); ++i) {
      const json &before = study.levels[i].at("noisy"), &after = recipe.at("levels")[i];
      const std::string at = "noise " + level_text(study.levels[i].at("noise"));
      page.add("<div class=\"pair\">" + heat_map(before.at("confusion"), at + ", noisy") +
               heat_map(after.at("confusion"), at + ", denoised") + "</div>\n");
      std::string text = "Most frequent after denoising: ";
      const std::vector<Turn> turns = turns_of(after.at("confusion"));
      for (std::size_t t = 0; t < std::min<std::size_t>(6, turns.size()); ++t) {
        text += (t == 0 ? "" : ", ") + turn_text(turns[t]);
      }
      if (turns.empty()) text += "none";
      page.paragraph(text + ". Confident but wrong: " +
                     std::to_string(before.at("confident_wrong").at("count").get<Index>()) + " of the noisy, " +
                     std::to_string(after.at("confident_wrong").at("count").get<Index>()) + " of the denoised digits.");
    }
  }
  page.heading("The worst failures");
  page.paragraph("Not recognized after denoising, and farthest from the clean digit.");
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe)) continue;
    for (const json& level : recipe.at("levels")) {
      if (!level.contains("worst")) continue;
      std::string html;
      for (const json& ten : level.at("worst")) html += strips_html(folder, ten);
      page.add("<details" +
               std::string(&recipe == &study.main && &level == &recipe.at("levels").back() ? " open" : "") +
               "><summary>" + escaped(recipe.at("title").get<std::string>()) + ", noise " +
               level_text(level.at("noise")) + "</summary>" + html + "</details>\n");
    }
  }
}

void add_other_levels(Page& page, const StudyFigures& study) {
  page.section("Levels that a model was not trained on");
  const auto curve = [](const json& values) {
    std::vector<double> y;
    for (const json& v : values) y.push_back(v.is_null() ? NAN : v.get<double>());
    return y;
  };
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe)) continue;
    const std::string title = recipe.at("title");
    page.heading(title);
    LinePlot recognized{.title = "Recognition over noise: " + title,
                        .x_label = study.noise_axis,
                        .y_label = "recognized (% of the digits)",
                        .series = {},
                        .y_percent = true};
    LinePlot ratio{
        .title = "PSNR over noise: " + title, .x_label = study.noise_axis, .y_label = "PSNR (dB)", .series = {}};
    int color = 0, color_of_twin = 0;
    for (const json& s : study.sweep.at("series")) {
      const bool reference = s.at("recipe") == "";
      // The twin's lines stand beside those that they are compared with, dashed, in the colors of their levels.
      const bool of_twin = s.at("recipe") == study.twin.at("name") && &recipe == &study.counterpart;
      if (!reference && !of_twin && s.at("recipe") != recipe.at("name")) continue;
      const int own = reference ? kReferenceColor : of_twin ? color_of_twin++ : color++;
      const std::string name = s.at("title");
      ratio.series.push_back({name, study.sweep_noise, curve(s.at("psnr")), own, reference || of_twin});
      if (study.judged)
        recognized.series.push_back({name, study.sweep_noise, curve(s.at("recognized")), own, reference || of_twin});
    }
    if (study.judged) page.add(figure(recognized, "Recognition of held-out digits by the classifier of clean digits."));
    page.add(figure(ratio, "PSNR; at noise 0 an image that is not denoised is exact, and has no finite PSNR."));
  }
}

}  // namespace denoise
