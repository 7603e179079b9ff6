// The gradient by weights of the convolutions of conv2d_rows.hpp: rows of three taps with stride 1, or four with stride
// 2. See conv2d.hpp.
//
// By weights, an element of one side meets a pack of the other. The pack has the filters of dy and the element is one
// of x; or, for a few filters of many channels (narrow), the pack has the channels of x and the element is one of dy.
// The second is the first with the roles exchanged and the taps turned: both are one kernel, here, for a few elements
// to a pixel and whole packs. Else it pays to bring the packs into order first: conv2d_panel_weights.hpp.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/conv2d_panel_weights.hpp"
#include "linnet/kernels/gemm.hpp"

LINNET_NAMESPACE_BEGIN

/// So few elements of whole packs have no panels (conv2d_panel_weights.hpp). And one row of taps has too few sums for
/// them, which would wait for each other: all rows of a square kernel that meet a pack are taken at once, if registers
/// suffice.
inline constexpr Index kFewElements = 2;

/// What all products have in common. Steps count scalars.
struct RowProducts {
  Index elements = 0, packs = 0;  ///< pixels of a row
  Index element_row = 0, element_pixel = 0;
  Index pack_row = 0, pack_pixel = 0;
  /// Along a row, pixel kStride h + s - pad meets pack h - d under tap kStride d + s.
  Index pad = 0;
  Index dw_row = 0, dw_tap = 0, dw_element = 0, dw_lane = 0;
};

template <class T>
using RowWeightsFunction = void (*)(const RowProducts&, Index, const T*, const T*, Index, Index, Index, T*);
/// What an instruction set has for a stride.
template <class T>
struct RowWeightsKernels {
  std::span<const Index> sizes;       ///< the numbers of elements, for one row of taps
  const RowWeightsFunction<T>* rows;  ///< by size
  /// For kFewElements elements, and for each number below, all rows of a square kernel; null where there is none.
  const RowWeightsFunction<T>* square;
};

LINNET_NAMESPACE_END

