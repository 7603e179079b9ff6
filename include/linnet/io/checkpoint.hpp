// Checkpoints: a model file that also holds the optimizer's state and how far the training has come, so that a run that
// is resumed ends with the same bits as one that was never stopped.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/model.hpp"
#include "linnet/training/trainer.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

/// The first difference between two JSON values, like 'nodes/dense/config/units: expected 3, got 4'; empty if they are
/// equal.
inline std::string first_difference(const nlohmann::json& expected, const nlohmann::json& got,
                                    const std::string& where = "") {
  if (expected == got) return "";
  const std::string inside = where.empty() ? "" : where + "/";
  if (expected.is_object() && got.is_object()) {
    for (const bool structured : {false, true}) {  // the kind of a layer says more than its configuration
      for (const auto& [key, value] : expected.items()) {
        if (value.is_structured() != structured) continue;
        if (!got.contains(key)) return inside + key + ": it is missing";
        if (const std::string found = first_difference(value, got[key], inside + key); !found.empty()) return found;
      }
    }
    for (const auto& [key, value] : got.items()) {
      if (!expected.contains(key)) return inside + excerpt(key) + ": there is no such field";
    }
  }
  if (expected.is_array() && got.is_array()) {
    for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i) {
      const bool named = expected[i].is_object() && expected[i].contains("name") && expected[i]["name"].is_string();
      const std::string name = named ? expected[i]["name"].get<std::string>() : std::to_string(i);
      const std::string found = first_difference(expected[i], got[i], inside + name);
      if (!found.empty()) return found;
    }
    if (expected.size() != got.size()) {
      return where + ": expected a list of " + std::to_string(expected.size()) + ", got one of " +
             std::to_string(got.size());
    }
  }
  return where + ": expected " + quote(expected) + ", got " + quote(got);
}

/// The seed that the checkpoint's model had. Throws FormatError unless that model is the same as `model` but for the
/// weights and the seed.
template <class T>
std::uint64_t seed_of_same_model(const std::string& path, const SafetensorsFile& file, const Model<T>& model) {
  const auto text = file.metadata.find(kArchitectureKey);
  if (text == file.metadata.end()) throw FormatError(path + ": a checkpoint without the model's architecture");
  const std::string where = path + ": the architecture";
  nlohmann::json got = parse_strict_json(where, text->second);
  const auto seed = JsonFields(where, got).integer<std::uint64_t>("seed", 0);
  // Through text as well, so that a number that is not finite is the same on both sides.
  nlohmann::json expected = nlohmann::json::parse(dump_json("Model", architecture_of(model)));
  expected.erase("seed");
  got.erase("seed");
  const std::string difference = first_difference(expected, got);
  if (!difference.empty()) throw FormatError(path + ": a checkpoint of another model: " + excerpt(difference, 300));
  return seed;
}

inline std::string write_progress(const TrainingProgress& progress, std::string_view optimizer) {
  // The sums as bit patterns: a decimal text might not bring the last bit back.
  std::vector<std::uint64_t> sums;
  for (const double sum : progress.sums) sums.push_back(std::bit_cast<std::uint64_t>(sum));
  return nlohmann::json{{"optimizer", std::string(optimizer)},
                        {"step", progress.step},
                        {"epoch", progress.epoch},
                        {"batch_in_epoch", progress.batch_in_epoch},
                        {"samples", progress.samples},
                        {"batch_size", progress.batch_size},
                        {"sums", sums}}
      .dump();
}

/// Throws FormatError for a progress that no training run can have, or one with another optimizer.
inline TrainingProgress read_progress(const std::string& path, const std::string& text, std::string_view optimizer) {
  const std::string where = path + ": the progress";
  const nlohmann::json json = parse_strict_json(where, text);
  const JsonFields fields(where, json);
  const std::string kind = fields.text("optimizer");
  if (kind != optimizer) {
    throw FormatError(path + ": expected a checkpoint of " + std::string(optimizer) + ", got " + excerpt(kind));
  }
  TrainingProgress progress;
  progress.step = fields.integer<Index>("step", 0);
  progress.epoch = fields.integer<Index>("epoch", 0);
  progress.batch_in_epoch = fields.integer<Index>("batch_in_epoch", 0);
  progress.samples = fields.integer<Index>("samples", 0);
  progress.batch_size = fields.integer<Index>("batch_size", progress.batch_in_epoch > 0 ? 1 : 0);
  for (const std::uint64_t bits : fields.integers<std::uint64_t>("sums", 0)) {
    progress.sums.push_back(std::bit_cast<double>(bits));
  }
  constexpr Index kMost =
      Index{1} << (sizeof(Index) > 4 ? 48 : 24);  // no run has more, and sums stay far from overflow
  for (const auto& [name, value] :
       {std::pair{"step", progress.step}, std::pair{"epoch", progress.epoch}, std::pair{"samples", progress.samples},
        std::pair{"batch_size", progress.batch_size}}) {
    if (value > kMost)
      fields.fail(name, "expected at most " + std::to_string(kMost) + ", got " + std::to_string(value));
  }
  if (progress.batch_in_epoch > progress.step) {
    fields.fail("batch_in_epoch", "expected at most the " + std::to_string(progress.step) + " steps of the run, got " +
                                      std::to_string(progress.batch_in_epoch));
  }
  // All batches of an epoch are full except the last one, which has at least one sample.
  const Index batches = progress.batch_in_epoch, size = progress.batch_size;
  const bool fits = batches == 0 ? progress.samples == 0
                                 : progress.samples >= batches && (progress.samples - 1) / size + 1 == batches;
  if (!fits) {
    fields.fail("samples", "expected those of " + std::to_string(batches) + " batches of " + std::to_string(size) +
                               ", got " + std::to_string(progress.samples));
  }
  return progress;
}

