// Checkpoints: a model file that also holds the optimizer's state and how far the training has come, so that a run that
// is resumed ends with the same bits as one that was never stopped.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/model.hpp"
#include "linnet/training/trainer.hpp"

LINNET_NAMESPACE_BEGIN

/// Writes model, optimizer state and progress. Throws FileError when the file cannot be written.
template <class T>
void save_checkpoint(Trainer<T>& trainer, const std::string& path) {
  SafetensorsFile file = detail::model_file(trainer.model());
  for (std::size_t slot = 0; slot < trainer.slots().size(); ++slot) {
    detail::add_arena<T>(file, detail::slot_prefix(slot), trainer.model().parameters(), trainer.slots()[slot]);
  }
  const TrainingProgress& p = trainer.progress;
  // The sums as bit patterns: a decimal text might not bring the last bit back.
  std::vector<std::uint64_t> sums;
  for (const double sum : p.sums) sums.push_back(std::bit_cast<std::uint64_t>(sum));
  file.metadata[detail::kProgressKey] =
      nlohmann::json{{"optimizer", std::string(trainer.optimizer.kind())},
                     {"step", p.step},
                     {"epoch", p.epoch},
                     {"batch_in_epoch", p.batch_in_epoch},
                     {"samples", p.samples},
                     {"sums", sums}}
          .dump();
  save_safetensors(path, file);
}

/// Brings a trainer to where a checkpoint was written. Its model and optimizer must be of the same kind. Throws FileError or
/// FormatError naming the file; the trainer is then as before.
template <class T>
void load_checkpoint(Trainer<T>& trainer, const std::string& path) {
  const SafetensorsFile file = load_safetensors(path);
  const auto text = file.metadata.find(detail::kProgressKey);
  if (text == file.metadata.end()) throw FormatError(path + ": a model, but no checkpoint (it has no progress)");
  TrainingProgress progress;
  try {
    const nlohmann::json json = detail::parse_strict_json(path, text->second);
    const auto kind = json.at("optimizer").get<std::string>();
    if (kind != trainer.optimizer.kind()) {
      throw FormatError(path + ": expected a checkpoint of " + std::string(trainer.optimizer.kind()) + ", got " + kind);
    }
    progress.step = json.at("step").get<Index>();
    progress.epoch = json.at("epoch").get<Index>();
    progress.batch_in_epoch = json.at("batch_in_epoch").get<Index>();
    progress.samples = json.at("samples").get<Index>();
    for (const auto bits : json.at("sums").get<std::vector<std::uint64_t>>()) {
      progress.sums.push_back(std::bit_cast<double>(bits));
    }
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path + ": the progress is damaged (" + error.what() + ")");
  }
  const auto& parameters = trainer.model().parameters();
  const std::span<T> weights = trainer.model().weights();
  std::vector<AlignedVector<T>> arenas(trainer.slots().size() + 1, AlignedVector<T>(weights.size(), T(0)));
  detail::read_arena<T>(path, file, "", parameters, arenas.back());
  for (std::size_t slot = 0; slot < trainer.slots().size(); ++slot) {
    detail::read_arena<T>(path, file, detail::slot_prefix(slot), parameters, arenas[slot]);
  }
  std::copy(arenas.back().begin(), arenas.back().end(), weights.begin());
  for (std::size_t slot = 0; slot < trainer.slots().size(); ++slot) trainer.slots()[slot] = std::move(arenas[slot]);
  trainer.progress = std::move(progress);
}

/// A callback that writes a checkpoint after each epoch, or only when a figure has become better.
struct ModelCheckpoint {
  std::string path;
  bool save_best_only = false;
  std::string monitor = "val_loss";  ///< the smaller the better

  /// The best figure so far.
  double best = std::numeric_limits<double>::infinity();

  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    if (save_best_only) {
      const double figure = state.logs[monitor];
      if (!(figure < best)) return;
      best = figure;
    }
    save_checkpoint(state.trainer, path);
  }
};

LINNET_NAMESPACE_END
