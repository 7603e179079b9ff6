// A run folder, and the trainings in it: each goes on where it was stopped, and ends with the same bits as if it had
// never been.
//
//     config.json              the options, resolved; made first, so that nothing else is ever without it
//     models/NAME.safetensors  the finished models, with NAME.csv, their history by epoch
//     models/NAME.checkpoint   of a training that is not finished
//
// What the program adds: history.csv (all models'), metrics.json, pictures/, report.html.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "checksum.hpp"
#include "linnet/io/checkpoint.hpp"
#include "linnet/io/file.hpp"
#include "linnet/io/json.hpp"
#include "linnet/linnet.hpp"

namespace run {

using namespace linnet;

/// Ctrl-C, once a run has called catch_interrupts(): the first asks it to stop after its step, a second ends the
/// program as usual.
inline std::atomic<bool>& interrupted() {
  static std::atomic<bool> flag{false};
  return flag;
}
inline void catch_interrupts() {
  std::signal(SIGINT, [](int) {
    interrupted() = true;
    std::signal(SIGINT, SIG_DFL);
  });
}
/// Thrown when the user has stopped the program and everything that it needs to go on is saved.
struct Interrupted {
  const char* saved = "everything is saved";
};
/// For places where everything is saved.
inline void stop_if_interrupted() {
  if (interrupted()) throw Interrupted{};
}

/// A path as config.json has it, which may be read from another folder; "" stays.
inline std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).string();
}

/// What a run is.
struct Run {
  std::string program, command;
  nlohmann::json options;                           ///< resolved; the keys are those of the command line
  nlohmann::json facts = nlohmann::json::object();  ///< what else must be the same when it goes on: checksums, ...
  std::map<std::string, std::string> files = {};    ///< that it reads, by option; their checksums join the facts
  bool resume = false, overwrite = false;
  std::vector<std::string> guests = {};  ///< what may lie in its folder beforehand, and stays
};

