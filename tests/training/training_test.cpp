#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "linnet/io/checkpoint.hpp"
#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

/// 60 small grey images with a bright bar whose place is their class.
ImageDataset bars(Index count = 60) {
  std::vector<std::uint8_t> bytes, labels;
  for (Index i = 0; i < count; ++i) {
    const Index place = i % 3;
    for (Index p = 0; p < 36; ++p) {
      const auto noise = static_cast<std::uint8_t>(RandomKey{1, 2, 3, static_cast<std::uint32_t>(i)}.bits(p) % 40);
      bytes.push_back(static_cast<std::uint8_t>(p / 6 / 2 == place ? 200 + noise : noise));
    }
    labels.push_back(static_cast<std::uint8_t>(place));
  }
  return ImageDataset({6, 6, 1}, std::move(bytes), std::move(labels));
}

ImageDataset random_digits(Index count) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * 784));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(RandomKey{9}.bits(static_cast<Index>(i)) & 255);
  }
  return ImageDataset({28, 28, 1}, std::move(bytes), {});
}

Model<float> classifier(std::uint64_t seed = 0) {
  return Sequential({6, 6, 1},
                    {Conv2D{.filters = 4, .kernel_size = 3, .padding = same, .activation = relu}, MaxPool2D{},
                     Flatten{}, Dense{.units = 3, .activation = softmax}},
                    seed);
}

/// The weights after a few steps of several kinds of model.
std::vector<float> train_a_little(int threads) {
  set_num_threads(threads);
  std::vector<float> all;
  const auto keep = [&](const Model<float>& model) {
    all.insert(all.end(), model.weights().begin(), model.weights().end());
  };
  {
    Model<float> model = test::denoiser(1);
    const ImageDataset images = random_digits(150);
    Trainer trainer(model, BinaryCrossentropy{}, Adam{});
    trainer.fit(DenoisingSource(images, Corruption{}), {.epochs = 1, .batch_size = 64});
    keep(model);
  }
  {
    Model<float> model = test::branched(2);
    Trainer trainer(model, CategoricalCrossentropy{},
                    SGD{.learning_rate = 0.05, .momentum = 0.9, .clip = {.global_norm = 0.5}});
    const Tensor<float> x = test::random_tensor<float>(Shape{53, 6, 5, 3}, 1);
    const Tensor<float> target = test::one_hot_targets<float>(53, 3, 2);
    trainer.fit(TensorSource<float>(x, target), {.epochs = 3, .batch_size = 20});
    keep(model);
  }
  {
    Model<float> model = test::autoencoder(3);
    Trainer trainer(model, BinaryCrossentropy{.reduction = Reduction::sum}, AdamW{});
    const Tensor<float> x = test::random_tensor<float>(Shape{90, 20}, 3);
    trainer.fit(TensorSource<float>(x, x), {.epochs = 3, .batch_size = 32});
    keep(model);
  }
  {
    Model<float> model = test::digit_autoencoder(4);  // gradients by weights of the whole batch
    Trainer trainer(model, BinaryCrossentropy{.reduction = Reduction::sum}, Adam{});
    const Tensor<float> x = test::random_tensor<float>(Shape{45, 784}, 4);
    trainer.fit(TensorSource<float>(x, x), {.epochs = 1, .batch_size = 16});
    keep(model);
  }
  set_num_threads(0);
  return all;
}

/// A layer that applies its activation first, not last.
struct HalfOfActivation {
  static constexpr std::string_view kName = "HalfOfActivation";
  Activation activation = sigmoid;
  LayerPlan plan(const Shape& in) const { return {.output = in}; }
  void forward(Context<float>&, TensorView<const float> in, Parameters<const float>, TensorView<float> y) const {
    std::copy(in.begin(), in.end(), y.begin());
    activation.apply(y);
    for (float& v : y) v = 0.5f * v;
  }
  void backward(Context<float>&, TensorView<const float>, TensorView<const float>, TensorView<float>,
                Parameters<const float>, TensorView<float>, Parameters<float>) const {}
};

}  // namespace

TEST_CASE("the same bits for any number of threads, and run twice") {
  const std::vector<float> one = train_a_little(1);
  for (const float w : one) REQUIRE(std::isfinite(w));
  for (const int threads : {1, 2, 3, 4, 8}) {
    CAPTURE(threads);
    CHECK(train_a_little(threads) == one);
  }
}

