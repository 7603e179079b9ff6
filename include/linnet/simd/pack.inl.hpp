// Pack<T>: 64 bytes of T (16 floats, 8 doubles) that are computed with together.
//
// A pack has the same number of lanes in every instruction set: one register with AVX-512, two with AVX2, four
// with SSE2 or NEON. So a kernel is written once, and a sum over lanes adds in the same order everywhere:
// AVX2, AVX-512 and NEON give the same bits. Pack<T, n> has the first n registers only, for loads, stores and products;
// sum() takes whole packs.
//
// Every operation here rounds once. `fma` is the fused multiply-add; g++ may fuse a separate product and sum
// by itself, so the product of vectors is made of what it does not look into.

/// A part of a pack: one register (or, where the compiler has no vectors, one T).
#if LINNET_VECTORS
template <class T>
struct PartOf {
  typedef T type;
};
template <>
struct PartOf<float> {
  typedef float type __attribute__((vector_size(kPartBytes)));
  typedef std::int32_t bits __attribute__((vector_size(kPartBytes)));
};
template <>
struct PartOf<std::uint32_t> {
  typedef std::uint32_t type __attribute__((vector_size(kPartBytes)));
};
template <>
struct PartOf<double> {
  typedef double type __attribute__((vector_size(kPartBytes)));
};
#else
template <class T>
struct PartOf {
  typedef T type;
  typedef std::int32_t bits;
};
#endif

/// The lanes of a part, which may be a plain number.
template <class Part>
inline constexpr bool kIsScalar = std::is_arithmetic_v<Part>;

// The operations on a part that every set has; a set's own file overloads those it does better.
template <class Part>
LINNET_INLINE Part part_multiply(Part a, Part b) {
  return a * b;
}
template <class Part>
LINNET_INLINE Part part_max(Part a, Part b) {
  return a > b ? a : b;
}
template <class Part>
LINNET_INLINE Part part_min(Part a, Part b) {
  return a < b ? a : b;
}
template <class Part>
LINNET_INLINE Part part_fma(Part a, Part b, Part c) {
  if constexpr (kIsScalar<Part>) {
    return std::fma(a, b, c);
  } else {
    for (int i = 0; i < static_cast<int>(sizeof(Part) / sizeof(a[0])); ++i) {
      a[i] = std::fma(a[i], b[i], c[i]);
    }
    return a;
  }
}
/// a * b + sum, as multiply_add().
template <class Part>
LINNET_INLINE Part part_accumulate(Part sum, Part a, Part b) {
  if constexpr (kFusedMultiplyAdd) {
    return part_fma(a, b, sum);
  } else {
    return part_multiply(a, b) + sum;
  }
}
template <class Part>
LINNET_INLINE Part part_sqrt(Part a) {
  if constexpr (kIsScalar<Part>) {
    return std::sqrt(a);
  } else {
    for (int i = 0; i < static_cast<int>(sizeof(Part) / sizeof(a[0])); ++i) a[i] = std::sqrt(a[i]);
    return a;
  }
}

/// The sum of a part's lanes, halves first.
template <class Part>
LINNET_INLINE auto part_sum(Part a) {
  for (int half = static_cast<int>(sizeof(Part) / sizeof(a[0])) / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a[i] = a[i] + a[i + half];
  }
  return a[0];
}
/// The high and the low halves of the 64-bit products a * b, lane by lane.
template <class Part>
LINNET_INLINE void part_multiply_wide(Part a, std::uint32_t b, Part& high, Part& low) {
  if constexpr (kIsScalar<Part>) {
    const std::uint64_t product = std::uint64_t{a} * b;
    high = static_cast<std::uint32_t>(product >> 32);
    low = static_cast<std::uint32_t>(product);
  } else {
    for (int i = 0; i < static_cast<int>(sizeof(Part) / sizeof(a[0])); ++i) {
      const std::uint64_t product = std::uint64_t{a[i]} * b;
      high[i] = static_cast<std::uint32_t>(product >> 32);
      low[i] = static_cast<std::uint32_t>(product);
    }
  }
}

template <class T, int parts = static_cast<int>(64 / sizeof(typename PartOf<T>::type))>
struct Pack {
  using Part = typename PartOf<T>::type;
  static constexpr int kParts = parts;
  static constexpr int kPartLanes = static_cast<int>(sizeof(Part) / sizeof(T));
  static constexpr int kLanes = kParts * kPartLanes;
  Part part[kParts];
};
/// The first half of a pack, where the other lanes would be idle. With AVX-512, whose register is a whole pack, it is
/// the whole.
template <class T>
using HalfPack = Pack<T, (Pack<T>::kParts + 1) / 2>;

