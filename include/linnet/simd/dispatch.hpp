// Target regions, and the switch from a call to the kernel of the set in use. See for_each_isa.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "linnet/core/shape.hpp"
#include "linnet/simd/isa.hpp"

#if LINNET_X86
#include <immintrin.h>
#elif LINNET_VECTORS && defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__clang__)
#define LINNET_PRAGMA(text) _Pragma(#text)
#define LINNET_TARGET_AVX2 LINNET_PRAGMA(clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function))
#define LINNET_TARGET_AVX512                                                                                 \
  LINNET_PRAGMA(clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), \
                                     apply_to = function))
#define LINNET_TARGET_END LINNET_PRAGMA(clang attribute pop)
#define LINNET_UNROLL _Pragma("clang loop unroll(full)")
#define LINNET_INLINE inline __attribute__((always_inline))
#define LINNET_NOINLINE __attribute__((noinline))
#define LINNET_INLINE_LAMBDA __attribute__((always_inline))
#elif defined(__GNUC__)
#define LINNET_TARGET_AVX2 _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define LINNET_TARGET_AVX512  \
  _Pragma("GCC push_options") \
      _Pragma("GCC target(\"avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512\")")
#define LINNET_TARGET_END _Pragma("GCC pop_options")
#define LINNET_UNROLL _Pragma("GCC unroll 64")
#define LINNET_INLINE inline __attribute__((always_inline))
#define LINNET_NOINLINE __attribute__((noinline))
#define LINNET_INLINE_LAMBDA __attribute__((always_inline))
#else  // no target regions: the baseline alone
#define LINNET_TARGET_AVX2
#define LINNET_TARGET_AVX512
#define LINNET_TARGET_END
#define LINNET_UNROLL
#define LINNET_INLINE inline
#define LINNET_NOINLINE
#define LINNET_INLINE_LAMBDA
#endif

#if defined(__GNUC__)
#define LINNET_PREFETCH(address) __builtin_prefetch(address)
/// The compiler forgets what it knows of a pointer: what is read through it is read again, not kept in a register.
#define LINNET_FORGET(pointer) asm("" : "+r"(pointer))
#else
#define LINNET_PREFETCH(address) static_cast<void>(address)
#define LINNET_FORGET(pointer) static_cast<void>(pointer)
#endif

/// Calls `function` of the namespace of the set in use: LINNET_DISPATCH(gemm<T>, (m, n, k, ...)).
#if LINNET_X86
#define LINNET_DISPATCH(function, arguments)                                       \
  (::linnet::isa() == ::linnet::Isa::avx512 ? ::linnet::avx512::function arguments \
   : ::linnet::isa() == ::linnet::Isa::avx2 ? ::linnet::avx2::function arguments   \
                                            : ::linnet::baseline::function arguments)
#else
#define LINNET_DISPATCH(function, arguments) (::linnet::baseline::function arguments)
#endif

LINNET_NAMESPACE_BEGIN

/// The sizes that a kernel is compiled for, the largest first; the last is 1.
template <int... kSizes>
struct Sizes {
  static constexpr std::array<Index, sizeof...(kSizes)> values = {kSizes...};
};
/// Cuts `all` into parts of such sizes: visit(first of the part, index of its size). The last are two equal ones rather
/// than a large one and a small one, which wastes more.
template <class Visit>
void for_each_part(std::span<const Index> sizes, Index all, const Visit& visit) {
  Index left = all;
  for (std::size_t size = 0; size < sizes.size(); ++size) {
    const Index part = sizes[size];
    const Index halves = size + 1 < sizes.size() ? 2 * sizes[size + 1] : 0;
    for (; left == part || (left > part && left != halves); left -= part) visit(all - left, size);
  }
}

LINNET_NAMESPACE_END

// The vector type, once per set. It stands here so that every kernel file finds it.
#define LINNET_ISA_NAMESPACE baseline
LINNET_NAMESPACE_BEGIN
namespace baseline {
#include "linnet/simd/pack_baseline.inl.hpp"
// The set's own part comes first.
#include "linnet/simd/pack.inl.hpp"
}  // namespace baseline
LINNET_NAMESPACE_END
#undef LINNET_ISA_NAMESPACE

#if LINNET_X86
#define LINNET_ISA_NAMESPACE avx2
LINNET_TARGET_AVX2
LINNET_NAMESPACE_BEGIN
namespace avx2 {
#include "linnet/simd/pack_avx2.inl.hpp"
// The set's own part comes first.
#include "linnet/simd/pack.inl.hpp"
}  // namespace avx2
LINNET_NAMESPACE_END
LINNET_TARGET_END
#undef LINNET_ISA_NAMESPACE

#define LINNET_ISA_NAMESPACE avx512
LINNET_TARGET_AVX512
LINNET_NAMESPACE_BEGIN
namespace avx512 {
#include "linnet/simd/pack_avx512.inl.hpp"
// The set's own part comes first.
#include "linnet/simd/pack.inl.hpp"
}  // namespace avx512
LINNET_NAMESPACE_END
LINNET_TARGET_END
#undef LINNET_ISA_NAMESPACE
#endif