TEST_CASE("threads that come or go after the plan was made") {
  const Model<float> model = test::denoiser();
  const Tensor<float> x = test::random_tensor<float>(Shape{70, 28, 28, 1}, 1);
  Model<float> trained_by_one = model, trained_by_more = model;
  set_num_threads(1);
  Predictor<float> predictor(model, 64);
  const Tensor<float> expected = predictor(x);
  Trainer one(trained_by_one, BinaryCrossentropy{}, Adam{}), more(trained_by_more, BinaryCrossentropy{}, Adam{});
  for (int step = 0; step < 3; ++step) one.train_on_batch(x, x);
  for (int step = 0; step < 3; ++step) {
    set_num_threads(step == 1 ? 7 : 1 + step);
    more.train_on_batch(x, x);
  }
  const Tensor<float> y = predictor(x);
  set_num_threads(0);
  CHECK(std::equal(y.begin(), y.end(), expected.begin()));
  CHECK(weights_of(trained_by_one) == weights_of(trained_by_more));
}

TEST_CASE("a step's bits depend on its samples, not on the batches before it") {
  const Tensor<float> x = test::random_tensor<float>(Shape{128, 28, 28, 1}, 1);
  Model<float> fresh = test::denoiser(), used = test::denoiser();
  Trainer small(fresh, BinaryCrossentropy{}, SGD{.learning_rate = 0.1}),
      large(used, BinaryCrossentropy{}, SGD{.learning_rate = 0.1});
  large.train_on_batch(x, x);
  std::copy(fresh.weights().begin(), fresh.weights().end(), used.weights().begin());
  for (const Index n : {1, 3, 9, 40, 77}) {
    small.train_on_batch(x.samples(0, n), x.samples(0, n));
    large.train_on_batch(x.samples(0, n), x.samples(0, n));
  }
  CHECK(weights_of(fresh) == weights_of(used));

  // With segments, too.
  const Tensor<float> images = test::random_tensor<float>(Shape{90, 6, 5, 3}, 1);
  const Tensor<float> targets = test::one_hot_targets<float>(90, 3, 2);
  Model<float> a = test::branched(), b = test::branched();
  Trainer growing(a, CategoricalCrossentropy{}, SGD{.learning_rate = 0.1});
  Trainer planned(b, CategoricalCrossentropy{}, SGD{.learning_rate = 0.0});
  planned.train_on_batch(images, targets);
  planned.progress = {};
  planned.set_learning_rate(0.1);
  std::copy(a.weights().begin(), a.weights().end(), b.weights().begin());
  for (const Index n : {2, 5, 6, 9, 33, 88}) {
    growing.train_on_batch(images.samples(0, n), targets.samples(0, n));
    planned.train_on_batch(images.samples(0, n), targets.samples(0, n));
  }
  CHECK(weights_of(a) == weights_of(b));
}

TEST_CASE("a run can go on after the last batch of an epoch, and a whole model may be assigned to the trained one") {
  const ImageDataset images = bars(42);  // five batches of 8 and one of 2
  const LabelSource source(images);
  const std::string path = "training_test_last_batch.safetensors";
  struct SaveAt {
    std::string path;
    Index step;
    void on_step_end(TrainingState<float>& state) const {
      if (state.trainer.progress.step == step) save_checkpoint(state.trainer, path);
    }
  };
  Model<float> whole = classifier(5);
  Trainer whole_trainer(whole, SparseCategoricalCrossentropy{}, Adam{});
  const History expected = whole_trainer.fit(source, {.epochs = 2, .batch_size = 8, .callbacks = {SaveAt{path, 6}}});
  Model<float> model = classifier(6);
  Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
  model = classifier(7);
  load_checkpoint(trainer, path);
  CHECK(trainer.progress.samples == 42);
  const History rest = trainer.fit(source, {.epochs = 2, .batch_size = 8});
  CHECK(weights_of(model) == weights_of(whole));
  CHECK(rest.epochs[0]["loss"] == expected.epochs[0]["loss"]);
  std::filesystem::remove(path);
}

TEST_CASE("after weights that diverged a run can be given up, and begun anew") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, SGD{.learning_rate = 1e39});
  CHECK_THROWS_AS(trainer.fit(source, {.epochs = 1, .batch_size = 60}), NumericError);
  CHECK(mentions(error_of<ValueError>([&] { trainer.set_learning_rate(-1.0); }), "SGD"));
  model.reset(0);
  trainer.progress = {};
  trainer.set_learning_rate(0.01);
  CHECK(trainer.fit(source, {.epochs = 1, .batch_size = 20}).epochs.size() == 1);
}