template <class T, class Function>
LINNET_INLINE Pack<T> map_parts(const Pack<T>& a, Function function) {
  Pack<T> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<T>::kParts; ++i) r.part[i] = function(a.part[i]);
  return r;
}

/// `value` in all lanes.
template <class P, class T>
LINNET_INLINE P broadcast_as(T value) {
  P r;
  LINNET_UNROLL
  for (int i = 0; i < P::kParts; ++i) {
    if constexpr (P::kPartLanes == 1) {
      r.part[i] = value;
    } else {
      r.part[i] = value - typename P::Part{};  // the compiler's way to spread a number
    }
  }
  return r;
}
template <class T>
LINNET_INLINE Pack<T> broadcast(T value) {
  return broadcast_as<Pack<T>>(value);
}
template <class P>
LINNET_INLINE P zero_as() {
  P r;
  LINNET_UNROLL
  for (int i = 0; i < P::kParts; ++i) r.part[i] = typename P::Part{};
  return r;
}
template <class T>
LINNET_INLINE Pack<T> zero() {
  return zero_as<Pack<T>>();
}
template <class P, class T>
LINNET_INLINE P load_as(const T* from) {
  P r;
  LINNET_UNROLL
  for (int i = 0; i < P::kParts; ++i) std::memcpy(&r.part[i], from + i * P::kPartLanes, sizeof(r.part[i]));
  return r;
}
template <class T>
LINNET_INLINE Pack<T> load(const T* from) {
  return load_as<Pack<T>>(from);
}
template <class T, int n>
LINNET_INLINE void store(T* to, const Pack<T, n>& a) {
  LINNET_UNROLL
  for (int i = 0; i < n; ++i) std::memcpy(to + i * Pack<T>::kPartLanes, &a.part[i], sizeof(a.part[i]));
}

#define LINNET_PACK_BINARY(name, expression)                                \
  template <class T, int n>                                                 \
  LINNET_INLINE Pack<T, n> name(const Pack<T, n>& a, const Pack<T, n>& b) { \
    Pack<T, n> r;                                                           \
    LINNET_UNROLL                                                           \
    for (int i = 0; i < n; ++i) {                                           \
      const typename Pack<T>::Part x = a.part[i];                           \
      const typename Pack<T>::Part y = b.part[i];                           \
      r.part[i] = expression;                                               \
    }                                                                       \
    return r;                                                               \
  }
LINNET_PACK_BINARY(operator+, x + y)
LINNET_PACK_BINARY(operator-, x - y)
LINNET_PACK_BINARY(operator*, part_multiply(x, y))
LINNET_PACK_BINARY(operator/, x / y)
/// a > b ? a : b, so a NaN in `b` is kept and one in `a` is not.
LINNET_PACK_BINARY(max, part_max(x, y))
/// a < b ? a : b, with the same rule.
LINNET_PACK_BINARY(min, part_min(x, y))
#undef LINNET_PACK_BINARY

template <class T>
LINNET_INLINE Pack<T> fma_parts(const Pack<T>& a, const Pack<T>& b, const Pack<T>& c) {
  Pack<T> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<T>::kParts; ++i) {
    r.part[i] = part_fma(a.part[i], b.part[i], c.part[i]);
  }
  return r;
}
/// Without a fused instruction it is slow, and only where exactness matters; so it is at least not inlined.
template <class T>
LINNET_NOINLINE Pack<T> emulated_fma(const Pack<T>& a, const Pack<T>& b, const Pack<T>& c) {
  return fma_parts(a, b, c);
}
/// a * b + c, rounded once.
template <class T>
LINNET_INLINE Pack<T> fma(const Pack<T>& a, const Pack<T>& b, const Pack<T>& c) {
  if constexpr (kFusedMultiplyAdd) {
    return fma_parts(a, b, c);
  } else {
    return emulated_fma(a, b, c);
  }
}
/// a * b + c: fused where the processor can, else a product and a sum. The kernels' work horse: the
/// baseline of x86 is spared the emulation of a fused operation and rounds twice.
template <class T>
LINNET_INLINE Pack<T> multiply_add(const Pack<T>& a, const Pack<T>& b, const Pack<T>& c) {
  if constexpr (kFusedMultiplyAdd) {
    return fma(a, b, c);
  } else {
    return a * b + c;
  }
}
/// sum = multiply_add(a, b, sum), in the register that it has.
template <class T, int n>
LINNET_INLINE void accumulate(Pack<T, n>& sum, const Pack<T, n>& a, const Pack<T, n>& b) {
  LINNET_UNROLL
  for (int i = 0; i < n; ++i) sum.part[i] = part_accumulate(sum.part[i], a.part[i], b.part[i]);
}
template <class T>
LINNET_INLINE Pack<T> sqrt(const Pack<T>& a) {
  return map_parts(a, [](auto x) { return part_sqrt(x); });
}

