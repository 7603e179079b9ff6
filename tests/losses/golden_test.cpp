// The losses against PyTorch: value and gradient.
#include <doctest/doctest.h>

#include <string>

#include "golden/goldens.hpp"
#include "linnet/io/json_config.hpp"
#include "linnet/losses/binary_crossentropy.hpp"
#include "linnet/losses/categorical_crossentropy.hpp"
#include "linnet/losses/huber.hpp"
#include "linnet/losses/mean_absolute_error.hpp"
#include "linnet/losses/mean_squared_error.hpp"
#include "linnet/losses/sparse_categorical_crossentropy.hpp"
#include "linnet/model/any_loss.hpp"

using namespace linnet;
using nlohmann::json;

namespace {

template <class T, class L>
AnyLoss<T> configured(const json& given) {
  L loss;
  json config = write_config(loss);
  config.merge_patch(given);
  read_config(L::kName, config, loss);
  return loss;
}

template <class T>
AnyLoss<T> make_loss(const std::string& name, const json& config) {
  if (name == "BinaryCrossentropy") return configured<T, BinaryCrossentropy>(config);
  if (name == "CategoricalCrossentropy") return configured<T, CategoricalCrossentropy>(config);
  if (name == "SparseCategoricalCrossentropy") return configured<T, SparseCategoricalCrossentropy>(config);
  if (name == "MeanSquaredError") return configured<T, MeanSquaredError>(config);
  if (name == "MeanAbsoluteError") return configured<T, MeanAbsoluteError>(config);
  if (name == "Huber") return configured<T, Huber>(config);
  throw std::runtime_error("no loss is called " + name);
}

}  // namespace

TEST_CASE_TEMPLATE("losses equal PyTorch's", T, double, float) {
  const test::GoldenArrays arrays("losses");
  const json manifest = test::golden_manifest();
  CHECK(manifest["losses"].size() == 52);
  test::for_each_isa([&](Isa isa) {
    for (const json& golden : manifest["losses"]) {
      const std::string name = golden["name"];
      CAPTURE(to_string(isa));
      CAPTURE(name);
      const AnyLoss<T> loss = make_loss<T>(golden["loss"], golden["config"]);
      const Tensor<T> y = arrays.get<T>(name + "/y"), target = arrays.get<T>(name + "/target");
      Tensor<T> dy(y.shape());
      CHECK(loss.target_shape(y.shape().without_batch()).with_batch(y.batch()) == target.shape());
      const double value = loss.evaluate(y.batch(), y, target, dy) / static_cast<double>(y.batch());
      const double expected = golden["value"];
      CHECK(std::abs(value - expected) <= test::kGoldenTolerance<T> * std::max(1.0, std::abs(expected)));
      CHECK(test::difference<T>(dy, arrays[name + "/dy"]) <= test::kGoldenTolerance<T>);
    }
  });
}
