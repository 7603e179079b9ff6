// Trainer<T>: fits a model to data.
//
//     Trainer trainer(model, BinaryCrossentropy{}, Adam{.learning_rate = 1e-3});
//     trainer.fit(train, {.epochs = 10, .batch_size = 128, .validation = held_out});
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "linnet/model/execute.hpp"
#include "linnet/training/any_optimizer.hpp"
#include "linnet/training/epoch_sums.hpp"
#include "linnet/training/fit_options.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
class Trainer {
 public:
  /// The model must outlive the trainer and keep its architecture. Throws ValueError or ShapeError when the loss does
  /// not fit the model's output, or the optimizer's values are out of range.
  Trainer(Model<T>& model, std::type_identity_t<AnyLoss<T>> loss, std::type_identity_t<AnyOptimizer<T>> optimizer)
      : model_(&model), loss_(std::move(loss)), optimizer_(std::move(optimizer)) {
    target_shape_ = loss_.target_shape(model.output_shape());
    set_optimizer(optimizer_);
    find_trainable_ranges();
    weight_views_.resize(model.parameters().size());
  }

  /// Trains for options.epochs epochs more. Throws ShapeError when the data does not fit the model, ValueError when
  /// there is none or when it goes on with an epoch that was begun with other batches, NumericError at the first loss
  /// that is not finite (naming the layer; the weights are those from before that step), and when weights are not
  /// finite at the end of an epoch. `progress = {}` gives a run up, so that the next one begins anew.
  History fit(SourceRef<T> train, const FitOptions<T>& options = {});

  /// The loss and the metrics over a source, without training: "loss", and the metrics' names.
  Logs evaluate(SourceRef<T> source, Index batch_size = 128, const std::vector<AnyMetric<T>>& metrics = {});

  /// One step on one batch x {n, input...}, target {n, target...}: for training loops of your own.
  LossTerms train_on_batch(TensorView<const T> x, TensorView<const T> target);

  Model<T>& model() { return *model_; }
  /// The optimizer's state, one arena per slot, each laid out as Model::weights().
  std::span<AlignedVector<T>> slots() { return slots_; }
  /// The gradients of the last step as the optimizer got them (clipped), laid out as Model::weights().
  std::span<const T> gradients() const {
    if (!workspace_) return {};
    return workspace_->gradients;
  }
  const AnyOptimizer<T>& optimizer() const { return optimizer_; }
  /// Replaces the optimizer; its state begins anew. Throws ValueError for one that keeps more state than kMaxSlots.
  void set_optimizer(AnyOptimizer<T> optimizer) {
    if (optimizer.slots() < 0 || optimizer.slots() > kMaxSlots) {
      throw ValueError("Trainer: expected an optimizer with at most " + std::to_string(kMaxSlots) +
                       " scalars of state a weight, " + std::string(optimizer.kind()) + " has " +
                       std::to_string(optimizer.slots()));
    }
    optimizer_ = std::move(optimizer);
    slots_.assign(static_cast<std::size_t>(optimizer_.slots()), AlignedVector<T>(model_->weights().size(), T(0)));
  }
  double learning_rate() const { return optimizer_.learning_rate.at(progress.step); }
  /// Another learning rate, or schedule, from the next step on; the optimizer's state stays.
  /// Throws ValueError for one that is out of range.
  void set_learning_rate(Schedule schedule) {
    schedule.validate(std::string(optimizer_.kind()));
    optimizer_.learning_rate = std::move(schedule);
  }

  TrainingProgress progress;

 private:
  using Feed = FunctionRef<void(Index first, TensorView<T> x, TensorView<T> target)>;

  void require_source(const char* what, const SourceRef<T>& source) const;
  void plan_training(Index batch_size);
  LossTerms step(Index samples, const SliceIo<T>& io);
  [[noreturn]] void explain_non_finite(Index samples, const SliceIo<T>& io, RandomKey key, double loss);
  void apply_gradients();
  void find_trainable_ranges();
  void require_metrics(std::span<const AnyMetric<T>> metrics) const;
  void require_finite_weights(const std::string& where) const;
  void write_logs(Logs& logs, std::span<const double> sums, Index samples, std::span<const AnyMetric<T>> metrics) const;

  /// A piece of the arena that the optimizer may update.
  struct Range {
    Index first, count;
  };

  static constexpr int kMaxSlots = 4;

  Model<T>* model_;
  AnyLoss<T> loss_;
  AnyOptimizer<T> optimizer_;
  Shape target_shape_;
  std::vector<TensorView<T>> weight_views_;  ///< of the model, by parameter
  std::vector<AlignedVector<T>> slots_;
  std::vector<Range> trainable_;
  std::optional<Plan<T>> plan_;
  std::optional<Workspace<T>> workspace_;
  int threads_planned_ = 0;
};

