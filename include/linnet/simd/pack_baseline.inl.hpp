// What the pack needs of the baseline: SSE2 on x86, NEON on aarch64, plain scalars elsewhere.

inline constexpr int kPartBytes = 16;
#if defined(__aarch64__)
inline constexpr bool kFusedMultiplyAdd = true;
#else
inline constexpr bool kFusedMultiplyAdd = false;
#endif

#if defined(__aarch64__) && LINNET_VECTORS
LINNET_INLINE float32x4_t part_fma(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
LINNET_INLINE float64x2_t part_fma(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmaq_f64(c, a, b); }
#endif

#if LINNET_X86 && !defined(__clang__) && defined(__SSE2__)
LINNET_INLINE __m128 part_multiply(__m128 a, __m128 b) { return __builtin_ia32_mulps(a, b); }
LINNET_INLINE __m128d part_multiply(__m128d a, __m128d b) { return __builtin_ia32_mulpd(a, b); }
#endif
