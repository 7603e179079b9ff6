// Activations over runs of memory; see activation.hpp.

template <class T>
struct SeluConstants {  // G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017
  static constexpr T kScale = static_cast<T>(1.0507009873554804934193349852946L);
  static constexpr T kScaledAlpha = static_cast<T>(1.7580993408473768599402175208123L);
};

template <class T>
void activate(ActivationKind kind, T alpha, Index n, T* y) {
  const Pack<T> zeros = zero<T>();
  const Pack<T> a = broadcast(alpha);
  switch (kind) {
    case ActivationKind::linear:
    case ActivationKind::softmax:
      return;  // softmax is not element-wise: activate_softmax
    case ActivationKind::relu:
      return map_elements(n, y, y, [](const Pack<T>& z) { return rectify(z); });
    case ActivationKind::leaky_relu:
      return map_elements(n, y, y, [&](const Pack<T>& z) { return select_less(z, zeros, a * z, z); });
    case ActivationKind::elu:
      return map_elements(n, y, y,
                          [&](const Pack<T>& z) { return select_less(z, zeros, a * expm1(min(zeros, z)), z); });
    case ActivationKind::selu:
      return map_elements(n, y, y, [&](const Pack<T>& z) {
        const Pack<T> below = broadcast(SeluConstants<T>::kScaledAlpha) * expm1(min(zeros, z));
        return select_less(z, zeros, below, broadcast(SeluConstants<T>::kScale) * z);
      });
    case ActivationKind::gelu:
      return map_elements(n, y, y, [&](const Pack<T>& z) {
        const Pack<T> half = z * broadcast(T(0.5));
        return fma(half, erf(z * broadcast(T(0.70710678118654752440L))), half);
      });
    case ActivationKind::silu:
      return map_elements(n, y, y, [&](const Pack<T>& z) { return z * sigmoid(z); });
    case ActivationKind::sigmoid:
      return map_elements(n, y, y, [](const Pack<T>& z) { return sigmoid(z); });
    case ActivationKind::tanh:
      return map_elements(n, y, y, [](const Pack<T>& z) { return tanh(z); });
    case ActivationKind::softplus:
      return map_elements(n, y, y, [](const Pack<T>& z) { return softplus(z); });
  }
}

/// dy becomes function(v, dy).
template <class T, class Function>
LINNET_INLINE void map_gradient(Index n, const T* v, T* dy, Function function) {
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    store(dy + i, function(load(v + i, n - i), load(dy + i, n - i)), n - i);
  }
}

template <class T>
void activate_backward(ActivationKind kind, T alpha, Index n, const T* v, T* dy) {
  const Pack<T> zeros = zero<T>();
  const Pack<T> one = broadcast(T(1));
  const Pack<T> a = broadcast(alpha);
  switch (kind) {
    case ActivationKind::linear:
    case ActivationKind::softmax:
      return;
    case ActivationKind::relu:
      return map_gradient(n, v, dy,
                          [&](const Pack<T>& y, const Pack<T>& d) { return select_less(zeros, y, d, zeros); });
    case ActivationKind::leaky_relu:
      return map_gradient(n, v, dy,
                          [&](const Pack<T>& y, const Pack<T>& d) { return select_less(zeros, y, d, a * d); });
    case ActivationKind::elu:  // alpha e^z = y + alpha
      return map_gradient(n, v, dy,
                          [&](const Pack<T>& y, const Pack<T>& d) { return select_less(zeros, y, d, d * (y + a)); });
    case ActivationKind::selu:
      return map_gradient(n, v, dy, [&](const Pack<T>& y, const Pack<T>& d) {
        return select_less(zeros, y, d * broadcast(SeluConstants<T>::kScale),
                           d * (y + broadcast(SeluConstants<T>::kScaledAlpha)));
      });
    case ActivationKind::gelu:  // Phi(z) + z phi(z)
      return map_gradient(n, v, dy, [&](const Pack<T>& z, const Pack<T>& d) {
        const Pack<T> half = broadcast(T(0.5));
        const Pack<T> cdf = fma(half, erf(z * broadcast(T(0.70710678118654752440L))), half);
        const Pack<T> density = broadcast(T(0.39894228040143267794L)) * exp((z * z) * broadcast(T(-0.5)));
        return d * fma(z, density, cdf);
      });
    case ActivationKind::silu:  // s + z s (1 - s)
      return map_gradient(n, v, dy, [&](const Pack<T>& z, const Pack<T>& d) {
        const Pack<T> s = sigmoid(z);
        return d * fma(z * s, one - s, s);
      });
    case ActivationKind::sigmoid:
      return map_gradient(n, v, dy, [&](const Pack<T>& y, const Pack<T>& d) { return d * (y * (one - y)); });
    case ActivationKind::tanh:
      return map_gradient(n, v, dy, [&](const Pack<T>& y, const Pack<T>& d) { return d * fma(zeros - y, y, one); });
    case ActivationKind::softplus:  // sigmoid(z) = 1 - e^-y
      return map_gradient(n, v, dy, [&](const Pack<T>& y, const Pack<T>& d) { return d * (zeros - expm1(zeros - y)); });
  }
}

/// e^(z - max) / sum, for each of `rows` rows of n elements.
template <class T>
void activate_softmax(Index rows, Index n, T* y) {
  for (T* row = y; row < y + rows * n; row += n) {
    T largest = row[0];
    for (Index i = 1; i < n; ++i) largest = row[i] > largest || row[i] != row[i] ? row[i] : largest;
    Pack<T> total = zero<T>();
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      const Pack<T> e = exp(load(row + i, n - i) - broadcast(largest));
      store(row + i, e, n - i);
      total = total + load(row + i, n - i);  // without the lanes past the end
    }
    const Pack<T> whole = broadcast(sum(total));
    for (Index i = 0; i < n; i += Pack<T>::kLanes) store(row + i, load(row + i, n - i) / whole, n - i);
  }
}

/// dz = y (dy - sum(dy y)).
template <class T>
void activate_softmax_backward(Index rows, Index n, const T* y, T* dy) {
  for (Index r = 0; r < rows; ++r, y += n, dy += n) {
    Pack<T> total = zero<T>();
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      total = multiply_add(load(y + i, n - i), load(dy + i, n - i), total);
    }
    const Pack<T> whole = broadcast(sum(total));
    map_gradient(n, y, dy, [&](const Pack<T>& p, const Pack<T>& d) { return p * (d - whole); });
  }
}