TEST_CASE("outputs that are no probabilities are refused, and a layer's own activation is left to it") {
  Tensor<float> x(Shape{1, 2}, {1, 2}), label(Shape{1, 1});
  Model<float> logits = Sequential({2}, {Dense{.units = 3, .kernel_initializer = constant(4)}});
  Trainer trainer(logits, SparseCategoricalCrossentropy{}, Adam{});
  CHECK(mentions(error_of<ValueError>([&] { trainer.train_on_batch(x, label); }), "got 12.0"));

  Model<float> own = Sequential({2}, {HalfOfActivation{}});
  Trainer other(own, BinaryCrossentropy{}, Adam{});
  const Tensor<float> target(Shape{1, 2}, 0.5f);
  const auto bce = [](double p) { return -0.5 * std::log(p) - 0.5 * std::log(1 - p); };
  const double expected = 0.5 * (bce(0.5 / (1 + std::exp(-1.0))) + bce(0.5 / (1 + std::exp(-2.0))));
  CHECK(other.train_on_batch(x, target).total() == doctest::Approx(expected));
}

TEST_CASE("the same bits with AVX2 and AVX-512") {
  if (!supported(Isa::avx512)) {
    MESSAGE("SKIPPED: this processor has no AVX-512");
    return;
  }
  const IsaGuard guard;
  set_isa(Isa::avx2);
  const std::vector<float> narrow = train_a_little(2);
  set_isa(Isa::avx512);
  CHECK(train_a_little(2) == narrow);
}

TEST_CASE("a classifier learns, and its metrics say so") {
  const ImageDataset images = bars();
  const auto [train, held] = images.split_every(4);
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{.learning_rate = 0.02});
  const LabelSource train_source(train), held_source(held);
  const History history =
      trainer.fit(train_source,
                  {.epochs = 15, .batch_size = 8, .validation = held_source, .metrics = {SparseCategoricalAccuracy{}}});
  CHECK(history.epochs.size() == 15);
  CHECK(history["loss"].back() < 0.2 * history["loss"].front());
  CHECK(history["val_accuracy"].back() == 1.0);
  const std::vector<AnyMetric<float>> metrics = {SparseCategoricalAccuracy{}};
  const Logs logs = trainer.evaluate(held_source, 7, metrics);
  CHECK(logs["accuracy"] == 1.0);
  CHECK(logs["loss"] == doctest::Approx(history["val_loss"].back()).epsilon(1e-5));
  // What predict() gives, counted by hand.
  Index right = 0;
  for (Index i = 0; i < held.size(); ++i) {
    const std::vector<Index> one = {i};
    const Tensor<float> y = model.predict(held.images(one));
    right += argmax(y) == held.label(i) ? 1 : 0;
  }
  CHECK(right == held.size());
}

TEST_CASE("loss and layers' terms are reported apart") {
  Model<float> model = test::autoencoder(3);
  Trainer trainer(model, BinaryCrossentropy{.reduction = Reduction::sum}, Adam{});
  const Tensor<float> x = test::random_tensor<float>(Shape{40, 20}, 3);
  const History history = trainer.fit(TensorSource<float>(x, x), {.epochs = 1, .batch_size = 16});
  const Logs& logs = history.epochs[0];
  CHECK(logs["layer_loss"] > 0);
  CHECK(logs["loss"] == doctest::Approx(logs["data_loss"] + logs["layer_loss"]));
}

