#include "linnet/io/checkpoint.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

template <class T = float>
Model<T> small(std::uint64_t seed, Activation activation = relu, double rate = 0.25) {
  return Sequential<T>({5}, {Dense{.units = 6, .activation = activation}, Dropout{.rate = rate}, Dense{.units = 2}},
                       seed);
}

struct StopAt {
  Index step;
  void on_step_end(TrainingState<float>& state) const { state.stop = state.trainer.progress.step == step; }
};

/// A run that was stopped after 3 of the second epoch's 5 steps of 8 samples, in `path`.
struct Stopped {
  Tensor<float> x = random_tensor<float>(Shape{37, 5}, 1), target = random_tensor<float>(Shape{37, 2}, 2);
  TensorSource<float> source{x, target};

  explicit Stopped(const std::string& path) {
    Model<float> model = small(11);
    Trainer trainer(model, MeanSquaredError{}, Adam{});
    trainer.fit(source, {.epochs = 4, .batch_size = 8, .callbacks = {StopAt{8}}});
    CHECK(trainer.progress.batch_in_epoch == 3);
    save_checkpoint(trainer, path);
  }
};

}  // namespace

TEST_CASE("a run goes on with the same bits in a model that was made with another seed") {
  const TemporaryFolder folder("checkpoint_test_files");
  const std::string path = folder.file("run.safetensors");
  const Stopped stopped(path);
  Model<float> whole = small(11);
  Trainer whole_trainer(whole, MeanSquaredError{}, Adam{});
  whole_trainer.fit(stopped.source, {.epochs = 4, .batch_size = 8});

  Model<float> model = small(12);
  Trainer trainer(model, MeanSquaredError{}, Adam{});
  load_checkpoint(trainer, path);
  CHECK(model.seed() == 11);
  CHECK(trainer.progress.batch_size == 8);
  CHECK(trainer.progress.samples == 24);
  trainer.fit(stopped.source, {.epochs = 3, .batch_size = 8});
  CHECK(weights_of(model) == weights_of(whole));
}

TEST_CASE("a checkpoint is a model file too") {
  const TemporaryFolder folder("checkpoint_test_files");
  const std::string path = folder.file("run.safetensors");
  const Stopped stopped(path);
  const Model<float> model = load_model(path);
  CHECK(model.seed() == 11);
  Model<float> other = small(1);
  load_weights(other, path);
  CHECK(weights_of(other) == weights_of(model));
  CHECK(other.seed() == 1);

  // But only what a checkpoint holds may be in it.
  const auto refused = [&](const std::string& name) {
    SafetensorsFile file = load_safetensors(path);
    file.add<float>(name, Tensor<float>(Shape{2}));
    const std::string changed = folder.file("changed");
    save_safetensors(changed, file);
    const std::string message = error_of<FormatError>([&] { load_weights(other, changed); });
    return mentions(message, "no parameter of the model is called " + name);
  };
  CHECK(refused("dense/other"));
  CHECK(refused("optimizer.0/dense/other"));
  CHECK(refused("other"));
  SafetensorsFile file = load_safetensors(path);
  file.metadata.erase("linnet.progress");
  save_safetensors(path, file);
  CHECK(mentions(error_of<FormatError>([&] { load_weights(other, path); }), "optimizer.0/dense/bias"));
}

TEST_CASE("a checkpoint of another model or optimizer is refused, and nothing is changed") {
  const TemporaryFolder folder("checkpoint_test_files");
  const std::string path = folder.file("run.safetensors");
  const Stopped stopped(path);
  const auto refused = [&](Model<float> model, AnyOptimizer<float> optimizer) {
    const std::vector<float> before = weights_of(model);
    const std::uint64_t seed = model.seed();
    Trainer<float> trainer(model, MeanSquaredError{}, optimizer);
    const std::string message = error_of<FormatError>([&] { load_checkpoint(trainer, path); });
    CHECK(weights_of(model) == before);
    CHECK(model.seed() == seed);
    CHECK(trainer.progress.step == 0);
    return message;
  };
  CHECK(mentions(refused(small(11, elu), Adam{}), "nodes/dense/config/activation/"));
  CHECK(mentions(refused(small(11, Activation::tanh), Adam{}), path));
  CHECK(mentions(refused(small(11, Activation::tanh), Adam{}),
                 "nodes/dense/config/activation/kind: expected \"tanh\", got \"relu\""));
  CHECK(mentions(refused(small(11, relu, 0.5), Adam{}), "nodes/dropout/config/rate: expected 0.5, got 0.25"));
  Model<float> flat = Sequential({5}, {Dense{.units = 6, .activation = relu}, Flatten{}, Dense{.units = 2}}, 11);
  CHECK(mentions(refused(flat, Adam{}), "nodes/flatten/layer: expected \"Flatten\", got \"Dropout\""));
  Model<float> shorter = Sequential({5}, {Dense{.units = 6, .activation = relu}, Dropout{.rate = 0.25}}, 11);
  const std::string lengths = error_of<FormatError>([&] {
    Trainer trainer(shorter, MeanSquaredError{}, Adam{});
    load_checkpoint(trainer, path);
  });
  CHECK(mentions(lengths, "nodes: expected a list of 2, got one of 3"));
  CHECK(mentions(refused(small(11), SGD{}), "expected a checkpoint of SGD, got Adam"));

  Model<double> wide = small<double>(11);
  Trainer<double> wide_trainer(wide, MeanSquaredError{}, Adam{});
  CHECK(mentions(error_of<FormatError>([&] { load_checkpoint(wide_trainer, path); }), "of type F64"));

  // The same kind of optimizer with another number of slots.
  Model<float> model = small(11);
  Trainer momentum(model, MeanSquaredError{}, SGD{.momentum = 0.5}), plain(model, MeanSquaredError{}, SGD{});
  save_checkpoint(momentum, path);
  CHECK(mentions(error_of<FormatError>([&] { load_checkpoint(plain, path); }), "and 0 numbers of the optimizer's"));
  save_checkpoint(plain, path);
  CHECK(mentions(error_of<FormatError>([&] { load_checkpoint(momentum, path); }), "and 1 numbers of the optimizer's"));
}

