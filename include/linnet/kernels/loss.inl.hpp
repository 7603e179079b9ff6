// Losses of one sample; see loss.hpp. Each returns the sum over n elements, and writes factor times the derivative by
// y to dy, unless that is null.

/// Sums value(y, t) over a sample, and stores factor * derivative(y, t). Lanes add up the elements of a block, and
/// double the blocks: in float alone, the sum over a large image would lose its last digits.
template <class T, class Value, class Derivative>
LINNET_INLINE double sum_loss(Index n, const T* y, const T* target, T factor, T* dy, const Value& value,
                              const Derivative& derivative) {
  constexpr Index kBlock = 1024;
  double result = 0;
  alignas(64) T lanes[Pack<T>::kLanes] = {};
  for (Index first = 0; first < n; first += kBlock) {
    Pack<T> total = zero<T>();
    for (Index i = first; i < std::min(n, first + kBlock); i += Pack<T>::kLanes) {
      const Pack<T> p = load(y + i, n - i), t = load(target + i, n - i);
      Pack<T> v = value(p, t);
      if (n - i < Pack<T>::kLanes) {  // lanes past the end are not summed
        store(lanes, v, n - i);
        v = load(lanes);
      }
      total = total + v;
      if (dy != nullptr) store(dy + i, broadcast(factor) * derivative(p, t), n - i);
    }
    result += static_cast<double>(sum(total));
  }
  return result;
}

/// -t log p - (1 - t) log(1 - p), with p kept in [epsilon, 1 - epsilon]; outside it the derivative is 0.
template <class T>
double binary_crossentropy(Index n, const T* y, const T* target, T epsilon, T factor, T* dy) {
  const Pack<T> one = broadcast(T(1)), low = broadcast(epsilon), high = broadcast(T(1) - epsilon);
  const auto inside = [&](const Pack<T>& p) { return min(high, max(low, p)); };
  return sum_loss(
      n, y, target, factor, dy,
      [&](const Pack<T>& p, const Pack<T>& t) {
        const Pack<T> q = inside(p);
        return zero<T>() - fma(t, log(q), (one - t) * log(one - q));
      },
      [&](const Pack<T>& p, const Pack<T>& t) {
        const Pack<T> q = inside(p);
        return select_equal(p, q, (q - t) / (q * (one - q)), zero<T>());
      });
}

/// max(z, 0) - z t + log(1 + e^-|z|): the same from the logit z, without overflow or cancellation.
template <class T>
double binary_crossentropy_logits(Index n, const T* z, const T* target, T factor, T* dz) {
  return sum_loss(
      n, z, target, factor, dz,
      [](const Pack<T>& v, const Pack<T>& t) {
        const Pack<T> rest = log1p(exp(zero<T>() - abs(v)));
        return fma(zero<T>() - v, t, max(zero<T>(), v)) + rest;
      },
      [](const Pack<T>& v, const Pack<T>& t) { return sigmoid(v) - t; });
}

/// -t log p.
template <class T>
double categorical_crossentropy(Index n, const T* y, const T* target, T epsilon, T factor, T* dy) {
  const Pack<T> low = broadcast(epsilon), high = broadcast(T(1) - epsilon);
  const auto inside = [&](const Pack<T>& p) { return min(high, max(low, p)); };
  return sum_loss(
      n, y, target, factor, dy, [&](const Pack<T>& p, const Pack<T>& t) { return zero<T>() - t * log(inside(p)); },
      [&](const Pack<T>& p, const Pack<T>& t) {
        const Pack<T> q = inside(p);
        return select_equal(p, q, (zero<T>() - t) / q, zero<T>());
      });
}

/// log of the sum of e^z, from the largest z.
template <class T>
LINNET_INLINE Pack<T> log_sum_exp(Index n, const T* z, Pack<T>& largest, Pack<T>& whole) {
  T top = z[0];
  for (Index i = 1; i < n; ++i) top = z[i] > top || z[i] != z[i] ? z[i] : top;
  largest = broadcast(top);
  Pack<T> total = zero<T>();
  alignas(64) T lanes[Pack<T>::kLanes] = {};
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    Pack<T> e = exp(load(z + i, n - i) - largest);
    if (n - i < Pack<T>::kLanes) {
      store(lanes, e, n - i);
      e = load(lanes);
    }
    total = total + e;
  }
  whole = broadcast(sum(total));
  return log(whole);
}

