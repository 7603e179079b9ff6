// What the pack needs of AVX-512 (F, DQ, BW, VL).

inline constexpr int kPartBytes = 64;
inline constexpr bool kFusedMultiplyAdd = true;

// g++ 12 warns of uninitialized values inside its own unmasked intrinsics (GCC bug 105593); with a full mask the
// same instruction comes out.
inline constexpr __mmask16 kAll16 = 0xFFFF;
inline constexpr __mmask8 kAll8 = 0xFF;

#if !defined(__clang__)
LINNET_INLINE __m512 part_multiply(__m512 a, __m512 b) { return __builtin_ia32_mulps512_mask(a, b, a, kAll16, 4); }
LINNET_INLINE __m512d part_multiply(__m512d a, __m512d b) { return __builtin_ia32_mulpd512_mask(a, b, a, kAll8, 4); }
#endif
LINNET_INLINE __m512 part_fma(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
LINNET_INLINE __m512d part_fma(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
LINNET_INLINE __m512 part_max(__m512 a, __m512 b) { return _mm512_maskz_max_ps(kAll16, a, b); }
LINNET_INLINE __m512d part_max(__m512d a, __m512d b) { return _mm512_maskz_max_pd(kAll8, a, b); }
LINNET_INLINE __m512 part_min(__m512 a, __m512 b) { return _mm512_maskz_min_ps(kAll16, a, b); }
LINNET_INLINE __m512d part_min(__m512d a, __m512d b) { return _mm512_maskz_min_pd(kAll8, a, b); }
LINNET_INLINE __m512 part_sqrt(__m512 a) { return _mm512_maskz_sqrt_ps(kAll16, a); }
LINNET_INLINE __m512d part_sqrt(__m512d a) { return _mm512_maskz_sqrt_pd(kAll8, a); }

LINNET_INLINE __m512 part_load_first(const float* from, int n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from);
}
LINNET_INLINE __m512d part_load_first(const double* from, int n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), from);
}
LINNET_INLINE void part_store_first(float* to, __m512 a, int n) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), a);
}
LINNET_INLINE void part_store_first(double* to, __m512d a, int n) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1u), a);
}

LINNET_INLINE float part_sum(__m512 a) {
  const __m256 eight =
      _mm256_add_ps(_mm512_maskz_extractf32x8_ps(kAll8, a, 0), _mm512_maskz_extractf32x8_ps(kAll8, a, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
LINNET_INLINE double part_sum(__m512d a) {
  const __m256d four =
      _mm256_add_pd(_mm512_maskz_extractf64x4_pd(kAll8, a, 0), _mm512_maskz_extractf64x4_pd(kAll8, a, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

/// Lane i is the sum of part(i), 0 <= i < 16, added in the order of part_sum(): the halves of sixteen registers, the
/// quarters of eight, and so on, so that an addition is never spent on a part of a register.
template <class Parts>
LINNET_INLINE __m512 part_sums(const Parts& part) {
  __m512 two[8], four[4], eight[2];
  // Lane 4 i + j comes out of the (4 j + i)th register that goes in.
  const auto in = [&](int k) { return part(k % 4 * 4 + k / 4); };
  LINNET_UNROLL
  for (int k = 0; k < 8; ++k) {
    const __m512 a = in(2 * k), b = in(2 * k + 1);
    two[k] = _mm512_maskz_shuffle_f32x4(kAll16, a, b, 0x44) + _mm512_maskz_shuffle_f32x4(kAll16, a, b, 0xEE);
  }
  LINNET_UNROLL
  for (int k = 0; k < 4; ++k) {
    const __m512 a = two[2 * k], b = two[2 * k + 1];
    four[k] = _mm512_maskz_shuffle_f32x4(kAll16, a, b, 0x88) + _mm512_maskz_shuffle_f32x4(kAll16, a, b, 0xDD);
  }
  LINNET_UNROLL
  for (int k = 0; k < 2; ++k) {
    const __m512 a = four[2 * k], b = four[2 * k + 1];
    eight[k] = _mm512_maskz_shuffle_ps(kAll16, a, b, 0x44) + _mm512_maskz_shuffle_ps(kAll16, a, b, 0xEE);
  }
  return _mm512_maskz_shuffle_ps(kAll16, eight[0], eight[1], 0x88) +
         _mm512_maskz_shuffle_ps(kAll16, eight[0], eight[1], 0xDD);
}

typedef std::uint32_t WordPart __attribute__((vector_size(kPartBytes)));
typedef std::uint64_t WidePart __attribute__((vector_size(kPartBytes)));
LINNET_INLINE void part_multiply_wide(WordPart a, std::uint32_t b, WordPart& high, WordPart& low) {
  const __m512i factor = _mm512_set1_epi64(static_cast<long long>(b));
  const WidePart even = (WidePart)_mm512_maskz_mul_epu32(kAll8, (__m512i)a, factor);
  const WidePart odd = (WidePart)_mm512_maskz_mul_epu32(kAll8, (__m512i)((WidePart)a >> 32), factor);
  high = (WordPart)((even >> 32) | (odd & 0xFFFFFFFF00000000u));
  low = (WordPart)((even & 0xFFFFFFFFu) | (odd << 32));
}
