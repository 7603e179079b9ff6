// The report of a study: one HTML file, made of nothing but metrics.json and the pictures of the run folder. Here are
// what was trained, pictures and losses, and how the sections become a page.
#include "report.hpp"

#include <algorithm>
#include <cmath>

#include "../common/plot.hpp"

namespace denoise {

namespace {

/// "0.5, 0.7"
std::string levels_text(const std::vector<double>& levels) {
  std::string text;
  for (const double level : levels) append(text, level_text(level));
  return text;
}

/// The figures that matter most.
void add_overview(Page& page, const StudyFigures& study) {
  std::vector<std::pair<std::string, std::string>> tiles;
  for (const json& level : study.main.at("levels")) {
    const json& noisy = *level_of(study.levels, level.at("noise").get<double>());
    const std::string at = "noise " + level_text(level.at("noise")) + ": ";
    if (study.judged) {
      tiles.emplace_back(
          percent(rate(noisy.at("noisy").at("recognized")), 0) + " &rarr; " + percent(rate(level.at("recognized"))),
          at + "recognized before and after");
    } else {
      tiles.emplace_back(number(number_of(noisy.at("noisy").at("psnr")), 1) + " &rarr; " +
                             number(number_of(level.at("psnr")), 1) + " dB",
                         at + "PSNR before and after");
    }
  }
  tiles.emplace_back(
      thousands(std::llround(study.main.at("levels")[0].at("timing").at("images_per_second").get<double>())) + " / s",
      "images in training, " + std::to_string(study.metrics.at("machine").at("threads").get<int>()) + " threads, " +
          study.metrics.at("machine").at("instruction_set").get<std::string>());
  page.tiles(tiles);
  const Index held_out = study.metrics.at("data").at("held_out");
  if (held_out < figures::kFewHeldOut) {
    page.paragraph(wrong("Few held-out images (" + std::to_string(held_out) + "): the figures below may be chance."));
  }
  for (const json& recipe : study.recipes) {
    const Index steps =
        recipe.at("epochs").get<Index>() * steps_per_epoch(study.metrics.at("data").at("train"), recipe.at("batch"));
    if (steps >= kFewSteps || !study.shown(recipe)) continue;
    page.paragraph(wrong(escaped(recipe.at("title").get<std::string>()) + ": " + std::to_string(steps) +
                         " steps of training in all, too few to learn much."));
  }
}

/// What was trained, and how.
void add_networks(Page& page, const StudyFigures& study) {
  page.section("The networks and the run");
  double seconds = study.metrics.at("classifier_seconds").get<double>() +
                   study.metrics.at("blind").at("timing").at("seconds").get<double>();
  for (const json& recipe : study.recipes) {
    for (const json& level : recipe.at("levels")) seconds += level.at("timing").at("seconds").get<double>();
  }
  std::vector<std::vector<std::string>> rows;
  const auto add_row = [&](const json& recipe, const std::string& which, const std::string& trained_at, double time,
                           const json& timing) {
    rows.push_back({escaped(recipe.at("title").get<std::string>()) + which, trained_at,
                    thousands(recipe.at("parameters").get<Index>()), recipe.at("output").get<std::string>(),
                    std::to_string(recipe.at("epochs").get<Index>()), std::to_string(recipe.at("batch").get<Index>()),
                    compact(recipe.at("lr")) + (recipe.at("schedule") == "cosine" ? ", cosine to 0" : ", constant"),
                    number(time, 1), thousands(std::llround(timing.at("images_per_second").get<double>()))});
  };
  for (const json& recipe : study.recipes) {
    double time = 0;
    for (const json& level : recipe.at("levels")) time += level.at("timing").at("seconds").get<double>();
    add_row(recipe, "", levels_text(recipe.at("noise")), time, recipe.at("levels")[0].at("timing"));
  }
  const json& blind = study.metrics.at("blind");
  add_row(study.main, ", blind", "0 to " + level_text(blind.at("noise")),
          blind.at("timing").at("seconds").get<double>(), blind.at("timing"));
  page.add(table({"network", "noise", "parameters", "last activation", "epochs", "batch", "Adam, learning rate",
                  "seconds", "images/s"},
                 rows));
  std::vector<std::string> summaries;
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe) || std::find(summaries.begin(), summaries.end(), recipe.at("summary")) != summaries.end())
      continue;
    summaries.push_back(recipe.at("summary"));
    page.add("<details" + std::string(summaries.size() == 1 ? " open" : "") + "><summary>" +
             escaped(recipe.at("title").get<std::string>()) + ", layer by layer</summary><pre>" +
             escaped(summaries.back()) + "</pre></details>\n");
  }
  page.add("<details open><summary>The run</summary>" +
           table({},
                 {{"images", figures::images_text(study.metrics)},
                  {"noise",
                   study.config.at("noise-kind") == "gaussian"
                       ? "x + level &middot; N(0, 1), held within [0, 1]; new noise in every epoch"
                       : "salt and pepper: with probability level a pixel becomes 0 or 1; new noise in every epoch"},
                  {"loss", "binary cross-entropy, mean over pixels and batch, in nats"},
                  {"seed", std::to_string(study.config.at("seed").get<std::uint64_t>())},
                  {"version, compiler", figures::version_text(study.metrics)},
                  {"training, in all", number(seconds, 0) + " s, classifiers and the blind model included"},
                  {"the same again", "<code>denoise study --config config.json --out OTHER</code>"}},
                 2) +
           "</details>\n");
}

