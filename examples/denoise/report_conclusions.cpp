// The report's conclusions: sentences, each with its figures.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "report.hpp"

namespace denoise {

namespace {

/// Whether a classifier of noisy digits recognizes more or fewer of them than are recognized after denoising, or that
/// the difference, of the same digits, lies within its 95% interval.
std::string comparison_text(const json& beside) {
  const Interval difference =
      paired_difference_interval(beside.at("classifier_only"), beside.at("denoised_only"), beside.at("of"));
  const std::string range =
      " (the difference: " + number(100 * difference.low, 1) + " to " + number(100 * difference.high, 1) + " points)";
  return std::string(difference.low > 0    ? ", which is more"
                     : difference.high < 0 ? ", which is fewer"
                                           : ", which may be chance") +
         range;
}

/// How loss and recognition change with the noise.
std::vector<std::string> points_of_levels(const StudyFigures& study) {
  std::vector<std::string> points;
  const json &first = study.main.at("levels").front(), &last = study.main.at("levels").back();
  if (study.main.at("levels").size() > 1) {
    const double low = first.at("val_loss").back().get<double>() - study.floor,
                 high = last.at("val_loss").back().get<double>() - study.floor;
    points.push_back(std::string("The loss ") + (high > low ? "grows" : "does not grow") + " with the noise: from " +
                     number(first.at("val_loss").back(), 4) + " at " + level_text(first.at("noise")) + " to " +
                     number(last.at("val_loss").back(), 4) + " at " + level_text(last.at("noise")) +
                     ". Above the floor of " + number(study.floor, 4) + " that is " + number(low, 4) + " and " +
                     number(high, 4) + ", " + number(high / low, 1) + " times as much.");
  }
  for (std::size_t i = 0; i < study.levels.size(); ++i) {
    const json &before = study.levels[i].at("noisy"), &after = study.main.at("levels")[i];
    const auto change = [&](const char* key, int decimals) {
      return number(number_of(before.at(key)), decimals) + " to " + number(number_of(after.at(key)), decimals);
    };
    const int better =
        (number_of(after.at("psnr")) > number_of(before.at("psnr"))) + (after.at("ssim") > before.at("ssim"));
    points.push_back("At noise " + level_text(study.levels[i].at("noise")) + ", denoising brings " +
                     (better == 2   ? "images closer to the clean ones"
                      : better == 0 ? "images no closer to the clean ones: it does harm"
                                    : "images closer to the clean ones by one measure only") +
                     ": PSNR goes from " + change("psnr", 2) + " dB, SSIM from " + change("ssim", 3) +
                     ". The better simple filter reaches " +
                     number(std::max(number_of(study.levels[i].at("box").at("psnr")),
                                     number_of(study.levels[i].at("blur").at("psnr"))),
                            2) +
                     " dB.");
  }
  for (std::size_t i = 0; study.judged && i < study.levels.size(); ++i) {
    const json &before = study.levels[i], &after = study.main.at("levels")[i];
    const std::string at = "At noise " + level_text(before.at("noise")) + ", ";
    const double direct = rate(before.at("noisy_classifier").at("recognized")), denoised = rate(after.at("recognized"));
    const json& best_filter = rate(before.at("blur").at("recognized")) > rate(before.at("box").at("recognized"))
                                  ? before.at("blur")
                                  : before.at("box");
    points.push_back(at + percent(denoised) + " of the digits are recognized after denoising, " +
                     percent(rate(before.at("noisy").at("recognized"))) +
                     " before it; the better simple filter reaches " + percent(rate(best_filter.at("recognized"))) +
                     ". A classifier that was trained on this noise recognizes " + percent(direct) +
                     " without denoising" + comparison_text(after.at("beside_noisy_classifier")) + ".");
    const Index noisy = before.at("noisy").at("confident_wrong").at("count"),
                filtered = best_filter.at("confident_wrong").at("count"), own = after.at("confident_wrong").at("count");
    points.push_back(at + thousands(own) + " denoised digits are wrong although the classifier is at least " +
                     percent(kConfident, 0) + " sure, against " + thousands(noisy) + " of the noisy and " +
                     thousands(filtered) + " of the filtered ones.");
  }
  return points;
}

// A digit is said to look like another, or to be lost, where that happens to more than these shares of it.
constexpr double kLooksAlike = 0.05, kLost = 0.5;
std::string looks_alike(double share) {
  return share > kLooksAlike ? "so it is" : "not as a rule (which would be " + percent(kLooksAlike, 0) + ")";
}
bool has(const json& matrix, std::initializer_list<int> digits) {
  const std::vector<int> classes = classes_of(matrix);
  return std::all_of(digits.begin(), digits.end(),
                     [&](int d) { return std::find(classes.begin(), classes.end(), d) != classes.end(); });
}
void add_two_and_seven(std::vector<std::string>& points, const json& level, const std::string& network) {
  const json& matrix = level.at("confusion");
  if (!has(matrix, {2, 7})) return;
  const double to_seven = share(matrix, 2, 7), to_two = share(matrix, 7, 2);
  const std::vector<Turn> turns = turns_of(matrix);
  points.push_back("The original report found that at 0.7 a 2 and a 7 look the same" + network + ". " +
                   percent(to_seven) + " of the 2s are taken for a 7 and " + percent(to_two) +
                   " of the 7s for a 2: " + looks_alike(std::max(to_seven, to_two)) + "." +
                   (turns.empty() ? "" : " The most frequent confusion is " + turn_text(turns.front()) + "."));
}
void add_four_and_nine(std::vector<std::string>& points, const json& level, const std::string& network) {
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

/// What the original report (ML-PW-12) found, checked; its noise was Gaussian, and it trained for about ten epochs.
std::vector<std::string> points_of_original(const StudyFigures& study) {
  std::vector<std::string> points;
  if (!study.judged || study.config.at("noise-kind") != "gaussian") return points;
  for (const json& recipe : study.recipes) {
    if (!study.shown(recipe) || recipe.at("model") != study.main.at("model")) continue;
    const std::string title = recipe.at("title"), epochs = std::to_string(recipe.at("epochs").get<Index>()) + " epochs";
    const std::string network = " (here: " + escaped(title) + (title.ends_with(epochs) ? "" : ", " + epochs) + ")";
    if (const json* level = level_of(recipe.at("levels"), 0.7)) add_two_and_seven(points, *level, network);
    if (const json* level = level_of(recipe.at("levels"), 0.9)) add_four_and_nine(points, *level, network);
  }
  return points;
}

/// From which level on denoising pays, of those that the sweep has: where each model recognizes more digits than there
/// are recognized without it.
std::string worth_text(const StudyFigures& study) {
  std::string text = "By what is recognized, denoising pays, of the levels that were tried, ";
  const json& series = study.sweep.at("series");
  const std::vector<double> noisy = series.at(0).at("recognized");
  // Where every pixel is noise, nothing depends on the image.
  const std::size_t levels_tried = study.config.at("noise-kind") != "gaussian" && study.sweep_noise.back() >= 1
                                       ? study.sweep_noise.size() - 1
                                       : study.sweep_noise.size();
  bool any = false;
  for (const json& s : series) {
    if (s.at("recipe") != study.main.at("name")) continue;
    const std::vector<double> denoised = s.at("recognized");
    std::size_t from = levels_tried;
    while (from > 0 && denoised[from - 1] > noisy[from - 1]) --from;
    text += std::string(any ? ", " : "") +
            (from == levels_tried ? "nowhere"
             : from == 0          ? "at all of them"
                                  : "from " + level_text(study.sweep_noise[from]) + " on") +
            " (" + escaped(s.at("title").get<std::string>()) + ")";
    any = true;
  }
  return text + ".";
}

/// The blind model against those of each level; "" where the sweep has none of these.
std::string blind_text(const StudyFigures& study) {
  const json& series = study.sweep.at("series");
  const std::string blind = study.main.at("name").get<std::string>() + "-blind";
  std::string text = "One blind model, trained on all levels up to " +
                     level_text(study.metrics.at("blind").at("noise")) + ", against the model of each level: ";
  bool any = false;
  for (const json& level : study.main.at("levels")) {
    const auto at = std::find_if(study.sweep_noise.begin(), study.sweep_noise.end(),
                                 [&](double n) { return std::abs(n - level.at("noise").get<double>()) < 1e-9; });
    if (at == study.sweep_noise.end()) continue;
    const auto k = static_cast<std::size_t>(at - study.sweep_noise.begin());
    for (const json& s : series) {
      if (s.at("name") != blind) continue;
      text += std::string(any ? "; " : "") + "at " + level_text(level.at("noise")) + " ";
      text += study.judged
                  ? percent(s.at("recognized").at(k)) + " recognized against " + percent(rate(level.at("recognized")))
                  : number(number_of(s.at("psnr").at(k)), 2) + " dB against " + number(number_of(level.at("psnr")), 2);
      any = true;
    }
  }
  return any ? text + "." : "";
}

/// Other networks, the blind model, the last activation.
std::vector<std::string> points_of_comparisons(const StudyFigures& study) {
  std::vector<std::string> points;
  const json& last = study.main.at("levels").back();
  for (const json& recipe : study.recipes) {
    if (&recipe == &study.main || !study.shown(recipe) || recipe.at("model") == study.main.at("model")) continue;
    const json& other = recipe.at("levels").back();
    const double difference = last.at("val_loss").back().get<double>() - other.at("val_loss").back().get<double>();
    std::string text = "The " + escaped(recipe.at("title").get<std::string>()) + " with " +
                       thousands(recipe.at("parameters").get<Index>()) + " parameters comes to a held-out loss of " +
                       number(other.at("val_loss").back(), 4) + " at noise " + level_text(other.at("noise")) + ", " +
                       number(std::abs(difference), 4) + (difference >= 0 ? " below" : " above") + " that of the " +
                       escaped(study.main.at("title").get<std::string>());
    if (study.judged)
      text += ", and to " + percent(rate(other.at("recognized"))) + " recognized instead of " +
              percent(rate(last.at("recognized")));
    points.push_back(text + ".");
  }
  if (const std::string text = blind_text(study); !text.empty()) points.push_back(text);
  points.push_back(study.difference_text(study.twin.at("noise").back()));
  if (study.judged) points.push_back(worth_text(study));
  return points;
}

}  // namespace

void add_conclusions(Page& page, const StudyFigures& study) {
  page.section("Conclusions");
  std::vector<std::string> points;
  for (const auto& some : {points_of_levels(study), points_of_original(study), points_of_comparisons(study)}) {
    points.insert(points.end(), some.begin(), some.end());
  }
  page.list(points);
}

}  // namespace denoise
