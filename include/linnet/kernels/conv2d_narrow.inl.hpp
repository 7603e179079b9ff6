// Direct convolutions of many channels to a few filters (1 to 4): a pack of output channels would be mostly empty, so
// the lanes run over the input channels. One group. See conv2d.hpp.

/// Outputs of one filter, side by side: the lanes, over the channels, are summed at the end. Weights as conv2d_pack()
/// lays them out.
template <class T, int kPixels>
LINNET_INLINE void narrow_pixels(const Conv2DGeometry& g, const ConvAxis::Range& ty, const ConvAxis::Range& tx,
                                 const T* a, const T* w, const Epilogue<T>& epilogue, T* y) {
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
  const T first = epilogue.bias == nullptr ? T(0) : *epilogue.bias;
  LINNET_UNROLL
  for (int p = 0; p < kPixels; ++p) y[p * g.filters] = epilogue.finish(first + sum(sums[p]));
}

template <class T>
void conv2d_forward_narrow(const Conv2DGeometry& g, const T* x, const T* w, const Epilogue<T>& epilogue, T* y) {
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
            const Epilogue<T> of_filter = epilogue.at(k);
            const T* filter = w + k * filter_size;
            T* row = y + n * g.output_size() + oy * g.x.output * g.filters + k;
            const auto at = [&](Index ox) {
              return empty ? image
                           : image + (g.y.pixel(oy, ty.first) * g.x.input + g.x.pixel(ox, tx.first)) * g.channels;
            };
            Index ox = x0;
            for (; ox + kPixels <= x1; ox += kPixels) {
              narrow_pixels<T, kPixels>(g, ty, tx, at(ox), filter, of_filter, row + ox * g.filters);
            }
            for (; ox < x1; ++ox) {
              narrow_pixels<T, 1>(g, ty, tx, at(ox), filter, of_filter, row + ox * g.filters);
            }
          }
        }
      });
    });
  }
}

/// `width` channels of one filter, up to kPacks packs of them: an element of dy is broadcast to all.
template <class T, int kPacks>
LINNET_INLINE void narrow_weights(const TileTaps& taps, const T* x, const T* dy, Index width, T* dw, Index dw_step) {
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
  for_each_weight_block(g, g.x.dilation == 1, [&](const WeightBlock& block) {
    const T* a = x + block.x;
    const T* b = dy + block.dy;
    T* c = dw + (block.ty * g.x.taps + block.tx) * g.channels * g.filters;
    const Index count = block.tap_count * g.channels;
    for (Index k = 0; k < g.filters; ++k) {
      for (Index from = 0; from < count; from += 3 * kLanes) {
        const Index width = std::min(count - from, 3 * kLanes);
        T* to = c + from * g.filters + k;
        if (width > 2 * kLanes) {
          narrow_weights<T, 3>(block.taps, a + from, b + k, width, to, g.filters);
        } else if (width > kLanes) {
          narrow_weights<T, 2>(block.taps, a + from, b + k, width, to, g.filters);
        } else {
          narrow_weights<T, 1>(block.taps, a + from, b + k, width, to, g.filters);
        }
      }
    }
  });
}
