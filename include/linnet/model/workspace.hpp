// Workspace<T>: the memory that a Plan asks for. It is allocated once; a step allocates nothing.
#pragma once

#include <algorithm>
#include <vector>

#include "linnet/core/parallel.hpp"
#include "linnet/model/plan.hpp"
#include "linnet/model/verbose.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
class Workspace {
 public:
  /// Memory for `plan`, to be run with up to `thread_count` threads. A later run uses no more, even if there are more
  /// then.
  explicit Workspace(const Plan<T>& plan, int thread_count = num_threads())
      : most_threads(std::max(1, thread_count)),
        threads(static_cast<int>(std::clamp<Index>(
            thread_count, 1,
            plan.training() ? std::min(plan.most_partials, plan.most_slices()) : plan.most_slices()))) {
    if (verbose()) print_once(describe(plan, threads));
    arenas.resize(size(checked_multiply(threads, plan.arena_size)));
    batch_arena.resize(size(plan.batch_arena_size));
    scratch.resize(size(checked_multiply(threads, plan.scratch_size)));
    batch_scratch.resize(size(plan.batch_scratch_size));
    prepared.resize(size(plan.prepared_size));
    slice_losses.resize(size(plan.most_slices()));
    weights.resize(plan.parameters.size());
    if (!plan.training()) {
      prepared_from.resize(size(plan.prepared_weight_count));
      return;
    }
    gradients.resize(size(plan.weight_count));
    const Index more = std::min(plan.most_partials, plan.most_slices()) - 1;
    partial_sums.resize(size(checked_multiply(more, plan.partial_count)));
    for (const ParameterInfo& info : plan.parameters) {
      gradient_views.emplace_back(gradients.data() + info.offset, info.shape);
    }
    sum_views.assign(gradient_views.begin(), gradient_views.end());
    for (Index partial = 0; partial < more; ++partial) {
      for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
        gradient_views.emplace_back();
        if (!plan.partial_offsets[i]) continue;
        gradient_views.back() = {partial_sums.data() + partial * plan.partial_count + *plan.partial_offsets[i],
                                 plan.parameters[i].shape};
      }
    }
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  struct SliceLoss {
    double data = 0;    ///< the loss between output and target
    double layers = 0;  ///< what layers added (a KL term)
  };

  int most_threads;              ///< of any loop
  int threads;                   ///< of those over slices, each with memory of its own
  AlignedVector<T> arenas;       ///< one for each of those threads
  AlignedVector<T> batch_arena;  ///< for tensors of all samples
  AlignedVector<T> scratch;
  AlignedVector<T> batch_scratch;
  AlignedVector<T> prepared;
  bool prepared_valid = false;     ///< inference has prepared for the weights in prepared_from
  AlignedVector<T> prepared_from;  ///< those of the nodes that prepare
  AlignedVector<T> gradients;      ///< the first partial sum, and in the end all of the batch
  AlignedVector<T> partial_sums;   ///< the others, one after the other
  std::vector<SliceLoss> slice_losses;
  double batch_layer_loss = 0;                 ///< of the nodes that run on the whole batch
  std::vector<TensorView<const T>> weights;    ///< of the model, by parameter
  std::vector<TensorView<T>> gradient_views;   ///< by partial sum and parameter; only the first has all
  std::vector<TensorView<const T>> sum_views;  ///< those of the first

 private:
  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
};

LINNET_NAMESPACE_END