template <class T>
History Trainer<T>::fit(SourceRef<T> train, const FitOptions<T>& options) {
  require_source("training data", train);
  if (options.validation) require_source("validation data", options.validation);
  if (options.epochs < 0 || options.batch_size < 1) {
    throw ValueError("fit: expected epochs >= 0 and a batch size >= 1, got " + std::to_string(options.epochs) +
                     " and " + std::to_string(options.batch_size));
  }
  const Index batch_size = std::min(options.batch_size, train.size());
  const std::span<const AnyMetric<T>> metrics(options.metrics);
  require_metrics(metrics);
  const Index steps = steps_per_epoch(train.size(), batch_size);
  if (progress.batch_in_epoch > 0 &&
      (progress.batch_size != batch_size || progress.batch_in_epoch > steps ||
       progress.samples != std::min(progress.batch_in_epoch * batch_size, train.size()) ||
       progress.sums.size() != 2 + metrics.size())) {
    throw ValueError("fit: epoch " + std::to_string(progress.epoch + 1) + " was begun with " +
                     std::to_string(progress.batch_in_epoch) + " batches of " + std::to_string(progress.batch_size) +
                     " and " + std::to_string(progress.sums.size() - std::min<std::size_t>(2, progress.sums.size())) +
                     " metrics; expected the same to go on, got batches of " + std::to_string(batch_size) + " and " +
                     std::to_string(metrics.size()) + " metrics");
  }
  plan_training(batch_size);
  MetricSums<T> metric_sums(metrics, batch_size);
  progress.sums.resize(2 + metrics.size());

  History history;
  TrainingState<T> state{.trainer = *this, .model = *model_};
  state.end_epoch = progress.epoch + options.epochs;
  state.steps = steps;
  state.has_validation = static_cast<bool>(options.validation);
  for (const auto& callback : options.callbacks) callback.on_train_begin(state);
  while (progress.epoch < state.end_epoch && !state.stop) {
    progress.batch_size = batch_size;
    state.epoch = progress.epoch;
    state.step = progress.batch_in_epoch;
    state.samples = state.resumed_samples = progress.samples;
    state.logs = {};
    const auto epoch = static_cast<std::uint32_t>(progress.epoch);
    const RandomKey order_key{model_->seed(), random_stream::kShuffle, epoch};
    std::vector<Index> order = options.shuffle ? random_permutation(order_key, train.size()) : std::vector<Index>{};
    if (!options.shuffle) {
      order.resize(static_cast<std::size_t>(train.size()));
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
    }
    if (progress.samples > 0) write_logs(state.logs, progress.sums, progress.samples, metrics);
    for (const auto& callback : options.callbacks) callback.on_epoch_begin(state);
    const auto start = std::chrono::steady_clock::now();
    while (state.step < state.steps && !state.stop) {
      const Index first = state.step * batch_size;
      const Index samples = std::min(batch_size, train.size() - first);
      const auto feed = [&](Index offset, TensorView<T> x, TensorView<T> target) {
        train.fill(std::span<const Index>(order).subspan(static_cast<std::size_t>(first + offset),
                                                         static_cast<std::size_t>(x.batch())),
                   epoch, x, target);
      };
      const auto finish = [&](Index offset, TensorView<const T> y, TensorView<const T> target) {
        metric_sums.take(offset, y, target);
      };
      SliceIo<T> io{feed};
      if (!metrics.empty()) io.finish.emplace(finish);
      const LossTerms loss = step(samples, io);

      add_losses(loss, samples, progress.sums);
      metric_sums.add(samples, std::span(progress.sums).subspan(2));
      progress.samples += samples;
      progress.batch_in_epoch = ++state.step;
      state.samples = progress.samples;
      state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      write_logs(state.logs, progress.sums, progress.samples, metrics);
      for (const auto& callback : options.callbacks) callback.on_step_end(state);
    }
    if (state.step < state.steps) break;  // stopped by a callback in the middle of an epoch
    require_finite_weights("the end of epoch " + std::to_string(progress.epoch + 1) + ": ");
    progress.epoch++;
    progress.batch_in_epoch = progress.samples = progress.batch_size = 0;
    std::fill(progress.sums.begin(), progress.sums.end(), 0.0);
    if (options.validation) {
      for (const auto& [name, value] : evaluate(options.validation, batch_size, options.metrics)) {
        state.logs.set("val_" + name, value);
      }
    }
    history.epochs.push_back(state.logs);
    for (const auto& callback : options.callbacks) callback.on_epoch_end(state);
  }
  for (const auto& callback : options.callbacks) callback.on_train_end(state);
  return history;
}

