// Elementary functions of packs of float; other types go lane by lane through the C++ library's. Bounds of the
// error are in math.hpp. All use the exact fma, so their bits are the same in every instruction set.

/// 2^n for whole n in [-126, 127].
LINNET_INLINE Pack<float> power_of_two(const Pack<float>& n) {
  return map_parts(n, [](auto part) {
    using Part = decltype(part);
    // 1.5 * 2^23 pushes the whole number into the lowest bits of the significand.
    if constexpr (kIsScalar<Part>) {
      const std::int32_t whole = std::bit_cast<std::int32_t>(part + 12582912.0f) - 0x4B400000;
      return std::bit_cast<float>((whole + 127) << 23);
    } else {
      using Bits = typename PartOf<float>::bits;
      const Bits whole = (Bits)(part + 12582912.0f) - 0x4B400000;
      return (Part)((whole + 127) << 23);
    }
  });
}

/// x = m * 2^n with m in [1, 2), for positive normal x.
template <class Part>
LINNET_INLINE void part_split_exponent(Part x, Part& m, Part& n) {
  if constexpr (kIsScalar<Part>) {
    const auto bits = std::bit_cast<std::int32_t>(x);
    n = static_cast<float>((bits >> 23) - 127);
    m = std::bit_cast<float>((bits & 0x007FFFFF) | 0x3F800000);
  } else {
#if LINNET_VECTORS
    using Bits = typename PartOf<float>::bits;
    const Bits bits = (Bits)x;
    n = __builtin_convertvector((bits >> 23) - 127, Part);
    m = (Part)((bits & 0x007FFFFF) | 0x3F800000);
#endif
  }
}
LINNET_INLINE void split_exponent(const Pack<float>& x, Pack<float>& m, Pack<float>& n) {
  LINNET_UNROLL
  for (int i = 0; i < Pack<float>::kParts; ++i) {
    part_split_exponent(x.part[i], m.part[i], n.part[i]);
  }
}

/// The nearest whole number, for |x| < 2^22.
LINNET_INLINE Pack<float> round_whole(const Pack<float>& x) {
  const Pack<float> shift = broadcast(12582912.0f);
  return (x + shift) - shift;
}

// A polynomial by Horner's rule; the coefficients go from the highest power to the constant.
LINNET_INLINE Pack<float> polynomial(const Pack<float>&, const Pack<float>& value) { return value; }
template <class... Floats>
LINNET_INLINE Pack<float> polynomial(const Pack<float>& x, const Pack<float>& value, float next, Floats... rest) {
  return polynomial(x, fma(value, x, broadcast(next)), rest...);
}

/// x = n ln 2 + r with |r| <= ln(2) / 2, and e^r - 1 from its Taylor series: the first term left out is below 6e-9 of
/// the sum.
LINNET_INLINE Pack<float> reduced_expm1(const Pack<float>& x, Pack<float>& n) {
  n = round_whole(x * broadcast(1.44269504f));
  Pack<float> r = fma(n, broadcast(-0x1.62e4p-1f), x);  // ln 2 in two parts: n times the first
  r = fma(n, broadcast(-0x1.7f7d1cp-20f), r);           // is exact
  const Pack<float> p = polynomial(r, broadcast(1.0f / 5040), 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f);
  return fma(r * r, p, r);
}

template <class T>
LINNET_INLINE_IF_FUSED Pack<T> exp(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> bounded = min(broadcast(89.0f), max(broadcast(-105.0f), x));
    Pack<float> n;
    const Pack<float> q = reduced_expm1(bounded, n);
    // 2^n may be out of range though the result is not: in two factors.
    const Pack<float> half = round_whole(n * broadcast(0.5f));
    return ((broadcast(1.0f) + q) * power_of_two(half)) * power_of_two(n - half);
  } else {
    return map_lanes(x, [](T v) { return std::exp(v); });
  }
}

template <class T>
LINNET_INLINE_IF_FUSED Pack<T> expm1(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> bounded = min(broadcast(89.0f), max(broadcast(-18.0f), x));
    Pack<float> n;
    const Pack<float> q = reduced_expm1(bounded, n);
    // 2^n (q + 1) - 1, halved, so that 2^n stays in range.
    const Pack<float> scale = power_of_two(n - broadcast(1.0f));
    const Pack<float> half = fma(scale, q, scale - broadcast(0.5f));
    const Pack<float> tiny = broadcast(1e-30f);  // keeps -0 and denormals
    return select_less(abs(x), tiny, x, half + half);
  } else {
    return map_lanes(x, [](T v) { return std::expm1(v); });
  }
}

/// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)], plus n ln 2. With s = f / (2 + f) the logarithm is 2 artanh(s); it is
/// arranged as f - f^2/2 + s (f^2/2 + R), whose rounding errors are small against f.
LINNET_INLINE Pack<float> log_of_reduced(const Pack<float>& f, const Pack<float>& n) {
  const Pack<float> s = f / (broadcast(2.0f) + f);
  const Pack<float> z = s * s;
  const Pack<float> r = z * polynomial(z, broadcast(2.0f / 9), 2.0f / 7, 2.0f / 5, 2.0f / 3);
  const Pack<float> half_square = (f * f) * broadcast(0.5f);
  const Pack<float> low = fma(s, half_square + r, n * broadcast(0x1.7f7d1cp-20f));
  return fma(n, broadcast(0x1.62e4p-1f), f - (half_square - low));
}

/// Moves m from [1, 2) to [sqrt(1/2), sqrt(2)), and n with it.
LINNET_INLINE void centre_exponent(Pack<float>& m, Pack<float>& n) {
  const Pack<float> root = broadcast(1.41421356f);
  n = select_less(m, root, n, n + broadcast(1.0f));
  m = select_less(m, root, m, m * broadcast(0.5f));
}

template <class T>
LINNET_INLINE_IF_FUSED Pack<T> log(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> smallest = broadcast(0x1p-126f);
    const Pack<float> normal = select_less(x, smallest, x * broadcast(0x1p24f), x);
    Pack<float> m, n;
    split_exponent(normal, m, n);
    n = select_less(x, smallest, n - broadcast(24.0f), n);
    centre_exponent(m, n);
    Pack<float> y = log_of_reduced(m - broadcast(1.0f), n);
    const Pack<float> infinity = broadcast(std::numeric_limits<float>::infinity());
    y = select_less(x, infinity, y, x);                              // inf and NaN stay
    y = select_less(zero<float>(), x, y, zero<float>() - infinity);  // log 0
    y = select_less(x, zero<float>(), infinity - infinity, y);       // below 0: NaN
    return select_unordered(x, x, y);
  } else {
    return map_lanes(x, [](T v) { return std::log(v); });
  }
}

template <class T>
LINNET_INLINE_IF_FUSED Pack<T> log1p(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> one = broadcast(1.0f);
    const Pack<float> w = one + x;
    // What the sum has lost, in the way that is exact for the larger of the two.
    const Pack<float> lost = select_less(x, one, x - (w - one), one - (w - x));
    Pack<float> m, n;
    split_exponent(w, m, n);
    centre_exponent(m, n);
    const Pack<float> bounded = min(broadcast(126.0f), n);
    const Pack<float> f = fma(lost, power_of_two(zero<float>() - bounded), m - one);
    Pack<float> y = log_of_reduced(f, n);
    const Pack<float> infinity = broadcast(std::numeric_limits<float>::infinity());
    y = select_less(x, infinity, y, x);
    y = select_less(zero<float>(), w, y, zero<float>() - infinity);
    y = select_less(w, zero<float>(), infinity - infinity, y);
    y = select_less(abs(x), broadcast(1e-6f), fma(x * x, broadcast(-0.5f), x), y);
    return select_unordered(x, x, y);
  } else {
    return map_lanes(x, [](T v) { return std::log1p(v); });
  }
}

/// 1 / (1 + e^-x), from e^-|x|, which cannot overflow.
template <class T>
LINNET_INLINE_IF_FUSED Pack<T> sigmoid(const Pack<T>& x) {
  const Pack<T> one = broadcast(T(1));
  const Pack<T> e = exp(zero<T>() - abs(x));
  return select_less(x, zero<T>(), e, one) / (one + e);
}

/// sinh / cosh: from t = e^(-2|x|) - 1, tanh |x| = -t / (t + 2).
template <class T>
LINNET_INLINE_IF_FUSED Pack<T> tanh(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> t = expm1(abs(x) * broadcast(-2.0f));
    const Pack<float> y = (zero<float>() - t) / (t + broadcast(2.0f));
    const Pack<float> signed_y = select_less(x, zero<float>(), zero<float>() - y, y);
    return select_less(abs(x), broadcast(1e-5f), x, signed_y);
  } else {
    return map_lanes(x, [](T v) { return std::tanh(v); });
  }
}