TEST_CASE("a progress that cannot be is refused") {
  const TemporaryFolder folder("checkpoint_test_files");
  const std::string path = folder.file("run.safetensors");
  const Stopped stopped(path);
  const SafetensorsFile file = load_safetensors(path);
  Model<float> model = small(11);
  Trainer trainer(model, MeanSquaredError{}, Adam{});
  const auto with = [&](const char* field, const nlohmann::json& value) {
    nlohmann::json progress = nlohmann::json::parse(file.metadata.at("linnet.progress"));
    progress[field] = value;
    SafetensorsFile changed = file;
    changed.metadata["linnet.progress"] = progress.dump();
    save_safetensors(path, changed);
    return error_of<FormatError>([&] { load_checkpoint(trainer, path); });
  };
  CHECK(with("step", 8) == "(no error)");
  for (const char* field : {"step", "epoch", "batch_in_epoch", "samples", "batch_size"}) {
    CAPTURE(field);
    for (const nlohmann::json& value : nlohmann::json::array({-1, 0.5, "8", nullptr})) {
      const std::string message = with(field, value);
      CHECK(mentions(message, path + ": the progress: field \"" + field + "\": expected an integer from"));
    }
  }
  CHECK(mentions(with("step", 2), "field \"batch_in_epoch\": expected at most the 2 steps of the run, got 3"));
  CHECK(mentions(with("batch_size", 0), "field \"batch_size\": expected an integer from 1"));
  CHECK(mentions(with("batch_size", 7), "field \"samples\": expected those of 3 batches of 7, got 24"));
  CHECK(mentions(with("samples", 25), "field \"samples\""));
  CHECK(mentions(with("batch_in_epoch", 0), "field \"samples\": expected those of 0 batches"));
  CHECK(mentions(with("samples", 0), "field \"samples\""));
  CHECK(with("samples", 17) == "(no error)");  // the last batch of a smaller data set
  CHECK(mentions(with("sums", {1.5, 2}), "field \"sums\": expected an integer from 0"));
  CHECK(mentions(with("sums", 1), "field \"sums\": expected a list"));
  CHECK(mentions(with("optimizer", 1), "field \"optimizer\": expected a text"));
}

TEST_CASE("ModelCheckpoint keeps the best, by figures of which less or more is better") {
  const TemporaryFolder folder("checkpoint_test_best");
  const Tensor<float> x = random_tensor<float>(Shape{12, 3}, 1), target = one_hot_targets<float>(12, 2, 2);
  const TensorSource<float> source(x, target);
  const std::string path = folder.file("best.safetensors");
  // The figure is 1, 3, 2 after the three epochs.
  struct Figure {
    void on_epoch_end(TrainingState<float>& state) const {
      state.logs.set("figure", state.epoch == 0 ? 1 : 4 - double(state.epoch));
    }
  };
  for (const bool maximize : {false, true}) {
    Model<float> model = Sequential({3}, {Dense{.units = 2, .activation = softmax}});
    Trainer trainer(model, CategoricalCrossentropy{}, Adam{});
    ModelCheckpoint checkpoint{.path = path, .save_best_only = true, .monitor = "figure", .maximize = maximize};
    trainer.fit(source, {.epochs = 3, .batch_size = 12, .callbacks = {Figure{}, checkpoint}});
    Model<float> best = Sequential({3}, {Dense{.units = 2, .activation = softmax}});
    Trainer other(best, CategoricalCrossentropy{}, Adam{});
    load_checkpoint(other, path);
    CHECK(other.progress.epoch == (maximize ? 2 : 1));
    trainer.progress.epoch = 0;
    FitOptions<float> blind{.callbacks = {ModelCheckpoint{.path = path, .save_best_only = true}}};
    CHECK(mentions(error_of<ValueError>([&] { trainer.fit(source, blind); }),
                   "monitors val_loss, but fit() was given no"));
  }
}