/// Minus the sum of t log softmax(z): t (log sum e^(z - m) + m - z), m the largest z. The derivative by z is
/// softmax(z) sum(t) - t.
template <class T>
double categorical_crossentropy_logits(Index n, const T* z, const T* target, T factor, T* dz) {
  Pack<T> m, whole;
  const Pack<T> log_whole = log_sum_exp(n, z, m, whole);
  Pack<T> weight = zero<T>();
  for (Index i = 0; i < n; i += Pack<T>::kLanes) weight = weight + load(target + i, n - i);
  const Pack<T> weights = broadcast(sum(weight));
  return sum_loss(
      n, z, target, factor, dz, [&](const Pack<T>& v, const Pack<T>& t) { return t * (log_whole - (v - m)); },
      [&](const Pack<T>& v, const Pack<T>& t) { return fma(exp(v - m) / whole, weights, zero<T>() - t); });
}

/// -log p[label].
template <class T>
double sparse_crossentropy(Index n, const T* y, Index label, T epsilon, T factor, T* dy) {
  const T p = y[label];
  const T q = p < epsilon ? epsilon : p > T(1) - epsilon ? T(1) - epsilon : p;
  if (dy != nullptr) {
    for (Index i = 0; i < n; ++i) dy[i] = T(0);
    if (q == p) dy[label] = -(factor / q);
  }
  alignas(64) T lanes[Pack<T>::kLanes];
  store(lanes, log(broadcast(q)));
  return -static_cast<double>(lanes[0]);
}

/// The same for p = softmax(z); the derivative is p, minus 1 at the label.
template <class T>
double sparse_crossentropy_logits(Index n, const T* z, Index label, T factor, T* dz) {
  Pack<T> m, whole;
  const Pack<T> log_whole = log_sum_exp(n, z, m, whole);
  alignas(64) T lanes[Pack<T>::kLanes];
  store(lanes, log_whole - (broadcast(z[label]) - m));
  const double value = static_cast<double>(lanes[0]);
  if (dz != nullptr) {
    for (Index i = 0; i < n; i += Pack<T>::kLanes) {
      const Pack<T> p = exp(load(z + i, n - i) - m) / whole;
      store(dz + i, broadcast(factor) * p, n - i);
    }
    dz[label] = dz[label] - factor;
  }
  return value;
}

/// (y - t)^2.
template <class T>
double squared_error(Index n, const T* y, const T* target, T factor, T* dy) {
  return sum_loss(
      n, y, target, factor, dy, [](const Pack<T>& p, const Pack<T>& t) { return (p - t) * (p - t); },
      [](const Pack<T>& p, const Pack<T>& t) { return broadcast(T(2)) * (p - t); });
}

/// |y - t|; the derivative at 0 is 0.
template <class T>
double absolute_error(Index n, const T* y, const T* target, T factor, T* dy) {
  const Pack<T> one = broadcast(T(1));
  return sum_loss(
      n, y, target, factor, dy, [](const Pack<T>& p, const Pack<T>& t) { return abs(p - t); },
      [&](const Pack<T>& p, const Pack<T>& t) {
        return select_less(p, t, zero<T>() - one, select_less(t, p, one, zero<T>()));
      });
}

/// e^2 / 2 up to |e| = delta, then delta (|e| - delta / 2), for e = y - t.
template <class T>
double huber(Index n, const T* y, const T* target, T delta, T factor, T* dy) {
  const Pack<T> d = broadcast(delta), half = broadcast(T(0.5));
  return sum_loss(
      n, y, target, factor, dy,
      [&](const Pack<T>& p, const Pack<T>& t) {
        const Pack<T> e = abs(p - t);
        return select_less(d, e, d * (e - d * half), (e * e) * half);
      },
      [&](const Pack<T>& p, const Pack<T>& t) { return max(zero<T>() - d, min(d, p - t)); });
}

/// The place of the first element outside [low, high] (a NaN is), or -1; low <= 0 <= high.
template <class T>
Index find_outside(Index n, const T* values, T low, T high) {
  const Pack<T> a = broadcast(low), b = broadcast(high), one = broadcast(T(1)), none = zero<T>();
  Pack<T> outside = none;
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Pack<T> v = load(values + i, n - i);  // lanes past the end are 0
    outside = outside + select_less(v, a, one, none) + select_less(b, v, one, none) + select_unordered(v, one, none);
  }
  if (sum(outside) == T(0)) return -1;
  for (Index i = 0; i < n; ++i) {
    if (!(values[i] >= low && values[i] <= high)) return i;
  }
  return -1;
}
