// What the pack needs of AVX2 with FMA.

inline constexpr int kPartBytes = 32;
inline constexpr bool kFusedMultiplyAdd = true;

#if !defined(__clang__)
LINNET_INLINE __m256 part_multiply(__m256 a, __m256 b) { return __builtin_ia32_mulps256(a, b); }
LINNET_INLINE __m256d part_multiply(__m256d a, __m256d b) { return __builtin_ia32_mulpd256(a, b); }
#endif
LINNET_INLINE __m256 part_fma(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
LINNET_INLINE __m256d part_fma(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
LINNET_INLINE __m256 part_max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
LINNET_INLINE __m256d part_max(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
LINNET_INLINE __m256 part_min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
LINNET_INLINE __m256d part_min(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
LINNET_INLINE __m256 part_sqrt(__m256 a) { return _mm256_sqrt_ps(a); }
LINNET_INLINE __m256d part_sqrt(__m256d a) { return _mm256_sqrt_pd(a); }

/// See accumulate(). A compiler left to itself renames the sums of a long loop, for which there are too few registers.
LINNET_INLINE __m256 part_accumulate(__m256 sum, __m256 a, __m256 b) {
  asm("vfmadd231ps {%2, %1, %0|%0, %1, %2}" : "+x"(sum) : "x"(a), "x"(b));
  return sum;
}
LINNET_INLINE __m256d part_accumulate(__m256d sum, __m256d a, __m256d b) {
  asm("vfmadd231pd {%2, %1, %0|%0, %1, %2}" : "+x"(sum) : "x"(a), "x"(b));
  return sum;
}

/// All bits set in the first n of 8 lanes.
LINNET_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LINNET_INLINE __m256 part_load_first(const float* from, int n) { return _mm256_maskload_ps(from, first_lanes(n)); }
LINNET_INLINE __m256d part_load_first(const double* from, int n) {
  return _mm256_maskload_pd(from, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(first_lanes(n))));
}
LINNET_INLINE void part_store_first(float* to, __m256 a, int n) { _mm256_maskstore_ps(to, first_lanes(n), a); }
LINNET_INLINE void part_store_first(double* to, __m256d a, int n) {
  _mm256_maskstore_pd(to, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(first_lanes(n))), a);
}

LINNET_INLINE float part_sum(__m256 a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
LINNET_INLINE double part_sum(__m256d a) {
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

/// Lane i is the sum of part(i), 0 <= i < 8, added in the order of part_sum(): the halves of two registers at once,
/// then the quarters of four, and the rest of eight.
template <class Parts>
LINNET_INLINE __m256 part_sums(const Parts& part) {
  // Lane i comes out of these.
  const auto halves = [&](int i) {
    const __m256 a = part(i), b = part(i + 4);
    return _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
  };
  const auto quarters = [&](int i) {
    const __m256 a = halves(i), b = halves(i + 1);
    return _mm256_shuffle_ps(a, b, 0x44) + _mm256_shuffle_ps(a, b, 0xEE);
  };
  const __m256 a = quarters(0), b = quarters(2);
  return _mm256_shuffle_ps(a, b, 0x88) + _mm256_shuffle_ps(a, b, 0xDD);
}

typedef std::uint32_t WordPart __attribute__((vector_size(kPartBytes)));
typedef std::uint64_t WidePart __attribute__((vector_size(kPartBytes)));
LINNET_INLINE void part_multiply_wide(WordPart a, std::uint32_t b, WordPart& high, WordPart& low) {
  const __m256i factor = _mm256_set1_epi64x(static_cast<long long>(b));
  const WidePart even = (WidePart)_mm256_mul_epu32((__m256i)a, factor);
  const WidePart odd = (WidePart)_mm256_mul_epu32((__m256i)((WidePart)a >> 32), factor);
  high = (WordPart)((even >> 32) | (odd & 0xFFFFFFFF00000000u));
  low = (WordPart)((even & 0xFFFFFFFFu) | (odd << 32));
}
