// Element-wise arithmetic on runs of memory; see vector_ops.hpp.

template <class T>
void add_to(Index n, const T* x, T* y) {
  for (Index i = 0; i < n; i += Pack<T>::kLanes) store(y + i, load(y + i, n - i) + load(x + i, n - i), n - i);
}

template <class T>
void axpy(Index n, T a, const T* x, T* y) {
  const Pack<T> factor = broadcast(a);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    store(y + i, multiply_add(factor, load(x + i, n - i), load(y + i, n - i)), n - i);
  }
}

template <class T>
void scale(Index n, T a, const T* x, T* y) {
  const Pack<T> factor = broadcast(a);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) store(y + i, factor * load(x + i, n - i), n - i);
}

template <class T>
void scale_gated(Index n, T a, const T* gate, T least, const T* x, T* y) {
  const Pack<T> factor = broadcast(a), bound = broadcast(least);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Pack<T> scaled = factor * load(x + i, n - i);
    store(y + i, select_less(load(gate + i, n - i), bound, zero<T>(), scaled), n - i);
  }
}

template <class T>
void column_sums(Index rows, Index columns, const T* x, T* sums) {
  for (Index c = 0; c < columns; c += Pack<T>::kLanes) {
    Pack<T> total = zero<T>();
    for (Index r = 0; r < rows; ++r) total = total + load(x + r * columns + c, columns - c);
    store(sums + c, load(sums + c, columns - c) + total, columns - c);
  }
}

template <class T>
double sum_of_squares(Index n, const T* x) {
  Pack<double> total = zero<double>();
  for (Index i = 0; i < n; i += Pack<double>::kLanes) {
    alignas(64) double lanes[Pack<double>::kLanes] = {};
    for (Index k = 0; k < std::min<Index>(Pack<double>::kLanes, n - i); ++k) {
      lanes[k] = static_cast<double>(x[i + k]);
    }
    const Pack<double> value = load(lanes);
    total = multiply_add(value, value, total);
  }
  return sum(total);
}