template <class T>
Logs Trainer<T>::evaluate(SourceRef<T> source, Index batch_size, const std::vector<AnyMetric<T>>& metrics) {
  require_source("data", source);
  require_metrics(metrics);
  const Plan<T> plan(*model_, std::min(batch_size, source.size()), Mode::inference, loss_);
  Workspace<T> workspace(plan);
  MetricSums<T> metric_sums(metrics, plan.batch);
  std::vector<double> sums(2 + metrics.size(), 0.0);
  std::vector<Index> indices(static_cast<std::size_t>(source.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<Index>(i);
  for (Index first = 0; first < source.size(); first += plan.batch) {
    const Index samples = std::min(plan.batch, source.size() - first);
    const auto feed = [&](Index offset, TensorView<T> x, TensorView<T> target) {
      source.fill(std::span<const Index>(indices).subspan(static_cast<std::size_t>(first + offset),
                                                          static_cast<std::size_t>(x.batch())),
                  0, x, target);
    };
    const auto finish = [&](Index offset, TensorView<const T> y, TensorView<const T> target) {
      metric_sums.take(offset, y, target);
    };
    SliceIo<T> io{feed};
    if (!metrics.empty()) io.finish.emplace(finish);
    const LossTerms loss = Execution<T>(plan, workspace, model_->weights(), samples, {}).run(io);
    add_losses(loss, samples, sums);
    metric_sums.add(samples, std::span(sums).subspan(2));
  }
  Logs logs;
  write_logs(logs, sums, source.size(), metrics);
  return logs;
}

template <class T>
LossTerms Trainer<T>::train_on_batch(TensorView<const T> x, TensorView<const T> target) {
  const Index samples = x.shape().rank() == 0 ? 0 : x.batch();
  const Shape expected_x = model_->input_shape().with_batch(samples);
  const Shape expected_target = target_shape_.with_batch(samples);
  if (samples < 1 || x.shape() != expected_x || target.shape() != expected_target) {
    throw ShapeError("train_on_batch: expected input " + expected_x.to_string() + " and target " +
                     expected_target.to_string() + " with at least 1 sample, got " + x.shape().to_string() + " and " +
                     target.shape().to_string());
  }
  plan_training(samples);
  const auto feed = [&](Index first, TensorView<T> slice_x, TensorView<T> slice_target) {
    const auto from = x.samples(first, slice_x.batch());
    std::copy(from.begin(), from.end(), slice_x.begin());
    const auto target_from = target.samples(first, slice_x.batch());
    std::copy(target_from.begin(), target_from.end(), slice_target.begin());
  };
  return step(samples, {feed});
}

template <class T>
void Trainer<T>::require_source(const char* what, const SourceRef<T>& source) const {
  if (source.size() < 1) {
    throw ValueError(std::string("Trainer: expected at least 1 sample of ") + what + ", got none");
  }
  if (source.input_shape() != model_->input_shape()) {
    throw ShapeError("Trainer: the model expects inputs of shape " + model_->input_shape().to_string() + ", the " +
                     what + " has " + source.input_shape().to_string());
  }
  if (source.target_shape() != target_shape_) {
    throw ShapeError("Trainer: " + std::string(loss_.kind()) + " of the model's output " +
                     model_->output_shape().to_string() + " expects targets of shape " + target_shape_.to_string() +
                     ", the " + what + " has " + source.target_shape().to_string());
  }
}

template <class T>
void Trainer<T>::require_metrics(std::span<const AnyMetric<T>> metrics) const {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    metrics[i].validate(model_->output_shape(), target_shape_);
    const std::string& name = metrics[i].name();
    const bool again = std::any_of(metrics.begin(), metrics.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const AnyMetric<T>& other) { return other.name() == name; });
    if (again || name == "loss" || name == "data_loss" || name == "layer_loss") {
      throw ValueError("Trainer: two figures are called \"" + name + "\"; expected metrics with names of their own");
    }
  }
}

template <class T>
void Trainer<T>::require_finite_weights(const std::string& where) const {
  for (std::size_t i = 0; i < weight_views_.size(); ++i) {
    const TensorView<T>& w = weight_views_[i];
    if (std::all_of(w.begin(), w.end(), [](T v) { return std::isfinite(v); })) continue;
    throw NumericError(where + model_->parameters()[i].name + ": a weight is not finite after the last update");
  }
}

// The plan serves every batch up to its own size. Threads that have come since get memory too.
template <class T>
void Trainer<T>::plan_training(Index batch_size) {
  for (std::size_t i = 0; i < weight_views_.size(); ++i) {  // another model may have been assigned to this one
    weight_views_[i] = {model_->weights().data() + model_->parameters()[i].offset, model_->parameters()[i].shape};
  }
  if (workspace_ && plan_->batch >= batch_size && threads_planned_ >= num_threads()) return;
  threads_planned_ = num_threads();
  workspace_.reset();
  plan_.emplace(*model_, batch_size, Mode::training, loss_);
  workspace_.emplace(*plan_);
}

