// Model<T>: an ordered list of nodes, each a layer and the nodes that it reads, and one flat arena with all
// weights. It is built by Sequential() or by a GraphBuilder (graph.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "linnet/core/function_ref.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/layers/initialize.hpp"
#include "linnet/model/any_layer.hpp"

LINNET_NAMESPACE_BEGIN

/// The index that stands for the model's input in a node's list of inputs.
inline constexpr int kModelInput = -1;

/// The most nodes that one layer may read.
inline constexpr std::size_t kMaxInputs = 16;

/// One weight tensor of a model, and where it lies in the arena.
struct ParameterInfo {
  std::string name;  ///< node and parameter: "conv2d_1/kernel"
  int node = 0;
  Shape shape;
  Index offset = 0;  ///< of its first element in Model::weights()
  bool trainable = true;
  Initializer initializer = zeros;
};

template <class T>
struct Node {
  std::string name;
  AnyLayer<T> layer;
  std::vector<int> inputs;  ///< indices of earlier nodes, or kModelInput
  LayerPlan plan;
  int first_parameter = 0;  ///< in Model::parameters()

  int parameter_count() const { return static_cast<int>(plan.parameters.size()); }
};

template <class T>
class Model {
 public:
  /// The nodes must be in order (each reads earlier ones only); the last one is the output. GraphBuilder and
  /// Sequential() make such lists. Throws ShapeError or ValueError when they do not fit together.
  Model(const Shape& input_shape, std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers, std::uint64_t seed,
        std::vector<std::string> names = {})
      : Model(input_shape, std::move(layers), std::move(names), [](const std::vector<ParameterInfo>&) {}) {
    reset(seed);
  }
  /// For loaders: a model whose weights are all 0. `check(parameters)` is called before the weights take memory; what
  /// it throws comes through.
  static Model uninitialized(const Shape& input_shape, std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers,
                             std::uint64_t seed, std::vector<std::string> names,
                             FunctionRef<void(const std::vector<ParameterInfo>&)> check) {
    Model model(input_shape, std::move(layers), std::move(names), check);
    model.set_seed(seed);
    return model;
  }

  const Shape& input_shape() const { return input_shape_; }
  const Shape& output_shape() const { return nodes_.back().plan.output; }
  const std::vector<Node<T>>& nodes() const { return nodes_; }
  const std::vector<ParameterInfo>& parameters() const { return parameters_; }
  /// The seed of the initial weights and of the layers that draw random numbers.
  std::uint64_t seed() const { return seed_; }
  /// Another seed for the layers that draw random numbers, and for shuffling. The weights stay; see reset().
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  /// All weights; the unused elements between parameters (each begins on 64 bytes) are 0.
  std::span<T> weights() { return weights_; }
  std::span<const T> weights() const { return weights_; }
  /// One parameter by its name, for example "dense/kernel". Throws ValueError that lists the names there are.
  TensorView<T> parameter(std::string_view name) {
    const ParameterInfo& info = find(name);
    return {weights_.data() + info.offset, info.shape};
  }
  TensorView<const T> parameter(std::string_view name) const {
    const ParameterInfo& info = find(name);
    return {weights_.data() + info.offset, info.shape};
  }

  /// The number of weights that training changes, or (false) of those that it does not.
  Index parameter_count(bool trainable) const {
    Index count = 0;
    for (const ParameterInfo& info : parameters_) {
      if (info.trainable == trainable) count += info.shape.size();
    }
    return count;
  }
  Index parameter_count() const { return parameter_count(true) + parameter_count(false); }

  /// Gives all weights their initial values for `seed` again.
  void reset(std::uint64_t seed) {
    seed_ = seed;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const RandomKey key{seed, random_stream::kInitializer + static_cast<std::uint32_t>(i)};
      initialize(parameters_[i].initializer, key,
                 TensorView<T>(weights_.data() + parameters_[i].offset, parameters_[i].shape));
    }
  }

  /// The layers, their output shapes and parameter counts as a table in Keras's form (summary.hpp).
  std::string summary() const;

  /// The outputs for a batch of inputs {n, input_shape...}. Any number of threads may call it at once. It
  /// makes a plan and a workspace anew: a Predictor (predictor.hpp, where this is defined) keeps them.
  Tensor<T> predict(TensorView<const T> x) const;

 private:
  Model(const Shape& input_shape, std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers,
        std::vector<std::string> names, FunctionRef<void(const std::vector<ParameterInfo>&)> check);

  const ParameterInfo& find(std::string_view name) const {
    std::string known;
    for (const ParameterInfo& info : parameters_) {
      if (info.name == name) return info;
      known += (known.empty() ? "" : ", ") + info.name;
    }
    throw ValueError("Model: no parameter \"" + std::string(name) + "\"; there are " + known);
  }

  Shape input_shape_;
  std::vector<Node<T>> nodes_;
  std::vector<ParameterInfo> parameters_;
  AlignedVector<T> weights_;
  std::uint64_t seed_ = 0;
};