TEST_CASE("a run that is stopped within an epoch and resumed ends with the same bits") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  const std::string path = "training_test_checkpoint.safetensors";
  const FitOptions<float> options{.epochs = 4, .batch_size = 8, .metrics = {SparseCategoricalAccuracy{}}};

  Model<float> whole = classifier(5);
  Trainer whole_trainer(whole, SparseCategoricalCrossentropy{}, RMSprop{.momentum = 0.5});
  const History expected = whole_trainer.fit(source, options);

  struct StopAt {
    Index step;
    void on_step_end(TrainingState<float>& state) const { state.stop = state.trainer.progress.step == step; }
  };
  {
    Model<float> model = classifier(5);
    Trainer trainer(model, SparseCategoricalCrossentropy{}, RMSprop{.momentum = 0.5});
    FitOptions<float> stopped = options;
    stopped.callbacks = {StopAt{11}};  // in the second of 8 steps an epoch
    trainer.fit(source, stopped);
    CHECK(trainer.progress.epoch == 1);
    CHECK(trainer.progress.batch_in_epoch == 3);
    save_checkpoint(trainer, path);
  }
  Model<float> model = classifier(6);
  Trainer trainer(model, SparseCategoricalCrossentropy{}, RMSprop{.momentum = 0.5});
  load_checkpoint(trainer, path);
  FitOptions<float> rest = options;
  rest.batch_size = 10;
  CHECK(mentions(error_of<ValueError>([&] { trainer.fit(source, rest); }), "epoch 2 was begun with 3 batches of 8"));
  rest = options;
  rest.epochs = 3;
  const History history = trainer.fit(source, rest);
  CHECK(weights_of(model) == weights_of(whole));
  REQUIRE(history.epochs.size() == 3);
  CHECK(history.epochs[0]["loss"] == expected.epochs[1]["loss"]);
  CHECK(history.epochs[0]["accuracy"] == expected.epochs[1]["accuracy"]);

  Trainer other(model, SparseCategoricalCrossentropy{}, Adam{});
  CHECK(mentions(error_of([&] { load_checkpoint(other, path); }), "expected a checkpoint of Adam, got RMSprop"));
  std::filesystem::remove(path);
}

TEST_CASE("early stopping restores the best weights") {
  // A loss that gets worse on purpose: the rate is huge after the first epochs.
  const ImageDataset images = bars();
  const LabelSource source(images);
  Model<float> model = classifier(1);
  Trainer trainer(model, SparseCategoricalCrossentropy{}, SGD{.learning_rate = 0.05});
  std::vector<std::vector<float>> after;
  std::vector<double> losses;
  struct Sabotage {
    std::vector<std::vector<float>>* after;
    std::vector<double>* losses;
    void on_epoch_end(TrainingState<float>& state) const {
      after->emplace_back(state.model.weights().begin(), state.model.weights().end());
      losses->push_back(state.logs["val_loss"]);
      if (state.epoch == 2) state.trainer.set_learning_rate(50.0);
    }
  };
  trainer.fit(source, {.epochs = 40,
                       .batch_size = 8,
                       .validation = source,
                       .callbacks = {Sabotage{&after, &losses}, EarlyStopping{.patience = 3}}});
  CHECK(losses.size() < 40);
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  CHECK(static_cast<std::size_t>(best) + 4 == losses.size());
  CHECK(weights_of(model) == after[static_cast<std::size_t>(best)]);
}

TEST_CASE("the history is a CSV file, one row per epoch") {
  const std::string path = "training_test_history.csv";
  const ImageDataset images = bars();
  const LabelSource source(images);
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
  trainer.fit(source, {.epochs = 2, .batch_size = 30, .validation = source, .callbacks = {CsvHistory{path}}});
  trainer.fit(source, {.epochs = 1, .batch_size = 30, .validation = source, .callbacks = {CsvHistory{path}}});
  std::ifstream file(path);
  std::string line;
  std::vector<std::string> lines;
  while (std::getline(file, line)) lines.push_back(line);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "epoch,seconds,learning_rate,loss,val_loss");
  CHECK(lines[3].substr(0, 2) == "3,");
  std::filesystem::remove(path);
  CHECK(mentions(
      error_of([&] { trainer.fit(source, {.epochs = 1, .callbacks = {CsvHistory{"no/such/folder/history.csv"}}}); }),
      "no/such/folder/history.csv"));
}

TEST_CASE("early stopping begins anew with each run") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  const FitOptions<float> options{
      .epochs = 3, .batch_size = 8, .validation = source, .callbacks = {EarlyStopping{.patience = 3}}};
  Model<float> first = classifier(1), second = classifier(2), alone = classifier(2);
  Trainer(first, SparseCategoricalCrossentropy{}, Adam{.learning_rate = 0.05}).fit(source, options);
  Trainer(second, SparseCategoricalCrossentropy{}, Adam{}).fit(source, options);
  Trainer(alone, SparseCategoricalCrossentropy{}, Adam{})
      .fit(source, {.epochs = 3, .batch_size = 8, .validation = source, .callbacks = {EarlyStopping{.patience = 3}}});
  CHECK(weights_of(second) == weights_of(alone));
}

TEST_CASE("options keep a temporary source") {
  const ImageDataset images = bars();
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
  const FitOptions<float> options{.validation = LabelSource(images)};
  CHECK(trainer.fit(LabelSource(images), options)["val_loss"].size() == 1);
}