/// The same images at every level: clean, noisy, denoised, error.
void add_pictures(Page& page, const StudyFigures& study, const run::Folder& folder) {
  page.section("Before and after");
  page.paragraph(study.judged
                     ? "The same images at every level. Below each: what the classifier sees in it; a cross marks "
                       "a wrong verdict."
                     : "The same images at every level.");
  for (std::size_t i = 0; i < study.levels.size(); ++i) {
    page.heading("Noise " + level_text(study.levels[i].at("noise")));
    json strips = {study.metrics.at("clean_strip"), study.levels[i].at("noisy_strip")};
    for (const json& recipe : study.recipes) {
      if (!study.shown(recipe)) continue;
      for (json strip : recipe.at("levels")[i].at("strips")) {
        if (study.recipes.size() > 2) {
          strip["name"] = strip.at("name").get<std::string>() + ", " + recipe.at("title").get<std::string>();
        }
        strips.push_back(strip);
      }
    }
    page.add(strips_html(folder, strips));
  }
  const json& blind = study.metrics.at("blind");
  page.heading("Every image at a level of its own, up to " + level_text(blind.at("noise")) + ": the blind model");
  page.paragraph("BCE " + number(blind.at("bce"), 4) + " (of the noisy images " +
                 number(blind.at("noisy").at("bce"), 4) + "), SSIM " + number(blind.at("ssim"), 3) + " (" +
                 number(blind.at("noisy").at("ssim"), 3) + ")" +
                 (study.judged ? ", recognized " + rate_text(blind.at("recognized")) + ", before denoising " +
                                     rate_text(blind.at("noisy").at("recognized"))
                               : "") +
                 ". The section on levels that a model was not trained on has it at each of them.");
  json strips = {study.metrics.at("clean_strip"), blind.at("noisy_strip")};
  strips.insert(strips.end(), blind.at("strips").begin(), blind.at("strips").end());
  page.add(strips_html(folder, strips));
}

/// By epoch, with the floor.
void add_losses(Page& page, const StudyFigures& study) {
  page.section("Loss by epoch");
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe)) continue;
    LinePlot plot{.title = "Loss by epoch",
                  .x_label = "epoch",
                  .y_label = "binary cross-entropy (nats a pixel)",
                  .series = {},
                  .references = {{"a perfect copy: " + number(study.floor, 4), study.floor},
                                 {"the mean image: " + number(study.metrics.at("mean_image_bce"), 4),
                                  study.metrics.at("mean_image_bce")}},
                  .x_whole = true};
    int color = 0;
    for (const json& level : recipe.at("levels")) {
      std::vector<double> epochs;
      for (std::size_t e = 1; e <= level.at("loss").size(); ++e) epochs.push_back(static_cast<double>(e));
      const std::string at = "noise " + level_text(level.at("noise"));
      plot.series.push_back({at + ", held out", epochs, level.at("val_loss").get<std::vector<double>>(), color, false});
      plot.series.push_back({at + ", training", epochs, level.at("loss").get<std::vector<double>>(), color++, true});
    }
    page.heading(recipe.at("title").get<std::string>());
    page.add(figure(plot));
  }
  page.note(
      "Training loss is the mean over an epoch, held-out loss that after it. Grey targets have an entropy of "
      "their own: a perfect copy of the held-out images scores " +
      number(study.floor, 4) + ", not 0. Always answering with the mean training image scores " +
      number(study.metrics.at("mean_image_bce"), 4) + ". The excess below is what the network has above the floor.");
  std::vector<std::vector<std::string>> rows;
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe)) continue;
    for (const json& level : recipe.at("levels")) {
      const double loss = level.at("val_loss").back();
      rows.push_back(
          {escaped(recipe.at("title").get<std::string>()), level_text(level.at("noise")),
           number(level.at("loss").back(), 4), number(loss, 4), number(loss - study.floor, 4),
           percent((loss - study.floor) / (study.metrics.at("mean_image_bce").get<double>() - study.floor))});
    }
  }
  page.add(table({"network", "noise", "training loss", "held-out loss", "excess", "of the mean image's excess"}, rows));
}

}  // namespace

void write_report(const run::Folder& folder) {
  const json metrics = folder.metrics(kProgram);
  if (!metrics.contains("sweep")) {
    throw FormatError(folder.file("metrics.json") + ": expected the figures of a study; `denoise train` has no report");
  }
  try {
    const StudyFigures study(metrics);
    Page page("Denoised images: what is recovered, what is lost",
              "Convolutional networks that remove noise, trained and measured with linnet. All figures are of " +
                  thousands(metrics.at("data").at("held_out").get<Index>()) +
                  " held-out images that no training saw, unless they are said to be of training.");
    add_overview(page, study);
    add_networks(page, study);
    add_pictures(page, study, folder);
    add_losses(page, study);
    add_figures_of_levels(page, study);
    add_last_activation(page, study, folder);
    if (study.judged) add_confusions(page, study, folder);
    add_other_levels(page, study);
    add_conclusions(page, study);
    write_file(folder.file("report.html"), page.html());
  } catch (const json::exception& error) {
    throw FormatError(folder.file("metrics.json") +
                      ": not the figures of a study by linnet " LINNET_VERSION_STRING " (" + error.what() + ")");
  }
}

}  // namespace denoise
