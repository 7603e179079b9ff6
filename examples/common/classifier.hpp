// The classifier that judges digits: trained by `classify`, and by the studies for themselves.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "linnet/evaluation/classification.hpp"
#include "linnet/linnet.hpp"
#include "run.hpp"

namespace classifier {

using namespace linnet;

inline constexpr int kClasses = 10;

/// 28x28 digits: 115,114 parameters.
inline Model<float> build(const Shape& image, std::uint64_t seed) {
  return Sequential(
      image,
      {Conv2D{.filters = 16, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Conv2D{.filters = 32, .kernel_size = 3, .padding = same, .activation = relu},
       Conv2D{.filters = 32, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{.pool_size = 2},
       Flatten{}, Dropout{.rate = 0.4}, Dense{.units = 64, .activation = relu}, Dropout{.rate = 0.3},
       Dense{.units = kClasses, .activation = softmax}},
      seed);
}

/// The epochs that a set of `images` needs: 120,000 images in all, but 5 to 60 epochs.
inline Index epochs_for(Index images) { return std::clamp<Index>(120'000 / std::max<Index>(1, images), 5, 60); }

/// The training of `model` on a LabelSource.
inline run::Job job(Model<float>& model, const std::string& name, const std::string& title,
                    const SourceRef<float>& train, const SourceRef<float>& held_out, Index epochs,
                    const std::map<std::string, std::string>& about) {
  constexpr Index kBatch = 64;
  const Index steps = epochs * steps_per_epoch(train.size(), kBatch);
  const Index warm_up = std::min<Index>(50, steps / 10);
  const Schedule rate =
      Schedule(CosineDecay{.initial_learning_rate = 2e-3, .decay_steps = steps - warm_up}).with_warm_up(warm_up);
  return {.name = name,
          .title = title,
          .model = &model,
          .loss = SparseCategoricalCrossentropy{},
          .optimizer = Adam{.learning_rate = rate},
          .train = train,
          .held_out = held_out,
          .epochs = epochs,
          .batch = kBatch,
          .metrics = {SparseCategoricalAccuracy{}},
          .about = about};
}

/// Throws ShapeError, naming the file, for a model that cannot judge such images.
inline void require(const Model<float>& model, const std::string& path, const ImageDataset& images) {
  if (model.input_shape() == images.image_shape() && model.output_shape() == Shape{kClasses}) return;
  throw ShapeError(path + ": expected a classifier of images " + images.image_shape().to_string() +
                   " with 10 outputs, got " + model.input_shape().to_string() + " to " +
                   model.output_shape().to_string());
}

/// What a classifier sees in images.
struct Verdicts {
  std::vector<int> digit;
  std::vector<double> confidence;  ///< the probability that it gives that digit
};
inline Verdicts judge(const Model<float>& model, TensorView<const float> images) {
  const Tensor<float> p = model.predict(images);
  Verdicts verdicts;
  for (Index i = 0; i < p.batch(); ++i) {
    const auto probabilities = p.samples(i, 1);
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    verdicts.digit.push_back(static_cast<int>(best - probabilities.begin()));
    verdicts.confidence.push_back(static_cast<double>(*best));
  }
  return verdicts;
}

inline ConfusionMatrix confusion(const Verdicts& verdicts, const ImageDataset& images) {
  ConfusionMatrix matrix(kClasses);
  for (Index i = 0; i < images.size(); ++i) matrix.add(images.label(i), verdicts.digit[static_cast<std::size_t>(i)]);
  return matrix;
}

}  // namespace classifier
