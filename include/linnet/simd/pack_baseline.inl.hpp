// What the pack needs of the baseline: SSE2 on x86, NEON on aarch64, plain scalars elsewhere.

inline constexpr int kPartBytes = 16;
#if defined(__aarch64__)
inline constexpr bool kFusedMultiplyAdd = true;
#else
inline constexpr bool kFusedMultiplyAdd = false;
#endif

#if defined(__aarch64__) && LINNET_VECTORS
// The types of arm_neon.h are others than the parts: overloads of those would be passed over.
typedef float FloatPart __attribute__((vector_size(kPartBytes)));
typedef double DoublePart __attribute__((vector_size(kPartBytes)));
LINNET_INLINE FloatPart part_fma(FloatPart a, FloatPart b, FloatPart c) {
  return (FloatPart)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
LINNET_INLINE DoublePart part_fma(DoublePart a, DoublePart b, DoublePart c) {
  return (DoublePart)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
LINNET_INLINE FloatPart part_sqrt(FloatPart a) { return (FloatPart)vsqrtq_f32((float32x4_t)a); }
LINNET_INLINE DoublePart part_sqrt(DoublePart a) { return (DoublePart)vsqrtq_f64((float64x2_t)a); }
#if !defined(__clang__)
// g++ looks into the intrinsic of the product, but fuses nothing with what an asm may have changed.
template <class Part>
LINNET_INLINE Part unfused_product(Part a, Part b) {
  Part product = a * b;
  asm("" : "+w"(product));
  return product;
}
LINNET_INLINE FloatPart part_multiply(FloatPart a, FloatPart b) { return unfused_product(a, b); }
LINNET_INLINE DoublePart part_multiply(DoublePart a, DoublePart b) { return unfused_product(a, b); }
#endif
#endif

#if LINNET_X86 && defined(__SSE2__)
LINNET_INLINE __m128 part_sqrt(__m128 a) { return _mm_sqrt_ps(a); }
LINNET_INLINE __m128d part_sqrt(__m128d a) { return _mm_sqrt_pd(a); }
#if !defined(__clang__)
LINNET_INLINE __m128 part_multiply(__m128 a, __m128 b) { return __builtin_ia32_mulps(a, b); }
LINNET_INLINE __m128d part_multiply(__m128d a, __m128d b) { return __builtin_ia32_mulpd(a, b); }
#endif
#endif
