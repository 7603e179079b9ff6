// Direct convolutions: no patch is ever copied. See conv2d.hpp.

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

/// Forward from weights in panels (pack_forward). The image is cut into rectangles of outputs that see the
/// same taps: the inside, four edges and four corners when padded by 1. In a rectangle, tiles run along its longer
/// side.
template <class T>
void conv2d_forward_direct(const Conv2DGeometry& g, const T* x, const T* panels, const T* bias, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const Index in = g.group_channels(), out = g.group_filters();
  const Index panel_size = g.taps() * in * kLanes;
  const bool joined = g.groups == 1 && g.x.dilation == 1;  // the taps of a row lie side by side
  for (Index group = 0; group < g.groups; ++group) {
    for (Index j = 0; j < out; j += kLanes, panels += panel_size) {
      const Index columns = std::min(kLanes, out - j);
      const Index k = group * out + j;
      const T* first_bias = bias == nullptr ? nullptr : bias + k;
      const TileStart start = bias == nullptr ? TileStart::zero : TileStart::bias;
      for (Index n = 0; n < g.batch; ++n) {
        const T* image = x + n * g.input_size() + group * in;
        T* result = y + n * g.output_size() + k;
        for_each_run(g.y, [&](Index y0, Index y1, const ConvAxis::Range& ty) {
          for_each_run(g.x, [&](Index x0, Index x1, const ConvAxis::Range& tx) {
            TileTaps taps;
            taps.rows = ty.last - ty.first;
            taps.columns = joined ? 1 : tx.last - tx.first;
            taps.depth = joined ? (tx.last - tx.first) * in : in;
            taps.a_row = g.y.dilation * g.x.input * g.channels;
            taps.a_column = g.x.dilation * g.channels;
            taps.b_row = g.x.taps * in * kLanes;
            taps.b_column = in * kLanes;
            taps.b_depth = kLanes;
            const T* w = panels + (ty.first * g.x.taps + tx.first) * in * kLanes;
            const Index a_down = g.y.stride * g.x.input * g.channels;
            const Index a_right = g.x.stride * g.channels;
            const Index c_down = g.x.output * g.filters;
            const T* a = image + (g.y.pixel(y0, ty.first) * g.x.input + g.x.pixel(x0, tx.first)) * g.channels;
            T* c = result + (y0 * g.x.output + x0) * g.filters;
            if (taps.rows == 0 || tx.first == tx.last) {  // all padding
              taps.rows = 0;
              a = image;
            }
            if (x1 - x0 >= y1 - y0) {
              for (Index row = 0; row < y1 - y0; ++row) {
                tile_rows(taps, x1 - x0, a + row * a_down, a_right, w, true, c + row * c_down,
                          g.filters, columns, start, first_bias);
              }
            } else {
              for (Index column = 0; column < x1 - x0; ++column) {
                tile_rows(taps, y1 - y0, a + column * a_right, a_down, w, true,
                          c + column * g.filters, c_down, columns, start, first_bias);
              }
            }
          });
        });
      }
    }
  }
}

/// A few filters (1 to 4) of many channels: a pack of one output channel would be mostly empty, so the lanes
/// run over the channels and are summed at the end. Weights as narrow_pack() lays them out. One group.
template <class T, int kPixels>
LINNET_INLINE void narrow_pixels(const Conv2DGeometry& g, const ConvAxis::Range& ty,
                                 const ConvAxis::Range& tx, const T* a, const T* w, T first, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  Pack<T> sums[kPixels];
  LINNET_UNROLL
  for (int p = 0; p < kPixels; ++p) sums[p] = zero<T>();
  const Index padded = (g.channels + kLanes - 1) / kLanes * kLanes;
  const Index step = g.x.stride * g.channels;
  for (Index row = ty.first; row < ty.last; ++row) {
    for (Index column = tx.first; column < tx.last; ++column) {
      const T* pixel = a + (row - ty.first) * g.y.dilation * g.x.input * g.channels +
                       (column - tx.first) * g.x.dilation * g.channels;
      const T* tap = w + (row * g.x.taps + column) * padded;
      for (Index c = 0; c < g.channels; c += kLanes) {
        const Pack<T> factor = load(tap + c);
        LINNET_UNROLL
        for (int p = 0; p < kPixels; ++p) {
          sums[p] = multiply_add(load(pixel + c + p * step, g.channels - c), factor, sums[p]);
        }
      }
    }
  }
  LINNET_UNROLL
  for (int p = 0; p < kPixels; ++p) y[p * g.filters] = first + sum(sums[p]);
}

