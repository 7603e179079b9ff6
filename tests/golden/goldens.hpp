// The golden files that make_goldens.py writes; its comment says what is in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/npz.hpp"
#include "support.hpp"

namespace linnet::test {

/// goldens.json.
inline nlohmann::json golden_manifest() {
  std::ifstream file(LINNET_TEST_SOURCE_DIR "/golden/goldens.json");
  if (!file) throw std::runtime_error("no " LINNET_TEST_SOURCE_DIR "/golden/goldens.json");
  return nlohmann::json::parse(file);
}

/// The arrays of one of the .npz files.
class GoldenArrays {
 public:
  explicit GoldenArrays(const std::string& name)
      : arrays_(load_npz<double>(std::string(LINNET_TEST_SOURCE_DIR "/golden/") + name + ".npz")) {}
  bool has(const std::string& key) const { return arrays_.count(key) != 0; }
  const Tensor<double>& operator[](const std::string& key) const {
    const auto found = arrays_.find(key);
    if (found == arrays_.end()) throw std::runtime_error("no golden array " + key);
    return found->second;
  }
  /// The array in T: exact, if it is an input.
  template <class T>
  Tensor<T> get(const std::string& key) const {
    const Tensor<double>& wide = (*this)[key];
    Tensor<T> result(wide.shape());
    for (Index i = 0; i < wide.size(); ++i) result[i] = static_cast<T>(wide[i]);
    return result;
  }

 private:
  std::map<std::string, Tensor<double>> arrays_;
};

/// The largest difference of two tensors, relative to max(1, |expected|); infinite for other shapes or a NaN.
template <class T>
double difference(TensorView<const T> got, TensorView<const double> expected) {
  if (got.shape() != expected.shape()) return INFINITY;
  double largest = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - expected[i]) / std::max(1.0, std::abs(expected[i]));
    if (!(error <= largest)) largest = std::isnan(error) ? INFINITY : error;
  }
  return largest;
}

/// How close results must come to PyTorch's float64.
template <class T>
constexpr double kGoldenTolerance = std::is_same_v<T, double> ? 1e-12 : 1e-5;

}  // namespace linnet::test
