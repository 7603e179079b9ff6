// Depthwise convolutions: every channel by itself, lanes over the channels. Weights {taps, channels}. See conv2d.hpp.

template <class T>
void conv2d_forward_depthwise(const Conv2DGeometry& g, const T* x, const T* w, const Epilogue<T>& epilogue, T* y) {
  constexpr Index kLanes = Pack<T>::kLanes;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index oy = 0; oy < g.y.output; ++oy) {
      const ConvAxis::Range ty = g.y.taps_of(oy);
      for (Index ox = 0; ox < g.x.output; ++ox) {
        const ConvAxis::Range tx = g.x.taps_of(ox);
        T* to = y + n * g.output_size() + (oy * g.x.output + ox) * g.filters;
        for (Index c = 0; c < g.channels; c += kLanes) {
          const Index left = g.channels - c;
          Pack<T> total = epilogue.bias == nullptr ? zero<T>() : load(epilogue.bias + c, left);
          for (Index r = ty.first; r < ty.last; ++r) {
            const T* row = x + n * g.input_size() + g.y.pixel(oy, r) * g.x.input * g.channels + c;
            for (Index s = tx.first; s < tx.last; ++s) {
              total = multiply_add(load(row + g.x.pixel(ox, s) * g.channels, left),
                                   load(w + (r * g.x.taps + s) * g.channels + c, left), total);
            }
          }
          store(to + c, epilogue.relu ? rectify(total) : total, left);
        }
      }
    }
  }
}

/// Adds to dx.
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
              store(to, multiply_add(d, load(w + (r * g.x.taps + s) * g.channels + c, left), load(to, left)), left);
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
  for_each_weight_block(g, false, [&](const WeightBlock& block) {
    const TileTaps& taps = block.taps;
    T* to = dw + (block.ty * g.x.taps + block.tx) * g.channels;
    for (Index c = 0; c < g.channels; c += kLanes) {
      const Index left = g.channels - c;
      Pack<T> total = load(to + c, left);
      for (Index row = 0; row < taps.rows; ++row) {
        const T* a = x + block.x + row * taps.a_row + c;
        const T* b = dy + block.dy + row * taps.b_row + c;
        for (Index i = 0; i < taps.depth; ++i) {
          total = multiply_add(load(a + i * taps.a_depth, left), load(b + i * taps.b_depth, left), total);
        }
      }
      store(to + c, total, left);
    }
  });
}
