// Pooling; see pooling.hpp.

/// Visits every pack of channels of every window: visit(place in y, lanes, taps of the window), where the taps are
/// called one by one with their places in x, row by row.
template <class T, class Visit>
LINNET_INLINE void for_each_window(const PoolGeometry& g, const Visit& visit) {
  const Index right = g.channels, down = g.x.input * right;
  // The most common windows, 2x2 and within the image, have no loops over their taps.
  const bool squares = g.y.taps == 2 && g.x.taps == 2;
  const ConvAxis::Range within = {g.x.outputs_of(0).first, g.x.outputs_of(g.x.taps - 1).last};
  for (Index n = 0; n < g.batch; ++n) {
    for (Index oy = 0; oy < g.y.output; ++oy) {
      const ConvAxis::Range ty = g.y.taps_of(oy);
      const bool both_rows = squares && ty.last - ty.first == 2;
      const Index row = n * g.input_size() + g.y.pixel(oy, 0) * down;
      for (Index ox = 0; ox < g.x.output; ++ox) {
        const Index out = n * g.output_size() + (oy * g.x.output + ox) * g.channels;
        if (both_rows && ox >= within.first && ox < within.last) {
          const Index first = row + g.x.pixel(ox, 0) * right;
          for (Index c = 0; c < g.channels; c += Pack<T>::kLanes) {
            visit(out + c, g.channels - c, Index{4}, [&](const auto& tap) LINNET_INLINE_LAMBDA {
              tap(first + c);
              tap(first + c + right);
              tap(first + c + down);
              tap(first + c + down + right);
            });
          }
          continue;
        }
        const ConvAxis::Range tx = g.x.taps_of(ox);
        for (Index c = 0; c < g.channels; c += Pack<T>::kLanes) {
          const auto taps = [&](const auto& tap) {
            for (Index r = ty.first; r < ty.last; ++r) {
              const Index at = n * g.input_size() + g.y.pixel(oy, r) * down + c;
              for (Index s = tx.first; s < tx.last; ++s) tap(at + g.x.pixel(ox, s) * right);
            }
          };
          visit(out + c, g.channels - c, (ty.last - ty.first) * (tx.last - tx.first), taps);
        }
      }
    }
  }
}

template <class T, bool kPlaces>
LINNET_INLINE void max_pool(const PoolGeometry& g, const T* x, T* y, T* places) {
  for_each_window<T>(g, [&](Index out, Index lanes, Index, const auto& taps) LINNET_INLINE_LAMBDA {
    Pack<T> largest = broadcast(-std::numeric_limits<T>::infinity());
    Pack<T> place = zero<T>(), tap = zero<T>();
    taps([&](Index in) LINNET_INLINE_LAMBDA {
      const Pack<T> value = load(x + in, lanes);
      if constexpr (kPlaces) {
        place = select_less(largest, value, tap, place);
        tap = tap + broadcast(T(1));
      }
      largest = select_unordered(largest, largest, max(largest, value));  // a NaN, once met, stays
    });
    store(y + out, largest, lanes);
    if constexpr (kPlaces) store(places + out, place, lanes);
  });
}
template <class T>
void max_pool_forward(const PoolGeometry& g, const T* x, T* y, T* places) {
  if (places == nullptr) return max_pool<T, false>(g, x, y, places);
  max_pool<T, true>(g, x, y, places);
}

template <class T, bool kExact>
LINNET_INLINE void max_unpool(const PoolGeometry& g, const T* places, const T* dy, T* dx) {
  for_each_window<T>(g, [&](Index out, Index lanes, Index, const auto& taps) LINNET_INLINE_LAMBDA {
    const Pack<T> place = load(places + out, lanes), gradient = load(dy + out, lanes);
    Pack<T> tap = zero<T>();
    taps([&](Index in) LINNET_INLINE_LAMBDA {
      Pack<T> share = select_equal(place, tap, gradient, zero<T>());
      if constexpr (!kExact) share = share + load(dx + in, lanes);
      store(dx + in, share, lanes);
      tap = tap + broadcast(T(1));
    });
  });
}
template <class T>
void max_pool_backward(const PoolGeometry& g, const T* places, const T* dy, T* dx) {
  const auto exact = [](const ConvAxis& axis) {  // every pixel lies in one window
    return axis.stride == axis.taps && axis.pad == 0 && axis.output * axis.taps == axis.input;
  };
  if (exact(g.y) && exact(g.x)) return max_unpool<T, true>(g, places, dy, dx);
  std::fill(dx, dx + g.batch * g.input_size(), T(0));
  max_unpool<T, false>(g, places, dy, dx);
}

template <class T>
void average_pool_forward(const PoolGeometry& g, const T* x, T* y) {
  for_each_window<T>(g, [&](Index out, Index lanes, Index count, const auto& taps) {
    Pack<T> total = zero<T>();
    taps([&](Index in) { total = total + load(x + in, lanes); });
    store(y + out, total / broadcast(static_cast<T>(count)), lanes);
  });
}

template <class T>
void average_pool_backward(const PoolGeometry& g, const T* dy, T* dx) {
  for_each_window<T>(g, [&](Index out, Index lanes, Index count, const auto& taps) {
    const Pack<T> share = load(dy + out, lanes) / broadcast(static_cast<T>(count));
    taps([&](Index in) { store(dx + in, load(dx + in, lanes) + share, lanes); });
  });
}
