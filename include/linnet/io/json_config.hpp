// Configurations as JSON objects: the fields that a layer, loss or optimizer lists in describe(), by name.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/json.hpp"
#include "linnet/layers/layer.hpp"

LINNET_NAMESPACE_BEGIN

/// Collects the fields in a JSON object; described values become objects in it.
class JsonConfigWriter final : public ConfigVisitor {
 public:
  using ConfigVisitor::field;
  void field(std::string_view name, Index& value) override { put(name, value); }
  void field(std::string_view name, double& value) override { put(name, value); }
  void field(std::string_view name, bool& value) override { put(name, value); }
  void field(std::string_view name, std::string& value) override { put(name, value); }
  void field(std::string_view name, std::vector<Index>& value) override { put(name, value); }

  const nlohmann::json& config() const { return config_; }

 protected:
  void enter(std::string_view name) override {
    put(name, nlohmann::json::object());
    path_.push_back(&object()[std::string(name)]);
  }
  void leave() override { path_.pop_back(); }

 private:
  template <class Value>
  void put(std::string_view name, const Value& value) {
    object()[std::string(name)] = value;
  }
  nlohmann::json& object() { return path_.empty() ? config_ : *path_.back(); }

  nlohmann::json config_ = nlohmann::json::object();
  std::vector<nlohmann::json*> path_;
};

/// Sets the fields from a JSON object, which must hold all of them and no others (finish() and leave() check that).
/// Throws FormatError that names the layer and the field. The object must outlive the reader.
class JsonConfigReader final : public ConfigVisitor {
 public:
  /// `who` is the layer (or loss, ...) whose configuration it is.
  JsonConfigReader(std::string_view who, const nlohmann::json& config) : who_(detail::excerpt(who)) {
    open("", config);
  }

  using ConfigVisitor::field;
  void field(std::string_view name, Index& value) override {
    const nlohmann::json& json = at(name);
    value = index(json);
  }
  void field(std::string_view name, double& value) override {
    const nlohmann::json& json = at(name);
    if (!json.is_number()) fail("expected a number, got " + detail::quote(json));
    value = json.get<double>();
  }
  void field(std::string_view name, bool& value) override {
    const nlohmann::json& json = at(name);
    if (!json.is_boolean()) fail("expected true or false, got " + detail::quote(json));
    value = json.get<bool>();
  }
  void field(std::string_view name, std::string& value) override {
    const nlohmann::json& json = at(name);
    if (!json.is_string()) fail("expected a text, got " + detail::quote(json));
    value = json.get<std::string>();
  }
  void field(std::string_view name, std::vector<Index>& value) override {
    const nlohmann::json& json = at(name);
    if (!json.is_array()) fail("expected a list of integers, got " + detail::quote(json));
    value.clear();
    for (const nlohmann::json& item : json) value.push_back(index(item));
  }

  /// To be called after the last field: throws FormatError if the object has others.
  void finish() { require_no_others(); }

  /// Throws FormatError about the field that was read last.
  [[noreturn]] void fail(const std::string& problem) const {
    throw FormatError(who_ + ": field \"" + current_ + "\": " + detail::excerpt(problem, 300));
  }

 protected:
  void enter(std::string_view name) override {
    const nlohmann::json& object = at(name);
    open(current_ + ".", object);
  }
  void leave() override {
    require_no_others();
    levels_.pop_back();
  }

 private:
  struct Level {
    std::string prefix;  ///< of the names of its fields in messages
    const nlohmann::json* object;
    std::set<std::string, std::less<>> seen = {};
  };

  void open(std::string prefix, const nlohmann::json& object) {
    if (!object.is_object()) {
      if (levels_.empty()) {
        throw FormatError(who_ + ": expected an object as the configuration, got " + detail::quote(object));
      }
      fail("expected an object, got " + detail::quote(object));
    }
    levels_.push_back({std::move(prefix), &object});
  }

  const nlohmann::json& at(std::string_view name) {
    Level& level = levels_.back();
    current_ = level.prefix + std::string(name);
    const auto found = level.object->find(std::string(name));
    if (found == level.object->end()) fail("it is missing");
    level.seen.insert(std::string(name));
    return *found;
  }

  Index index(const nlohmann::json& json) const {
    const std::optional<Index> number = detail::to_integer<Index>(json);
    if (!number) fail("expected an integer, got " + detail::quote(json));
    return *number;
  }

  void require_no_others() {
    const Level& level = levels_.back();
    for (const auto& item : level.object->items()) {
      if (level.seen.contains(item.key())) continue;
      current_ = level.prefix + detail::excerpt(item.key());
      fail("there is no such field");
    }
  }

  std::string who_;
  std::string current_;
  std::vector<Level> levels_;
};

/// The configuration of a layer, loss or optimizer as a JSON object.
template <class Described>
nlohmann::json write_config(Described value) {
  JsonConfigWriter writer;
  value.describe(writer);
  return writer.config();
}

/// Sets the configuration of `value`, which messages call `who`. Throws FormatError for a field that is unknown,
/// missing, of the wrong type or without meaning.
template <class Described>
void read_config(std::string_view who, const nlohmann::json& config, Described& value) {
  JsonConfigReader reader(who, config);
  try {
    value.describe(reader);
  } catch (const ValueError& error) {  // a name that no enumerator has
    reader.fail(error.what());
  }
  reader.finish();
}

LINNET_NAMESPACE_END
