// Which layers a plan runs as one. To add a pair, write the layer that does the work of both, and try it here.
#pragma once

#include <optional>

#include "linnet/layers/pooled_conv2d.hpp"
#include "linnet/layers/upsampled_conv2d.hpp"
#include "linnet/model/any_layer.hpp"

LINNET_NAMESPACE_BEGIN

/// A layer that does what `first` and then `second` do, up to rounding, with the parameters of whichever has any; none
/// where there is no kernel for both.
template <class T>
std::optional<AnyLayer<T>> fuse(const AnyLayer<T>& first, const AnyLayer<T>& second) {
  if (const auto* upsampling = first.template get_if<UpSampling2D>()) {
    if (const auto* convolution = second.template get_if<Conv2D>()) {
      if (const auto both = UpsampledConv2D::of(*upsampling, *convolution)) return AnyLayer<T>(*both);
    }
  }
  if (const auto* convolution = first.template get_if<Conv2D>()) {
    if (const auto* pool = second.template get_if<MaxPool2D>()) {
      if (const auto both = PooledConv2D::of(*convolution, *pool)) return AnyLayer<T>(*both);
    }
  }
  return std::nullopt;
}

LINNET_NAMESPACE_END