template <class T>
void conv2d_forward_narrow(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr int kPixels = 4;
  const Index filter_size = g.taps() * ((g.channels + kLanes - 1) / kLanes * kLanes);
  for (Index n = 0; n < g.batch; ++n) {
    const T* image = x + n * g.input_size();
    for_each_run(g.y, [&](Index y0, Index y1, const ConvAxis::Range& ty) {
      for_each_run(g.x, [&](Index x0, Index x1, const ConvAxis::Range& tx) {
        const bool empty = ty.first == ty.last || tx.first == tx.last;
        for (Index oy = y0; oy < y1; ++oy) {
          for (Index k = 0; k < g.filters; ++k) {
            const T first = bias == nullptr ? T(0) : bias[k];
            const T* filter = w + k * filter_size;
            T* row = y + n * g.output_size() + oy * g.x.output * g.filters + k;
            const auto at = [&](Index ox) {
              return empty ? image
                           : image + (g.y.pixel(oy, ty.first) * g.x.input + g.x.pixel(ox, tx.first)) * g.channels;
            };
            Index ox = x0;
            for (; ox + kPixels <= x1; ox += kPixels) {
              narrow_pixels<T, kPixels>(g, ty, tx, at(ox), filter, first, row + ox * g.filters);
            }
            for (; ox < x1; ++ox) {
              narrow_pixels<T, 1>(g, ty, tx, at(ox), filter, first, row + ox * g.filters);
            }
          }
        }
      });
    });
  }
}

/// The products of backward by weights, in blocks: visit(sample, ty, tx, taps, rows, first, last) for the outputs
/// [first, last) of the given rows that all of the `taps` taps from (ty, tx) on reach. Where the taps of a row lie
/// side by side in x (`joined`), most outputs come with the whole row of taps at once.
template <class Visit>
LINNET_INLINE void for_each_weight_block(const Conv2DGeometry& g, bool joined, const Visit& visit) {
  Index all_first = 0, all_last = joined ? g.x.output : 0;  // what all taps of a row reach
  for (Index tx = 0; joined && tx < g.x.taps; ++tx) {
    const ConvAxis::Range reached = g.x.outputs_of(tx);
    all_first = std::max(all_first, reached.first);
    all_last = std::min(all_last, reached.last);
  }
  all_last = std::max(all_first, all_last);
  for (Index n = 0; n < g.batch; ++n) {
    for (Index ty = 0; ty < g.y.taps; ++ty) {
      const ConvAxis::Range rows = g.y.outputs_of(ty);
      if (rows.first == rows.last) continue;
      const auto block = [&](Index tx, Index taps, Index first, Index last) {
        if (first < last) visit(n, ty, tx, taps, rows, first, last);
      };
      block(0, g.x.taps, all_first, all_last);
      for (Index tx = 0; tx < g.x.taps; ++tx) {
        const ConvAxis::Range reached = g.x.outputs_of(tx);
        block(tx, 1, reached.first, std::min(all_first, reached.last));
        block(tx, 1, std::max(all_last, reached.first), reached.last);
      }
    }
  }
}

