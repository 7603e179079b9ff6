// The callbacks that come with the library: a progress bar, early stopping, and the history as a CSV file.
// (ModelCheckpoint needs the file formats and is in io/checkpoint.hpp.)
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "linnet/training/any_callback.hpp"
#include "linnet/training/trainer.hpp"

#if defined(_WIN32)
#include <io.h>
#else
#include <sys/ioctl.h>
#include <unistd.h>
#endif

LINNET_NAMESPACE_BEGIN

namespace detail {
inline bool is_terminal(std::FILE* stream) {
#if defined(_WIN32)
  return _isatty(_fileno(stream)) != 0;
#else
  return isatty(fileno(stream)) != 0;
#endif
}

/// The columns of the terminal that `stream` is; 0 if that is not known.
inline std::size_t terminal_columns(std::FILE* stream) {
#if defined(TIOCGWINSZ)
  winsize size = {};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0) return size.ws_col;
#else
  static_cast<void>(stream);
#endif
  return 0;
}

/// "0:07", "1:02:03": seconds for people.
inline std::string clock_time(double seconds) {
  const auto total = static_cast<long long>(std::llround(std::min(std::max(seconds, 0.0), 8.64e7)));
  char text[32];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  }
  return text;
}

/// "  loss 0.1234": all figures of the logs, or those that are named, should they be there.
inline std::string format_logs(const Logs& logs, const std::vector<std::string>& figures) {
  std::string text;
  for (const auto& [name, value] : logs) {
    if (!figures.empty() && std::find(figures.begin(), figures.end(), name) == figures.end()) continue;
    char number[32];
    std::snprintf(number, sizeof number, "%.4f", value);
    text += "  " + name + " " + number;
  }
  return text;
}
}  // namespace detail

/// Shows how far the run is, the rate, the time left and the figures. On a terminal a line is redrawn as
/// it goes; into a file or a pipe goes one line per epoch.
struct ProgressBar {
  std::FILE* stream = stdout;
  std::string prefix = {};                ///< what every line begins with
  std::vector<std::string> figures = {};  ///< those of the logs that are shown; none named: all
  /// Forces one form or the other; by default the stream is asked whether it is a terminal.
  enum class Style { automatic, redraw, lines } style = Style::automatic;

  template <class T>
  void on_epoch_begin(TrainingState<T>&) {
    last_drawn = -1;
  }
  template <class T>
  void on_step_end(TrainingState<T>& state) {
    constexpr double kInterval = 0.1;  // s: often enough for the eye, too seldom to cost anything
    if (!redraws() || (last_drawn >= 0 && state.seconds - last_drawn < kInterval)) return;
    last_drawn = state.seconds;
    constexpr Index kWidth = 20;
    const Index filled = kWidth * state.step / state.steps;
    std::string bar(static_cast<std::size_t>(filled), '=');
    if (filled < kWidth) bar += '>';
    bar.resize(kWidth, '.');
    const double rate = images_per_second(state);
    const double fraction = static_cast<double>(state.step) / static_cast<double>(state.steps);
    const double samples_left = static_cast<double>(state.samples) * (1 - fraction) / fraction;
    draw(prefix + title(state) + " [" + bar + "] " + std::to_string(state.step) + "/" + std::to_string(state.steps) +
         "  " + std::to_string(std::llround(rate)) + "/s  " + detail::clock_time(rate > 0 ? samples_left / rate : 0) +
         " left" + detail::format_logs(state.logs, figures));
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    const std::string line = prefix + title(state) + "  " + detail::clock_time(state.seconds) + "  " +
                             std::to_string(std::llround(images_per_second(state))) + "/s" +
                             detail::format_logs(state.logs, figures);
    draw("");  // the whole line replaces what was drawn, however wide the terminal is
    std::fprintf(stream, redraws() ? "\r%s\n" : "%s\n", line.c_str());
    drawn_length = 0;
    std::fflush(stream);
  }
  template <class T>
  void on_train_end(TrainingState<T>&) {
    if (redraws() && drawn_length > 0) std::fputc('\n', stream);  // the run stopped within an epoch
    drawn_length = 0;
  }