/// Throws FormatError unless every tensor has elements of T, so that no bit gets lost, and each slot has its state.
template <class T>
void require_state(const std::string& path, const SafetensorsFile& file, std::size_t parameters, std::size_t slots) {
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.dtype != StoredTensor::dtype_of<T>()) {
      throw FormatError(path + ": " + excerpt(name) + ": expected elements of type " + StoredTensor::dtype_of<T>() +
                        " as in the run that goes on, got " + tensor.dtype);
    }
  }
  if (file.tensors.size() != parameters * (1 + slots)) {
    throw FormatError(path + ": expected the weights and " + std::to_string(slots) +
                      " numbers of the optimizer's state for each, " + std::to_string(parameters * (1 + slots)) +
                      " tensors, got " + std::to_string(file.tensors.size()));
  }
}

}  // namespace detail

/// Writes model, optimizer state and progress. Throws FileError when the file cannot be written.
template <class T>
void save_checkpoint(Trainer<T>& trainer, const std::string& path) {
  SafetensorsFile file = detail::model_file(trainer.model());
  for (std::size_t slot = 0; slot < trainer.slots().size(); ++slot) {
    detail::add_arena<T>(file, detail::slot_prefix(slot), trainer.model().parameters(), trainer.slots()[slot]);
  }
  file.metadata[detail::kProgressKey] = detail::write_progress(trainer.progress, trainer.optimizer().kind());
  save_safetensors(path, file);
}

/// Brings a trainer to where a checkpoint was written: weights, the model's seed, optimizer state and progress. The
/// model must have the same architecture, and the optimizer must be of the same kind. The file does not hold the loss,
/// the optimizer's values (rate, momentum, ...), the data and the options of fit(): they must be the same again.
/// Throws FileError or FormatError naming the file; the trainer is then unchanged.
template <class T>
void load_checkpoint(Trainer<T>& trainer, const std::string& path) {
  const SafetensorsFile file = load_safetensors(path);
  const auto text = file.metadata.find(detail::kProgressKey);
  if (text == file.metadata.end()) throw FormatError(path + ": a model, but no checkpoint (it has no progress)");
  TrainingProgress progress = detail::read_progress(path, text->second, trainer.optimizer().kind());
  const std::uint64_t seed = detail::seed_of_same_model(path, file, trainer.model());
  const auto& parameters = trainer.model().parameters();
  const std::size_t slots = trainer.slots().size();
  detail::require_tensors(path, file, parameters);
  detail::require_state<T>(path, file, parameters.size(), slots);

  const std::span<T> weights = trainer.model().weights();
  std::vector<AlignedVector<T>> arenas(slots + 1, AlignedVector<T>(weights.size(), T(0)));
  detail::read_arena<T>(path, file, "", parameters, arenas.back());
  for (std::size_t slot = 0; slot < slots; ++slot) {
    detail::read_arena<T>(path, file, detail::slot_prefix(slot), parameters, arenas[slot]);
  }
  std::copy(arenas.back().begin(), arenas.back().end(), weights.begin());
  for (std::size_t slot = 0; slot < slots; ++slot) trainer.slots()[slot] = std::move(arenas[slot]);
  trainer.model().set_seed(seed);
  trainer.progress = std::move(progress);
}

/// A callback that writes a checkpoint after each epoch, or only when the monitored value has improved.
struct ModelCheckpoint {
  std::string path;
  bool save_best_only = false;
  std::string monitor = "val_loss";
  bool maximize = false;  ///< true for figures where more is better

  template <class T>
  void on_train_begin(TrainingState<T>& state) {
    if (save_best_only) detail::require_monitored("ModelCheckpoint", monitor, state);
    if (state.trainer.progress.step == 0)
      best = std::numeric_limits<double>::infinity();  // a new run, with no best yet
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    if (save_best_only) {
      const double figure = maximize ? -state.logs[monitor] : state.logs[monitor];
      if (!(figure < best)) return;
      best = figure;
    }
    save_checkpoint(state.trainer, path);
  }

  /// The best figure so far, the less the better.
  double best = std::numeric_limits<double>::infinity();
};

LINNET_NAMESPACE_END