/// log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
template <class T>
LINNET_INLINE_IF_FUSED Pack<T> softplus(const Pack<T>& x) {
  return max(zero<T>(), x) + log1p(exp(zero<T>() - abs(x)));
}

/// The error function: its Taylor series up to 1, and 1 - e^(-x^2) P(2 / (2 + x)) above, with P fitted to erfc(x)
/// e^(x^2) on [1, 4.2] by least squares at Chebyshev points.
template <class T>
LINNET_INLINE_IF_FUSED Pack<T> erf(const Pack<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Pack<float> z = x * x;
    const Pack<float> series = polynomial(z, broadcast(1.0f / 76204800), -1.0f / 6894720, 1.0f / 685440, -1.0f / 75600,
                                          1.0f / 9360, -1.0f / 1320, 1.0f / 216, -1.0f / 42, 0.1f, -1.0f / 3, 1.0f);
    const Pack<float> small = (x * broadcast(1.12837917f)) * series;
    const Pack<float> a = min(broadcast(4.2f), abs(x));
    const Pack<float> t = broadcast(2.0f) / (broadcast(2.0f) + a);
    const Pack<float> p = polynomial(t, broadcast(0x1.18d948p-6f), 0x1.a54ff8p-5f, -0x1.6afa9ap-2f, 0x1.cc69cap-2f,
                                     -0x1.1f2fcep-5f, 0x1.49482cp-2f, 0x1.104ae2p-2f, 0x1.22e4e0p-2f, -0x1.ba25a4p-14f);
    const Pack<float> above = fma(zero<float>() - exp(zero<float>() - a * a), p, broadcast(1.0f));
    const Pack<float> large = select_less(x, zero<float>(), zero<float>() - above, above);
    return select_unordered(x, x, select_less(abs(x), broadcast(1.0f), small, large));
  } else {
    return map_lanes(x, [](T v) { return std::erf(v); });
  }
}

/// sin and cos of 2 pi u for u in [0, 1], from their Taylor series on [-pi/4, pi/4].
LINNET_INLINE void sin_cos_turns(const Pack<float>& u, Pack<float>& sine, Pack<float>& cosine) {
  const Pack<float> quarter = round_whole(u * broadcast(4.0f));  // 0 .. 4
  const Pack<float> a = fma(quarter, broadcast(-0.25f), u) * broadcast(6.28318531f);
  const Pack<float> z = a * a;
  const Pack<float> s = fma(a * z, polynomial(z, broadcast(1.0f / 362880), -1.0f / 5040, 1.0f / 120, -1.0f / 6), a);
  const Pack<float> c = polynomial(z, broadcast(-1.0f / 3628800), 1.0f / 40320, -1.0f / 720, 1.0f / 24, -0.5f, 1.0f);
  const Pack<float> minus_s = zero<float>() - s;
  const Pack<float> minus_c = zero<float>() - c;
  const auto choose = [&](const Pack<float>& q0, const Pack<float>& q1, const Pack<float>& q2, const Pack<float>& q3) {
    const Pack<float> low = select_less(quarter, broadcast(0.5f), q0, q1);
    const Pack<float> high = select_less(quarter, broadcast(2.5f), q2, select_less(quarter, broadcast(3.5f), q3, q0));
    return select_less(quarter, broadcast(1.5f), low, high);
  };
  sine = choose(s, c, minus_s, minus_c);
  cosine = choose(c, minus_s, minus_c, s);
}

/// Runs a function of a pack over memory.
template <class T, class Function>
LINNET_INLINE void map_elements(Index n, const T* x, T* y, Function function) {
  for (Index i = 0; i < n; i += Pack<T>::kLanes) store(y + i, function(load(x + i, n - i)), n - i);
}

template <class T>
void vector_exp(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return exp(v); });
}
template <class T>
void vector_expm1(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return expm1(v); });
}
template <class T>
void vector_log(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return log(v); });
}
template <class T>
void vector_log1p(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return log1p(v); });
}
template <class T>
void vector_sigmoid(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return sigmoid(v); });
}
template <class T>
void vector_tanh(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return tanh(v); });
}
template <class T>
void vector_softplus(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return softplus(v); });
}
template <class T>
void vector_erf(Index n, const T* x, T* y) {
  map_elements(n, x, y, [](const Pack<T>& v) { return erf(v); });
}
