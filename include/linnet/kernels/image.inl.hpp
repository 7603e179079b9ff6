// From bytes to inputs; see image.hpp.

template <class T>
void bytes_to_unit(Index n, const std::uint8_t* bytes, T* to) {
  alignas(64) T lanes[Pack<T>::kLanes];
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index count = std::min<Index>(n - i, Pack<T>::kLanes);
    for (Index l = 0; l < count; ++l) lanes[l] = static_cast<T>(bytes[i + l]);
    for (Index l = count; l < Pack<T>::kLanes; ++l) lanes[l] = T(0);
    store(to + i, load(lanes) / broadcast(T(255)), count);
  }
}

template <class T>
void add_noise_clipped(Index n, T factor, const T* noise, T* x) {
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Pack<T> value = fma(broadcast(factor), load(noise + i, n - i), load(x + i, n - i));
    store(x + i, min(broadcast(T(1)), max(zero<T>(), value)), n - i);
  }
}

template <class T>
void salt_and_pepper(Index n, T amount, const T* uniform, T* x) {
  const Pack<T> half = broadcast(amount * T(0.5)), whole = broadcast(amount);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Pack<T> u = load(uniform + i, n - i);
    const Pack<T> salted = select_less(u, whole, broadcast(T(1)), load(x + i, n - i));
    store(x + i, select_less(u, half, zero<T>(), salted), n - i);
  }
}
