// Plan<T>: how a model is run for batches of up to one size. Everything that can be decided once is decided here: how
// the batch is cut into slices, where each tensor lies, what is fused. A plan never changes; a Workspace holds the
// memory it asks for.
//
// The batch is cut into slices whose tensors fit in a core's L2 cache, and a thread takes a slice through the
// whole network, forward and backward, before it takes the next. A layer that couples the samples of a batch
// (BatchNormalization in training) ends a *segment*: there the slices meet. Gradients by large weights are computed in
// the end, for all slices at once.
//
// Nothing here depends on the number of threads or on the processor: the slices decide the order in which
// gradients are added, and so the bits of the result.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "linnet/model/any_loss.hpp"
#include "linnet/model/buffers.hpp"
#include "linnet/model/fusion.hpp"
#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

/// What happens to the gradient that a node's backward() computes for one of its inputs.
enum class GradientUse {
  none,   ///< nobody needs it
  write,  ///< it is the first: written into the gradient buffer of the input
  add     ///< added to what a later node has put there
};

/// Where a tensor lies: in the arena of a thread, which has a place for the samples of a slice, or in that of the whole
/// batch.
struct Place {
  Index offset = 0;  ///< in scalars
  bool whole_batch = false;
};

template <class T>
struct PlannedNode {
  std::string name;
  AnyLayer<T> layer;
  LayerPlan plan;
  std::vector<int> inputs;
  std::vector<GradientUse> input_gradients;  ///< one per input
  int first_parameter = 0;
  int stream = 0;               ///< of the node's random numbers
  bool whole_batch = false;     ///< runs once on the whole batch, not slice by slice
  bool needs_gradient = false;  ///< it, or something before it, has parameters

  /// Whether the gradients by its weights are computed in the end, for the whole batch.
  bool defers_weights() const { return needs_gradient && plan.weight_pieces > 0; }
  /// Whether backward() will be asked for the gradient of some input.
  bool wants_dx() const {
    return std::any_of(input_gradients.begin(), input_gradients.end(),
                       [](GradientUse use) { return use != GradientUse::none; });
  }

  Place output = {}, gradient = {}, saved = {};
  Index prepared = 0, prepared_size = 0;  ///< in scalars
  Index scratch_size = 0;
};

/// Neighbouring gradients of which there are partial sums: where they are in the model's, and in a partial sum.
struct GradientChunk {
  Index offset = 0, partial_offset = 0, count = 0;
};
/// A piece of the gradients by the weights of a node that defers them.
struct WeightPiece {
  int node = 0;
  Index piece = 0;
};

/// A piece of a step that all slices finish before the next begins: nodes forward, the loss, nodes backward.
struct Phase {
  bool whole_batch = false;
  bool feed = false;  ///< the slice's input and target are fetched first
  int forward_first = 0, forward_last = 0;
  bool loss = false;
  int backward_first = 0, backward_last = 0;
};

enum class Mode { inference, training };

template <class T>
class Plan {
 public:
  /// Plans `model` for batches of up to `batch` samples. Training needs a loss; with one, inference
  /// evaluates it. Throws ValueError for an empty batch, and for one beyond kMostBatch, ShapeError when the loss cannot
  /// take the output.
  Plan(const Model<T>& model, Index batch, Mode mode, std::optional<AnyLoss<T>> loss = {});

  bool training() const { return mode == Mode::training; }
  /// Samples in each slice but the last, when a step has `samples` of them. Slices and partial sums depend on the
  /// model and on the samples of the step alone, not on the size of batch that was planned for: so do the bits of the
  /// gradients.
  Index slice_of(Index samples) const {
    const Index slices = most_slices(samples);
    return (samples + slices - 1) / slices;
  }
  /// The most samples that any slice of a step of up to `batch` samples has.
  Index most_samples() const { return std::clamp<Index>((batch + kMinSlices - 1) / kMinSlices, 1, largest_slice); }
  Index slice_count(Index samples) const {
    const Index slice = slice_of(samples);
    return (samples + slice - 1) / slice;
  }
  /// Partial sums of the gradients, each over a fixed run of slices.
  Index partials_of(Index samples) const { return std::min(most_partials, slice_count(samples)); }
  /// The most slices, and so pieces of work, that a step of up to `batch` samples is cut into.
  Index most_slices() const { return most_slices(batch); }
  int node_count() const { return static_cast<int>(nodes.size()); }
  const PlannedNode<T>& node(int i) const { return nodes[static_cast<std::size_t>(i)]; }

