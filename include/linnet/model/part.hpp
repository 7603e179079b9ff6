// part_of: some nodes of a model as a model of its own: an encoder, a decoder, the features before a classifier's last
// layer.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

/// The nodes [first, last) of `model`, with copies of their weights and their names. They may read each other and, where
/// first > 0, node first - 1, whose output becomes the part's input. Throws ValueError for another range, and for nodes
/// that read others.
template <class T>
Model<T> part_of(const Model<T>& model, int first, int last) {
  const auto& nodes = model.nodes();
  if (first < 0 || last <= first || last > static_cast<int>(nodes.size())) {
    throw ValueError("part_of: expected nodes [first, last) of " + std::to_string(nodes.size()) + ", got [" +
                     std::to_string(first) + ", " + std::to_string(last) + ")");
  }
  std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers;
  std::vector<std::string> names;
  for (int i = first; i < last; ++i) {
    const Node<T>& node = nodes[static_cast<std::size_t>(i)];
    std::vector<int> inputs;
    for (const int input : node.inputs) {
      if (input < first - 1) {
        throw ValueError("part_of: " + node.name + " reads " +
                         (input == kModelInput ? "the input" : nodes[static_cast<std::size_t>(input)].name) +
                         ", which is outside of the part");
      }
      inputs.push_back(input == first - 1 ? kModelInput : input - first);
    }
    layers.emplace_back(node.layer, std::move(inputs));
    names.push_back(node.name);
  }
  const Shape& input = first == 0 ? model.input_shape() : nodes[static_cast<std::size_t>(first - 1)].plan.output;
  Model<T> part = Model<T>::uninitialized(input, std::move(layers), model.seed(), std::move(names),
                                          [](const std::vector<ParameterInfo>&) {});
  for (const ParameterInfo& to : part.parameters()) {
    const TensorView<const T> from = model.parameter(to.name);
    std::copy(from.begin(), from.end(), part.weights().begin() + to.offset);
  }
  return part;
}

/// The index of the first node whose layer is of this kind ("GaussianLatent"). Throws ValueError if there is none.
template <class T>
int find_node(const Model<T>& model, std::string_view kind) {
  const auto& nodes = model.nodes();
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node<T>& n) { return n.layer.kind() == kind; });
  if (found == nodes.end()) throw ValueError("find_node: the model has no " + std::string(kind));
  return static_cast<int>(found - nodes.begin());
}

LINNET_NAMESPACE_END
