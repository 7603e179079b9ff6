// Runs a plan: the slices of a batch through the nodes, forward, loss and backward.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "linnet/core/function_ref.hpp"
#include "linnet/core/parallel.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/model/plan.hpp"
#include "linnet/model/workspace.hpp"

LINNET_NAMESPACE_BEGIN

/// The loss of a batch: means over its samples.
struct LossTerms {
  double data = 0;    ///< between output and target
  double layers = 0;  ///< what layers added (the KL term of a GaussianLatent)
  double total() const { return data + layers; }
};

/// Where the samples of a run come from and where its outputs go. Both are called by several threads at once,
/// for different slices.
template <class T>
struct SliceIo {
  /// Fills the inputs and targets of samples [first, first + x.batch()) of the batch.
  FunctionRef<void(Index first, TensorView<T> x, TensorView<T> target)> feed;
  /// Takes the outputs of the slice that begins with sample `first`, if anyone wants them.
  std::optional<FunctionRef<void(Index first, TensorView<const T> y, TensorView<const T> target)>> finish = {};
};

template <class T>
class Execution {
 public:
  /// A run over `samples` samples with the weights `weights`, which must stay as they are meanwhile.
  Execution(const Plan<T>& plan, Workspace<T>& workspace, std::span<const T> weights, Index samples, RandomKey key)
      : plan_(plan), workspace_(workspace), samples_(samples), key_(key) {
    if (samples < 1 || samples > plan.batch) {
      throw ShapeError("batch: expected 1 to " + std::to_string(plan.batch) + " samples, got " +
                       std::to_string(samples));
    }
    for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
      const ParameterInfo& info = plan.parameters[i];
      workspace.weights[i] = {weights.data() + info.offset, info.shape};
    }
  }

  /// The input, the target and every output of a node are checked, and the first that is not finite is reported by a
  /// NumericError that names it: slow, to find out where a NaN came from.
  void check_finite() { check_finite_ = true; }

  /// Runs all phases. Afterwards, in training, the workspace's gradients are those of the batch.
  LossTerms run(const SliceIo<T>& io) {
    prepare();
    workspace_.batch_layer_loss = 0;
    for (const Phase& phase : plan_.phases) {
      if (phase.whole_batch) {
        run_whole_batch(phase);
      } else {
        run_slices(phase, io);
      }
    }
    if (plan_.training()) finish_gradients();

    LossTerms terms{0, workspace_.batch_layer_loss};
    for (Index i = 0; i < plan_.slice_count(samples_); ++i) {
      const auto& loss = workspace_.slice_losses[static_cast<std::size_t>(i)];
      terms.data += loss.data;
      terms.layers += loss.layers;
    }
    const double n = static_cast<double>(samples_);
    return {terms.data / n, terms.layers / n};
  }

 private:
  /// Lets the layers derive from the weights what they need. In inference that is kept for as long as the weights
  /// stay the same: comparing them is cheap, and unlike a notice it cannot be forgotten.
  void prepare() {
    if (plan_.prepared_size == 0) return;
    const bool keep = !plan_.training();
    if (keep && workspace_.prepared_valid && unchanged()) return;
    workspace_.prepared_valid = false;
    parallel_for(plan_.node_count(), workspace_.most_threads, [&](Index i, int) {
      const PlannedNode<T>& node = plan_.node(static_cast<int>(i));
      if (node.prepared_size > 0) node.layer.prepare(weights(node), node.wants_dx(), prepared(node));
    });
    if (!keep) return;
    for_each_prepared_weight([](TensorView<const T> w, T* from) { std::copy(w.begin(), w.end(), from); });
    workspace_.prepared_valid = true;
  }

  bool unchanged() const {
    bool equal = true;
    for_each_prepared_weight([&](TensorView<const T> w, const T* from) {
      equal = equal && std::memcmp(from, w.data(), static_cast<std::size_t>(w.size()) * sizeof(T)) == 0;
    });
    return equal;
  }

  /// visit(a parameter of a node that prepares, its place in prepared_from).
  template <class Visit>
  void for_each_prepared_weight(const Visit& visit) const {
    T* from = workspace_.prepared_from.data();
    for (const PlannedNode<T>& node : plan_.nodes) {
      if (node.prepared_size == 0) continue;
      for (const TensorView<const T>& w : weights(node)) {
        visit(w, from);
        from += w.size();
      }
    }
  }

  /// Some samples of the batch, and where their tensors are.
  struct Slice {
    Index first = 0, count = 0;
    T* arena = nullptr;        ///< of the thread, which holds no more than the slice
    T* batch_arena = nullptr;  ///< of all samples
    std::span<T> scratch;
    std::span<const TensorView<T>> gradients;  ///< of the slice's partial sum
    typename Workspace<T>::SliceLoss loss;

    TensorView<T> view(const Place& place, const Shape& sample) const {
      return {data(place, sample.size()), sample.with_batch(count)};
    }
    T* data(const Place& place, Index per_sample) const {
      return place.whole_batch ? batch_arena + place.offset + first * per_sample : arena + place.offset;
    }
  };
  using InputViews = std::array<TensorView<const T>, kMaxInputs>;
  using GradientViews = std::array<TensorView<T>, kMaxInputs>;

  void run_slices(const Phase& phase, const SliceIo<T>& io) {
    const Index slices = plan_.slice_count(samples_);
    // Gradients are added up in partial sums, each over a fixed run of slices; without gradients every slice is free.
    const Index pieces = plan_.training() ? plan_.partials_of(samples_) : slices;
    // When a NaN is looked for, one thread meets the first; several would tell now of one, now of another.
    parallel_for(pieces, check_finite_ ? 1 : workspace_.threads, [&](Index piece, int thread) {
      if (plan_.training() && phase.loss) clear_partial(piece);  // everything backward comes after the loss
      const Index first = piece * slices / pieces, last = (piece + 1) * slices / pieces;
      for (Index i = first; i < last; ++i) {
        Slice slice = slice_at(i, thread, piece);
        run_slice(phase, io, slice);
        auto& loss = workspace_.slice_losses[static_cast<std::size_t>(i)];
        if (phase.feed) loss = {};
        loss.data += slice.loss.data;
        loss.layers += slice.loss.layers;
      }
    });
  }

  void run_slice(const Phase& phase, const SliceIo<T>& io, Slice& slice) {
    if (phase.feed) {
      io.feed(slice.first, input(slice), target(slice));
      if (check_finite_) {
        require_finite("the input is", input(slice), slice.first);
        require_finite("the target is", target(slice), slice.first);
      }
    }
    for (int i = phase.forward_first; i < phase.forward_last; ++i) {
      slice.loss.layers += forward(i, slice);
    }
    if (phase.loss) slice.loss.data = evaluate_loss(slice);
    if (io.finish && (phase.loss || !plan_.loss)) {
      const TensorView<T> y = output(plan_.nodes.back(), slice);
      plan_.fused_activation.apply(y);
      (*io.finish)(slice.first, y, target(slice));
    }
    for (int i = phase.backward_last; i-- > phase.backward_first;) backward(i, slice);
  }

  void run_whole_batch(const Phase& phase) {
    Slice all = whole_batch();
    all.scratch = workspace_.batch_scratch;
    all.gradients = partial_gradients(0);
    for (int i = phase.forward_first; i < phase.forward_last; ++i) {
      workspace_.batch_layer_loss += forward(i, all);
    }
    for (int i = phase.backward_last; i-- > phase.backward_first;) backward(i, all);
  }

  Slice whole_batch() const {
    Slice all;
    all.count = samples_;
    all.batch_arena = workspace_.batch_arena.data();
    return all;
  }

  Slice slice_at(Index i, int thread, Index partial) const {
    Slice slice = whole_batch();
    const Index size = plan_.slice_of(samples_);
    slice.first = i * size;
    slice.count = std::min(size, samples_ - slice.first);
    slice.arena = workspace_.arenas.data() + thread * plan_.arena_size;
    slice.scratch = std::span<T>(workspace_.scratch)
                        .subspan(static_cast<std::size_t>(thread * plan_.scratch_size),
                                 static_cast<std::size_t>(plan_.scratch_size));
    if (plan_.training()) slice.gradients = partial_gradients(partial);
    return slice;
  }

  /// Returns what the layer added to the loss.
  double forward(int i, const Slice& slice) {
    const PlannedNode<T>& node = plan_.node(i);
    Context<T> context = context_of(i, slice);
    InputViews x;
    gather_inputs(node, slice, x);
    const TensorView<T> y = output(node, slice);
    node.layer.forward(context, {x.data(), node.inputs.size()}, weights(node), y);
    if (check_finite_) require_finite(node.name + ": its output is", y, slice.first, "; what comes before it is");
    return context.loss;
  }

  void backward(int i, const Slice& slice) {
    const PlannedNode<T>& node = plan_.node(i);
    if (!node.needs_gradient) return;
    Context<T> context = context_of(i, slice);
    InputViews x;
    gather_inputs(node, slice, x);
    GradientViews dx;
    T* forked = slice.data(plan_.fork, plan_.fork_size);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (node.input_gradients[k] == GradientUse::none) continue;
      const PlannedNode<T>& from = plan_.node(node.inputs[k]);
      if (node.input_gradients[k] == GradientUse::write) {
        dx[k] = gradient(from, slice);
      } else {
        dx[k] = {forked, from.plan.output.with_batch(slice.count)};
        forked += dx[k].size();
      }
    }
    node.layer.backward(context, {x.data(), node.inputs.size()}, output(node, slice), gradient(node, slice),
                        weights(node), {dx.data(), node.inputs.size()},
                        node.defers_weights() ? Parameters<T>{} : gradients_of(node, slice.gradients));
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (node.input_gradients[k] != GradientUse::add) continue;
      const TensorView<T> sum = gradient(plan_.node(node.inputs[k]), slice);
      add_to<T>(sum.size(), dx[k].data(), sum.data());
    }
  }

  double evaluate_loss(const Slice& slice) {
    const PlannedNode<T>& last = plan_.nodes.back();
    const TensorView<T> dy = last.needs_gradient ? gradient(last, slice) : TensorView<T>{};
    return plan_.loss->evaluate(samples_, output(last, slice), target(slice), dy);
  }

  Context<T> context_of(int i, const Slice& slice) {
    const PlannedNode<T>& node = plan_.node(i);
    Context<T> context;
    context.training = plan_.training();
    context.threads = workspace_.most_threads;
    context.batch = samples_;
    context.first_sample = slice.first;
    context.random_key = key_.with_stream(static_cast<std::uint32_t>(node.stream));
    context.prepared = prepared(node);
    if (plan_.training()) {
      context.saved = {slice.data(node.saved, node.plan.saved_per_sample),
                       static_cast<std::size_t>(node.plan.saved + slice.count * node.plan.saved_per_sample)};
    }
    context.scratch = slice.scratch;
    return context;
  }

  void gather_inputs(const PlannedNode<T>& node, const Slice& slice, InputViews& x) const {
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      x[k] = node.inputs[k] == kModelInput ? input(slice) : output(plan_.node(node.inputs[k]), slice);
    }
  }

  TensorView<T> input(const Slice& slice) const { return slice.view(plan_.input, plan_.input_shape); }
  TensorView<T> target(const Slice& slice) const {
    return plan_.loss ? slice.view(plan_.target, plan_.target_shape) : TensorView<T>{};
  }
  TensorView<T> output(const PlannedNode<T>& node, const Slice& slice) const {
    return slice.view(node.output, node.plan.output);
  }
  TensorView<T> gradient(const PlannedNode<T>& node, const Slice& slice) const {
    return slice.view(node.gradient, node.plan.output);
  }
  Parameters<const T> weights(const PlannedNode<T>& node) const {
    return Parameters<const T>(workspace_.weights)
        .subspan(static_cast<std::size_t>(node.first_parameter), node.plan.parameters.size());
  }
  std::span<T> prepared(const PlannedNode<T>& node) const {
    return std::span<T>(workspace_.prepared)
        .subspan(static_cast<std::size_t>(node.prepared), static_cast<std::size_t>(node.prepared_size));
  }
  static Parameters<T> gradients_of(const PlannedNode<T>& node, Parameters<T> all) {
    return all.subspan(static_cast<std::size_t>(node.first_parameter), node.plan.parameters.size());
  }
  std::span<const TensorView<T>> partial_gradients(Index partial) const {
    return std::span<const TensorView<T>>(workspace_.gradient_views)
        .subspan(static_cast<std::size_t>(partial) * plan_.parameters.size(), plan_.parameters.size());
  }
  void clear_partial(Index partial) {
    for (const PlannedNode<T>& node : plan_.nodes) {
      if (node.defers_weights()) continue;
      const Parameters<T> gradients = gradients_of(node, partial_gradients(partial));
      for (const TensorView<T>& dw : gradients) std::fill(dw.begin(), dw.end(), T(0));
    }
  }

  /// Computes the gradients that wait for the whole batch, and adds the partial sums of the others.
  void finish_gradients() {
    const Index pieces = static_cast<Index>(plan_.weight_pieces.size());
    const Index chunks = static_cast<Index>(plan_.partial_chunks.size());
    const Slice all = whole_batch();
    parallel_for(pieces + chunks, workspace_.most_threads, [&](Index i, int) {
      if (i < pieces) {
        backward_weights(plan_.weight_pieces[static_cast<std::size_t>(i)], all);
      } else {
        add_partials(plan_.partial_chunks[static_cast<std::size_t>(i - pieces)]);
      }
    });
  }
  void backward_weights(const WeightPiece& piece, const Slice& all) const {
    const PlannedNode<T>& node = plan_.node(piece.node);
    InputViews x;
    gather_inputs(node, all, x);
    node.layer.backward_weights(piece.piece, x[0], gradient(node, all), gradients_of(node, partial_gradients(0)));
  }
  /// To the first, one after the other, for every element by itself.
  void add_partials(const GradientChunk& chunk) const {
    const T* from = workspace_.partial_sums.data() + chunk.partial_offset;
    for (Index partial = 1; partial < plan_.partials_of(samples_); ++partial, from += plan_.partial_count) {
      add_to<T>(chunk.count, from, workspace_.gradients.data() + chunk.offset);
    }
  }

  static void require_finite(const std::string& what, TensorView<const T> values, Index first_sample,
                             const char* behind = "") {
    for (Index i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      const Index sample = first_sample + i / values.sample_size();
      throw NumericError(what + " not finite (" + std::to_string(values[i]) + " for sample " + std::to_string(sample) +
                         " of the batch)" + behind);
    }
  }

  const Plan<T>& plan_;
  Workspace<T>& workspace_;
  Index samples_;
  RandomKey key_;
  bool check_finite_ = false;
};

LINNET_NAMESPACE_END