  Mode mode;
  Index batch;
  Shape input_shape;
  Shape target_shape{0};
  std::optional<AnyLoss<T>> loss;
  /// The activation at the model's end that the loss has taken over: the last node gives its input.
  Activation fused_activation = linear;
  std::vector<PlannedNode<T>> nodes;
  std::vector<ParameterInfo> parameters;
  std::vector<Phase> phases;

  /// A step with few samples is cut into about so many slices, so that there is work for several threads.
  static constexpr Index kMinSlices = 4;
  static constexpr Index kMostBatch = 1 << 24;
  Index largest_slice = 1;                     ///< in samples
  Index most_partials = 1;                     ///< sums of gradients, each over a run of slices
  bool segmented = false;                      ///< every tensor is in the arena of the whole batch
  Index arena_size = 0, batch_arena_size = 0;  ///< scalars, of a thread's and of the whole batch's
  Place input, target, fork;
  Index fork_size = 0;           ///< scalars a sample, for the gradients that backward() of a node has added
  Index scratch_size = 0;        ///< scalars per thread
  Index batch_scratch_size = 0;  ///< scalars for a node that runs on the whole batch
  Index prepared_size = 0;
  Index prepared_weight_count = 0;  ///< scalars in the weights of nodes that prepare
  Index weight_count = 0;           ///< scalars in the weight arena
  /// The gradients of which there are partial sums, as pieces of work, and the scalars of such a sum; by parameter, its
  /// place in one. The others are computed in the end.
  std::vector<GradientChunk> partial_chunks;
  Index partial_count = 0;
  std::vector<std::optional<Index>> partial_offsets;
  std::vector<WeightPiece> weight_pieces;

 private:
  /// As many slices as it takes for none to be too large, and for an even load of the threads: a multiple of the
  /// fewest, or with more slices than partial sums of the gradients, about as many for each sum. (Where that does not
  /// divide the samples, fewer are enough.)
  Index most_slices(Index samples) const {
    const Index slices = (samples + largest_slice - 1) / largest_slice;
    return round_up(std::max(kMinSlices, slices), slices > most_partials ? most_partials : kMinSlices);
  }
  /// The shapes of what node `n` reads, a sample of each; the nodes before it are in `before`.
  std::vector<Shape> input_shapes(const PlannedNode<T>& n, const std::vector<PlannedNode<T>>& before) const {
    std::vector<Shape> shapes;
    for (const int i : n.inputs) {
      shapes.push_back(i == kModelInput ? input_shape : before[static_cast<std::size_t>(i)].plan.output);
    }
    return shapes;
  }
  static constexpr Index kAlignment = 64 / static_cast<Index>(sizeof(T));  // of all that has a place, in scalars

  // Moments of a slice count the nodes forward (0, 1, ...), the loss, and the nodes backward.
  int loss_time() const { return node_count(); }
  int backward_time(int i) const { return 2 * node_count() - i; }
  int end_time() const { return 2 * node_count() + 1; }

  void fuse_loss();
  void fuse_layers();
  void choose_gradients();
  void choose_sums();
  void choose_slices();
  void choose_phases();
  std::vector<int> last_reads() const;
  std::vector<int> first_gradients() const;
  void place_tensors();
  void place_prepared();
};

