// All layers, and the list of them by which a model file is read. A new layer is added here, and only here.
#pragma once

#include <tuple>

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

LINNET_NAMESPACE_BEGIN

using BuiltinLayers =
    std::tuple<Activation, Add, AveragePool2D, BatchNormalization, Concatenate, Conv2D, Conv2DTranspose, Dense, Dropout,
               Flatten, GaussianLatent, GaussianNoise, GlobalAveragePool2D, LayerNormalization, MaxPool2D, Reshape,
               UpSampling2D, ZeroPadding2D>;

LINNET_NAMESPACE_END
