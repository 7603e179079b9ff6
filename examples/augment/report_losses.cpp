// The report's section of losses: by epoch, and after the last.
#include "../common/plot.hpp"
#include "report.hpp"

namespace augment {

namespace {

/// A plot by epoch with one color for each size, of the sum of the named figures.
void curve(Page& page, const StudyFigures& study, int digit, const std::string& recipe, const std::string& title,
           const std::vector<std::string>& own, const std::vector<std::string>& held_out) {
  LinePlot plot{
      .title = title, .x_label = "epoch", .y_label = title + " (nats an image)", .series = {}, .x_whole = true};
  int color = 0;
  for (const std::string& size : study.sizes()) {
    const Group* group = study.find(digit, size, recipe);
    if (group == nullptr) continue;
    const json& history = group->first().at("history");
    Numbers epochs;
    for (std::size_t e = 1; e <= history.at("loss").size(); ++e) epochs.push_back(static_cast<double>(e));
    const auto values = [&](const std::vector<std::string>& names) {
      Numbers sum(epochs.size(), 0.0);
      for (const std::string& name : names) {
        const Numbers part = history.at(name);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
      }
      return sum;
    };
    plot.series.push_back({size + ", held out", epochs, values(held_out), color, false});
    plot.series.push_back({size + ", training", epochs, values(own), color++, true});
  }
  page.add(figure(plot));
}

}  // namespace

void add_losses(Page& page, const StudyFigures& study) {
  page.section("Loss by epoch and size");
  page.paragraph(
      "The ELBO (evidence lower bound) bounds the log-likelihood that a model gives an image. &minus;ELBO, in nats "
      "(1.44 "
      "bits), is the <em>reconstruction</em>, what the latents leave untold of the pixels, plus the <em>KL "
      "divergence</em>, what the latents tell; lower is better. Grey pixels keep the reconstruction above 0.");
  for (const json& recipe : study.metrics().at("recipes")) {
    const bool plain = recipe.at("name") == "plain";
    page.add("<details" + std::string(plain ? " open" : "") + "><summary>" +
             escaped(recipe.at("name").get<std::string>()) + "</summary>\n");
    for_each_digit(page, study, [&](const json& real) {
      const int digit = real.at("digit");
      const std::string name = recipe.at("name");
      curve(page, study, digit, name, "\u2212ELBO", {"reconstruction", "kl"}, {"val_reconstruction", "val_kl"});
      page.add("<details><summary>its two terms: reconstruction and KL divergence</summary>\n");
      curve(page, study, digit, name, "reconstruction", {"reconstruction"}, {"val_reconstruction"});
      curve(page, study, digit, name, "KL divergence", {"kl"}, {"val_kl"});
      page.add("</details>\n");
    });
    page.add("</details>\n");
  }
  page.note(
      "One line for each number of training images; of several random subsets the first. Of at most 500 training "
      "images, as they are, without distortion, and of at most 500 held-out ones; the table has all.");
  std::vector<std::vector<std::string>> rows;
  for (const Group& g : study.groups()) {
    const auto terms = [&](const std::string& which) {
      return number(mean(g.at("/" + which + "/reconstruction")), 1) + " + " +
             number(mean(g.at("/" + which + "/kl")), 1);
    };
    rows.push_back({g.title(), escaped(g.recipe), terms("train_elbo"), spread(g.negative_elbo("train_elbo"), 1),
                    terms("elbo"), "<b>" + spread(g.negative_elbo("elbo"), 1) + "</b>"});
  }
  page.add(table({"digit, images", "recipe", "training: reconstruction + KL", "&minus;ELBO",
                  "held out: reconstruction + KL", "&minus;ELBO"},
                 rows, 2));
  page.note(
      "After the last epoch, in nats an image; mean and range over the random subsets. Training loss alone "
      "misleads: with few images it is low because they are known by heart.");
  std::string collapsed;
  for (const Group& g : study.groups()) {
    if (g.collapsed()) append(collapsed, g.title() + ", " + g.recipe, "; ");
  }
  if (!collapsed.empty()) {
    page.paragraph(wrong("Collapsed, with a KL divergence near 0: " + collapsed +
                         ". Their latents carry next to nothing; more epochs or a smaller --beta help."));
  }
}

}  // namespace augment
