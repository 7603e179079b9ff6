// Callbacks: what happens at the turns of a training run. A callback is any type with one or more of
//
//     template <class T> void on_train_begin(TrainingState<T>&);
//     template <class T> void on_epoch_begin(TrainingState<T>&);
//     template <class T> void on_step_end(TrainingState<T>&);
//     template <class T> void on_epoch_end(TrainingState<T>&);
//     template <class T> void on_train_end(TrainingState<T>&);
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
class Trainer;

/// Figures by name, in the order in which they were computed: "loss", "val_loss", ...
class Logs {
 public:
  void set(std::string_view name, double value) {
    for (auto& [key, old] : entries_) {
      if (key == name) {
        old = value;
        return;
      }
    }
    entries_.emplace_back(name, value);
  }
  std::optional<double> find(std::string_view name) const {
    for (const auto& [key, value] : entries_) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
  /// Throws ValueError that lists the figures there are.
  double operator[](std::string_view name) const {
    if (const auto value = find(name)) return *value;
    std::string known;
    for (const auto& [key, value] : entries_) known += (known.empty() ? "" : ", ") + key;
    throw ValueError("logs: no figure \"" + std::string(name) + "\"; there are " + known);
  }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<std::pair<std::string, double>> entries_;
};

/// Where a training run stands; what a callback sees.
template <class T>
struct TrainingState {
  Trainer<T>& trainer;
  Model<T>& model;
  Index epoch = 0;              ///< from 0
  Index end_epoch = 0;          ///< the run ends before it
  Index step = 0;               ///< steps done in this epoch
  Index steps = 0;              ///< steps in an epoch
  Index samples = 0;            ///< samples done in this epoch
  double seconds = 0;           ///< since this epoch began (or was resumed)
  Index resumed_samples = 0;    ///< samples of this epoch that were done before `seconds` began
  Logs logs = {};               ///< means over this epoch so far; validation figures at its end
  bool has_validation = false;  ///< figures called "val_..." are to come
  bool stop = false;            ///< set it to end the run after this step
};

template <class C, class T>
concept Callback = std::copyable<C> &&(
    requires(C& c, TrainingState<T>& s) { c.on_train_begin(s); } ||
    requires(C & c, TrainingState<T>& s) { c.on_epoch_begin(s); } ||
    requires(C & c, TrainingState<T>& s) { c.on_step_end(s); } ||
    requires(C & c, TrainingState<T>& s) { c.on_epoch_end(s); } ||
    requires(C & c, TrainingState<T>& s) { c.on_train_end(s); });

/// Holds any callback. Copies share it, so what it gathers is seen by all.
template <class T>
class AnyCallback {
 public:
  template <class C>
  requires(!std::same_as<std::remove_cvref_t<C>, AnyCallback> && Callback<std::remove_cvref_t<C>, T>)
      AnyCallback(C&& callback)  // NOLINT: a callback is put into a list as it is
      : self_(std::make_shared<Holder<std::remove_cvref_t<C>>>(std::forward<C>(callback))) {}

  void on_train_begin(TrainingState<T>& s) const { self_->on_train_begin(s); }
  void on_epoch_begin(TrainingState<T>& s) const { self_->on_epoch_begin(s); }
  void on_step_end(TrainingState<T>& s) const { self_->on_step_end(s); }
  void on_epoch_end(TrainingState<T>& s) const { self_->on_epoch_end(s); }
  void on_train_end(TrainingState<T>& s) const { self_->on_train_end(s); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void on_train_begin(TrainingState<T>&) = 0;
    virtual void on_epoch_begin(TrainingState<T>&) = 0;
    virtual void on_step_end(TrainingState<T>&) = 0;
    virtual void on_epoch_end(TrainingState<T>&) = 0;
    virtual void on_train_end(TrainingState<T>&) = 0;
  };
  template <class C>
  struct Holder final : Interface {
    explicit Holder(C c) : callback(std::move(c)) {}
    void on_train_begin(TrainingState<T>& s) override {
      if constexpr (requires { callback.on_train_begin(s); }) callback.on_train_begin(s);
    }
    void on_epoch_begin(TrainingState<T>& s) override {
      if constexpr (requires { callback.on_epoch_begin(s); }) callback.on_epoch_begin(s);
    }
    void on_step_end(TrainingState<T>& s) override {
      if constexpr (requires { callback.on_step_end(s); }) callback.on_step_end(s);
    }
    void on_epoch_end(TrainingState<T>& s) override {
      if constexpr (requires { callback.on_epoch_end(s); }) callback.on_epoch_end(s);
    }
    void on_train_end(TrainingState<T>& s) override {
      if constexpr (requires { callback.on_train_end(s); }) callback.on_train_end(s);
    }
    C callback;
  };
  std::shared_ptr<Interface> self_;
};

namespace detail {
/// Throws ValueError when a callback waits for a figure of the validation, and there is none.
template <class T>
void require_monitored(const char* callback, const std::string& monitor, const TrainingState<T>& state) {
  if (state.has_validation || monitor.rfind("val_", 0) != 0) return;
  throw ValueError(std::string(callback) + ": monitors " + monitor + ", but fit() was given no validation data");
}
}  // namespace detail

LINNET_NAMESPACE_END
