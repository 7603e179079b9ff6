// The gradient by weights of the convolutions of conv2d_rows.hpp, from more than a few channels or to a few filters.
// See conv2d.hpp.
//
// The pixels of dy are copied into panels: a pack of filters each, side by side, with zeros where a row ends. Then no
// step of the inner loop has anything to check; and where many channels lie between one pixel and the next, the lines
// of the cache that a loop needs no longer displace each other. x is copied likewise, a pack of channels at a time,
// unless its pixels lie side by side as it is and no step takes one beside the row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/gemm.hpp"

LINNET_NAMESPACE_BEGIN

/// The packs of dy in a row that an element of x meets, with stride 1 and (of four taps) with stride 2: under tap
/// kStride d + s, pixel kStride h + s - pad meets pack h - d.
constexpr int row_depth(int stride) { return stride == 1 ? 3 : 2; }

/// The products of a panel. Steps count scalars.
struct PanelProducts {
  Index rows = 0, steps = 0;
  Index element_row = 0, element_pixel = 0;
  Index pack_row = 0;
  Index dw_tap = 0, dw_element = 0;
};

template <class T>
using PanelWeightsFunction = void (*)(const PanelProducts&, const T*, const T*, Index, T*);
/// What an instruction set has for a stride.
template <class T>
struct PanelWeightsKernels {
  std::span<const Index> sizes;  ///< the numbers of elements
  const PanelWeightsFunction<T>* weights;
  Index lanes;  ///< the most filters
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_panel_weights.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// The output rows of an image that the gradient by weights takes at a time: they stay in the cache while they meet all
/// channels and filters.
template <class T>
Index weight_block_rows(const Conv2DGeometry& g) {
  constexpr Index kBlockBytes = 128 * 1024;
  constexpr Index kBlockPixels = 224;  // at least, for each reading and writing of dw
  const Index x_rows = std::min(g.y.stride, g.y.input);
  const Index x_row = checked_multiply(checked_multiply(g.x.input, g.channels), x_rows);
  const Index row_bytes =
      checked_multiply(checked_add(x_row, checked_multiply(g.x.output, g.filters)), Index{sizeof(T)});
  return std::min(g.y.output, std::max({Index{1}, kBlockBytes / row_bytes, kBlockPixels / g.x.output}));
}

/// multiply(image, gradient by its outputs, first, last): for the output rows [first, last) of every image, in blocks.
template <class T, class Multiply>
void for_each_block_of_rows(const Conv2DGeometry& g, const T* x, const T* dy, const Multiply& multiply) {
  const Index block_rows = weight_block_rows<T>(g);
  for (Index n = 0; n < g.batch; ++n, x += g.input_size(), dy += g.output_size()) {
    for (Index first = 0; first < g.y.output; first += block_rows) {
      multiply(x, dy, first, std::min(g.y.output, first + block_rows));
    }
  }
}

/// The sizes of the panels of a block, in scalars.
template <class T>
struct WeightPanels {
  static constexpr Index kLanes = kPanelWidth<T>;
  bool in_place;                      ///< x is read where it lies
  Index pack_margin, element_margin;  ///< pixels of zeros
  Index pack_row, element_row;
  Index packs, elements;  ///< all panels of dy, and the one of x