class Folder {
 public:
  /// Makes the folder and its config.json: the options, and as "about" the program, its version and the facts. Throws
  /// FileError when there is something in it already but guests, and with `resume` when there is no such run;
  /// FormatError for one with other options or files ("threads" and paths may differ). With `overwrite` what an earlier
  /// run of this program has written is removed; what else lies in the folder stays. Throws ValueError for data or files
  /// of the run in the folder that is overwritten.
  Folder(std::string path, const Run& run) : path_(std::move(path)) {
    namespace fs = std::filesystem;
    std::error_code error;
    nlohmann::json config = run.options;
    nlohmann::json& about = config["about"] = run.facts;
    about.update({{"program", run.program}, {"command", run.command}, {"version", LINNET_VERSION_STRING}});
    for (const auto& [option, file] : run.files) about[option + kChecksum] = checksum::of_file(file);
    const bool is_own = has("config.json") && program() == run.program;
    if (run.resume) {
      if (!is_own || command() != run.command) {
        throw FileError(path_ + ": there is no run of `" + run.program + " " + run.command + "` to go on with");
      }
      require_same(read_json(file("config.json")), config);
    } else {
      bool empty = true;
      for (auto entry = fs::directory_iterator(path_, error); !error && entry != fs::directory_iterator();
           entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        empty = empty && std::find(run.guests.begin(), run.guests.end(), name) != run.guests.end();
      }
      if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
        throw FileError(path_ + ": cannot be read: " + error.message());
      }
      if (!empty && !(is_own && run.overwrite)) {
        throw FileError(path_ +
                        (is_own ? ": there is a run in it already; --resume goes on with it, --overwrite begins anew"
                                : ": expected no folder or an empty one, there is something else in it"));
      }
      if (run.overwrite) require_outside(config);
      make(path_);
      remove_earlier(run.guests);
    }
    write_json("config.json", config);  // of a run that goes on: with the paths of now
    for (const char* name : {"models", "pictures"}) make(file(name));
  }
  /// A folder that a program has written.
  explicit Folder(std::string path) : path_(std::move(path)) {}

  std::string file(const std::string& name) const { return (std::filesystem::path(path_) / name).string(); }
  bool has(const std::string& name) const {
    std::error_code error;
    return std::filesystem::exists(file(name), error);
  }

  static nlohmann::json read_json(const std::string& path) {
    const Bytes bytes = read_file(path);
    return linnet::detail::parse_strict_json(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  /// Throws ValueError for a text that is not UTF-8.
  void write_json(const std::string& name, const nlohmann::json& json) const {
    std::string text;
    try {
      text = json.dump(2) + "\n";
    } catch (const nlohmann::json::exception& error) {
      throw ValueError(file(name) + ": expected texts and paths in UTF-8 (" + error.what() + ")");
    }
    write_file(file(name), text);
  }

  /// What config.json says under "about" of "program" and "command"; "" for none. A damaged file is nobody's to
  /// replace: it throws.
  std::string program() const { return about("program"); }
  std::string command() const { return about("command"); }

  /// metrics.json of a run of `program`. Throws FileError that says why there is none.
  nlohmann::json metrics(const std::string& program_name) const {
    if (!has("config.json")) throw FileError(path_ + ": there is no run in it (no config.json)");
    if (program() != program_name) {
      throw FileError(path_ + ": expected a run of " + program_name + ", got one of \"" + program() + "\"");
    }
    if (!has("metrics.json")) {
      throw FileError(path_ + ": the run in it is not finished; `" + program_name + " " + command() +
                      " --resume` goes on with it");
    }
    return read_json(file("metrics.json"));
  }

 private:
  static void make(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw FileError(folder + ": the folder cannot be made: " + error.message());
  }
  std::string about(const char* key) const {
    const nlohmann::json config = read_json(file("config.json"));
    const nlohmann::json& about = config.is_object() ? config.value("about", nlohmann::json()) : nlohmann::json();
    const nlohmann::json value = about.is_object() ? about.value(key, nlohmann::json()) : nlohmann::json();
    return value.is_string() ? value.get<std::string>() : "";
  }
  static constexpr const char* kChecksum = "_crc32";  ///< after an option's name: a fact of its files

  /// Neither the data nor the files of a run may lie where it removes an earlier one.
  void require_outside(const nlohmann::json& config) const {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path folder = fs::weakly_canonical(path_, error);
    for (const auto& [key, fact] : config.at("about").items()) {
      const std::string option = option_of(key);
      const std::string path = option.empty() ? "" : config.value(option, std::string());
      const fs::path file = fs::weakly_canonical(path, error);
      if (!path.empty() &&
          std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end()) {
        throw ValueError("--" + option + " " + path + ": lies in the run that --overwrite would remove");
      }
    }
  }
  /// "data" of "data_crc32"; "" of another fact.
  static std::string option_of(const std::string& fact) {
    const std::string ending = kChecksum;
    return fact.ends_with(ending) ? fact.substr(0, fact.size() - ending.size()) : "";
  }
  /// What a path leads to must be the same, not the path.
  void require_same(nlohmann::json before, nlohmann::json now) const {
    nlohmann::json facts = before.at("about");
    facts.update(now.at("about"));
    for (const auto& [key, fact] : facts.items()) {
      const std::string option = option_of(key);
      if (option.empty()) continue;
      const auto text = [&key = key](const nlohmann::json& config) {
        const nlohmann::json& about = config.at("about");
        return about.contains(key) ? "of CRC-32 " + about.at(key).get<std::string>() : std::string("none");
      };
      if (text(before) != text(now)) {
        throw FormatError("--" + option + ": not what the run in " + path_ + " began with: expected " + text(before) +
                          ", got " + text(now));
      }
      before.erase(option);
      now.erase(option);
    }
    before.erase("threads");
    now.erase("threads");
    const std::string difference = linnet::detail::first_difference(before, now);
    if (!difference.empty()) throw FormatError(file("config.json") + ": a run with other options: " + difference);
  }
  /// Removes what an earlier run has made, which must not be taken for this one's: models with a history beside them,
  /// checkpoints, the pictures that its figures name, and what lies beside config.json, but for guests.
  void remove_earlier(const std::vector<std::string>& guests) const {
    namespace fs = std::filesystem;
    std::vector<std::string> files;
    std::error_code error;
    fs::directory_iterator entry(file("models"), error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      fs::path path = entry->path();
      if (path.extension() == ".checkpoint") files.push_back(path.string());
      if (path.extension() != ".csv") continue;
      files.push_back(path.string());
      files.push_back(path.replace_extension(".safetensors").string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      throw FileError(file("models") + ": cannot be read: " + error.message());
    }
    if (has("metrics.json")) {
      const nlohmann::json figures = read_json(file("metrics.json")).flatten();
      for (const auto& [pointer, value] : figures.items()) {
        if (value.is_string() && pointer.ends_with("/picture")) files.push_back(file(value.get<std::string>()));
      }
    }
    for (const char* name : {"history.csv", "metrics.json", "report.html"}) {
      if (std::find(guests.begin(), guests.end(), name) == guests.end()) files.push_back(file(name));
    }
    for (const std::string& path : files) {
      fs::remove(path, error);
      if (error) throw FileError(path + ": cannot be removed: " + error.message());
    }
  }
  std::string path_;
};

/// How far a program is that trains and measures several models: the share of all work, and the time left.
class Progress {
 public:
  /// `work` is a number proportional to the time that everything takes: see work_of() and measuring_work().
  explicit Progress(double work) : work_(work) {}
  void done(double work) { done_ += work; }        ///< in this program
  void skipped(double work) { skipped_ += work; }  ///< by an earlier one
  std::string text() const {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::string text = std::to_string(static_cast<int>(100 * (skipped_ + done_) / work_)) + "%";
    if (done_ > 0) text += ", " + linnet::detail::clock_time(seconds * (work_ - skipped_ - done_) / done_) + " left";
    return text;
  }
  /// Tells what begins now.
  void say(const std::string& what) const {
    std::printf("[%s] %s\n", text().c_str(), what.c_str());
    std::fflush(stdout);
  }

 private:
  double work_, done_ = 0, skipped_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Multiply-adds of a prediction of one sample, counted in kernels: what training time is proportional to.
inline double work_of(const Model<float>& model) {
  double sum = 0;
  for (const Node<float>& node : model.nodes()) {
    const Shape& output = node.plan.output;
    for (const ParameterSpec& parameter : node.plan.parameters) {
      if (parameter.shape.rank() < 2) continue;
      sum += static_cast<double>(parameter.shape.size()) * static_cast<double>(output.size() / output.back());
    }
  }
  return sum;
}

/// The work of predicting `images` samples and comparing the outputs with targets, in the same measure: a prediction
/// takes two fifths of a step of training.
inline double measuring_work(const Model<float>& model, Index images) {
  constexpr double kComparing = 1e6;  // an image's structural similarity takes about as long
  return (0.4 * work_of(model) + kComparing) * static_cast<double>(images);
}

/// A model's figures by epoch, kept in a CSV file: "loss", "val_loss", ...
struct History {
  std::vector<std::pair<std::string, std::vector<double>>> figures;
  std::vector<double> seconds;
  double begun = 0;  ///< seconds of an epoch that was stopped

  History() = default;
  explicit History(const std::vector<std::string>& names) {
    for (const std::string& name : names) figures.emplace_back(name, std::vector<double>{});
  }
  Index epochs() const { return std::ssize(seconds); }
  double total_seconds() const {
    double sum = 0;
    for (const double s : seconds) sum += s;
    return sum;
  }
  nlohmann::json json() const {
    nlohmann::json all;
    for (const auto& [name, values] : figures) all[name] = values;
    return all;
  }
  /// "loss,val_loss,seconds".
  std::string head() const {
    std::string text;
    for (const auto& figure : figures) text += figure.first + ",";
    return text + "seconds";
  }
  /// The figures of an epoch, with as many digits as tell every double apart.
  std::string row(std::size_t epoch) const {
    std::string text;
    char number[40];
    for (const auto& figure : figures) {
      std::snprintf(number, sizeof number, "%.17g,", figure.second[epoch]);
      text += number;
    }
    std::snprintf(number, sizeof number, "%.3f", seconds[epoch]);
    return text + number;
  }
};

/// One training.
struct Job {
  std::string name;   ///< of its files
  std::string title;  ///< for people
  Model<float>* model = nullptr;
  AnyLoss<float> loss;
  AnyOptimizer<float> optimizer;
  SourceRef<float> train, held_out;
  Index epochs = 1, batch = 128;
  std::vector<AnyMetric<float>> metrics = {};
  std::vector<AnyCallback<float>> callbacks = {};  ///< besides those that every training has
  std::function<bool()> failed = {};               ///< asked afterwards: whether the training is to be given up
  std::map<std::string, std::string> about = {};   ///< what the model's file tells beside the model
  std::vector<std::string> figures = {"loss", "val_loss"};  ///< of the logs: what its history keeps

  double work() const { return work_of(*model) * static_cast<double>(epochs * train.size()); }
};

namespace detail {

/// Shows the whole program's progress before each line of a training's.
struct JobProgress {
  ProgressBar bar;
  std::string title;
  std::shared_ptr<Progress> progress;
  double work_of_epoch;

  void show_progress() { bar.prefix = "[" + progress->text() + "] " + title + ": "; }
  template <class T>
  void on_epoch_begin(TrainingState<T>& state) {
    show_progress();
    bar.on_epoch_begin(state);
  }
  template <class T>
  void on_step_end(TrainingState<T>& state) {
    bar.on_step_end(state);
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    progress->done(work_of_epoch);
    show_progress();
    bar.on_epoch_end(state);
  }
  template <class T>
  void on_train_end(TrainingState<T>& state) {
    bar.on_train_end(state);
  }
};

/// Keeps the history, and after it the checkpoint: the history is never behind. Of a training that has failed nothing
/// is kept.
struct Record {
  Folder folder;
  std::string name;
  std::shared_ptr<History> history;
  std::function<bool()> failed;

  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    if (failed && failed()) return;
    for (auto& [figure, values] : history->figures) values.push_back(state.logs[figure]);
    history->seconds.push_back(history->begun + state.seconds);
    history->begun = 0;
    write(folder, name, *history);
    save_checkpoint(state.trainer, folder.file("models/" + name + ".checkpoint"));
  }

  static void write(const Folder& folder, const std::string& name, const History& history) {
    std::string text = "epoch," + history.head() + "\n";
    for (std::size_t i = 0; i < history.seconds.size(); ++i) {
      text += std::to_string(i + 1) + "," + history.row(i) + "\n";
    }
    if (history.begun > 0) text += kBegun + std::to_string(history.begun) + "\n";
    write_file(folder.file("models/" + name + ".csv"), text);
  }
  static History read(const Folder& folder, const Job& job, Index epochs) {
    const std::string path = folder.file("models/" + job.name + ".csv");
    History history(job.figures);
    std::error_code error;
    if (epochs == 0 && !std::filesystem::exists(path, error)) return history;
    const Bytes bytes = read_file(path);
    std::istringstream text(std::string(bytes.begin(), bytes.end()));
    std::string line;
    std::getline(text, line);
    if (line != "epoch," + history.head()) {
      throw FormatError(path + ": expected the columns epoch," + history.head() + ", got \"" + line + "\"");
    }
    while (history.epochs() < epochs && std::getline(text, line)) {
      // As printf writes them: infinite ones too.
      const char* cell = line.c_str();
      std::vector<double> values;
      for (std::size_t i = 0; i < history.figures.size() + 2; ++i) {
        char* end = nullptr;
        values.push_back(std::strtod(cell, &end));
        if (end == cell) throw FormatError(path + ": expected numbers, got \"" + line + "\"");
        cell = *end == ',' ? end + 1 : end;
      }
      for (std::size_t i = 0; i < history.figures.size(); ++i) history.figures[i].second.push_back(values[i + 1]);
      history.seconds.push_back(values.back());
    }
    if (history.epochs() < epochs) {
      throw FormatError(path + ": expected " + std::to_string(epochs) + " epochs, got " +
                        std::to_string(history.epochs()));
    }
    if (std::getline(text, line) && line.rfind(kBegun, 0) == 0) history.begun = std::atof(line.c_str() + kBegun.size());
    return history;
  }
  static inline const std::string kBegun = "begun,";  ///< the line of an epoch that was stopped, and its seconds
};

struct StopOnInterrupt {
  std::shared_ptr<History> history;

  template <class T>
  void on_step_end(TrainingState<T>& state) {
    if (!interrupted()) return;
    state.stop = true;
    if (state.step < state.steps) history->begun += state.seconds;
  }
};

}  // namespace detail

/// Trains the job's model, or reads it if it is finished, and returns its history. Throws Interrupted after Ctrl-C. Of
/// one that has failed nothing is left.
inline History train(const Folder& folder, const Job& job, const std::shared_ptr<Progress>& progress) {
  const std::string model_path = folder.file("models/" + job.name + ".safetensors");
  const std::string checkpoint = folder.file("models/" + job.name + ".checkpoint");
  const Progress without_this = *progress;
  std::error_code error;
  Trainer trainer(*job.model, job.loss, job.optimizer);
  if (std::filesystem::exists(model_path, error)) {
    *job.model = load_model(model_path);
    progress->skipped(job.work());
    std::filesystem::remove(checkpoint, error);  // of a program that was killed between the two
    return detail::Record::read(folder, job, job.epochs);
  }
  if (std::filesystem::exists(checkpoint, error)) load_checkpoint(trainer, checkpoint);
  const Index before = trainer.progress.epoch;
  if (before > job.epochs) {
    throw FormatError(checkpoint + ": expected at most " + std::to_string(job.epochs) + " epochs, got " +
                      std::to_string(before));
  }
  const double work_of_epoch = job.work() / static_cast<double>(job.epochs);
  progress->skipped(work_of_epoch * static_cast<double>(before));
  const auto history = std::make_shared<History>(detail::Record::read(folder, job, before));

  FitOptions<float> options{.epochs = job.epochs - before, .batch_size = job.batch, .validation = job.held_out};
  options.metrics = job.metrics;
  options.callbacks = job.callbacks;  // before Record: they may find that the training has failed
  std::vector<std::string> shown = job.figures;
  for (const AnyMetric<float>& metric : job.metrics) {
    shown.push_back(metric.name());
    if (job.held_out) shown.push_back("val_" + metric.name());
  }
  options.callbacks.insert(options.callbacks.end(),
                           {detail::JobProgress{{.figures = shown}, job.title, progress, work_of_epoch},
                            detail::Record{folder, job.name, history, job.failed}, detail::StopOnInterrupt{history}});
  if (options.epochs > 0) trainer.fit(job.train, options);
  if (job.failed && job.failed()) {
    *progress = without_this;
    std::filesystem::remove(checkpoint, error);
    std::filesystem::remove(folder.file("models/" + job.name + ".csv"), error);
    return *history;
  }
  if (interrupted() && trainer.progress.epoch < job.epochs) {
    save_checkpoint(trainer, checkpoint);
    detail::Record::write(folder, job.name, *history);
    throw Interrupted{};
  }
  save_model(*job.model, model_path, job.about);
  std::filesystem::remove(checkpoint, error);
  stop_if_interrupted();
  return *history;
}

/// history.csv: the histories of several models, which have a `name` and a `history`, one after the other.
template <class Models>
void write_history(const Folder& folder, const Models& models) {
  std::string text;
  for (const auto& model : models) {
    const History& history = model.history;
    if (text.empty()) text = "model,epoch," + history.head() + "\n";
    for (std::size_t i = 0; i < history.seconds.size(); ++i) {
      text += model.name + "," + std::to_string(i + 1) + "," + history.row(i) + "\n";
    }
  }
  write_file(folder.file("history.csv"), text);
}

/// What computed the figures of a run, for metrics.json.
inline nlohmann::json about_machine() {
#if defined(__clang__)
  constexpr const char* kCompiler = "clang " __clang_version__;
#elif defined(__GNUC__)
  constexpr const char* kCompiler = "g++ " __VERSION__;
#else
  constexpr const char* kCompiler = "unknown";
#endif
  return {{"threads", num_threads()}, {"instruction_set", to_string(isa())}, {"compiler", kCompiler}};
}

}  // namespace run
