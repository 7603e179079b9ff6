// What is measured: the bound, what the classifier takes samples for, extreme latents, diversity and memory; and the
// pictures.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "augment.hpp"
#include "linnet/evaluation/diversity.hpp"

namespace augment {

using figures::counted, figures::rows_of, figures::strip;

namespace {

/// How much is drawn.
struct Counts {
  Index samples, directions;
};
Counts counts_of(bool quick) { return quick ? Counts{300, 50} : Counts{1000, 100}; }

constexpr Index kCompared = 100;  ///< images that diversity and memory are measured with
constexpr Index kNeighbours = 5;  ///< of density and coverage
constexpr Index kPlane = 15;      ///< tiles along a side of the latent plane
constexpr Index kTraversed = 17;  ///< images of a traversal, from -4 to 4
constexpr double kTraversal = 4;
constexpr Index kPoints = 300;  ///< of a scatter plot
// A walk from the mean of the prior outwards, in units of the radius of 95% of it: steps of kFine, behind kFar steps of
// kCoarse, to kReach; then so many halvings.
constexpr double kFine = 0.1, kCoarse = 0.5, kFar = 3, kReach = 10;
constexpr int kHalvings = 8;

/// Whether each image is taken for the class.
std::vector<bool> recognized_of(const classifier::Verdicts& verdicts, int digit) {
  std::vector<bool> result;
  for (const int verdict : verdicts.digit) result.push_back(verdict == digit);
  return result;
}

json recognition_of(const classifier::Verdicts& verdicts, int digit) {
  std::vector<Index> of_class(classifier::kClasses, 0);
  for (const int verdict : verdicts.digit) ++of_class[static_cast<std::size_t>(verdict)];
  return {{"recognized", counted(of_class[static_cast<std::size_t>(digit)], std::ssize(verdicts.digit))},
          {"taken_for", of_class}};
}

/// How different the images of a set are from each other; null for another count than `count`: scores depend on it.
json diversity_of(const Tensor<float>& images, Index count) {
  if (images.batch() != count || count < 2) return nullptr;
  json result = {{"count", count},
                 {"pixel_distance", mean_pairwise_distance(images)},
                 {"dissimilarity", 1 - mean_pairwise_ssim(images)}};
  const auto black = [&](Index i) {
    const auto image = images.samples(i, 1);
    return std::all_of(image.begin(), image.end(), [](float v) { return v == 0; });
  };
  bool any_black = false;  // has no direction, so no cosine
  for (Index i = 0; i < count; ++i) any_black = any_black || black(i);
  result["vendi"] = any_black ? json(nullptr) : json(vendi_score_cosine(images));
  return result;
}

/// How close a set comes to real images, of which it has as many.
json closeness_of(const Tensor<float>& images, const Tensor<float>& real, const Judge& judge) {
  json result = json::object();
  if (images.batch() != real.batch()) return result;
  if (real.batch() > kNeighbours) {
    const DensityCoverage reached = density_coverage(real, images, kNeighbours);
    result["density"] = reached.density;
    result["coverage"] = reached.coverage;
  }
  if (real.batch() >= 2) {
    result["feature_distance"] =
        frechet_distance(judge.features.predict(images.view()), judge.features.predict(real.view()));
  }
  return result;
}

/// Half of the held-out images, every other one, is what others are compared with; the other half shows how close real
/// ones come to them.
std::pair<Tensor<float>, Tensor<float>> halves_of(const ImageDataset& held_out, Index most) {
  std::vector<Index> even, odd;
  for (Index i = 0; i + 1 < held_out.size(); i += 2) even.push_back(i), odd.push_back(i + 1);
  return {evenly(held_out.subset(even), most).images(), evenly(held_out.subset(odd), most).images()};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Everything that is asked of a set of synthetic images, whose verdicts are known.
json scores_of(const Tensor<float>& images, const classifier::Verdicts& verdicts, const Trained& trained,
               const Judge& judge, const Tensor<float>& real, const Tensor<float>& train, Index compared) {
  const std::vector<bool> recognized = recognized_of(verdicts, trained.digit);
  json result = recognition_of(verdicts, trained.digit);
  std::vector<Index> chosen;
  for (Index i = 0; i < images.batch() && std::ssize(chosen) < compared; ++i) {
    if (recognized[static_cast<std::size_t>(i)]) chosen.push_back(i);
  }
  result["diversity"] = diversity_of(rows_of(images, chosen), compared);
  result.update(closeness_of(Tensor<float>(images.samples(0, std::min(images.batch(), real.batch()))), real, judge));
  const Tensor<float> some(images.samples(0, std::min(compared, images.batch())));
  result["nearest"] = median(nearest_samples(some, train).distance);
  return result;
}

double length_of(TensorView<const float> latent) {
  double square = 0;
  for (const float x : latent) square = std::fma(double{x}, double{x}, square);
  return std::sqrt(square);
}

/// How many samples of the prior are recognized, by their distance from its mean: within 1, 2, the radius of 95%, and
/// beyond.
json by_radius(const Tensor<float>& z, const std::vector<bool>& recognized) {
  const double limit = prior_radius(z.shape()[1]);
  const std::vector<double> bounds = {1, std::min(2.0, limit), limit, std::numeric_limits<double>::infinity()};
  std::vector<Index> count(bounds.size(), 0), of(bounds.size(), 0);
  for (Index i = 0; i < z.batch(); ++i) {
    const auto bound = std::upper_bound(bounds.begin(), bounds.end() - 1, length_of(z.samples(i, 1)));
    const auto bin = static_cast<std::size_t>(bound - bounds.begin());
    ++of[bin];
    count[bin] += recognized[static_cast<std::size_t>(i)];
  }
  json result = json::array();
  for (std::size_t b = 0; b < bounds.size(); ++b) result.push_back(counted(count[b], of[b]));
  return result;
}

/// Points on the unit sphere.
Tensor<float> directions_of(const Vae& vae, Index count, const RandomKey& key) {
  Tensor<float> z = vae.draw_prior(count, key);
  for (Index i = 0; i < count; ++i) {
    const auto of_sample = z.samples(i, 1);
    const double length = length_of(of_sample);
    for (float& x : of_sample) x = static_cast<float>(double{x} / length);
  }
  return z;
}

/// The radii of the walk, in units of the radius of 95% of the prior.
std::vector<double> steps_outwards() {
  std::vector<double> radii;
  const auto count = [](double length, double step) { return static_cast<int>(std::lround(length / step)); };
  for (int k = 0; k <= count(kFar, kFine); ++k) radii.push_back(k * kFine);
  for (int k = 1; k <= count(kReach - kFar, kCoarse); ++k) radii.push_back(kFar + k * kCoarse);
  return radii;
}

/// From the prior's mean along random directions: where the verdict is first another than the class. Steps find between
/// which radii that is, halving where.
json extremes_of(const run::Folder& folder, const Trained& trained, const Vae& vae, const Judge& judge,
                 Index directions, bool pictures) {
  const double limit = prior_radius(vae.latent());
  const Tensor<float> towards = directions_of(vae, directions, sample_key(trained.subset).with_step(1));
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const auto images_at = [&](const std::vector<double>& radii) {
    Tensor<float> z = towards;
    for (Index i = 0; i < directions; ++i) {
      const double radius = radii[static_cast<std::size_t>(i)];
      for (float& x : z.samples(i, 1)) x = static_cast<float>(double{x} * radius);
    }
    return vae.decode(z.view());
  };
  const auto recognized_at = [&](const std::vector<double>& radius) {
    return recognized_of(classifier::judge(judge.model, images_at(radius).view()), trained.digit);
  };
  // The first failure lies in (still, first].
  std::vector<double> still(static_cast<std::size_t>(directions), 0), first(still.size(), kNever);
  json radii = json::array(), rates = json::array();
  for (const double step : steps_outwards()) {
    const double radius = limit * step;
    const std::vector<bool> recognized = recognized_at(std::vector<double>(first.size(), radius));
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i] != kNever) continue;
      (recognized[i] ? still[i] : first[i]) = radius;
    }
    radii.push_back(radius);
    rates.push_back(counted(std::count(recognized.begin(), recognized.end(), true), directions));
  }
  for (int k = 0; k < kHalvings; ++k) {
    std::vector<double> middle = first;
    for (std::size_t i = 0; i < first.size(); ++i) middle[i] = first[i] == kNever ? 0 : (still[i] + first[i]) / 2;
    const std::vector<bool> recognized = recognized_at(middle);
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i] != kNever) (recognized[i] ? still[i] : first[i]) = middle[i];
    }
  }
  std::vector<std::size_t> order(first.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return first[a] < first[b]; });
  json radii_of_failure = json::array();
  for (const std::size_t i : order) radii_of_failure.push_back(first[i] == kNever ? json(nullptr) : json(first[i]));
  json result = {
      {"limit", limit},
      {"reach", limit * kReach},
      {"radius", radii},
      {"recognized", rates},
      {"first", radii_of_failure},
      {"inside", counted(std::count_if(first.begin(), first.end(), [&](double r) { return r <= limit; }), directions)}};
  std::vector<Index> shown;
  std::vector<std::string> labels;
  for (const std::size_t i : order) {
    if (first[i] == 0) continue;  // the mean itself: the same image for all
    if (first[i] == kNever || std::ssize(shown) == figures::kStripImages) break;
    shown.push_back(static_cast<Index>(i));
    labels.push_back("r = " + report::number(first[i], 1));
  }
  if (pictures && !shown.empty()) {
    std::vector<double> finite = first;
    std::replace(finite.begin(), finite.end(), kNever, 0.0);  // of no interest, but a number
    result["strip"] = strip(folder, "first failures", trained.name + "-failures", rows_of(images_at(finite), shown),
                            &judge.model, std::vector<int>(shown.size(), trained.digit));
    result["strip"]["labels"] = labels;
  }
  return result;
}