  /// What the bar remembers between its drawings.
  double last_drawn = -1;
  std::size_t drawn_length = 0;

  bool redraws() const {
    if (style == Style::automatic) return detail::is_terminal(stream);
    return style == Style::redraw;
  }
  template <class T>
  static std::string title(const TrainingState<T>& state) {
    return "epoch " + std::to_string(state.epoch + 1) + "/" + std::to_string(state.end_epoch);
  }
  template <class T>
  static double images_per_second(const TrainingState<T>& state) {
    if (state.seconds <= 0) return 0;
    return static_cast<double>(state.samples - state.resumed_samples) / state.seconds;
  }
  void draw(std::string line) {
    if (!redraws()) return;
    // A line that the terminal breaks cannot be drawn over.
    if (const std::size_t columns = detail::terminal_columns(stream); columns > 1 && line.size() >= columns) {
      line.resize(columns - 1);
    }
    const std::size_t length = line.size();
    const std::string blanks(drawn_length > length ? drawn_length - length : 0, ' ');
    std::fprintf(stream, "\r%s%s", line.c_str(), blanks.c_str());
    std::fflush(stream);
    drawn_length = length;
  }
};

/// Ends the run when a figure has not become better for `patience` epochs.
struct EarlyStopping {
  std::string monitor = "val_loss";
  Index patience = 0;
  double min_delta = 0;   ///< how much smaller counts as better
  bool maximize = false;  ///< true for figures where more is better
  bool restore_best_weights = true;

  template <class T>
  void on_train_begin(TrainingState<T>& state) {
    detail::require_monitored("EarlyStopping", monitor, state);
    best = std::numeric_limits<double>::infinity();
    best_epoch = -1;
    best_weights.clear();
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    const double figure = maximize ? -state.logs[monitor] : state.logs[monitor];
    if (figure < best - min_delta) {
      best = figure;
      best_epoch = state.epoch;
      if (restore_best_weights) {
        // double holds every float exactly, so this works for any T up to double
        best_weights.assign(state.model.weights().begin(), state.model.weights().end());
      }
      return;
    }
    if (best_epoch < 0) best_epoch = state.epoch;  // even the first figure was no number
    if (state.epoch - best_epoch >= std::max<Index>(1, patience)) state.stop = true;
  }
  template <class T>
  void on_train_end(TrainingState<T>& state) {
    if (best_weights.empty()) return;
    for (std::size_t i = 0; i < best_weights.size(); ++i) {
      state.model.weights()[i] = static_cast<T>(best_weights[i]);
    }
  }

  /// What has been seen so far.
  double best = std::numeric_limits<double>::infinity();
  Index best_epoch = -1;
  std::vector<double> best_weights = {};
};

/// Writes one row per epoch: epoch, seconds, learning rate and all figures. A run that begins anew writes a new file,
/// one that goes on appends. Throws FileError when the file cannot be written.
struct CsvHistory {
  std::string path;

  template <class T>
  void on_train_begin(TrainingState<T>& state) {
    if (state.trainer.progress.epoch == 0) write("", std::ios::trunc);
  }
  template <class T>
  void on_epoch_end(TrainingState<T>& state) {
    std::string header = "epoch,seconds,learning_rate";
    std::string row =
        std::to_string(state.epoch + 1) + "," + number(state.seconds) + "," + number(state.trainer.learning_rate());
    for (const auto& [name, value] : state.logs) {
      header += "," + name;
      row += "," + number(value);
    }
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error || size == 0) row = header + "\n" + row;
    write(row + "\n", std::ios::app);
  }

  static std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
  }
  void write(const std::string& text, std::ios::openmode mode) const {
    std::ofstream file(path, std::ios::out | mode);
    file << text << std::flush;
    if (!file) throw FileError(path + ": the training history cannot be written: " + std::strerror(errno));
  }
};

LINNET_NAMESPACE_END