#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_row_weights.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// dw += x^T dy. A block of rows, which stays in the cache, is taken through all channels and filters before the next.
template <int kStride, bool kNarrow, class T>
void all_row_weights(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  static_assert(kStride == 1 || !kNarrow);
  constexpr Index kLanes = kPanelWidth<T>;
  const RowWeightsKernels<T> kernels =
      LINNET_DISPATCH(row_weights_kernels<T>, (std::integral_constant<int, kStride>{}));
  constexpr int kTaps = kStride * row_depth(kStride);
  const Index in = g.group_channels(), out = g.group_filters();
  const Index x_row = g.x.input * g.channels, dy_row = g.x.output * g.filters;
  const Index dw_tap = in * g.filters;
  RowProducts products;
  products.dw_tap = kNarrow ? -dw_tap : dw_tap;
  products.dw_row = kStride * kTaps * products.dw_tap;
  if constexpr (kNarrow) {
    products.elements = g.x.output;
    products.packs = g.x.input;
    products.pad = kTaps - 1 - g.x.pad;
    products.element_row = dy_row;
    products.element_pixel = g.filters;
    products.pack_row = g.y.stride * x_row;
    products.pack_pixel = g.channels;
    products.dw_element = 1;
    products.dw_lane = g.filters;
  } else {
    products.elements = g.x.input;
    products.packs = g.x.output;
    products.pad = g.x.pad;
    products.element_row = g.y.stride * x_row;
    products.element_pixel = g.channels;
    products.pack_row = dy_row;
    products.pack_pixel = g.filters;
    products.dw_element = g.filters;
    products.dw_lane = 1;
  }
  const Index elements = kNarrow ? out : in, lanes = kNarrow ? in : out;
  const bool square = g.y.taps == kTaps && g.y.stride == kStride && g.y.dilation == 1 && elements <= kFewElements;

  const auto multiply_block = [&](const T* image, const T* output, Index first, Index last) {
    for (Index group = 0; group < g.groups; ++group) {
      for (Index j = 0; j < lanes; j += kLanes) {
        const Index columns = std::min(kLanes, lanes - j);
        const T* element = (kNarrow ? output : image) + group * elements;
        const T* pack = (kNarrow ? image : output) + group * lanes + j;
        T* to = dw + group * out + j * products.dw_lane;
        if (square && kernels.square != nullptr) {
          // Rows of elements in turns of the stride; of narrow ones, which are outputs, the rows of the block.
          const Index pad = kNarrow ? kTaps - 1 - g.y.pad : g.y.pad;
          for (Index s = 0; s < kStride; ++s) {
            // Row kStride h + s - pad meets pack row h - r: first all h of the block, or all with such a row.
            Index h = kNarrow ? first + pad : first, end = kNarrow ? last + pad : last;
            if (!kNarrow && last == g.y.output) end += row_depth(kStride) - 1;
            if (!kNarrow) {
              h = std::max(h, floor_divide(pad - s + kStride - 1, kStride));
              end = std::min(end, floor_divide(g.y.input + pad - s - 1, kStride) + 1);
            }
            if (h >= end) continue;
            kernels.square[kFewElements - elements](
                products, end - h, element + (kStride * h + s - pad) * (kNarrow ? dy_row : x_row), pack, h,
                kNarrow ? g.y.input : g.y.output, columns, to + (kNarrow ? kTaps * kTaps - 1 : s * kTaps) * dw_tap);
          }
          continue;
        }
        for (Index ty = 0; ty < g.y.taps; ++ty) {
          const ConvAxis::Range reached = g.y.outputs_of(ty);
          // A square kernel's blocks are cut by rows of elements: here too, for the same bits.
          const Index r = square && !kNarrow ? ty / kStride : 0;
          const Index o0 = std::max(first - r, reached.first);
          const Index o1 = std::min(last == g.y.output ? last : last - r, reached.last);
          if (o0 >= o1) continue;
          const Index x_first = g.y.pixel(o0, ty) * x_row, dy_first = o0 * dy_row;
          const T* e = element + (kNarrow ? dy_first : x_first);
          const T* p = pack + (kNarrow ? x_first : dy_first);
          T* row = to + (ty * kTaps + (kNarrow ? kTaps - 1 : 0)) * dw_tap;  // narrow, the taps run backwards
          for_each_part(kernels.sizes, elements, [&](Index c, std::size_t size) {
            kernels.rows[size](products, o1 - o0, e + c, p, 0, o1 - o0, columns, row + c * products.dw_element);
          });
        }
      }
    }
  };
  for_each_block_of_rows(g, x, dy, multiply_block);
}

/// Whether the gradient goes by panels: for more than a few channels, and for fewer filters than a pack of floats has
/// lanes, which are slow to read again and again where they lie. (The same for every T: what is tested in double is
/// what trains in float.)
inline bool goes_by_panels(const Conv2DGeometry& g) {
  return g.group_channels() > kFewElements || g.group_filters() < kPanelWidth<float>;
}

/// Scalars of working memory.
template <class T>
Index conv2d_backward_weights_rows_scratch(const Conv2DGeometry& g) {
  return goes_by_panels(g) ? WeightPanels<T>(g).scratch() : 0;
}
template <class T>
void conv2d_backward_weights_rows(const Conv2DGeometry& g, const T* x, const T* dy, T* dw, T* scratch) {
  if (goes_by_panels(g)) {
    if (g.x.stride == 2) return all_panel_weights<2>(g, x, dy, dw, scratch);
    return all_panel_weights<1>(g, x, dy, dw, scratch);
  }
  if (g.x.stride == 2) return all_row_weights<2, false>(g, x, dy, dw);
  all_row_weights<1, false>(g, x, dy, dw);
}
template <class T>
void conv2d_backward_weights_narrow_rows(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  all_row_weights<1, true>(g, x, dy, dw);
}

LINNET_NAMESPACE_END