/// The latent plane as a grid of equal shares of the prior; the first latent grows to the right, the second upwards.
json plane_of(const run::Folder& folder, const Trained& trained, const Vae& vae, const Judge& judge) {
  Tensor<float> z({kPlane * kPlane, 2});
  for (Index row = 0; row < kPlane; ++row) {
    for (Index column = 0; column < kPlane; ++column) {
      const auto at = [](Index i) {
        return static_cast<float>(normal_quantile((static_cast<double>(i) + 0.5) / double{kPlane}));
      };
      z[(row * kPlane + column) * 2] = at(column);
      z[(row * kPlane + column) * 2 + 1] = at(kPlane - 1 - row);
    }
  }
  const Tensor<float> y = vae.decode(z.view());
  const std::string path = "pictures/" + trained.name + "-plane.png";
  write_grid(folder.file(path), y, {.columns = kPlane, .scale = 1, .gap = 0});
  const classifier::Verdicts verdicts = classifier::judge(judge.model, y.view());
  return {{"picture", path}, {"side", kPlane}, {"verdicts", verdicts.digit}, {"confidence", verdicts.confidence}};
}

/// The images along each latent dimension, the others 0.
json traversals_of(const run::Folder& folder, const Trained& trained, const Vae& vae, const Judge& judge) {
  json strips = json::array();
  for (Index k = 0; k < vae.latent(); ++k) {
    std::vector<std::string> labels;
    for (Index i = 0; i < kTraversed; ++i) {
      labels.push_back(report::number(kTraversal * (2 * static_cast<double>(i) / double{kTraversed - 1} - 1), 1));
    }
    json one = strip(folder, "latent " + std::to_string(k + 1), trained.name + "-latent-" + std::to_string(k + 1),
                     vae.along(k, k + 1, kTraversal, kTraversed), &judge.model,
                     std::vector<int>(kTraversed, trained.digit), kTraversed);
    one["labels"] = labels;
    strips.push_back(one);
  }
  return strips;
}