/// dw += x^T dy: the outputs are the inner index of a matrix product, a row of dw for each channel and tap.
template <class T>
void conv2d_backward_weights_direct(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const Index in = g.group_channels(), out = g.group_filters();
  for_each_weight_block(g, g.groups == 1 && g.x.dilation == 1,
                        [&](Index n, Index ty, Index tx, Index tap_count,
                            const ConvAxis::Range& rows, Index first, Index last) {
    TileTaps taps;
    taps.rows = rows.last - rows.first;
    taps.depth = last - first;
    taps.a_row = g.y.stride * g.x.input * g.channels;
    taps.a_depth = g.x.stride * g.channels;
    taps.b_row = g.x.output * g.filters;
    taps.b_depth = g.filters;
    const T* a = x + n * g.input_size() +
                 (g.y.pixel(rows.first, ty) * g.x.input + g.x.pixel(first, tx)) * g.channels;
    const T* b = dy + n * g.output_size() + (rows.first * g.x.output + first) * g.filters;
    T* c = dw + (ty * g.x.taps + tx) * in * g.filters;
    for (Index group = 0; group < g.groups; ++group) {
      for (Index j = 0; j < out; j += kLanes) {
        const Index k = group * out + j;
        tile_rows(taps, tap_count * in, a + group * in, Index{1}, b + k, false, c + k, g.filters,
                  std::min(kLanes, out - j), TileStart::accumulate, static_cast<const T*>(nullptr));
      }
    }
  });
}

/// `width` channels of one filter, up to kPacks packs of them: an element of dy is broadcast to all.
template <class T, int kPacks>
LINNET_INLINE void narrow_weights(const TileTaps& taps, const T* x, const T* dy, Index width, T* dw,
                                  Index dw_step) {
  constexpr Index kLanes = Pack<T>::kLanes;
  Pack<T> sums[kPacks];
  LINNET_UNROLL
  for (int p = 0; p < kPacks; ++p) sums[p] = zero<T>();
  for (Index row = 0; row < taps.rows; ++row) {
    for (Index i = 0; i < taps.depth; ++i) {
      const Pack<T> d = broadcast(dy[row * taps.b_row + i * taps.b_depth]);
      const T* pixel = x + row * taps.a_row + i * taps.a_depth;
      LINNET_UNROLL
      for (int p = 0; p < kPacks; ++p) {
        sums[p] = multiply_add(d, load(pixel + p * kLanes, width - p * kLanes), sums[p]);
      }
    }
  }
  alignas(64) T lanes[kPacks * kLanes];
  LINNET_UNROLL
  for (int p = 0; p < kPacks; ++p) store(lanes + p * kLanes, sums[p]);
  for (Index c = 0; c < width; ++c) dw[c * dw_step] = dw[c * dw_step] + lanes[c];
}

/// The same as the direct one for a few filters of many channels, with lanes over the channels. One group.
template <class T>
void conv2d_backward_weights_narrow(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for_each_weight_block(g, g.x.dilation == 1,
                        [&](Index n, Index ty, Index tx, Index tap_count,
                            const ConvAxis::Range& rows, Index first, Index last) {
    TileTaps taps;
    taps.rows = rows.last - rows.first;
    taps.depth = last - first;
    taps.a_row = g.y.stride * g.x.input * g.channels;
    taps.a_depth = g.x.stride * g.channels;
    taps.b_row = g.x.output * g.filters;
    taps.b_depth = g.filters;
    const T* a = x + n * g.input_size() +
                 (g.y.pixel(rows.first, ty) * g.x.input + g.x.pixel(first, tx)) * g.channels;
    const T* b = dy + n * g.output_size() + (rows.first * g.x.output + first) * g.filters;
    T* c = dw + (ty * g.x.taps + tx) * g.channels * g.filters;
    const Index count = tap_count * g.channels;
    for (Index k = 0; k < g.filters; ++k) {
      for (Index from = 0; from < count; from += 3 * kLanes) {
        const Index width = std::min(count - from, 3 * kLanes);
        T* to = c + from * g.filters + k;
        if (width > 2 * kLanes) {
          narrow_weights<T, 3>(taps, a + from, b + k, width, to, g.filters);
        } else if (width > kLanes) {
          narrow_weights<T, 2>(taps, a + from, b + k, width, to, g.filters);
        } else {
          narrow_weights<T, 1>(taps, a + from, b + k, width, to, g.filters);
        }
      }
    }
  });
}

