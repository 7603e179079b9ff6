// The report of a study: one HTML file, made of nothing but metrics.json and the pictures of the run folder.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "../common/html.hpp"
#include "../common/plot.hpp"
#include "study.hpp"

namespace denoise {

using figures::number_of, figures::rate, figures::rate_text, figures::strips_html;
using nlohmann::json;
using namespace report;

namespace {

/// The share of class `actual` that was taken for `recognized`.
double share(const json& matrix, int actual, int recognized) {
  double total = 0;
  for (const json& n : matrix.at(static_cast<std::size_t>(actual))) total += n.get<double>();
  return total == 0
             ? 0
             : matrix.at(static_cast<std::size_t>(actual)).at(static_cast<std::size_t>(recognized)).get<double>() /
                   total;
}

/// The classes that are there: a matrix has ten, a set of images may have fewer.
std::vector<int> classes_of(const json& matrix) {
  std::vector<int> classes;
  for (int a = 0; a < static_cast<int>(matrix.size()); ++a) {
    const json& row = matrix[static_cast<std::size_t>(a)];
    if (std::any_of(row.begin(), row.end(), [](const json& n) { return n != 0; })) classes.push_back(a);
  }
  return classes;
}

struct Turn {
  int actual, recognized;
  double share;
};
/// The confusions of a matrix that occur, the most frequent first.
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

const json* level_of(const json& levels, double noise) {
  for (const json& level : levels) {
    if (std::abs(level.at("noise").get<double>() - noise) < 1e-9) return &level;
  }
  return nullptr;
}

/// "0.5, 0.7"
std::string levels_text(const std::vector<double>& levels) {
  std::string text;
  for (const double level : levels) text += (text.empty() ? "" : ", ") + level_text(level);
  return text;
}

/// The page, section by section.
class StudyReport {
 public:
  explicit StudyReport(const json& metrics, const run::Folder& run_folder) : m(metrics), folder(run_folder) {}

  std::string html() {
    overview();
    networks();
    pictures();
    losses();
    table_of_levels();
    last_activation();
    if (judged) confusions();
    other_levels();
    conclusions();
    return page.html();
  }

 private:
  const json& m;
  const run::Folder& folder;
  const json &levels = m.at("levels"), &recipes = m.at("recipes"), &config = m.at("config"), &sweep = m.at("sweep");
  const json& main = recipes.at(0);   ///< the recipe that the report is about
  const json& twin = recipes.back();  ///< one that is there for its last activation alone
  const json& counterpart = find_counterpart();
  const std::vector<double> noise = sweep.at("noise");  ///< the levels of the sweep
  const double floor = m.at("floor");
  const bool judged = m.contains("classifier");
  const std::string noise_axis = config.at("noise-kind") == "gaussian" ? "noise (standard deviation, pixels in [0, 1])"
                                                                       : "noise (share of the pixels)";
  Page page{"Denoised images: what is recovered, what is lost",
            "Convolutional networks that remove noise, trained and measured with linnet. All figures are of " +
                thousands(m.at("data").at("held_out").get<Index>()) +
                " held-out images that no training saw, unless they are said to be of training."};

  bool shown(const json& recipe) const { return recipe.at("name") != twin.at("name"); }
  /// The recipe that differs from the twin in nothing but the last activation.
  const json& find_counterpart() const {
    for (const json& recipe : recipes) {
      if (shown(recipe) && recipe.at("model") == twin.at("model") && recipe.at("epochs") == twin.at("epochs"))
        return recipe;
    }
    return main;
  }
  /// The figures at a level of noise of the twin, or of its counterpart, by the last activation.
  const json& ending_with(const std::string& output, double at) const {
    return *level_of((twin.at("output") == output ? twin : counterpart).at("levels"), at);
  }