template <class T>
LossTerms Trainer<T>::step(Index samples, const SliceIo<T>& io) {
  const RandomKey key{model_->seed(), 0, static_cast<std::uint32_t>(progress.step)};
  Execution<T> execution(*plan_, *workspace_, model_->weights(), samples, key);
  const LossTerms loss = execution.run(io);
  if (!std::isfinite(loss.total())) explain_non_finite(samples, io, key, loss.total());
  apply_gradients();
  return loss;
}

// The weights are still those of the step, so running it again finds where the first NaN or infinity came
// from: a weight, or else the output of a layer.
template <class T>
void Trainer<T>::explain_non_finite(Index samples, const SliceIo<T>& io, RandomKey key, double loss) {
  const std::string where = "step " + std::to_string(progress.step + 1) + " (epoch " +
                            std::to_string(progress.epoch + 1) + "): the loss is " + std::to_string(loss) + "; ";
  require_finite_weights(where);
  Execution<T> again(*plan_, *workspace_, model_->weights(), samples, key);
  again.check_finite();
  try {
    again.run(io);
  } catch (const NumericError& error) {
    throw NumericError(where + error.what());
  }
  throw NumericError(where + std::string(loss_.kind()) +
                     ": every layer's output is finite, the loss is not (is the learning rate too high?)");
}

template <class T>
void Trainer<T>::apply_gradients() {
  const std::span<T> gradients = std::span<T>(workspace_->gradients);
  for (const Node<T>& node : model_->nodes()) {
    const auto first = static_cast<std::size_t>(node.first_parameter), count = node.plan.parameters.size();
    node.layer.update_state(std::span<const TensorView<T>>(weight_views_).subspan(first, count),
                            std::span<const TensorView<const T>>(workspace_->sum_views).subspan(first, count));
  }
  for (const Range& range : trainable_) {
    optimizer_.clip.clip_values(
        gradients.subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.count)));
  }
  if (optimizer_.clip.global_norm > 0) {
    double square_sum = 0;
    for (const Range& range : trainable_) {
      square_sum += sum_of_squares<T>(range.count, gradients.data() + range.first);
    }
    const T factor = static_cast<T>(optimizer_.clip.norm_factor(square_sum));
    for (const Range& range : trainable_) {
      T* g = gradients.data() + range.first;
      if (factor != T(1)) scale<T>(range.count, factor, g, g);
    }
  }
  const double rate = learning_rate();
  const Index step = ++progress.step;
  parallel_for(static_cast<Index>(trainable_.size()), [&](Index i, int) {
    const Range& range = trainable_[static_cast<std::size_t>(i)];
    const auto first = static_cast<std::size_t>(range.first);
    const auto count = static_cast<std::size_t>(range.count);
    std::array<std::span<T>, kMaxSlots> slots;
    for (std::size_t k = 0; k < slots_.size(); ++k) slots[k] = std::span<T>(slots_[k]).subspan(first, count);
    optimizer_.update(step, rate, model_->weights().subspan(first, count), gradients.subspan(first, count),
                      {slots.data(), slots_.size()});
  });
}

// Neighbouring trainable parameters are one range; long ranges are cut, so that threads can share them.
template <class T>
void Trainer<T>::find_trainable_ranges() {
  constexpr Index kLongest = 16384;
  for (const ParameterInfo& info : model_->parameters()) {
    if (!info.trainable) continue;
    Index first = info.offset;
    Index left = info.shape.size();
    if (!trainable_.empty()) {
      const Range& last = trainable_.back();
      const Index gap = first - (last.first + last.count);
      const bool only_padding = gap * static_cast<Index>(sizeof(T)) < 64;
      if (only_padding && last.count + gap + left <= kLongest) {
        trainable_.back().count += gap + left;
        continue;
      }
    }
    for (; left > 0; first += kLongest, left -= kLongest) {
      trainable_.push_back({first, std::min(left, kLongest)});
    }
  }
}

template <class T>
void Trainer<T>::write_logs(Logs& logs, std::span<const double> sums, Index samples,
                            std::span<const AnyMetric<T>> metrics) const {
  const double n = static_cast<double>(samples);
  logs.set("loss", (sums[0] + sums[1]) / n);
  if (sums[1] != 0) {
    logs.set("data_loss", sums[0] / n);
    logs.set("layer_loss", sums[1] / n);
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) logs.set(metrics[m].name(), sums[2 + m] / n);
}

LINNET_NAMESPACE_END
