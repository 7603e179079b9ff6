// Batch and layer normalization; see normalization.hpp.

/// Sums over rows are cut into blocks of this many, whose sums are added: in float, a single chain over 10^5 rows
/// would lose two digits.
inline constexpr Index kSumBlock = 256;

/// The sum over rows r of term(r), a pack, block by block.
template <class T, class Term>
LINNET_INLINE Pack<T> sum_rows(Index rows, const Term& term) {
  Pack<T> total = zero<T>();
  for (Index block = 0; block < rows; block += kSumBlock) {
    Pack<T> part = zero<T>();
    for (Index r = block; r < std::min(rows, block + kSumBlock); ++r) part = part + term(r);
    total = total + part;
  }
  return total;
}

/// Mean and biased variance over the rows, for channels [first, last) of x {rows, channels}.
template <class T>
void channel_statistics(Index rows, Index channels, Index first, Index last, const T* x, T* mean, T* variance) {
  const Pack<T> count = broadcast(static_cast<T>(rows));
  for (Index c = first; c < last; c += Pack<T>::kLanes) {
    const Index lanes = std::min<Index>(last - c, Pack<T>::kLanes);
    const Pack<T> m = sum_rows<T>(rows, [&](Index r) { return load(x + r * channels + c, lanes); }) / count;
    const Pack<T> v = sum_rows<T>(rows, [&](Index r) {
      const Pack<T> d = load(x + r * channels + c, lanes) - m;
      return d * d;
    });
    store(mean + c, m, lanes);
    store(variance + c, v / count, lanes);
  }
}

/// y = (x - mean) * factor + shift, channel by channel; without a shift (null), 0.
template <class T>
void channel_affine(Index rows, Index channels, const T* x, const T* mean, const T* factor, const T* shift, T* y) {
  for (Index c = 0; c < channels; c += Pack<T>::kLanes) {
    const Index lanes = channels - c;
    const Pack<T> m = load(mean + c, lanes), f = load(factor + c, lanes);
    const Pack<T> s = shift == nullptr ? zero<T>() : load(shift + c, lanes);
    for (Index r = 0; r < rows; ++r) {
      const Index i = r * channels + c;
      store(y + i, multiply_add(load(x + i, lanes) - m, f, s), lanes);
    }
  }
}

/// For channels [first, last): d_sum = the sum of dy, d_dot = the sum of dy * xhat, with xhat = (x - mean) * inverse.
template <class T>
void channel_gradient_sums(Index rows, Index channels, Index first, Index last, const T* x, const T* dy, const T* mean,
                           const T* inverse, T* d_sum, T* d_dot) {
  for (Index c = first; c < last; c += Pack<T>::kLanes) {
    const Index lanes = std::min<Index>(last - c, Pack<T>::kLanes);
    const Pack<T> m = load(mean + c, lanes), inv = load(inverse + c, lanes);
    store(d_sum + c, sum_rows<T>(rows, [&](Index r) { return load(dy + r * channels + c, lanes); }), lanes);
    store(d_dot + c,
          sum_rows<T>(rows,
                      [&](Index r) {
                        const Index i = r * channels + c;
                        return load(dy + i, lanes) * ((load(x + i, lanes) - m) * inv);
                      }),
          lanes);
  }
}

/// dx = factor (dy - d_sum / rows - xhat d_dot / rows), for channels [first, last).
template <class T>
void channel_normalization_backward(Index rows, Index channels, Index first, Index last, const T* x, const T* dy,
                                    const T* mean, const T* inverse, const T* factor, const T* d_sum, const T* d_dot,
                                    T* dx) {
  const Pack<T> count = broadcast(static_cast<T>(rows));
  for (Index c = first; c < last; c += Pack<T>::kLanes) {
    const Index lanes = std::min<Index>(last - c, Pack<T>::kLanes);
    const Pack<T> m = load(mean + c, lanes), inv = load(inverse + c, lanes), f = load(factor + c, lanes);
    const Pack<T> mean_dy = load(d_sum + c, lanes) / count;
    const Pack<T> mean_dot = zero<T>() - load(d_dot + c, lanes) / count;
    for (Index r = 0; r < rows; ++r) {
      const Index i = r * channels + c;
      const Pack<T> xhat = (load(x + i, lanes) - m) * inv;
      store(dx + i, f * multiply_add(xhat, mean_dot, load(dy + i, lanes) - mean_dy), lanes);
    }
  }
}

/// For each row of n: mean and 1 / sqrt(variance + epsilon) into statistics {rows, 2} (unless null), and
/// y = xhat * gamma + beta (either may be null).
template <class T>
void layer_normalization_forward(Index rows, Index n, T epsilon, const T* x, const T* gamma, const T* beta,
                                 T* statistics, T* y) {
  for (Index r = 0; r < rows; ++r, x += n, y += n) {
    Pack<T> total = zero<T>();
    for (Index i = 0; i < n; i += Pack<T>::kLanes) total = total + load(x + i, n - i);
    const T mean = sum(total) / static_cast<T>(n);
    const Pack<T> m = broadcast(mean);
    Pack<T> squares = zero<T>();
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      const Pack<T> d = load(x + i, n - i) - m;
      store(y + i, d, n - i);
      const Pack<T> inside = load(y + i, n - i);  // 0 in the lanes past the end
      squares = multiply_add(inside, inside, squares);
    }
    const T inverse = T(1) / std::sqrt(sum(squares) / static_cast<T>(n) + epsilon);
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      Pack<T> value = load(y + i, n - i) * broadcast(inverse);
      if (gamma != nullptr) value = value * load(gamma + i, n - i);
      if (beta != nullptr) value = value + load(beta + i, n - i);
      store(y + i, value, n - i);
    }
    if (statistics == nullptr) continue;
    statistics[2 * r] = mean;
    statistics[2 * r + 1] = inverse;
  }
}

/// With g = dy gamma: dx = inverse (g - mean(g) - xhat mean(g xhat)); dgamma += dy xhat, dbeta += dy. Each of dx,
/// dgamma, dbeta may be null. dy is used up.
template <class T>
void layer_normalization_backward(Index rows, Index n, const T* x, const T* gamma, const T* statistics, T* dy, T* dx,
                                  T* dgamma, T* dbeta) {
  for (Index r = 0; r < rows; ++r, x += n, dy += n) {
    const Pack<T> m = broadcast(statistics[2 * r]), inv = broadcast(statistics[2 * r + 1]);
    Pack<T> total = zero<T>(), dot = zero<T>();
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      const Index lanes = n - i;
      const Pack<T> xhat = (load(x + i, lanes) - m) * inv;
      Pack<T> g = load(dy + i, lanes);
      if (dbeta != nullptr) store(dbeta + i, load(dbeta + i, lanes) + g, lanes);
      if (dgamma != nullptr) store(dgamma + i, multiply_add(g, xhat, load(dgamma + i, lanes)), lanes);
      if (gamma != nullptr) g = g * load(gamma + i, lanes);
      store(dy + i, g, lanes);
      total = total + g;  // the lanes past the end of dy are 0
      dot = multiply_add(g, xhat, dot);
    }
    if (dx == nullptr) continue;
    const Pack<T> mean_g = broadcast(sum(total) / static_cast<T>(n));
    const Pack<T> mean_dot = broadcast(-(sum(dot) / static_cast<T>(n)));
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      const Pack<T> xhat = (load(x + i, n - i) - m) * inv;
      store(dx + i, inv * multiply_add(xhat, mean_dot, load(dy + i, n - i) - mean_g), n - i);
    }
    dx += n;
  }
}