  explicit WeightPanels(const Conv2DGeometry& g) {
    const Index stride = g.x.stride;
    // With stride 2 a step may take the pixel before the row or the one behind it, which must be 0.
    in_place = stride == 1 && g.channels <= kPanelWidth<float>;
    pack_margin = row_depth(static_cast<int>(stride)) - 1;
    element_margin = stride - 1;
    pack_row = checked_multiply(checked_add(g.x.output, 2 * pack_margin), kLanes);
    element_row = checked_multiply(checked_add(g.x.input, 2 * element_margin), kLanes);
    const Index block_rows = weight_block_rows<T>(g);
    const Index reached = checked_multiply(g.y.taps - 1, g.y.dilation) + 1;
    const Index element_rows = std::min(g.y.input, checked_add(checked_multiply(block_rows - 1, g.y.stride), reached));
    packs = checked_multiply((g.group_filters() + kLanes - 1) / kLanes, checked_multiply(block_rows, pack_row));
    elements = in_place ? 0 : checked_multiply(element_rows, element_row);
  }
  Index scratch() const { return checked_add(checked_add(packs, elements), kLanes); }  ///< and room to align them
};

/// dw += x^T dy.
template <int kStride, class T>
void all_panel_weights(const Conv2DGeometry& g, const T* x, const T* dy, T* dw, T* scratch) {
  constexpr Index kLanes = kPanelWidth<T>;
  constexpr int kDepth = row_depth(kStride);
  constexpr std::integral_constant<int, kStride> stride{};
  const PanelWeightsKernels<T> whole = LINNET_DISPATCH(panel_weights_kernels<T>, (stride, std::false_type{}));
  const PanelWeightsKernels<T> half = LINNET_DISPATCH(panel_weights_kernels<T>, (stride, std::true_type{}));
  const WeightPanels<T> panels(g);
  const Index in = g.group_channels(), out = g.group_filters();
  const Index x_row = g.x.input * g.channels, dy_row = g.x.output * g.filters;
  // The steps at which some pixel meets some pack.
  const Index first = std::max<Index>(0, floor_divide(g.x.pad, kStride));
  const Index last = std::min(g.x.output + kDepth - 1, floor_divide(g.x.input + g.x.pad - 1, kStride) + 1);
  if (first >= last) return;
  const bool in_place = panels.in_place;
  T* packs = scratch + (64 - reinterpret_cast<std::uintptr_t>(scratch) % 64) % 64 / sizeof(T);
  T* gathered = packs + panels.packs;
  PanelProducts products;
  products.steps = last - first;
  products.element_row = g.y.stride * (in_place ? x_row : panels.element_row);
  products.element_pixel = in_place ? g.channels : kLanes;
  products.pack_row = panels.pack_row;
  products.dw_tap = in * g.filters;
  products.dw_element = g.filters;

  const auto multiply_block = [&](const T* image, const T* output, Index row, Index end) {
    // The pixel rows that they reach.
    const Index x_first = std::clamp<Index>(g.y.pixel(row, 0), 0, g.y.input);
    const Index x_end = std::clamp<Index>(g.y.pixel(end - 1, g.y.taps - 1) + 1, x_first, g.y.input);
    for (Index group = 0; group < g.groups; ++group) {
      T* to = packs;
      for (Index j = 0; j < out; j += kLanes) {
        for (Index o = row; o < end; ++o, to += panels.pack_row) {
          LINNET_DISPATCH(gather_packs<T>, (output + o * dy_row + group * out + j, g.filters, g.x.output, out - j,
                                            panels.pack_margin, to));
        }
      }
      for (Index c = 0; c < in; c += kLanes) {
        const T* elements = image + group * in + c + x_first * x_row;
        if (!in_place) {
          for (Index r = x_first; r < x_end; ++r, elements += x_row) {
            LINNET_DISPATCH(gather_packs<T>, (elements, g.channels, g.x.input, in - c, panels.element_margin,
                                              gathered + (r - x_first) * panels.element_row));
          }
          elements = gathered + panels.element_margin * kLanes;
        }
        elements += (kStride * first - g.x.pad) * products.element_pixel;
        const T* panel = packs + (first + panels.pack_margin) * kLanes;
        for (Index j = 0; j < out; j += kLanes, panel += (end - row) * panels.pack_row) {
          const PanelWeightsKernels<T>& kernels = out - j <= half.lanes ? half : whole;
          for (Index ty = 0; ty < g.y.taps; ++ty) {
            const ConvAxis::Range reached = g.y.outputs_of(ty);
            const Index o0 = std::max(row, reached.first), o1 = std::min(end, reached.last);
            if (o0 >= o1) continue;
            products.rows = o1 - o0;
            const T* e = elements + (g.y.pixel(o0, ty) - x_first) * (in_place ? x_row : panels.element_row);
            const T* p = panel + (o0 - row) * panels.pack_row;
            T* tap = dw + (ty * g.x.taps * in + c) * g.filters + group * out + j;
            for_each_part(kernels.sizes, std::min(kLanes, in - c), [&](Index i, std::size_t size) {
              kernels.weights[size](products, e + i, p, out - j, tap + i * g.filters);
            });
          }
        }
      }
    }
  };
  for_each_block_of_rows(g, x, dy, multiply_block);
}

LINNET_NAMESPACE_END
