// Direct convolutions: no patch is ever copied. See conv2d.hpp.
#pragma once

#include <algorithm>

#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/conv2d_product.hpp"
#include "linnet/kernels/gemm.hpp"

LINNET_NAMESPACE_BEGIN

/// Splits an axis into runs of outputs that read the same taps: visit(first output, last output, taps).
template <class Visit>
LINNET_INLINE void for_each_run(const ConvAxis& axis, const Visit& visit) {
  for (Index o = 0; o < axis.output;) {
    const ConvAxis::Range taps = axis.taps_of(o);
    Index last = o + 1;
    while (last < axis.output && axis.taps_of(last) == taps) ++last;
    visit(o, last, taps);
    o = last;
  }
}

/// Forward from weights in panels (conv2d_pack). The image is cut into rectangles of outputs that see the
/// same taps: the inside, four edges and four corners when padded by 1. In a rectangle, tiles run along its longer
/// side.
template <class T>
void conv2d_forward_direct(const Conv2DGeometry& g, const T* x, const T* panels, const Epilogue<T>& epilogue, T* y) {
  if (conv2d_is_product(g)) return conv2d_forward_product(g, x, panels, epilogue, y);
  constexpr Index kLanes = kPanelWidth<T>;
  const Index in = g.group_channels(), out = g.group_filters();
  const bool joined = g.groups == 1 && g.x.dilation == 1;  // the taps of a row lie side by side
  TileTaps taps;
  taps.a_row = g.y.dilation * g.x.input * g.channels;
  taps.a_column = g.x.dilation * g.channels;
  taps.b_row = g.x.taps * in * kLanes;
  taps.b_column = in * kLanes;
  taps.b_depth = kLanes;
  taps.b_pack = g.taps() * in * kLanes;
  const Index a_down = g.y.stride * g.x.input * g.channels, a_right = g.x.stride * g.channels;
  const Index c_down = g.x.output * g.filters, c_right = g.filters;
  for (Index group = 0; group < g.groups; ++group, panels += panels_size<T>(g.taps() * in, out)) {
    const Epilogue<T> of_group = epilogue.at(group * out);
    for (Index n = 0; n < g.batch; ++n) {
      const T* image = x + n * g.input_size() + group * in;
      T* result = y + n * g.output_size() + group * out;
      for_each_run(g.y, [&](Index y0, Index y1, const ConvAxis::Range& ty) {
        for_each_run(g.x, [&](Index x0, Index x1, const ConvAxis::Range& tx) {
          const bool padding = ty.first == ty.last || tx.first == tx.last;  // and nothing else
          taps.rows = padding ? 0 : ty.last - ty.first;
          taps.columns = joined ? 1 : tx.last - tx.first;
          taps.depth = joined ? (tx.last - tx.first) * in : in;
          const T* w = panels + (ty.first * g.x.taps + tx.first) * in * kLanes;
          const T* a = image;
          if (!padding) a += (g.y.pixel(y0, ty.first) * g.x.input + g.x.pixel(x0, tx.first)) * g.channels;
          T* c = result + y0 * c_down + x0 * c_right;
          const bool wide = x1 - x0 >= y1 - y0;
          const Index lines = wide ? y1 - y0 : x1 - x0, outputs = wide ? x1 - x0 : y1 - y0;
          for (Index line = 0; line < lines; ++line) {
            tile_all(taps, outputs, out, a + line * (wide ? a_down : a_right), wide ? a_right : a_down, w, true,
                     c + line * (wide ? c_down : c_right), wide ? c_right : c_down, false, of_group);
          }
        });
      });
    }
  }
}

/// A block of the products of backward by weights: those of `tap_count` taps of a row, from (ty, tx) on, and of outputs
/// that all of them reach.
struct WeightBlock {
  Index ty = 0, tx = 0, tap_count = 0;
  TileTaps taps;        ///< `depth` outputs of each of `rows` rows, with A in x and B in dy
  Index x = 0, dy = 0;  ///< the places of the first tap's first pixel and of the first output
};

/// The products of backward by weights, block by block: visit(block). Where the taps of a row lie side by side in x
/// (`joined`), most outputs come with the whole row of taps at once.
template <class Visit>
LINNET_INLINE void for_each_weight_block(const Conv2DGeometry& g, bool joined, const Visit& visit) {
  Index all_first = 0, all_last = joined ? g.x.output : 0;  // what all taps of a row reach
  for (Index tx = 0; joined && tx < g.x.taps; ++tx) {
    const ConvAxis::Range reached = g.x.outputs_of(tx);
    all_first = std::max(all_first, reached.first);
    all_last = std::min(all_last, reached.last);
  }
  all_last = std::max(all_first, all_last);
  WeightBlock block;
  block.taps.a_row = g.y.stride * g.x.input * g.channels;
  block.taps.a_depth = g.x.stride * g.channels;
  block.taps.b_row = g.x.output * g.filters;
  block.taps.b_depth = g.filters;
  for (Index n = 0; n < g.batch; ++n) {
    for (block.ty = 0; block.ty < g.y.taps; ++block.ty) {
      const ConvAxis::Range rows = g.y.outputs_of(block.ty);
      if (rows.first == rows.last) continue;
      block.taps.rows = rows.last - rows.first;
      const auto visit_block = [&](Index tx, Index tap_count, Index first, Index last) {
        if (first >= last) return;
        block.tx = tx;
        block.tap_count = tap_count;
        block.taps.depth = last - first;
        block.x =
            n * g.input_size() + (g.y.pixel(rows.first, block.ty) * g.x.input + g.x.pixel(first, tx)) * g.channels;
        block.dy = n * g.output_size() + (rows.first * g.x.output + first) * g.filters;
        visit(block);
      };
      visit_block(0, g.x.taps, all_first, all_last);
      for (Index tx = 0; tx < g.x.taps; ++tx) {
        const ConvAxis::Range reached = g.x.outputs_of(tx);
        visit_block(tx, 1, reached.first, std::min(all_first, reached.last));
        visit_block(tx, 1, std::max(all_last, reached.first), reached.last);
      }
    }
  }
}

/// dw += x^T dy: the outputs are the inner index of a matrix product, a row of dw for each channel and tap.
template <class T>
void conv2d_backward_weights_direct(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  if (conv2d_is_product(g)) return conv2d_backward_weights_product(g, x, dy, dw);
  const Index in = g.group_channels(), out = g.group_filters();
  for_each_weight_block(g, g.groups == 1 && g.x.dilation == 1, [&](const WeightBlock& block) {
    TileTaps taps = block.taps;
    taps.b_pack = kPanelWidth<T>;
    T* c = dw + (block.ty * g.x.taps + block.tx) * in * g.filters;
    for (Index group = 0; group < g.groups; ++group) {
      tile_all(taps, block.tap_count * in, out, x + block.x + group * in, Index{1}, dy + block.dy + group * out, false,
               c + group * out, g.filters, true, Epilogue<T>{});
    }
  });
}

LINNET_NAMESPACE_END