template <class T>
Plan<T>::Plan(const Model<T>& model, Index batch_size, Mode plan_mode, std::optional<AnyLoss<T>> plan_loss)
    : mode(plan_mode),
      batch(batch_size),
      input_shape(model.input_shape()),
      loss(std::move(plan_loss)),
      parameters(model.parameters()),
      weight_count(static_cast<Index>(model.weights().size())) {
  if (batch < 1 || batch > kMostBatch) {
    throw ValueError("Plan: expected a batch of 1 to " + std::to_string(kMostBatch) + ", got " + std::to_string(batch));
  }
  if (training() && !loss) throw ValueError("Plan: training needs a loss");
  for (const Node<T>& node : model.nodes()) {
    nodes.push_back({node.name, node.layer, node.plan, node.inputs, {}, node.first_parameter, node_count()});
    nodes.back().whole_batch = training() && node.plan.couples_batch;
    segmented = segmented || nodes.back().whole_batch;
  }
  if (loss) {
    target_shape = loss->target_shape(model.output_shape());
    fuse_loss();
  }
  fuse_layers();
  if (!training()) {  // no backward() will read what a layer saves
    for (PlannedNode<T>& n : nodes) n.plan.saved = n.plan.saved_per_sample = 0;
  }
  choose_gradients();
  choose_sums();
  choose_slices();
  choose_phases();
  place_tensors();
  place_prepared();
}

// sigmoid and binary cross-entropy, softmax and categorical cross-entropy: together they are computed from
// the logits, without the overflow and the cancellation that they have apart.
template <class T>
void Plan<T>::fuse_loss() {
  PlannedNode<T>& last = nodes.back();
  const std::optional<Activation> activation = last.layer.activation();
  if (!activation) return;
  std::optional<AnyLoss<T>> from_logits = loss->from_logits_of(*activation);
  if (!from_logits) return;
  last.layer = last.layer.without_activation();
  last.plan = last.layer.plan(input_shapes(last, nodes));
  loss = std::move(from_logits);
  fused_activation = *activation;
}

// A layer and the one behind it, if nobody else reads what is between them, may be run as one (fusion.hpp).
template <class T>
void Plan<T>::fuse_layers() {
  std::vector<int> readers(nodes.size(), 0);
  for (const PlannedNode<T>& n : nodes) {
    for (const int i : n.inputs) {
      if (i != kModelInput) ++readers[static_cast<std::size_t>(i)];
    }
  }
  std::vector<PlannedNode<T>> fused;
  std::vector<int> place;  // of every node among the fused
  for (PlannedNode<T>& n : nodes) {
    const int before = static_cast<int>(place.size()) - 1;
    std::optional<AnyLayer<T>> both;
    if (before >= 0 && n.inputs == std::vector<int>{before} && readers[static_cast<std::size_t>(before)] == 1) {
      both = fuse(fused.back().layer, n.layer);
    }
    if (both) {
      PlannedNode<T>& first = fused.back();
      if (first.plan.parameters.empty()) first.first_parameter = n.first_parameter;
      first.name += " + " + n.name;
      first.layer = std::move(*both);
      first.plan = first.layer.plan(input_shapes(first, fused));
    } else {
      for (int& i : n.inputs) {
        if (i != kModelInput) i = place[static_cast<std::size_t>(i)];
      }
      fused.push_back(std::move(n));
    }
    place.push_back(static_cast<int>(fused.size()) - 1);
  }
  nodes = std::move(fused);
}

// Walks backwards as the gradients do. A node needs a gradient if it, or one before it, has parameters; the
// first of its readers to run backward writes it, the others add to it.
template <class T>
void Plan<T>::choose_gradients() {
  if (!training()) return;
  for (PlannedNode<T>& n : nodes) {
    n.needs_gradient = !n.plan.parameters.empty();  // a moving average is gathered in backward() too
    for (const int i : n.inputs) n.needs_gradient |= i != kModelInput && node(i).needs_gradient;
  }
  std::vector<bool> written(nodes.size(), false);
  for (auto n = nodes.rbegin(); n != nodes.rend(); ++n) {
    for (const int i : n->inputs) {
      if (i == kModelInput || !node(i).needs_gradient) {
        n->input_gradients.push_back(GradientUse::none);
        continue;
      }
      const auto index = static_cast<std::size_t>(i);
      n->input_gradients.push_back(written[index] ? GradientUse::add : GradientUse::write);
      written[index] = true;
    }
  }
}