TEST_CASE("another optimizer has a state of its own") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, SGD{});
  CHECK(trainer.slots().empty());
  trainer.set_optimizer(Adam{});
  CHECK(trainer.slots().size() == 2);
  trainer.fit(source, {.epochs = 1});
  CHECK(trainer.slots()[1][0] > 0);
  struct Hoarder : SGD {
    int slots() const { return 9; }
  };
  CHECK(mentions(error_of<ValueError>([&] { trainer.set_optimizer(Hoarder{}); }), "at most 4"));
}

TEST_CASE("the progress bar writes lines into a file and redraws on a terminal") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  const auto output_of = [&](ProgressBar::Style style) {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    Model<float> model = classifier();
    Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
    trainer.fit(source, {.epochs = 2, .batch_size = 10, .callbacks = {ProgressBar{.stream = file, .style = style}}});
    std::string text(static_cast<std::size_t>(std::ftell(file)), ' ');
    std::rewind(file);
    CHECK(std::fread(text.data(), 1, text.size(), file) == text.size());
    std::fclose(file);
    return text;
  };
  const std::string lines = output_of(ProgressBar::Style::automatic);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find('\r') == std::string::npos);
  CHECK(mentions(lines, "epoch 2/2"));
  CHECK(mentions(lines, "loss "));
  const std::string redrawn = output_of(ProgressBar::Style::redraw);
  CHECK(mentions(redrawn, "\r"));
  CHECK(mentions(redrawn, " left"));
  CHECK(std::count(redrawn.begin(), redrawn.end(), '\n') == 2);
}

TEST_CASE("the first loss that is not finite stops the run, before the update, and names the layer") {
  const ImageDataset images = bars();
  const LabelSource source(images);
  SUBCASE("an activation overflows") {
    Model<float> model = classifier();
    for (float& w : model.parameter("dense/kernel")) w = 3e38f;
    for (float& w : model.parameter("conv2d/kernel")) w = 1e10f;
    const std::vector<float> before = weights_of(model);
    Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
    const std::string message = error_of([&] { trainer.fit(source, {.epochs = 1}); });
    CAPTURE(message);
    CHECK(mentions(message, "step 1 (epoch 1)"));
    CHECK(mentions(message, "dense: its output is not finite"));
    CHECK(weights_of(model) == before);
  }
  SUBCASE("the input is not finite") {
    Model<float> model = classifier();
    Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
    Tensor<float> x(Shape{2, 6, 6, 1}), label(Shape{2, 1});
    x[40] = std::nanf("");
    CHECK(mentions(error_of<NumericError>([&] { trainer.train_on_batch(x, label); }),
                   "the input is not finite (nan for sample 1"));
  }
  SUBCASE("the target is not finite") {
    Model<float> model = classifier();
    Trainer trainer(model, MeanSquaredError{}, Adam{});
    Tensor<float> target(Shape{2, 3});
    target[2] = std::nanf("");
    CHECK(mentions(error_of<NumericError>([&] {
                     trainer.train_on_batch(Tensor<float>(Shape{2, 6, 6, 1}), target);
                   }),
                   "the target is not finite"));
  }
  SUBCASE("the last update is the one that diverges") {
    Model<float> model = classifier();
    Trainer trainer(model, SparseCategoricalCrossentropy{}, SGD{.learning_rate = 1e39});
    const std::string message = error_of<NumericError>([&] { trainer.fit(source, {.epochs = 1, .batch_size = 60}); });
    CHECK(mentions(message, "a weight is not finite"));
  }
  SUBCASE("a weight is not finite") {
    Model<float> model = classifier();
    model.parameter("conv2d/bias")[1] = std::nanf("");
    Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
    const std::string message = error_of([&] { trainer.fit(source, {.epochs = 1}); });
    CAPTURE(message);
    CHECK(mentions(message, "conv2d/bias"));
  }
}