  /// The figures that matter most.
  void overview() {
    std::vector<std::pair<std::string, std::string>> tiles;
    for (const json& level : main.at("levels")) {
      const json& noisy = *level_of(levels, level.at("noise").get<double>());
      const std::string at = "noise " + level_text(level.at("noise")) + ": ";
      if (judged) {
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
        thousands(std::llround(main.at("levels")[0].at("timing").at("images_per_second").get<double>())) + " / s",
        "images in training, " + std::to_string(m.at("machine").at("threads").get<int>()) + " threads, " +
            m.at("machine").at("instruction_set").get<std::string>());
    page.tiles(tiles);
    const Index held_out = m.at("data").at("held_out");
    if (held_out < figures::kFewHeldOut) {
      page.paragraph(wrong("Few held-out images (" + std::to_string(held_out) + "): the figures below may be chance."));
    }
    for (const json& recipe : recipes) {
      const Index steps =
          recipe.at("epochs").get<Index>() * steps_per_epoch(m.at("data").at("train"), recipe.at("batch"));
      if (steps >= kFewSteps || !shown(recipe)) continue;
      page.paragraph(wrong(escaped(recipe.at("title").get<std::string>()) + ": " + std::to_string(steps) +
                           " steps of training in all, too few to learn much."));
    }
  }

  /// What was trained, and how.
  void networks() {
    page.section("The networks and the run");
    double seconds = m.at("classifier_seconds").get<double>() + m.at("blind").at("timing").at("seconds").get<double>();
    for (const json& recipe : recipes) {
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
    for (const json& recipe : recipes) {
      double time = 0;
      for (const json& level : recipe.at("levels")) time += level.at("timing").at("seconds").get<double>();
      add_row(recipe, "", levels_text(recipe.at("noise")), time, recipe.at("levels")[0].at("timing"));
    }
    const json& blind = m.at("blind");
    add_row(main, ", blind", "0 to " + level_text(blind.at("noise")), blind.at("timing").at("seconds").get<double>(),
            blind.at("timing"));
    page.add(table({"network", "noise", "parameters", "last activation", "epochs", "batch", "Adam, learning rate",
                    "seconds", "images/s"},
                   rows));
    std::vector<std::string> summaries;
    for (const json& recipe : recipes) {
      if (!shown(recipe) || std::find(summaries.begin(), summaries.end(), recipe.at("summary")) != summaries.end())
        continue;
      summaries.push_back(recipe.at("summary"));
      page.add("<details" + std::string(summaries.size() == 1 ? " open" : "") + "><summary>" +
               escaped(recipe.at("title").get<std::string>()) + ", layer by layer</summary><pre>" +
               escaped(summaries.back()) + "</pre></details>\n");
    }
    page.add("<details open><summary>The run</summary>" +
             table({},
                   {{"images", figures::images_text(m)},
                    {"noise",
                     config.at("noise-kind") == "gaussian"
                         ? "x + level &middot; N(0, 1), held within [0, 1]; new noise in every epoch"
                         : "salt and pepper: with probability level a pixel becomes 0 or 1; new noise in every epoch"},
                    {"loss", "binary cross-entropy, mean over pixels and batch, in nats"},
                    {"seed", std::to_string(config.at("seed").get<std::uint64_t>())},
                    {"version, compiler", figures::version_text(m)},
                    {"training, in all", number(seconds, 0) + " s, classifiers and the blind model included"},
                    {"the same again", "<code>denoise study --config config.json --out OTHER</code>"}},
                   2) +
             "</details>\n");
  }

  /// The same images at every level: clean, noisy, denoised, error.
  void pictures() {
    page.section("Before and after");
    page.paragraph(judged ? "The same images at every level. Below each: what the classifier sees in it; a cross marks "
                            "a wrong verdict."
                          : "The same images at every level.");
    for (std::size_t i = 0; i < levels.size(); ++i) {
      page.heading("Noise " + level_text(levels[i].at("noise")));
      json strips = {m.at("clean_strip"), levels[i].at("noisy_strip")};
      for (const json& recipe : recipes) {
        if (!shown(recipe)) continue;
        for (json strip : recipe.at("levels")[i].at("strips")) {
          if (recipes.size() > 2) {
            strip["name"] = strip.at("name").get<std::string>() + ", " + recipe.at("title").get<std::string>();
          }
          strips.push_back(strip);
        }
      }
      page.add(strips_html(folder, strips));
    }
    const json& blind = m.at("blind");
    page.heading("Every image at a level of its own, up to " + level_text(blind.at("noise")) + ": the blind model");
    page.paragraph("BCE " + number(blind.at("bce"), 4) + " (of the noisy images " +
                   number(blind.at("noisy").at("bce"), 4) + "), SSIM " + number(blind.at("ssim"), 3) + " (" +
                   number(blind.at("noisy").at("ssim"), 3) + ")" +
                   (judged ? ", recognized " + rate_text(blind.at("recognized")) + ", before denoising " +
                                 rate_text(blind.at("noisy").at("recognized"))
                           : "") +
                   ". The section on levels that a model was not trained on has it at each of them.");
    json strips = {m.at("clean_strip"), blind.at("noisy_strip")};
    strips.insert(strips.end(), blind.at("strips").begin(), blind.at("strips").end());
    page.add(strips_html(folder, strips));
  }

  /// By epoch, with the floor.
  void losses() {
    page.section("Loss by epoch");
    for (const json& recipe : recipes) {
      if (!shown(recipe)) continue;
      LinePlot plot{.title = "Loss by epoch",
                    .x_label = "epoch",
                    .y_label = "binary cross-entropy (nats a pixel)",
                    .series = {},
                    .references = {{"a perfect copy: " + number(floor, 4), floor},
                                   {"the mean image: " + number(m.at("mean_image_bce"), 4), m.at("mean_image_bce")}},
                    .x_whole = true};
      int color = 0;
      for (const json& level : recipe.at("levels")) {
        std::vector<double> epochs;
        for (std::size_t e = 1; e <= level.at("loss").size(); ++e) epochs.push_back(static_cast<double>(e));
        const std::string at = "noise " + level_text(level.at("noise"));
        plot.series.push_back(
            {at + ", held out", epochs, level.at("val_loss").get<std::vector<double>>(), color, false});
        plot.series.push_back({at + ", training", epochs, level.at("loss").get<std::vector<double>>(), color++, true});
      }
      page.heading(recipe.at("title").get<std::string>());
      page.add(figure(plot));
    }
    page.note(
        "Training loss is the mean over an epoch, held-out loss that after it. Grey targets have an entropy of "
        "their own: a perfect copy of the held-out images scores " +
        number(floor, 4) + ", not 0. Always answering with the mean training image scores " +
        number(m.at("mean_image_bce"), 4) + ". The excess below is what the network has above the floor.");
    std::vector<std::vector<std::string>> rows;
    for (const json& recipe : recipes) {
      if (!shown(recipe)) continue;
      for (const json& level : recipe.at("levels")) {
        const double loss = level.at("val_loss").back();
        rows.push_back({escaped(recipe.at("title").get<std::string>()), level_text(level.at("noise")),
                        number(level.at("loss").back(), 4), number(loss, 4), number(loss - floor, 4),
                        percent((loss - floor) / (m.at("mean_image_bce").get<double>() - floor))});
      }
    }
    page.add(
        table({"network", "noise", "training loss", "held-out loss", "excess", "of the mean image's excess"}, rows));
  }

  /// Networks, simple filters and a classifier of noisy digits.
  void table_of_levels() {
    page.section("Figures for each level");
    if (judged) {
      const std::string other = m.at("classifier").at("other_training_data");
      page.paragraph("The classifier is a convolutional network of " +
                     thousands(m.at("classifier").at("parameters").get<Index>()) + " parameters, trained on " +
                     (other.empty() ? "clean training digits alone" : wrong(escaped(other))) + "; it recognizes " +
                     rate_text(m.at("classifier").at("recognized")) +
                     " of the clean held-out digits. Intervals are Wilson's, at 95%. <em>Confident but wrong</em>: not "
                     "recognized, though the classifier is at least " +
                     percent(kConfident, 0) + " sure.");
      if (!other.empty()) {
        page.note(
            "Should the held-out images be among those that the classifier was trained on, its rates are too "
            "good.");
      }
      const std::string note = figures::judge_note(m.at("classifier").at("recognized"));
      if (!note.empty()) page.note(note);
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const json& level = levels[i];
      page.heading("Noise " + level_text(level.at("noise")));
      std::vector<std::vector<std::string>> rows = {
          figure_row("noisy, as it is", level.at("noisy"), floor),
          figure_row("box filter, 3x3", level.at("box"), floor),
          figure_row("Gaussian blur, " + number(level.at("blur_deviation"), 2) + " pixels", level.at("blur"), floor)};
      for (const json& recipe : recipes) {
        const json* figures = level_of(recipe.at("levels"), level.at("noise"));
        if (figures == nullptr) continue;
        rows.push_back(figure_row("<b>" + escaped(recipe.at("title").get<std::string>()) + "</b>", *figures, floor));
      }
      if (level.contains("noisy_classifier")) {
        rows.push_back(
            figure_row("classifier trained on this noise, no denoising", level.at("noisy_classifier"), floor));
      }
      std::vector<std::string> head = {"images", "BCE", "excess", "MSE", "PSNR (dB)", "SSIM"};
      if (judged) {
        head.insert(head.end(), {"recognized", "confident but wrong"});
      } else {
        for (auto& row : rows) row.resize(head.size());
      }
      page.add(table(head, rows));
    }
    page.note(
        "The width of the blur is the best on training images. PSNR is that of the mean squared error over all "
        "pixels." +
        std::string(judged && !m.at("classifier").at("given").get<bool>()
                        ? " The classifier of noisy digits begins with what that of clean ones has learned."
                        : ""));
  }

  /// relu beside sigmoid.
  void last_activation() {
    page.heading("relu or sigmoid at the end");
    std::vector<std::vector<std::string>> rows;
    for (const double at : twin.at("noise")) {
      for (const std::string output : {"sigmoid", "relu"}) {
        const json& level = ending_with(output, at);
        std::vector<std::string> row = {level_text(at), output, number(level.at("bce"), 4), last_losses(level),
                                        number(level.at("mse"), 4)};
        if (level.contains("cut_off")) {
          const json& cut = level.at("cut_off");
          row.insert(row.end(), {percent(cut.at("zeros"), 2), number(cut.at("zeros_bce"), 4),
                                 percent(cut.at("ones"), 2), number(cut.at("ones_bce"), 4)});
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
    if (twin.at("noise").size() < levels.size()) {
      page.paragraph("The network with " + twin.at("output").get<std::string>() +
                     " at the end is there for this comparison, and trained at noise " +
                     level_text(twin.at("noise")[0]) + " only; <code>--full</code> trains it at every level.");
    }
    for (const double at : twin.at("noise")) page.paragraph(difference_text(at));
    for (const double at : twin.at("noise")) {
      json strips;
      for (const std::string output : {"sigmoid", "relu"}) {
        json strip = ending_with(output, at).at("strips").at(0);
        strip["name"] = "noise " + level_text(at) + ", " + output;
        strips.push_back(strip);
      }
      page.add(strips_html(folder, strips));
    }
  }

  /// Where the difference between relu and sigmoid comes from.
  std::string difference_text(double at) const {
    const json &r = ending_with("relu", at), &s = ending_with("sigmoid", at), &cut = r.at("cut_off");
    const double cost = cut.at("zeros_bce").get<double>() + cut.at("ones_bce").get<double>();
    return "With a relu at the end the loss at noise " + level_text(at) + " is " + number(r.at("bce"), 4) +
           ", with a sigmoid " + number(s.at("bce"), 4) + ". Of the relu's, " + number(cost, 4) +
           " is of pixels that are cut off wrongly; the MSE is " + number(r.at("mse"), 4) + " with a relu and " +
           number(s.at("mse"), 4) + " with a sigmoid.";
  }

  /// "0.1022 to 0.1101": the held-out losses of a model's last five epochs.
  static std::string last_losses(const json& level) {
    const std::vector<double> all = level.at("val_loss");
    const auto [low, high] = std::minmax_element(all.end() - std::min<std::ptrdiff_t>(5, std::ssize(all)), all.end());
    return "<span class=\"soft\">" + number(*low, 4) + " to " + number(*high, 4) + "</span>";
  }

  /// Which digits turn into which, and the worst failures.
  void confusions() {
    page.section("What turns into what");
    page.paragraph("Rows: the digit; columns: what the classifier takes it for; percent of the row.");
    for (const json& recipe : recipes) {
      if (!shown(recipe)) continue;
      page.heading(recipe.at("title").get<std::string>());
      for (std::size_t i = 0; i < levels.size(); ++i) {
        const json &before = levels[i].at("noisy"), &after = recipe.at("levels")[i];
        const std::string at = "noise " + level_text(levels[i].at("noise"));
        page.add("<div class=\"pair\">" + heat_map(before.at("confusion"), at + ", noisy") +
                 heat_map(after.at("confusion"), at + ", denoised") + "</div>\n");
        std::string text = "Most frequent after denoising: ";
        const std::vector<Turn> turns = turns_of(after.at("confusion"));
        for (std::size_t t = 0; t < std::min<std::size_t>(6, turns.size()); ++t) {
          text += (t == 0 ? "" : ", ") + turn_text(turns[t]);
        }
        if (turns.empty()) text += "none";
        page.paragraph(
            text + ". Confident but wrong: " + std::to_string(before.at("confident_wrong").at("count").get<Index>()) +
            " of the noisy, " + std::to_string(after.at("confident_wrong").at("count").get<Index>()) +
            " of the denoised digits.");
      }
    }
    page.heading("The worst failures");
    page.paragraph("Not recognized after denoising, and farthest from the clean digit.");
    for (const json& recipe : recipes) {
      if (!shown(recipe)) continue;
      for (const json& level : recipe.at("levels")) {
        if (!level.contains("worst")) continue;
        std::string html;
        for (const json& ten : level.at("worst")) html += strips_html(folder, ten);
        page.add("<details" + std::string(&recipe == &main && &level == &recipe.at("levels").back() ? " open" : "") +
                 "><summary>" + escaped(recipe.at("title").get<std::string>()) + ", noise " +
                 level_text(level.at("noise")) + "</summary>" + html + "</details>\n");
      }
    }
  }

  /// Recognition and PSNR over the noise.
  void other_levels() {
    page.section("Levels that a model was not trained on");
    const auto curve = [](const json& values) {
      std::vector<double> y;
      for (const json& v : values) y.push_back(v.is_null() ? NAN : v.get<double>());
      return y;
    };
    for (const json& recipe : recipes) {
      if (!shown(recipe)) continue;
      const std::string title = recipe.at("title");
      page.heading(title);
      LinePlot recognized{.title = "Recognition over noise: " + title,
                          .x_label = noise_axis,
                          .y_label = "recognized (% of the digits)",
                          .series = {},
                          .y_percent = true};
      LinePlot ratio{.title = "PSNR over noise: " + title, .x_label = noise_axis, .y_label = "PSNR (dB)", .series = {}};
      int color = 0, color_of_twin = 0;
      for (const json& s : sweep.at("series")) {
        const bool reference = s.at("recipe") == "";
        // The twin's lines stand beside those that they are compared with, dashed, in the colors of their levels.
        const bool of_twin = s.at("recipe") == twin.at("name") && &recipe == &counterpart;
        if (!reference && !of_twin && s.at("recipe") != recipe.at("name")) continue;
        const int own = reference ? kReferenceColor : of_twin ? color_of_twin++ : color++;
        const std::string name = s.at("title");
        ratio.series.push_back({name, noise, curve(s.at("psnr")), own, reference || of_twin});
        if (judged) recognized.series.push_back({name, noise, curve(s.at("recognized")), own, reference || of_twin});
      }
      if (judged) page.add(figure(recognized, "Recognition of held-out digits by the classifier of clean digits."));
      page.add(figure(ratio, "PSNR; at noise 0 an image that is not denoised is exact, and has no finite PSNR."));
    }
  }

  /// Sentences, each with its figures.
  void conclusions() {
    page.section("Conclusions");
    std::vector<std::string> points;
    for (const auto& some : {points_of_levels(), points_of_original(), points_of_comparisons()}) {
      points.insert(points.end(), some.begin(), some.end());
    }
    page.list(points);
  }

  /// How loss and recognition change with the noise.
  std::vector<std::string> points_of_levels() const {
    std::vector<std::string> points;
    const json &first = main.at("levels").front(), &last = main.at("levels").back();
    if (main.at("levels").size() > 1) {
      const double low = first.at("val_loss").back().get<double>() - floor,
                   high = last.at("val_loss").back().get<double>() - floor;
      points.push_back(std::string("The loss ") + (high > low ? "grows" : "does not grow") + " with the noise: from " +
                       number(first.at("val_loss").back(), 4) + " at " + level_text(first.at("noise")) + " to " +
                       number(last.at("val_loss").back(), 4) + " at " + level_text(last.at("noise")) +
                       ". Above the floor of " + number(floor, 4) + " that is " + number(low, 4) + " and " +
                       number(high, 4) + ", " + number(high / low, 1) + " times as much.");
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const json &before = levels[i].at("noisy"), &after = main.at("levels")[i];
      const auto change = [&](const char* key, int decimals) {
        return number(number_of(before.at(key)), decimals) + " to " + number(number_of(after.at(key)), decimals);
      };
      const int better =
          (number_of(after.at("psnr")) > number_of(before.at("psnr"))) + (after.at("ssim") > before.at("ssim"));
      points.push_back(
          "At noise " + level_text(levels[i].at("noise")) + ", denoising brings " +
          (better == 2   ? "images closer to the clean ones"
           : better == 0 ? "images no closer to the clean ones: it does harm"
                         : "images closer to the clean ones by one measure only") +
          ": PSNR goes from " + change("psnr", 2) + " dB, SSIM from " + change("ssim", 3) +
          ". The better simple filter reaches " +
          number(std::max(number_of(levels[i].at("box").at("psnr")), number_of(levels[i].at("blur").at("psnr"))), 2) +
          " dB.");
    }
    for (std::size_t i = 0; judged && i < levels.size(); ++i) {
      const json &before = levels[i], &after = main.at("levels")[i];
      const std::string at = "At noise " + level_text(before.at("noise")) + ", ";
      const double direct = rate(before.at("noisy_classifier").at("recognized")),
                   denoised = rate(after.at("recognized"));
      const json& best_filter = rate(before.at("blur").at("recognized")) > rate(before.at("box").at("recognized"))
                                    ? before.at("blur")
                                    : before.at("box");
      points.push_back(at + percent(denoised) + " of the digits are recognized after denoising, " +
                       percent(rate(before.at("noisy").at("recognized"))) +
                       " before it; the better simple filter reaches " + percent(rate(best_filter.at("recognized"))) +
                       ". A classifier that was trained on this noise recognizes " + percent(direct) +
                       " without denoising" + comparison_text(after.at("beside_noisy_classifier")) + ".");
      const Index noisy = before.at("noisy").at("confident_wrong").at("count"),
                  filtered = best_filter.at("confident_wrong").at("count"),
                  own = after.at("confident_wrong").at("count");
      points.push_back(at + thousands(own) + " denoised digits are wrong although the classifier is at least " +
                       percent(kConfident, 0) + " sure, against " + thousands(noisy) + " of the noisy and " +
                       thousands(filtered) + " of the filtered ones.");
    }
    return points;
  }

  /// Whether a classifier of noisy digits recognizes more or fewer of them than are recognized after denoising, or that
  /// the difference, of the same digits, lies within its 95% interval.
  static std::string comparison_text(const json& beside) {
    const Interval difference =
        paired_difference_interval(beside.at("classifier_only"), beside.at("denoised_only"), beside.at("of"));
    const std::string range =
        " (the difference: " + number(100 * difference.low, 1) + " to " + number(100 * difference.high, 1) + " points)";
    return std::string(difference.low > 0    ? ", which is more"
                       : difference.high < 0 ? ", which is fewer"
                                             : ", which may be chance") +
           range;
  }

  /// What the original report (ML-PW-12) found, checked; its noise was Gaussian, and it trained for about ten epochs.
  std::vector<std::string> points_of_original() const {
    std::vector<std::string> points;
    if (!judged || config.at("noise-kind") != "gaussian") return points;
    for (const json& recipe : recipes) {
      if (!shown(recipe) || recipe.at("model") != main.at("model")) continue;
      const std::string title = recipe.at("title"),
                        epochs = std::to_string(recipe.at("epochs").get<Index>()) + " epochs";
      const std::string network = " (here: " + escaped(title) + (title.ends_with(epochs) ? "" : ", " + epochs) + ")";
      if (const json* level = level_of(recipe.at("levels"), 0.7)) add_two_and_seven(points, *level, network);
      if (const json* level = level_of(recipe.at("levels"), 0.9)) add_four_and_nine(points, *level, network);
    }
    return points;
  }
  // A digit is said to look like another, or to be lost, where that happens to more than these shares of it.
  static constexpr double kLooksAlike = 0.05, kLost = 0.5;
  static std::string looks_alike(double share) {
    return share > kLooksAlike ? "so it is" : "not as a rule (which would be " + percent(kLooksAlike, 0) + ")";
  }
  static bool has(const json& matrix, std::initializer_list<int> digits) {
    const std::vector<int> classes = classes_of(matrix);
    return std::all_of(digits.begin(), digits.end(),
                       [&](int d) { return std::find(classes.begin(), classes.end(), d) != classes.end(); });
  }
  static void add_two_and_seven(std::vector<std::string>& points, const json& level, const std::string& network) {
    const json& matrix = level.at("confusion");
    if (!has(matrix, {2, 7})) return;
    const double to_seven = share(matrix, 2, 7), to_two = share(matrix, 7, 2);
    const std::vector<Turn> turns = turns_of(matrix);
    points.push_back("The original report found that at 0.7 a 2 and a 7 look the same" + network + ". " +
                     percent(to_seven) + " of the 2s are taken for a 7 and " + percent(to_two) +
                     " of the 7s for a 2: " + looks_alike(std::max(to_seven, to_two)) + "." +
                     (turns.empty() ? "" : " The most frequent confusion is " + turn_text(turns.front()) + "."));
  }
  static void add_four_and_nine(std::vector<std::string>& points, const json& level, const std::string& network) {
    const json& matrix = level.at("confusion");
    if (!has(matrix, {4, 9})) return;
    const std::vector<int> classes = classes_of(matrix);
    const int least = *std::min_element(classes.begin(), classes.end(),
                                        [&](int a, int b) { return share(matrix, a, a) < share(matrix, b, b); });
    const double to_seven = share(matrix, 4, 7), to_eight = share(matrix, 4, 8), nines = share(matrix, 9, 9);
    points.push_back("The original report found that at 0.9 a 4 looks like a 7 or an 8, and that 9 is lost" + network +
                     ". " + percent(to_seven) + " of the 4s are taken for a 7, " + percent(to_eight) + " for an 8: " +
                     looks_alike(std::max(to_seven, to_eight)) + "; " + percent(share(matrix, 4, 9)) + " for a 9. " +
                     percent(nines) + " of the 9s are recognized: " + (nines < kLost ? "lost" : "not lost") +
                     " (lost would be fewer than " + percent(kLost, 0) + "). The digit that suffers most is " +
                     std::to_string(least) + ": " + percent(share(matrix, least, least)) + " are recognized.");
  }

  /// From which level on denoising pays, of those that the sweep has: where each model recognizes more digits than there
  /// are recognized without it.
  std::string worth_text() const {
    std::string text = "By what is recognized, denoising pays, of the levels that were tried, ";
    const json& series = sweep.at("series");
    const std::vector<double> noisy = series.at(0).at("recognized");
    // Where every pixel is noise, nothing depends on the image.
    const std::size_t levels_tried =
        config.at("noise-kind") != "gaussian" && noise.back() >= 1 ? noise.size() - 1 : noise.size();
    bool any = false;
    for (const json& s : series) {
      if (s.at("recipe") != main.at("name")) continue;
      const std::vector<double> denoised = s.at("recognized");
      std::size_t from = levels_tried;
      while (from > 0 && denoised[from - 1] > noisy[from - 1]) --from;
      text += std::string(any ? ", " : "") +
              (from == levels_tried ? "nowhere"
               : from == 0          ? "at all of them"
                                    : "from " + level_text(noise[from]) + " on") +
              " (" + escaped(s.at("title").get<std::string>()) + ")";
      any = true;
    }
    return text + ".";
  }

  /// Other networks, the blind model, the last activation.
  std::vector<std::string> points_of_comparisons() const {
    std::vector<std::string> points;
    const json& last = main.at("levels").back();
    for (const json& recipe : recipes) {
      if (&recipe == &main || !shown(recipe) || recipe.at("model") == main.at("model")) continue;
      const json& other = recipe.at("levels").back();
      const double difference = last.at("val_loss").back().get<double>() - other.at("val_loss").back().get<double>();
      std::string text = "The " + escaped(recipe.at("title").get<std::string>()) + " with " +
                         thousands(recipe.at("parameters").get<Index>()) + " parameters comes to a held-out loss of " +
                         number(other.at("val_loss").back(), 4) + " at noise " + level_text(other.at("noise")) + ", " +
                         number(std::abs(difference), 4) + (difference >= 0 ? " below" : " above") + " that of the " +
                         escaped(main.at("title").get<std::string>());
      if (judged)
        text += ", and to " + percent(rate(other.at("recognized"))) + " recognized instead of " +
                percent(rate(last.at("recognized")));
      points.push_back(text + ".");
    }
    {
      const json& series = sweep.at("series");
      const std::string blind = main.at("name").get<std::string>() + "-blind";
      std::string text = "One blind model, trained on all levels up to " + level_text(m.at("blind").at("noise")) +
                         ", against the model of each level: ";
      bool any = false;
      for (const json& level : main.at("levels")) {
        const auto at = std::find_if(noise.begin(), noise.end(),
                                     [&](double n) { return std::abs(n - level.at("noise").get<double>()) < 1e-9; });
        if (at == noise.end()) continue;
        const auto k = static_cast<std::size_t>(at - noise.begin());
        for (const json& s : series) {
          if (s.at("name") != blind) continue;
          text += std::string(any ? "; " : "") + "at " + level_text(level.at("noise")) + " ";
          text +=
              judged
                  ? percent(s.at("recognized").at(k)) + " recognized against " + percent(rate(level.at("recognized")))
                  : number(number_of(s.at("psnr").at(k)), 2) + " dB against " + number(number_of(level.at("psnr")), 2);
          any = true;
        }
      }
      if (any) points.push_back(text + ".");
    }
    {
      points.push_back(difference_text(twin.at("noise").back()));
      if (judged) points.push_back(worth_text());
    }
    return points;
  }
};

}  // namespace

void write_report(const run::Folder& folder) {
  const json metrics = folder.metrics(kProgram);
  if (!metrics.contains("sweep")) {
    throw FormatError(folder.file("metrics.json") + ": expected the figures of a study; `denoise train` has no report");
  }
  try {
    write_file(folder.file("report.html"), StudyReport(metrics, folder).html());
  } catch (const json::exception& error) {
    throw FormatError(folder.file("metrics.json") +
                      ": not the figures of a study by linnet " LINNET_VERSION_STRING " (" + error.what() + ")");
  }
}

}  // namespace denoise