// Gradients are added up in several partial sums, or computed in the end.
template <class T>
void Plan<T>::choose_sums() {
  if (!training()) return;
  partial_offsets.resize(parameters.size());
  constexpr Index kLongest = 4096;
  for (int i = 0; i < node_count(); ++i) {
    const PlannedNode<T>& n = node(i);
    if (n.defers_weights()) {
      for (Index piece = 0; piece < n.plan.weight_pieces; ++piece) weight_pieces.push_back({i, piece});
      continue;
    }
    for (std::size_t k = 0; k < n.plan.parameters.size(); ++k) {
      const std::size_t parameter = static_cast<std::size_t>(n.first_parameter) + k;
      const ParameterInfo& info = parameters[parameter];
      partial_offsets[parameter] = partial_count;
      for (Index first = 0; first < info.shape.size(); first += kLongest) {
        const Index count = std::min(kLongest, info.shape.size() - first);
        partial_chunks.push_back({info.offset + first, partial_count, count});
        partial_count += round_up(count, kAlignment);
      }
    }
  }
}

// A slice's tensors should stay in L2 while it passes through the network: small slices. Its layers also
// stream all weights through the cache once per slice: large slices, when the weights outweigh the
// activations.
template <class T>
void Plan<T>::choose_slices() {
  constexpr Index kCacheBytes = 512 * 1024;  // half of the L2 that processors with AVX-512 have
  constexpr Index kReuse = 4;                // a slice's activations are so many times the weights that it streams
  constexpr Index kMostPartials = 16;
  // For all partial sums of the gradients together, unless the fewest take more.
  constexpr Index kBytesOfPartials = 16 * 1024 * 1024;

  Index scalars = input_shape.size();
  for (const PlannedNode<T>& n : nodes) {
    scalars = checked_add(scalars, checked_multiply(n.plan.output.size(), training() ? 2 : 1));
  }
  const Index sample_bytes = std::max<Index>(1, checked_multiply(scalars, sizeof(float)));
  const Index weight_bytes = checked_multiply(weight_count, sizeof(float));
  largest_slice = std::max<Index>(1, std::max(kCacheBytes, checked_multiply(kReuse, weight_bytes)) / sample_bytes);
  const Index partial_bytes = checked_multiply(partial_count, sizeof(float));
  most_partials = kMostPartials;
  const auto too_many = [&] { return checked_multiply(most_partials, partial_bytes) > kBytesOfPartials; };
  while (most_partials > kMinSlices && too_many()) most_partials /= 2;
}

template <class T>
void Plan<T>::choose_phases() {
  std::vector<Phase> forward;
  for (int i = 0; i < node_count(); ++i) {
    const bool whole = node(i).whole_batch;
    if (forward.empty() || whole || forward.back().whole_batch) {
      forward.push_back({.whole_batch = whole, .forward_first = i, .forward_last = i});
    }
    forward.back().forward_last = i + 1;
  }
  if (forward.front().whole_batch) forward.insert(forward.begin(), Phase{});  // only feeds
  forward.front().feed = true;
  if (forward.back().whole_batch) forward.push_back({});  // only the loss
  forward.back().loss = loss.has_value();
  phases = forward;
  if (!training()) return;
  phases.back().backward_first = forward.back().forward_first;
  phases.back().backward_last = forward.back().forward_last;
  for (auto p = forward.rbegin() + 1; p != forward.rend(); ++p) {
    if (p->forward_first == p->forward_last) continue;
    phases.push_back(
        {.whole_batch = p->whole_batch, .backward_first = p->forward_first, .backward_last = p->forward_last});
  }
}

// The last moment at which the value of the input, and of each node, is read.
template <class T>
std::vector<int> Plan<T>::last_reads() const {
  std::vector<int> last = {-1};
  for (int i = 0; i < node_count(); ++i) last.push_back(i);
  const auto read = [&](int of, int when) {
    int& known = last[static_cast<std::size_t>(of + 1)];
    known = std::max(known, when);
  };
  read(node_count() - 1, loss_time());
  for (int i = 0; i < node_count(); ++i) {
    const bool backward = training() && node(i).needs_gradient;
    for (const int from : node(i).inputs) read(from, backward ? backward_time(i) : i);
    if (backward) read(i, backward_time(i));
  }
  return last;
}