TEST_CASE("data that do not fit are refused") {
  Model<float> model = classifier();
  Trainer trainer(model, SparseCategoricalCrossentropy{}, Adam{});
  const ImageDataset digits = random_digits(3), none = bars(0), images = bars();
  const AutoencodingSource wrong_input(digits), wrong_target(images);
  CHECK(mentions(error_of([&] { trainer.fit(wrong_input, {}); }), "(6, 6, 1)"));
  CHECK(mentions(error_of([&] { trainer.fit(wrong_input, {}); }), "(28, 28, 1)"));
  const std::string target = error_of([&] { trainer.fit(wrong_target, {}); });
  CHECK(mentions(target, "SparseCategoricalCrossentropy"));
  CHECK(mentions(target, "(1)"));
  CHECK(mentions(error_of([&] { trainer.fit(LabelSource(none), {}); }), "at least 1 sample"));
  CHECK(mentions(error_of([&] { trainer.fit(LabelSource(images), {.batch_size = 0}); }), "batch size >= 1"));
  CHECK_THROWS_AS(trainer.train_on_batch(Tensor<float>(Shape{2, 6, 6, 1}), Tensor<float>(Shape{3, 1})), ShapeError);

  Tensor<float> x(Shape{2, 6, 6, 1}), label(Shape{2, 1});
  label[1] = 3;
  CHECK(mentions(error_of([&] { trainer.train_on_batch(x, label); }), "[0, 3), got 3"));

  const std::string metric =
      error_of<ShapeError>([&] { trainer.fit(LabelSource(images), {.metrics = {BinaryAccuracy{}}}); });
  CHECK(mentions(metric, "BinaryAccuracy: expected targets of the output's shape (3), got (1)"));
  CHECK(mentions(
      error_of<ValueError>([&] {
        trainer.fit(LabelSource(images), {.metrics = {SparseCategoricalAccuracy{}, SparseCategoricalAccuracy{}}});
      }),
      "two figures are called \"accuracy\""));

  Model<float> denoiser = Sequential({4}, {Dense{.units = 4, .activation = sigmoid}});
  Trainer bce(denoiser, BinaryCrossentropy{}, Adam{});
  Tensor<float> outside(Shape{1, 4}, 0.5f);
  outside[2] = 1.5f;
  const std::string message = error_of([&] { bce.train_on_batch(Tensor<float>(Shape{1, 4}), outside); });
  CHECK(mentions(message, "BinaryCrossentropy: expected targets in [0, 1], got 1.5"));
  CHECK_THROWS_AS(Trainer(denoiser, BinaryCrossentropy{}, Adam{.beta_1 = 1.5}), ValueError);
}

TEST_CASE("batch normalization that has nothing to learn still gathers its averages") {
  Model<float> model =
      Sequential({2}, {BatchNormalization{.momentum = 0.5, .center = false, .scale = false}, Dense{.units = 1}});
  Trainer trainer(model, MeanSquaredError{}, SGD{});
  const Tensor<float> x(Shape{2, 2}, {4, 1, 6, 1});
  for (int step = 0; step < 30; ++step) trainer.train_on_batch(x, Tensor<float>(Shape{2, 1}));
  CHECK(model.parameter("batch_normalization/moving_mean")[0] == doctest::Approx(5));
  CHECK(model.parameter("batch_normalization/moving_variance")[0] == doctest::Approx(1));
}

TEST_CASE("batch normalization moves its averages once per step") {
  Model<float> model = Sequential({3}, {BatchNormalization{.momentum = 0.75}, Dense{.units = 1}});
  Trainer trainer(model, MeanSquaredError{}, SGD{.learning_rate = 0.0});
  const Tensor<float> x(Shape{4, 3}, {1, 2, 3, 3, 2, 1, 1, 4, 3, 3, 4, 5});
  trainer.train_on_batch(x, Tensor<float>(Shape{4, 1}));
  const auto mean = model.parameter("batch_normalization/moving_mean");
  const auto variance = model.parameter("batch_normalization/moving_variance");
  CHECK(mean[0] == doctest::Approx(0.25 * 2));
  CHECK(mean[1] == doctest::Approx(0.25 * 3));
  CHECK(variance[0] == doctest::Approx(0.75 + 0.25 * 1));
  CHECK(variance[2] == doctest::Approx(0.75 + 0.25 * 2));
}

TEST_CASE("gradients are clipped by value and by their common norm") {
  const auto change = [](const GradientClipping& clip) {
    Model<float> model = Sequential({2}, {Dense{.units = 1, .use_bias = false, .kernel_initializer = zeros}});
    Trainer trainer(model, MeanSquaredError{}, SGD{.learning_rate = 1.0, .clip = clip});
    // d loss / d w = -2 * 10 * x
    trainer.train_on_batch(Tensor<float>(Shape{1, 2}, {3, 4}), Tensor<float>(Shape{1, 1}, {10}));
    return std::pair(model.weights()[0], model.weights()[1]);
  };
  CHECK(change({}) == std::pair(60.0f, 80.0f));
  CHECK(change({.value = 70}) == std::pair(60.0f, 70.0f));
  const auto [a, b] = change({.global_norm = 5});
  CHECK(a == doctest::Approx(3));
  CHECK(b == doctest::Approx(4));
}