// Depthwise convolutions: every channel by itself, lanes over the channels. Weights {taps, channels}.

template <class T>
void conv2d_forward_depthwise(const Conv2DGeometry& g, const T* x, const T* w, const T* bias, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index oy = 0; oy < g.y.output; ++oy) {
      const ConvAxis::Range ty = g.y.taps_of(oy);
      for (Index ox = 0; ox < g.x.output; ++ox) {
        const ConvAxis::Range tx = g.x.taps_of(ox);
        T* to = y + n * g.output_size() + (oy * g.x.output + ox) * g.filters;
        for (Index c = 0; c < g.channels; c += kLanes) {
          const Index left = g.channels - c;
          Pack<T> total = bias == nullptr ? zero<T>() : load(bias + c, left);
          for (Index r = ty.first; r < ty.last; ++r) {
            const T* row = x + n * g.input_size() + g.y.pixel(oy, r) * g.x.input * g.channels + c;
            for (Index s = tx.first; s < tx.last; ++s) {
              total = multiply_add(load(row + g.x.pixel(ox, s) * g.channels, left),
                                   load(w + (r * g.x.taps + s) * g.channels + c, left), total);
            }
          }
          store(to + c, total, left);
        }
      }
    }
  }
}

/// dx must be 0 before.
template <class T>
void conv2d_backward_data_depthwise(const Conv2DGeometry& g, const T* dy, const T* w, T* dx) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index oy = 0; oy < g.y.output; ++oy) {
      const ConvAxis::Range ty = g.y.taps_of(oy);
      for (Index ox = 0; ox < g.x.output; ++ox) {
        const ConvAxis::Range tx = g.x.taps_of(ox);
        const T* from = dy + n * g.output_size() + (oy * g.x.output + ox) * g.filters;
        for (Index c = 0; c < g.channels; c += kLanes) {
          const Index left = g.channels - c;
          const Pack<T> d = load(from + c, left);
          for (Index r = ty.first; r < ty.last; ++r) {
            T* row = dx + n * g.input_size() + g.y.pixel(oy, r) * g.x.input * g.channels + c;
            for (Index s = tx.first; s < tx.last; ++s) {
              T* to = row + g.x.pixel(ox, s) * g.channels;
              store(to, multiply_add(d, load(w + (r * g.x.taps + s) * g.channels + c, left), load(to, left)),
                    left);
            }
          }
        }
      }
    }
  }
}

template <class T>
void conv2d_backward_weights_depthwise(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for_each_weight_block(g, false, [&](Index n, Index ty, Index tx, Index,
                                      const ConvAxis::Range& rows, Index first, Index last) {
    T* to = dw + (ty * g.x.taps + tx) * g.channels;
    for (Index c = 0; c < g.channels; c += kLanes) {
      const Index left = g.channels - c;
      Pack<T> total = load(to + c, left);
      for (Index oy = rows.first; oy < rows.last; ++oy) {
        const T* a = x + n * g.input_size() +
                     (g.y.pixel(oy, ty) * g.x.input + g.x.pixel(first, tx)) * g.channels + c;
        const T* b = dy + n * g.output_size() + (oy * g.x.output + first) * g.filters + c;
        for (Index i = 0; i < last - first; ++i) {
          total = multiply_add(load(a + i * g.x.stride * g.channels, left),
                               load(b + i * g.filters, left), total);
        }
      }
      store(to + c, total, left);
    }
  });
}
