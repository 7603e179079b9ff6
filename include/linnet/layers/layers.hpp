// All layers, and the list of them: by it a model file is read, and what instances.hpp has is compiled. A new layer is
// added here, and only here.
#pragma once

#include "linnet/layers/activation.hpp"
#include "linnet/layers/add.hpp"
#include "linnet/layers/average_pool2d.hpp"
#include "linnet/layers/batch_normalization.hpp"
#include "linnet/layers/concatenate.hpp"
#include "linnet/layers/conv2d.hpp"
#include "linnet/layers/conv2d_transpose.hpp"
#include "linnet/layers/dense.hpp"
#include "linnet/layers/dropout.hpp"
#include "linnet/layers/flatten.hpp"
#include "linnet/layers/gaussian_latent.hpp"
#include "linnet/layers/gaussian_noise.hpp"
#include "linnet/layers/global_average_pool2d.hpp"
#include "linnet/layers/layer_normalization.hpp"
#include "linnet/layers/max_pool2d.hpp"
#include "linnet/layers/reshape.hpp"
#include "linnet/layers/up_sampling2d.hpp"
#include "linnet/layers/zero_padding2d.hpp"

/// visit(layer) for each of the library's layers.
#define LINNET_LAYERS(visit)                                                                                       \
  visit(Activation) visit(Add) visit(AveragePool2D) visit(BatchNormalization) visit(Concatenate) visit(Conv2D)     \
      visit(Conv2DTranspose) visit(Dense) visit(Dropout) visit(Flatten) visit(GaussianLatent) visit(GaussianNoise) \
          visit(GlobalAveragePool2D) visit(LayerNormalization) visit(MaxPool2D) visit(Reshape) visit(UpSampling2D) \
              visit(ZeroPadding2D)

LINNET_NAMESPACE_BEGIN

/// Calls visit(layer) with each of them in its default configuration.
template <class Visit>
void for_each_layer(const Visit& visit) {
#define LINNET_VISIT_LAYER(L) visit(L{});
  LINNET_LAYERS(LINNET_VISIT_LAYER)
#undef LINNET_VISIT_LAYER
}

LINNET_NAMESPACE_END
