// Nearest upsampling; see upsampling.hpp.

template <class T>
void upsample_nearest(const BlockGeometry& g, const T* x, T* y) {
  const Index row_size = g.width * g.right * g.channels;
  for (Index row = 0; row < g.batch * g.height; ++row) {
    T* to = y;
    for (Index i = 0; i < g.width; ++i, x += g.channels) {
      for (Index c = 0; c < g.channels; c += Pack<T>::kLanes) {
        const Index left = g.channels - c;
        const Pack<T> value = load(x + c, left);
        for (Index s = 0; s < g.right; ++s) store(to + s * g.channels + c, value, left);
      }
      to += g.right * g.channels;
    }
    for (Index r = 1; r < g.down; ++r) std::copy_n(y, row_size, y + r * row_size);
    y += g.down * row_size;
  }
}

template <class T>
void upsample_nearest_backward(const BlockGeometry& g, const T* dy, T* dx) {
  const Index row_size = g.width * g.right * g.channels;
  for (Index row = 0; row < g.batch * g.height; ++row, dy += g.down * row_size) {
    for (Index i = 0; i < g.width; ++i, dx += g.channels) {
      for (Index c = 0; c < g.channels; c += Pack<T>::kLanes) {
        const Index left = g.channels - c;
        Pack<T> total = zero<T>();
        for (Index r = 0; r < g.down; ++r) {
          const T* from = dy + r * row_size + i * g.right * g.channels + c;
          for (Index s = 0; s < g.right; ++s) total = total + load(from + s * g.channels, left);
        }
        store(dx + c, total, left);
      }
    }
  }
}