// The moment at which the gradient of each node is written first.
template <class T>
std::vector<int> Plan<T>::first_gradients() const {
  std::vector<int> first(nodes.size(), loss_time());
  for (int i = 0; i < node_count(); ++i) {
    for (std::size_t k = 0; k < node(i).input_gradients.size(); ++k) {
      if (node(i).input_gradients[k] == GradientUse::write) {
        first[static_cast<std::size_t>(node(i).inputs[k])] = backward_time(i);
      }
    }
  }
  return first;
}

// Each tensor lives from the moment it is written to the last time it is read. Two tensors of a slice may share memory
// when their lives do not meet. In the arena of the whole batch a tensor has its own place, since slices are not at the
// same moment: in a segmented plan all are there, in others those of which gradients are computed in the end.
template <class T>
void Plan<T>::place_tensors() {
  const std::vector<int> last_read = last_reads(), first_gradient = first_gradients();
  const auto last_read_of = [&](int i) { return last_read[static_cast<std::size_t>(i + 1)]; };

  std::vector<bool> kept(last_read.size(), segmented);  // outputs, and the input
  for (const PlannedNode<T>& n : nodes) {
    if (n.defers_weights()) kept[static_cast<std::size_t>(n.inputs[0] + 1)] = true;
  }
  const auto is_kept = [&](int i) -> bool { return kept[static_cast<std::size_t>(i + 1)]; };

  BufferPlanner planner;
  std::vector<std::pair<Place*, int>> requests;
  // A place for `fixed` scalars and so many for each sample, which are in use from moment `first` to moment `last`.
  const auto request = [&](Place& place, bool whole_batch, Index per_sample, int first, int last, Index fixed = 0) {
    place.whole_batch = whole_batch;
    const Index size = checked_add(fixed, checked_multiply(per_sample, whole_batch ? batch : most_samples()));
    if (whole_batch) {
      place.offset = batch_arena_size;
      batch_arena_size = round_up(checked_add(batch_arena_size, size), kAlignment);
    } else {
      requests.emplace_back(&place, planner.request(size, first, last));
    }
  };
  request(input, is_kept(kModelInput), input_shape.size(), -1, last_read_of(kModelInput));
  if (loss) request(target, segmented, target_shape.size(), -1, end_time());
  for (int i = 0; i < node_count(); ++i) {
    PlannedNode<T>& n = nodes[static_cast<std::size_t>(i)];
    request(n.output, is_kept(i), n.plan.output.size(), i, last_read_of(i));
    request(n.saved, segmented, n.plan.saved_per_sample, i, backward_time(i), n.plan.saved);
    if (n.needs_gradient) {
      request(n.gradient, segmented || n.defers_weights(), n.plan.output.size(),
              first_gradient[static_cast<std::size_t>(i)], backward_time(i));
    }
    Index forked = 0;
    for (std::size_t k = 0; k < n.input_gradients.size(); ++k) {
      if (n.input_gradients[k] == GradientUse::add) {
        forked = checked_add(forked, node(n.inputs[k]).plan.output.size());
      }
    }
    fork_size = std::max(fork_size, forked);
  }
  request(fork, segmented, fork_size, loss_time(), end_time());
  arena_size = planner.place(kAlignment);
  for (const auto& [place, id] : requests) place->offset = planner.offset(id);
}

// What is derived from the weights has a place for each node, all of whose scratch is one.
template <class T>
void Plan<T>::place_prepared() {
  for (PlannedNode<T>& n : nodes) {
    n.prepared = prepared_size;
    n.prepared_size = checked_add(n.plan.prepared, n.wants_dx() ? n.plan.prepared_dx : 0);
    prepared_size = checked_add(prepared_size, round_up(n.prepared_size, kAlignment));
    for (const ParameterSpec& w : n.plan.parameters) {
      if (n.prepared_size > 0) prepared_weight_count = checked_add(prepared_weight_count, w.shape.size());
    }
    n.scratch_size = checked_add(n.plan.scratch, n.wants_dx() ? n.plan.scratch_dx : 0);
    Index& largest = n.whole_batch ? batch_scratch_size : scratch_size;
    largest = std::max(largest, round_up(n.scratch_size, kAlignment));
  }
}

LINNET_NAMESPACE_END
