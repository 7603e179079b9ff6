// GraphBuilder: models with branches.
//
//     GraphBuilder graph({28, 28, 16});
//     auto x = graph.add(Conv2D{.filters = 16, .padding = same, .activation = relu}, graph.input());
//     auto sum = graph.add(Add{}, {x, graph.input()});
//     Model<float> model = graph.build(sum);
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

template <class T = float>
class GraphBuilder {
 public:
  /// A node of this graph, to be read by later ones.
  class NodeRef {
    friend class GraphBuilder;
    NodeRef(int index, std::uint64_t graph) : index_(index), graph_(graph) {}
    int index_;
    std::uint64_t graph_;  ///< whose node it is
  };

  explicit GraphBuilder(const Shape& input_shape) : input_shape_(input_shape), id_(next_id()) {}

  NodeRef input() const { return NodeRef(kModelInput, id_); }

  /// Adds a layer that reads one node. The name is the layer's kind, numbered, unless one is given.
  NodeRef add(AnyLayer<T> layer, NodeRef from, std::string name = "") {
    return add(std::move(layer), {from}, std::move(name));
  }
  /// Adds a layer that reads several nodes. Throws ValueError for a node of another graph.
  NodeRef add(AnyLayer<T> layer, std::initializer_list<NodeRef> from, std::string name = "") {
    std::vector<int> inputs;
    for (const NodeRef node : from) inputs.push_back(own(node));
    layers_.emplace_back(std::move(layer), std::move(inputs));
    names_.push_back(std::move(name));
    return NodeRef(static_cast<int>(layers_.size()) - 1, id_);
  }

  /// The model whose output is `output`: the nodes that lead to it, in the order in which they were added.
  /// Throws ShapeError or ValueError when the layers do not fit together.
  Model<T> build(NodeRef output, std::uint64_t seed = 0) const {
    if (own(output) == kModelInput) {
      throw ValueError("GraphBuilder: the output is the input; expected a layer's node");
    }
    std::vector<bool> needed(layers_.size(), false);
    needed[static_cast<std::size_t>(output.index_)] = true;
    for (std::size_t i = layers_.size(); i-- > 0;) {
      if (!needed[i]) continue;
      for (const int input : layers_[i].second) {
        if (input != kModelInput) needed[static_cast<std::size_t>(input)] = true;
      }
    }
    std::vector<int> new_index(layers_.size(), kModelInput);
    std::vector<std::pair<AnyLayer<T>, std::vector<int>>> kept;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (!needed[i]) continue;
      std::vector<int> inputs;
      for (const int input : layers_[i].second) {
        inputs.push_back(input == kModelInput ? input : new_index[static_cast<std::size_t>(input)]);
      }
      new_index[i] = static_cast<int>(kept.size());
      kept.emplace_back(layers_[i].first, std::move(inputs));
      names.push_back(names_[i]);
    }
    return Model<T>(input_shape_, std::move(kept), seed, std::move(names));
  }

 private:
  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
  int own(NodeRef node) const {
    if (node.graph_ != id_) throw ValueError("GraphBuilder: expected a node of this graph, got one of another");
    return node.index_;
  }

  Shape input_shape_;
  std::uint64_t id_;
  std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers_;
  std::vector<std::string> names_;
};

LINNET_NAMESPACE_END