/// a < b ? yes : no, lane by lane.
template <class T>
LINNET_INLINE Pack<T> select_less(const Pack<T>& a, const Pack<T>& b, const Pack<T>& yes, const Pack<T>& no) {
  Pack<T> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<T>::kParts; ++i) {
    r.part[i] = a.part[i] < b.part[i] ? yes.part[i] : no.part[i];
  }
  return r;
}
/// a == b ? yes : no, lane by lane.
template <class T>
LINNET_INLINE Pack<T> select_equal(const Pack<T>& a, const Pack<T>& b, const Pack<T>& yes, const Pack<T>& no) {
  Pack<T> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<T>::kParts; ++i) {
    r.part[i] = a.part[i] == b.part[i] ? yes.part[i] : no.part[i];
  }
  return r;
}
/// a is a number ? no : yes, lane by lane.
template <class T>
LINNET_INLINE Pack<T> select_unordered(const Pack<T>& a, const Pack<T>& yes, const Pack<T>& no) {
  Pack<T> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<T>::kParts; ++i) {
    r.part[i] = a.part[i] == a.part[i] ? no.part[i] : yes.part[i];
  }
  return r;
}
template <class T>
LINNET_INLINE Pack<T> abs(const Pack<T>& a) {
  return select_less(a, zero<T>(), zero<T>() - a, a);
}

// Part of a pack without masked instructions, lane by lane. Not inlined: it would be in hundreds of places.
template <class T>
LINNET_NOINLINE Pack<T> load_lanes(const T* from, Index n) {
  alignas(64) T lanes[Pack<T>::kLanes] = {};
  for (int i = 0; i < static_cast<int>(n); ++i) lanes[i] = from[i];
  return load(lanes);
}
template <class T, int parts>
LINNET_NOINLINE void store_lanes(T* to, const Pack<T, parts>& a, Index n) {
  alignas(64) T lanes[Pack<T>::kLanes];
  store(lanes, a);
  for (int i = 0; i < static_cast<int>(n); ++i) to[i] = lanes[i];
}
template <class T>
inline constexpr bool kHasMasks = kPartBytes > 16 && (std::is_same_v<T, float> || std::is_same_v<T, double>);

/// The first n lanes (0 <= n <= kLanes) from memory, zeros behind them; nothing past them is read.
template <class P, class T>
LINNET_INLINE P load_as(const T* from, Index n) {
  if (n >= P::kLanes) return load_as<P>(from);
  P r = zero_as<P>();
  if constexpr (kHasMasks<T>) {
    LINNET_UNROLL
    for (int i = 0; i < P::kParts; ++i) {
      const int left = static_cast<int>(n) - i * P::kPartLanes;
      if (left > 0) r.part[i] = part_load_first(from + i * P::kPartLanes, std::min(left, P::kPartLanes));
    }
  } else {
    const Pack<T> all = load_lanes(from, n);
    LINNET_UNROLL
    for (int i = 0; i < P::kParts; ++i) r.part[i] = all.part[i];
  }
  return r;
}
template <class T>
LINNET_INLINE Pack<T> load(const T* from, Index n) {
  return load_as<Pack<T>>(from, n);
}
/// The same without a branch, where there are masks and a pack is one part: for many loads that share an n.
template <class P, class T>
LINNET_INLINE P masked_load_as(const T* from, Index n) {
  if constexpr (kHasMasks<T> && P::kParts == 1) {
    return {{part_load_first(from, static_cast<int>(std::min<Index>(n, P::kLanes)))}};
  } else {
    return load_as<P>(from, n);
  }
}
/// Writes the first n lanes only.
template <class T, int parts>
LINNET_INLINE void store(T* to, const Pack<T, parts>& a, Index n) {
  using P = Pack<T, parts>;
  if (n >= P::kLanes) return store(to, a);
  if constexpr (kHasMasks<T>) {
    LINNET_UNROLL
    for (int i = 0; i < P::kParts; ++i) {
      const int left = static_cast<int>(n) - i * P::kPartLanes;
      if (P::kParts > 1 && left >= P::kPartLanes) {  // some processors are slow to store with a mask
        std::memcpy(to + i * P::kPartLanes, &a.part[i], sizeof(a.part[i]));
      } else if (left > 0) {
        part_store_first(to + i * P::kPartLanes, a.part[i], left);
      }
    }
  } else {
    store_lanes(to, a, n);
  }
}

