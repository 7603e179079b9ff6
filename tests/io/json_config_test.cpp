// Configurations to JSON and back, and the messages about JSON that is no configuration.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "linnet/io/json_config.hpp"
#include "linnet/layers/activation.hpp"
#include "linnet/layers/geometry.hpp"
#include "linnet/losses/huber.hpp"

using namespace linnet;
using nlohmann::json;

namespace {

/// A layer with a field of every type.
struct Everything {
  Index units = 3;
  double rate = 0.5;
  bool use_bias = true;
  std::string title = "t";
  std::vector<Index> shape{2, 3};
  Activation activation = leaky_relu;
  Padding padding = same;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("units", units);
    visit.field("rate", rate);
    visit.field("use_bias", use_bias);
    visit.field("title", title);
    visit.field("shape", shape);
    visit.field("activation", activation);
    visit.field("padding", padding);
  }
};

std::string problem_with(const json& config) {
  Everything layer;
  try {
    read_config("dense_1", config, layer);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "none";
}

json changed(const char* field, const json& value) {
  json config = write_config(Everything{});
  config[json::json_pointer(field)] = value;
  return config;
}

}  // namespace

TEST_CASE("a configuration becomes a JSON object with the members' names") {
  CHECK(write_config(Everything{}) == json::parse(R"({
    "units": 3, "rate": 0.5, "use_bias": true, "title": "t", "shape": [2, 3],
    "activation": {"kind": "leaky_relu", "alpha": 0.2},
    "padding": {"kind": "same", "top": 0, "bottom": 0, "left": 0, "right": 0}})"));
}

TEST_CASE("a configuration is read back") {
  Everything layer;
  layer.units = 1;
  layer.activation = linear;
  layer.padding = valid;
  layer.shape.clear();
  read_config("dense_1", json::parse(R"({
    "units": 7, "rate": 1, "use_bias": false, "title": "", "shape": [5],
    "activation": {"kind": "elu", "alpha": 2},
    "padding": {"kind": "explicit", "top": 1, "bottom": 2, "left": 3, "right": 4}})"),
              layer);
  CHECK(layer.units == 7);
  CHECK(layer.rate == 1);
  CHECK_FALSE(layer.use_bias);
  CHECK(layer.title.empty());
  CHECK(layer.shape == std::vector<Index>{5});
  CHECK(layer.activation == elu.with(2));
  CHECK(layer.padding == pad(1, 2, 3, 4));
}

TEST_CASE("losses go through JSON too") {
  Huber huber;
  read_config("Huber", write_config(Huber{.delta = 2, .reduction = Reduction::sum}), huber);
  CHECK(huber.delta == 2);
  CHECK(huber.reduction == Reduction::sum);
}

TEST_CASE("what is wrong with a configuration is said with the layer and the field") {
  CHECK(problem_with(write_config(Everything{})) == "none");
  CHECK(problem_with(json::array()) == "dense_1: expected an object as the configuration, got []");
  CHECK(problem_with(changed("/units", "7")) == "dense_1: field \"units\": expected an integer, got \"7\"");
  CHECK(problem_with(changed("/units", 1.5)) == "dense_1: field \"units\": expected an integer, got 1.5");
  CHECK(problem_with(changed("/units", 18446744073709551615u)) ==
        "dense_1: field \"units\": expected an integer, got 18446744073709551615");
  CHECK(problem_with(changed("/rate", nullptr)) == "dense_1: field \"rate\": expected a number, got null");
  CHECK(problem_with(changed("/use_bias", 1)) == "dense_1: field \"use_bias\": expected true or false, got 1");
  CHECK(problem_with(changed("/title", 1)) == "dense_1: field \"title\": expected a text, got 1");
  CHECK(problem_with(changed("/shape", 1)) == "dense_1: field \"shape\": expected a list of integers, got 1");
  CHECK(problem_with(changed("/shape", {1, "2"})) == "dense_1: field \"shape\": expected an integer, got \"2\"");
  CHECK(problem_with(changed("/activation", "relu")) ==
        "dense_1: field \"activation\": expected an object, got \"relu\"");
  CHECK(problem_with(changed("/padding/kind", "some")) ==
        "dense_1: field \"padding.kind\": expected one of valid, same, explicit, got \"some\"");
  CHECK(problem_with(changed("/padding/front", 1)) == "dense_1: field \"padding.front\": there is no such field");
  CHECK(problem_with(changed("/unit", 1)) == "dense_1: field \"unit\": there is no such field");
  json missing = write_config(Everything{});
  missing["activation"].erase("alpha");
  CHECK(problem_with(missing) == "dense_1: field \"activation.alpha\": it is missing");
}
