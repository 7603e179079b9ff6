// The report: one HTML file, made of nothing but metrics.json and the pictures of the run folder, and of OUT/benefit.
#include "report.hpp"

#include <cctype>
#include <filesystem>
#include <functional>
#include <optional>

namespace augment {

namespace {

void add_overview(Page& page, const StudyFigures& study) {
  const json& recipes = study.metrics().at("recipes");
  constexpr Index kFewEpochs = 8;  // by which the improved recipe has overtaken the plain one with few images
  const bool few_epochs = recipes[0].at("epochs") < kFewEpochs;
  std::vector<std::pair<std::string, std::string>> tiles;
  for (const json& real : study.metrics().at("real")) {
    const int digit = real.at("digit");
    const Group *plain = study.find(digit, study.smallest(), "plain"),
                *improved = study.find(digit, study.smallest(), "improved");
    if (plain == nullptr || improved == nullptr || few_epochs || plain->collapsed() || improved->collapsed()) continue;
    tiles.emplace_back(
        number(mean(plain->negative_elbo("elbo")), 0) + " &rarr; " + number(mean(improved->negative_elbo("elbo")), 0),
        "digit " + std::to_string(digit) + ", " + study.smallest() +
            " examples: held-out &minus;ELBO in nats, plain and improved");
  }
  page.tiles(tiles);
  std::string few;
  for (const json& real : study.metrics().at("real")) {
    const Index count = real.at("held_out");
    if (count >= figures::kFewHeldOut) continue;
    append(few, std::to_string(count) + " of " + std::to_string(real.at("digit").get<int>()));
  }
  if (!few.empty()) {
    page.paragraph(wrong("Few held-out images (" + few + "): the figures below may be chance."));
  }
  if (few_epochs) {
    page.paragraph(wrong("A first look: " + std::to_string(recipes[0].at("epochs").get<Index>()) +
                         " epochs are so few that the improved recipe, which learns more slowly, has hardly begun."));
  }
  page.section("The networks and the run");
  std::vector<std::vector<std::string>> rows;
  for (const json& recipe : recipes) {
    rows.push_back({escaped(recipe.at("name").get<std::string>()), recipe.at("network").get<std::string>(),
                    thousands(recipe.at("parameters").get<Index>()), std::to_string(recipe.at("latent").get<Index>()),
                    compact(recipe.at("beta")), std::to_string(recipe.at("epochs").get<Index>()),
                    std::to_string(recipe.at("batch").get<Index>()), compact(recipe.at("lr")) + ", cosine to 0"});
  }
  page.add(
      table({"recipe", "network", "parameters", "latents", "beta", "epochs", "batch", "Adam, learning rate"}, rows));
  const Index plain_latents = recipes[0].at("latent"), latents = recipes[1].at("latent");
  page.paragraph(
      "An epoch is a pass over the images, or 100 batches where a pass is shorter. <em>Plain</em>: images as they "
      "are, as "
      "in the original report (ML-PW-12). <em>Improved</em>: every image is turned, scaled, sheared, shifted and "
      "bent anew "
      "each time" +
      (plain_latents == latents
           ? ""
           : ", and there are " + std::to_string(latents) + " latents instead of " + std::to_string(plain_latents)) +
      ". How many epochs is fixed beforehand; no run is stopped, and none is chosen, by held-out images.");
  page.add("<details><summary>The plain network, layer by layer</summary><pre>" +
           escaped(study.metrics().at("summary").get<std::string>()) + "</pre></details>\n");
  const json& c = study.metrics().at("classifier");
  const std::string other = c.at("other_training_data");
  page.add("<details><summary>The run</summary>" +
           table({},
                 {{"images", figures::images_text(study.metrics())},
                  {"loss",
                   "binary cross-entropy summed over the pixels + beta &middot; KL divergence, mean over the batch, in "
                   "nats; &minus;ELBO in this report is that with beta = 1, whatever beta training had"},
                  {"classifier", thousands(c.at("parameters").get<Index>()) + " parameters, trained on " +
                                     (other.empty() ? "the training images of all classes" : wrong(escaped(other))) +
                                     "; it judges only, and recognizes " + rate_text(c.at("recognized")) +
                                     " of the held-out digits"},
                  {"random subsets", "drawn by number: the same for every recipe"},
                  {"seed", std::to_string(study.metrics().at("config").at("seed").get<std::uint64_t>())},
                  {"version, compiler", figures::version_text(study.metrics())},
                  {"the same again", "<code>augment study --config config.json --out OTHER</code>"}},
                 2) +
           "</details>\n");
  const std::string note = figures::judge_note(c.at("recognized"));
  if (!note.empty()) {
    page.note("The classifier recognizes " + percent(rate(c.at("recognized"))) + " of the held-out digits. " + note);
  }
}

std::string capital(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}
/// For which digits the improved recipe with the fewest images beats the plain one with the most.
std::string better_than_all(const StudyFigures& study) {
  std::string better;
  for (const json& real : study.metrics().at("real")) {
    const int digit = real.at("digit");
    if (mean(study.find(digit, study.smallest(), "improved")->negative_elbo("elbo")) <
        mean(study.find(digit, study.largest(), "plain")->negative_elbo("elbo"))) {
      append(better, std::to_string(digit));
    }
  }
  return "With " + study.smallest() + " it is better than the plain recipe with " + study.largest() + " for " +
         (better.empty() ? "no digit." : better + ".");
}

/// One sentence for each question, with the figures of every digit.
void add_conclusions(Page& page, const StudyFigures& study, const BenefitFigures* benefit) {
  page.section("Conclusions");
  std::vector<std::string> points;
  const auto add = [&](const std::string& text) { points.push_back(text); };
  // "2: 463 and 162; 3: 428 and 148", for digits that have all that is asked for.
  const auto by_digit = [&](const std::function<std::string(const json& real)>& of_digit) {
    std::string text;
    for (const json& real : study.metrics().at("real")) {
      const std::string one = of_digit(real);
      if (one.empty()) continue;
      append(text, std::to_string(real.at("digit").get<int>()) + ": " + one, "; ");
    }
    return text;
  };
  const auto plain = [&](const json& real, const std::string& size) -> const Group& {
    return *study.find(real.at("digit"), size, "plain");
  };
  const auto improved = [&](const json& real, const std::string& size) -> const Group& {
    return *study.find(real.at("digit"), size, "improved");
  };
  const auto loss = [](const Group& g, const char* which) { return mean(g.negative_elbo(which)); };
  const bool several = study.sizes().size() > 1;
  const std::string from_to =
      several ? "with " + study.smallest() + " and with " + study.largest() : "with " + study.smallest();
  const auto both = [&](const std::function<std::string(const std::string& size)>& of_size) {
    return several ? of_size(study.smallest()) + " and " + of_size(study.largest()) : of_size(study.smallest());
  };
  add("Loss. Plain recipe, in nats, training images " + from_to + ": " + by_digit([&](const json& real) {
        return both([&](const std::string& size) { return number(loss(plain(real, size), "train_elbo"), 0); });
      }) +
      "; held-out images: " + by_digit([&](const json& real) {
        return both([&](const std::string& size) { return number(loss(plain(real, size), "elbo"), 0); });
      }) +
      ".");
  add("The improved recipe, held out, " + from_to + ": " + by_digit([&](const json& real) {
        return both([&](const std::string& size) { return number(loss(improved(real, size), "elbo"), 0); });
      }) +
      (several ? ". " + better_than_all(study) : "."));
  add("Memory. Distance of the plain model's samples from the nearest training image, beside that of held-out "
      "digits, "
      "with " +
      study.smallest() + " examples: " + by_digit([&](const json& real) {
        const Group& g = plain(real, study.smallest());
        return number(mean(g.at("/prior/nearest")), 1) + " beside " + number(mean(g.at("/held_out_nearest")), 1);
      }) +
      "; recognized are " + by_digit([&](const json& real) {
        return percent(mean(plain(real, study.smallest()).rates("/prior/recognized"))) + " (real digits " +
               percent(rate(real.at("recognized"))) + ")";
      }) +
      ".");
  add("Recognition with " + study.largest() + (study.largest() == "all" ? " images" : " examples") +
      ", plain recipe, and as a share of the classifier's rate on real digits (above 100%: samples are clearer than "
      "these): " +
      by_digit([&](const json& real) {
        const double rate_of_samples = mean(plain(real, study.largest()).rates("/prior/recognized"));
        const double rate_of_real = rate(real.at("recognized"));
        return percent(rate_of_samples, 2) +
               (rate_of_real > 0 ? ", " + percent(rate_of_samples / rate_of_real, 2) : "");
      }) +
      ".");
  const auto figures_of = [&](const json& real, const char* pointer, int decimals) {
    const Numbers few = plain(real, study.smallest()).at(pointer), all = plain(real, study.largest()).at(pointer);
    return few.empty() || all.empty() ? std::string()
                                      : number(mean(few), decimals) + " and " + number(mean(all), decimals);
  };
  std::string changed, unchanged;
  const std::string vendi = by_digit([&](const json& real) {
    const Numbers few = plain(real, study.smallest()).at("/prior/diversity/vendi"),
                  all = plain(real, study.largest()).at("/prior/diversity/vendi");
    if (few.empty() || all.empty()) return std::string();
    const std::string digit = std::to_string(real.at("digit").get<int>());
    if (few.size() > 1) {
      std::string& where = apart(few, all) ? changed : unchanged;
      append(where, digit);
    }
    return number(mean(few), 1) + " and " + number(mean(all), 1) +
           (few.size() == 1         ? ""
            : !apart(few, all)      ? " (within the range of the subsets)"
            : mean(all) > mean(few) ? " (higher)"
                                    : " (lower)");
  });
  const std::string coverage = by_digit([&](const json& real) { return figures_of(real, "/prior/coverage", 2); });
  if (several && !vendi.empty()) {
    add("Diversity. The original report finds it greater with more images by eye, and the same in theory. Vendi score "
        "of the plain model's "
        "samples " +
        from_to + ": " + vendi + ". Of real digits: " + by_digit([&](const json& real) {
          const json& d = real.at("diversity");
          return d.is_null() || d.at("vendi").is_null() ? std::string() : number(d.at("vendi"), 1);
        }) +
        "." + (changed.empty() ? "" : " It is not the same for " + changed + ".") +
        (unchanged.empty() ? "" : " No subset tells it apart for " + unchanged + ".") +
        (coverage.empty() ? "" : " Coverage of held-out digits: " + coverage + "."));
  }
  if (benefit != nullptr && study.metrics().at("data").at("crc32") == benefit->metrics().at("data").at("crc32")) {
    for (const Index n : benefit->sizes()) {
      if (!benefit->finished(n)) continue;
      add("Do synthetic digits help a classifier of " + std::to_string(n) + " digits of each class? " +
          capital(benefit->verdict(n)) + ".");
    }
  }
  page.list(points);
}

}  // namespace

void require_place_for_report(const std::string& path) {
  const run::Folder folder(path);
  const bool of_study = folder.has("config.json"), of_benefit = folder.has("benefit/config.json");
  if (of_study ? folder.program() != kProgram || folder.command() != "study"
               : folder.has("report.html") && !of_benefit) {
    throw FileError(path +
                    ": expected the folder of a study, or a new one, for the report; there is something else in it");
  }
}

void write_report(const std::string& path) {
  namespace fs = std::filesystem;
  const run::Folder folder(path), benefit_folder((fs::path(path) / "benefit").string());
  // One of the two is enough; without either, the study's folder is what tells why.
  json benefit_metrics = benefit_folder.has("metrics.json") ? benefit_folder.metrics(kProgram) : json(nullptr);
  json study_metrics =
      folder.has("metrics.json") || benefit_metrics.is_null() ? folder.metrics(kProgram) : json(nullptr);
  if (!study_metrics.is_null() && !study_metrics.contains("models")) {
    throw FormatError(
        folder.file("metrics.json") + ": expected the figures of a study, got those of `augment " + folder.command() +
        "`" + (folder.command() == "benefit" ? "; its report is made of the folder that this one lies in" : ""));
  }
  try {
    std::optional<StudyFigures> study;
    if (!study_metrics.is_null()) study.emplace(std::move(study_metrics));
    std::optional<BenefitFigures> benefit;
    if (!benefit_metrics.is_null()) benefit.emplace(std::move(benefit_metrics));
    Page page("What an autoencoder adds to few examples",
              "Variational autoencoders of single digits, trained and measured with linnet. Held-out figures are of "
              "images that no training saw.");
    if (study) {
      add_overview(page, *study);
      add_losses(page, *study);
      add_pictures(page, *study, folder);
      add_extremes(page, *study, folder);
      add_verdicts(page, *study);
      add_diversity(page, *study, folder);
    }
    if (benefit) add_benefit(page, *benefit, study ? &*study : nullptr, benefit_folder);
    if (study) add_conclusions(page, *study, benefit ? &*benefit : nullptr);
    write_file(folder.file("report.html"), page.html());
  } catch (const json::exception& problem) {
    throw FormatError(path + ": not the figures of a study by linnet " LINNET_VERSION_STRING " (" + problem.what() +
                      ")");
  }
}

}  // namespace augment