/// max(0, a). A NaN is kept.
template <class T, int n>
LINNET_INLINE Pack<T, n> rectify(const Pack<T, n>& a) {
  return max(zero_as<Pack<T, n>>(), a);
}

/// `count` packs to memory, `step` scalars apart, the first `columns` lanes of each. Not inlined: kernels end with it.
/// They give it a copy of their sums, since what has an address stays in no register.
template <class T, int parts>
LINNET_NOINLINE void store_packs(const Pack<T, parts>* packs, int count, T* to, Index step, Index columns) {
  for (int i = 0; i < count; ++i, to += step) {
    // Where packs lie side by side, what is stored past `columns` is written over by those that follow.
    const bool whole = step == columns && (count - i) * step >= Pack<T, parts>::kLanes;
    store(to, packs[i], whole ? Index{Pack<T, parts>::kLanes} : columns);
  }
}
/// The same, added to what is there; `relu`: and rectified.
template <class T, int parts>
LINNET_NOINLINE void add_packs(const Pack<T, parts>* packs, int count, T* to, Index step, Index columns,
                               bool relu = false) {
  for (int i = 0; i < count; ++i, to += step) {
    const Pack<T, parts> total = load_as<Pack<T, parts>>(to, columns) + packs[i];
    store(to, relu ? rectify(total) : total, columns);
  }
}

/// step() n times. With AVX2 a step of an inner loop has 12 products, and what a loop does besides takes a tenth of
/// that: there it is two steps at a time.
template <class Step>
LINNET_INLINE void repeat(Index n, const Step& step) {
  Index done = 0;
  if constexpr (kPartBytes == 32) {
    for (; done + 2 <= n; done += 2) {
      step();
      step();
    }
  }
  for (; done < n; ++done) step();
}

/// The sum of all lanes: lane i and lane i + half are added until one is left, in every set.
template <class T>
LINNET_INLINE T sum(const Pack<T>& a) {
  using P = Pack<T>;
  if constexpr (P::kPartLanes == 1) {
    P lanes = a;
    for (int half = P::kLanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lanes.part[i] = lanes.part[i] + lanes.part[i + half];
    }
    return lanes.part[0];
  } else if constexpr (P::kParts == 4) {
    return part_sum((a.part[0] + a.part[2]) + (a.part[1] + a.part[3]));
  } else if constexpr (P::kParts == 2) {
    return part_sum(a.part[0] + a.part[1]);
  } else {
    return part_sum(a.part[0]);
  }
}

/// The sums of the packs, in their order: lane i is sum(packs[i]), and 0 behind them.
template <class T, int count>
LINNET_INLINE Pack<T> sums_of(const Pack<T> (&packs)[count]) {
  static_assert(count <= Pack<T>::kLanes);
  if constexpr (kPartBytes >= 32 && std::is_same_v<T, float>) {
    using P = Pack<T>;
    // Not a loop over the parts: clang++ does not unroll one around calls of this size under the sanitizers.
    const auto part_of_sums = [&](int first) LINNET_INLINE_LAMBDA {
      return part_sums([&](int i) LINNET_INLINE_LAMBDA {
        typename P::Part total{};
        if (first + i < count) {
          total = packs[first + i].part[0];
          if constexpr (P::kParts == 2) total = total + packs[first + i].part[1];
        }
        return total;
      });
    };
    Pack<T> result = zero<T>();
    result.part[0] = part_of_sums(0);
    if constexpr (count > P::kPartLanes) result.part[1] = part_of_sums(P::kPartLanes);
    return result;
  } else {
    alignas(64) T lanes[Pack<T>::kLanes] = {};
    for (int i = 0; i < count; ++i) lanes[i] = sum(packs[i]);
    return load(lanes);
  }
}

/// `function` of every lane by itself: for what has no vector form.
template <class T, class Function>
LINNET_INLINE Pack<T> map_lanes(const Pack<T>& a, Function function) {
  alignas(64) T lanes[Pack<T>::kLanes];
  store(lanes, a);
  for (int i = 0; i < Pack<T>::kLanes; ++i) lanes[i] = function(lanes[i]);
  return load(lanes);
}
