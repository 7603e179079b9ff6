// What the pooling layers share: the sizes of their windows.
#pragma once

#include <string>
#include <string_view>

#include "linnet/kernels/pooling.hpp"
#include "linnet/layers/geometry.hpp"

LINNET_NAMESPACE_BEGIN

/// The pooling of an image `in` {height, width, channels}; strides of 0 mean the size of the window. Throws
/// ShapeError or ValueError naming `who`.
inline PoolGeometry pool_geometry(std::string_view who, const Shape& in, Size2D pool_size, Size2D strides,
                                  const Padding& padding) {
  require_image(who, in);
  const auto axis = [&](const char* name, Index input, Index window, Index stride, Index before,
                        Index after) -> ConvAxis {
    const WindowAxis w =
        resolve_window(who, name, input, window, stride == 0 ? window : stride, 1, padding.kind, before, after);
    if (w.pad_before >= window || w.pad_after >= window) {
      throw ValueError(std::string(who) + " (" + name + "): expected a padding below the window's " +
                       std::to_string(window) + " pixels, got " + std::to_string(std::max(w.pad_before, w.pad_after)));
    }
    return {w.input, w.output, window, w.stride, 1, w.pad_before};
  };
  PoolGeometry g;
  g.channels = in[2];
  g.y = axis("height", in[0], pool_size.height, strides.height, padding.top, padding.bottom);
  g.x = axis("width", in[1], pool_size.width, strides.width, padding.left, padding.right);
  return g;
}

LINNET_NAMESPACE_END
