// Training and prediction with float, compiled once for all files of a program: where LINNET_COMPILED is defined, what
// includes linnet/linnet.hpp or linnet/io/model.hpp leaves these instances, and with them the kernels, to
// instances.cpp, of which one object of the program is made. It compiles in a fraction of the time; what it computes is
// the same. What is not listed here is compiled where it is used, as without LINNET_COMPILED.
#pragma once

#include "linnet/kernels/image.hpp"
#include "linnet/kernels/random.hpp"
#include "linnet/layers/initialize.hpp"
#include "linnet/layers/layers.hpp"
#include "linnet/layers/pooled_conv2d.hpp"
#include "linnet/layers/upsampled_conv2d.hpp"
#include "linnet/losses/binary_crossentropy.hpp"
#include "linnet/losses/categorical_crossentropy.hpp"
#include "linnet/losses/huber.hpp"
#include "linnet/losses/mean_absolute_error.hpp"
#include "linnet/losses/mean_squared_error.hpp"
#include "linnet/losses/sparse_categorical_crossentropy.hpp"
#include "linnet/model/execute.hpp"
#include "linnet/model/graph.hpp"
#include "linnet/model/layer_registry.hpp"
#include "linnet/model/model.hpp"
#include "linnet/model/plan.hpp"
#include "linnet/model/predictor.hpp"
#include "linnet/model/summary.hpp"
#include "linnet/model/workspace.hpp"
#include "linnet/optimizers/adam.hpp"
#include "linnet/optimizers/rmsprop.hpp"
#include "linnet/optimizers/sgd.hpp"
#include "linnet/training/callbacks.hpp"
#include "linnet/training/trainer.hpp"

#ifndef LINNET_INSTANCE
#define LINNET_INSTANCE extern template
#endif

LINNET_NAMESPACE_BEGIN

#define LINNET_HELD(Value) LINNET_INSTANCE struct AnyLayer<float>::Holder<Value>;
LINNET_LAYERS(LINNET_HELD)
LINNET_HELD(PooledConv2D)
LINNET_HELD(UpsampledConv2D)
#undef LINNET_HELD

#define LINNET_HELD(Value) LINNET_INSTANCE struct AnyLoss<float>::Holder<Value>;
LINNET_HELD(BinaryCrossentropy)
LINNET_HELD(CategoricalCrossentropy)
LINNET_HELD(Huber)
LINNET_HELD(MeanAbsoluteError)
LINNET_HELD(MeanSquaredError)
LINNET_HELD(SparseCategoricalCrossentropy)
#undef LINNET_HELD

#define LINNET_HELD(Value) LINNET_INSTANCE struct AnyOptimizer<float>::Holder<Value>;
LINNET_HELD(Adam)
LINNET_HELD(AdamW)
LINNET_HELD(RMSprop)
LINNET_HELD(SGD)
#undef LINNET_HELD

#define LINNET_HELD(Value) LINNET_INSTANCE struct AnyCallback<float>::Holder<Value>;
LINNET_HELD(CsvHistory)
LINNET_HELD(EarlyStopping)
LINNET_HELD(ProgressBar)
#undef LINNET_HELD

LINNET_INSTANCE class LayerRegistry<float>;
LINNET_INSTANCE class GraphBuilder<float>;
LINNET_INSTANCE class Model<float>;
LINNET_INSTANCE class Plan<float>;
LINNET_INSTANCE class Workspace<float>;
LINNET_INSTANCE class Execution<float>;
LINNET_INSTANCE class Predictor<float>;
LINNET_INSTANCE class Trainer<float>;
LINNET_INSTANCE void initialize(const Initializer&, const RandomKey&, TensorView<float>);
LINNET_INSTANCE void bytes_to_unit(Index, const std::uint8_t*, float*);
LINNET_INSTANCE void add_noise_clipped(Index, float, const float*, float*);
LINNET_INSTANCE void salt_and_pepper(Index, float, const float*, float*);
LINNET_INSTANCE void fill_normal(const RandomKey&, std::span<float>, Index);
LINNET_INSTANCE void fill_uniform(const RandomKey&, std::span<float>, Index);

LINNET_NAMESPACE_END
