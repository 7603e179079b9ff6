// What a layer is: a copyable value with a configuration and nothing else. Weights, gradients and
// activations are handed to it, so every function is const and one layer serves many threads.
//
// A layer of your own is any type with
//
//     static constexpr std::string_view kName = "Scale";
//     LayerPlan plan(const Shape& in) const;
//     template <class T> void forward(Context<T>&, TensorView<const T> x, Parameters<const T> w,
//                                     TensorView<T> y) const;
//     template <class T> void backward(Context<T>&, TensorView<const T> x, TensorView<const T> y,
//                                      TensorView<T> dy, Parameters<const T> w, TensorView<T> dx,
//                                      Parameters<T> dw) const;
//
// `in` is the shape of a sample; x, y and their gradients have the batch in front of it. w and dw have the parameters
// of the plan in its order. Where a compiler does not take a type for a layer, `static_assert(SingleInputLayer<Scale,
// float>)` makes it say what is missing.
//
// (A layer that reads several nodes takes std::span<const Shape>, Inputs<const T> x and Inputs<T> dx) and, if
// models with it are to be saved, `void describe(auto& visit)`, which names its fields, if any. Two more are optional:
// `void prepare(Parameters<const T> w, bool want_dx, std::span<T> prepared) const` derives something from the
// weights once per step (LayerPlan::prepared and, with want_dx, prepared_dx), and `void update_state(Parameters<T> w,
// Parameters<const T> dw) const` changes the parameters that no optimizer touches, after each step. A layer whose
// last act is to apply its field `activation` to its output, and whose backward() looks at y for that alone, may say
// `static constexpr bool kEndsWithActivation = true`: then a loss that works on logits can take the activation over.
// A layer that reads one node may compute the gradients by its weights for the whole batch at once, see
// LayerPlan::weight_pieces.
//
// forward() overwrites y. backward() overwrites dx, which may be empty() (nobody needs it), adds to dw, and may use dy
// as scratch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "linnet/core/names.hpp"
#include "linnet/core/random.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/layers/initializer.hpp"

LINNET_NAMESPACE_BEGIN

/// One weight tensor of a layer.
struct ParameterSpec {
  std::string name;  ///< "kernel", "bias", "gamma", ...
  Shape shape;
  Initializer initializer = zeros;
  /// False for a state that no optimizer touches (a moving average). The layer changes it in
  /// update_state(), which is called after each training step.
  bool trainable = true;
};

/// The kernels that do the work, for LINNET_VERBOSE; empty where there is nothing to choose, or no such direction.
struct KernelNames {
  std::string forward = {}, by_weights = {}, by_data = {};
};

/// What a layer needs for one shape of input.
struct LayerPlan {
  Shape output;  ///< of one sample
  std::vector<ParameterSpec> parameters = {};
  /// Scalars that forward() leaves in Context::saved for backward(), in training: so many per sample, after (only
  /// with couples_batch) so many for the whole batch.
  Index saved_per_sample = 0;
  Index saved = 0;
  /// Scalars of working memory in Context::scratch: for forward() and backward(), and those that only the computation
  /// of dx uses besides.
  Index scratch = 0;
  Index scratch_dx = 0;
  /// Scalars that prepare() derives from the weights, once per step, for all slices and threads: those that forward()
  /// reads (and backward() may), and behind them those that only the computation of dx does.
  Index prepared = 0;
  Index prepared_dx = 0;
  /// True if, in training, a sample's output depends on the other samples of its batch: then forward()
  /// and backward() get the whole batch at once instead of a slice.
  bool couples_batch = false;
  /// If not 0, a plan computes the gradients by the weights once for the whole batch, when all slices have been through
  /// backward(): in so many pieces, which several threads take. backward() then finds dw empty, and leaves in dy what
  /// backward_weights() shall get as its dy (with a dw it does as other layers), and
  ///     template <class T> void backward_weights(Index piece, TensorView<const T> x, TensorView<const T> dy,
  ///                                              Parameters<T> dw) const;
  /// overwrites a part of dw that is this piece's alone. For weights that are larger than what a slice makes their
  /// gradients of: they are written once, in one sum instead of several. The price is memory for x and dy of all
  /// samples. For layers that read one node and do not couple the batch.
  Index weight_pieces = 0;
  KernelNames kernels = {};
};

/// The weights (or gradients) of one layer, in the order of LayerPlan::parameters.
template <class T>
using Parameters = std::span<const TensorView<T>>;

/// The inputs (or their gradients) of a layer that reads several nodes.
template <class T>
using Inputs = std::span<const TensorView<T>>;

/// What a layer may use while it runs on one slice of a batch.
template <class T>
struct Context {
  bool training = false;
  /// With LayerPlan::couples_batch: how many threads the layer may use. (Others run in one thread of several.)
  int threads = 1;
  Index batch = 0;         ///< samples in the whole batch
  Index first_sample = 0;  ///< index in the batch of the slice's first sample
  /// Keys every random number of this layer in this step; see random(sample).
  RandomKey random_key = {};
  std::span<const T> prepared = {};  ///< what prepare() has left
  /// LayerPlan::saved scalars, then saved_per_sample for each sample. Empty in inference, where no backward() comes.
  std::span<T> saved = {};
  std::span<T> scratch = {};  ///< working memory; its content is not kept
  /// What the layer adds to the loss: the sum over the slice's samples of a term per sample. The batch's
  /// loss is the sum over all samples divided by `batch`; backward() must add the same to its gradients.
  double loss = 0;

  /// The random numbers of sample `i` of this slice: the same whatever the slices and threads are.
  RandomKey random(Index i) const { return random_key.with_sample(static_cast<std::uint32_t>(first_sample + i)); }
};

/// Reads or writes the fields of a configuration, one call each.
class ConfigVisitor {
 public:
  virtual ~ConfigVisitor() = default;
  virtual void field(std::string_view name, Index& value) = 0;
  virtual void field(std::string_view name, double& value) = 0;
  virtual void field(std::string_view name, bool& value) = 0;
  virtual void field(std::string_view name, std::string& value) = 0;
  virtual void field(std::string_view name, std::vector<Index>& value) = 0;
  /// A value that is described by a name: an enumeration.
  template <class Enum>
  requires std::is_enum_v<Enum>
  void field(std::string_view name, Enum& value) {
    std::string text(name_of(value));
    field(name, text);
    value = parse_name<Enum>(text);
  }
  /// A value that describes itself: an activation, an initializer, a padding.
  template <class Value>
  requires requires(Value& v, ConfigVisitor& self) { v.describe(self); }
  void field(std::string_view name, Value& value) {
    enter(name);
    value.describe(*this);
    leave();
  }

 protected:
  virtual void enter(std::string_view name) = 0;
  virtual void leave() = 0;
};

LINNET_NAMESPACE_END