/// The images of one strip, and their class.
Tensor<float> first_strip(const Tensor<float>& images) {
  return Tensor<float>(images.samples(0, std::min(figures::kStripImages, images.batch())));
}
std::vector<int> truth_of(const Trained& trained) {
  return std::vector<int>(static_cast<std::size_t>(figures::kStripImages), trained.digit);
}

json pictures_of(const run::Folder& folder, const Trained& trained, const Vae& vae, const Judge& judge,
                 const Tensor<float>& samples, const Tensor<float>& train) {
  const Tensor<float> held_out = evenly(*trained.held_out, figures::kStripImages).images();
  json result;
  const auto ten = [&](const std::string& name, const std::string& file, const Tensor<float>& images,
                       const Model<float>* model) {
    return strip(folder, name, trained.name + "-" + file, images, model, truth_of(trained));
  };
  result["samples"] = ten("samples", "samples", first_strip(samples), &judge.model);
  const Tensor<float> originals = first_strip(held_out);
  result["reconstructions"] = {ten("held out", "originals", originals, nullptr),
                               ten("reconstructed", "reconstructions",
                                   vae.decode(vae.means(vae.encode(originals.view()).view()).view()), &judge.model)};
  if (vae.latent() == 2) {
    result["plane"] = plane_of(folder, trained, vae, judge);
    const Tensor<float> points = vae.means(vae.encode(evenly(*trained.held_out, kPoints).images().view()).view());
    for (Index i = 0; i < points.batch(); ++i) {
      result["points"]["x"].push_back(points[2 * i]);
      result["points"]["y"].push_back(points[2 * i + 1]);
    }
  }
  result["traversals"] = traversals_of(folder, trained, vae, judge);
  if (held_out.batch() >= 4) {
    const auto between = [&](Index pair, const std::string& file) {
      const Tensor<float> row =
          vae.between(held_out.samples(2 * pair, 1), held_out.samples(2 * pair + 1, 1), figures::kStripImages - 2);
      return ten("pair " + std::to_string(pair + 1), file, row, &judge.model);
    };
    result["interpolations"] = {between(0, "between-1"), between(1, "between-2")};
  }
  // The samples that are nearest to a training image, and those images.
  const Tensor<float> some(samples.samples(0, std::min<Index>(200, samples.batch())));
  const NearestSamples nearest = nearest_samples(some, train);
  std::vector<Index> order(nearest.index.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto distance = [&](Index i) { return nearest.distance[static_cast<std::size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return distance(a) < distance(b); });
  order.resize(std::min<std::size_t>(order.size(), static_cast<std::size_t>(figures::kStripImages)));
  std::vector<Index> training;
  std::vector<std::string> labels;
  for (const Index i : order) {
    training.push_back(nearest.index[static_cast<std::size_t>(i)]);
    labels.push_back(report::number(distance(i), 1));
  }
  result["nearest"] = {ten("sample", "nearest-samples", rows_of(some, order), nullptr),
                       ten("training image", "nearest-training", trained.train.images(training), nullptr)};
  result["nearest"][1]["labels"] = labels;
  return result;
}

}  // namespace