/// "Conv2D" -> "conv2d", "Conv2DTranspose" -> "conv2d_transpose": Keras's names of layers.
inline std::string snake_case(std::string_view kind) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string name;
  for (std::size_t i = 0; i < kind.size(); ++i) {
    const bool begins_word = upper(kind[i]) && (i + 1 < kind.size() && lower(kind[i + 1]));
    if (i > 0 && upper(kind[i]) && (lower(kind[i - 1]) || begins_word)) name += '_';
    name += upper(kind[i]) ? static_cast<char>(kind[i] - 'A' + 'a') : kind[i];
  }
  return name;
}

namespace detail {
/// The layer's plan; what it throws names the node too, since a model may have many layers of a kind.
template <class T>
LayerPlan plan_of(const std::string& name, const AnyLayer<T>& layer, std::span<const Shape> in) {
  try {
    LayerPlan plan = layer.plan(in);
    if (plan.output.rank() >= Shape::kMaxRank) {
      throw ShapeError(std::string(layer.kind()) + ": expected an output of at most " +
                       std::to_string(Shape::kMaxRank - 1) + " axes, got " + plan.output.to_string());
    }
    return plan;
  } catch (const ShapeError& error) {
    throw ShapeError(name + ": " + error.what());
  } catch (const ValueError& error) {
    throw ValueError(name + ": " + error.what());
  }
}
}  // namespace detail

template <class T>
Model<T>::Model(const Shape& input_shape, std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers,
                std::vector<std::string> names, FunctionRef<void(const std::vector<ParameterInfo>&)> check)
    : input_shape_(input_shape) {
  if (layers.empty()) throw ValueError("Model: expected at least one layer, got none");
  if (input_shape.rank() >= Shape::kMaxRank) {
    throw ShapeError("Model: expected an input of at most " + std::to_string(Shape::kMaxRank - 1) + " axes, got " +
                     input_shape.to_string());
  }
  std::set<std::string> taken(names.begin(), names.end());
  std::map<std::string, int> used;  // how many automatic names a kind has
  Index offset = 0;
  for (auto& [layer, inputs] : layers) {
    const std::size_t index = nodes_.size();
    std::string name = index < names.size() ? names[index] : "";
    if (name.empty()) {
      const std::string kind = snake_case(layer.kind());
      do {
        const int count = used[kind]++;
        name = count == 0 ? kind : kind + "_" + std::to_string(count);
      } while (!taken.insert(name).second);
    } else if (std::count(names.begin(), names.end(), name) > 1) {
      throw ValueError("Model: two nodes are called \"" + name + "\"; expected a name for each");
    }
    std::vector<Shape> shapes;
    for (const int input : inputs) {
      if (input < kModelInput || input >= static_cast<int>(index)) {
        throw ValueError(name + ": reads node " + std::to_string(input) + ", which is not before it");
      }
      shapes.push_back(input == kModelInput ? input_shape_ : nodes_[static_cast<std::size_t>(input)].plan.output);
    }
    if (inputs.empty() || inputs.size() > kMaxInputs) {
      throw ValueError(name + ": expected 1 to " + std::to_string(kMaxInputs) + " inputs, got " +
                       std::to_string(inputs.size()));
    }
    LayerPlan plan = detail::plan_of(name, layer, std::span<const Shape>(shapes));
    const int first_parameter = static_cast<int>(parameters_.size());
    for (const ParameterSpec& spec : plan.parameters) {
      parameters_.push_back(
          {name + "/" + spec.name, static_cast<int>(index), spec.shape, offset, spec.trainable, spec.initializer});
      constexpr Index kAlignment = 64 / static_cast<Index>(sizeof(T));
      offset = checked_add(offset, round_up(spec.shape.size(), kAlignment));
    }
    nodes_.push_back({std::move(name), std::move(layer), std::move(inputs), std::move(plan), first_parameter});
  }
  for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) {
    const auto reads_it = [&](const Node<T>& node) {
      return std::find(node.inputs.begin(), node.inputs.end(), static_cast<int>(i)) != node.inputs.end();
    };
    if (std::none_of(nodes_.begin(), nodes_.end(), reads_it)) {
      throw ValueError(nodes_[i].name +
                       ": no layer reads it; expected every node but the last, the output, to be read");
    }
  }
  check(parameters_);
  weights_.assign(static_cast<std::size_t>(offset), T(0));
}

/// A chain of layers: each reads the one before it. Throws ShapeError or ValueError when they do not fit.
template <class T = float>
Model<T> Sequential(const Shape& input_shape, const std::type_identity_t<std::vector<AnyLayer<T>>>& layers,
                    std::uint64_t seed = 0) {
  std::vector<std::pair<AnyLayer<T>, std::vector<int>>> chain;
  for (const AnyLayer<T>& layer : layers) {
    const int previous = static_cast<int>(chain.size()) - 1;
    chain.emplace_back(layer, std::vector<int>{previous});
  }
  return Model<T>(input_shape, std::move(chain), seed);
}

LINNET_NAMESPACE_END