double prior_radius(Index dimensions) { return normal_radius(0.95, dimensions); }

json measure_real(const ImageDataset& held_out, int digit, const Judge& judge, bool quick) {
  const Counts counts = counts_of(quick);
  json result = recognition_of(classifier::judge(judge.model, held_out.images().view()), digit);
  result["digit"] = digit;
  result["held_out"] = held_out.size();
  const Index count = std::min(kCompared, held_out.size());
  result["diversity"] = diversity_of(evenly(held_out, count).images(), count);
  // Uniform noise, of the size of the images.
  Tensor<float> noise(held_out.image_shape().with_batch(count));
  for (Index i = 0; i < count; ++i) {
    fill_uniform<float>(sample_key(0).with_step(2).with_sample(static_cast<std::uint32_t>(i)),
                        noise.samples(i, 1).span());
  }
  result["noise"] = diversity_of(noise, count);
  const auto [real, others] = halves_of(held_out, counts.samples);
  result["compared"] = real.batch();
  result.update(closeness_of(others, real, judge));
  return result;
}

json measure(const run::Folder& folder, const Trained& trained, const Judge& judge, bool pictures, bool quick) {
  const Counts counts = counts_of(quick);
  const Vae vae(trained.model);
  const RandomKey key = sample_key(trained.subset);
  const ImageDataset& held_out = *trained.held_out;
  const Tensor<float> train = trained.train.images();
  const Elbo own = vae.elbo(train.view(), kElboKey), other = vae.elbo(held_out.images().view(), kElboKey);
  json result = {{"name", trained.name},
                 {"recipe", trained.recipe->name},
                 {"digit", trained.digit},
                 {"size", trained.train.size()},
                 {"all", trained.all},
                 {"subset", trained.subset},
                 {"train_elbo", {{"reconstruction", own.reconstruction}, {"kl", own.kl}}},
                 {"elbo", {{"reconstruction", other.reconstruction}, {"kl", other.kl}}},
                 {"history", trained.history.json()}};
  const Tensor<float> real = halves_of(held_out, counts.samples).first;
  const Index compared = std::min(kCompared, held_out.size());
  const Tensor<float> z = vae.draw_prior(counts.samples, key), samples = vae.decode(z.view());
  const classifier::Verdicts verdicts = classifier::judge(judge.model, samples.view());
  result["prior"] = scores_of(samples, verdicts, trained, judge, real, train, compared);
  result["prior"]["by_radius"] = by_radius(z, recognized_of(verdicts, trained.digit));
  if (trained.recipe->distorted) {
    // From the posteriors of training images, distorted as in training.
    const Tensor<float> x =
        drawn_images(trained.train, distortion_for(trained.train.size()), counts.samples, key.with_step(3));
    const Tensor<float> y = vae.decode(vae.draw(vae.encode(x.view()).view(), key.with_step(4)).view());
    result["posterior"] = scores_of(y, classifier::judge(judge.model, y.view()), trained, judge, real, train, compared);
    if (pictures) {
      result["posterior"]["strip"] = strip(folder, "samples of posteriors", trained.name + "-posteriors",
                                           first_strip(y), &judge.model, truth_of(trained));
    }
  }
  const Index own_count = std::min(compared, trained.train.size());
  result["own_diversity"] = diversity_of(evenly(trained.train, own_count).images(), own_count);
  result["held_out_nearest"] = median(nearest_samples(evenly(held_out, compared).images(), train).distance);
  result["extremes"] = extremes_of(folder, trained, vae, judge, counts.directions, pictures);
  if (pictures) result["pictures"] = pictures_of(folder, trained, vae, judge, samples, train);
  return result;
}

}  // namespace augment
