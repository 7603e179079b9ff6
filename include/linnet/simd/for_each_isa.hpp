// Compiles one kernel file once per instruction set, each time in a namespace of its own:
//
//     #define LINNET_KERNEL_FILE "linnet/kernels/pooling.inl.hpp"
//     #include "linnet/simd/for_each_isa.hpp"
//
// The kernel file has no include guard and no #include, opens no namespace of its own, and finds the vector
// type of its set (pack.inl.hpp) there already. What it defines is reached with LINNET_DISPATCH. Whatever
// the compiler flags of the program, AVX2 and AVX-512 are compiled as such, by a target region; the baseline is what
// those flags allow, like the rest of the program. Nothing in such a file may call OpenMP (an outlined region
// forgets its target).
//
// This header is included again for every kernel file, so it has no guard; dispatch.hpp holds what it needs once.

#include "linnet/simd/dispatch.hpp"

#define LINNET_ISA_NAMESPACE baseline
#if defined(__aarch64__)
#define LINNET_INLINE_IF_FUSED LINNET_INLINE
#else
#define LINNET_INLINE_IF_FUSED LINNET_NOINLINE
#endif
LINNET_NAMESPACE_BEGIN
namespace baseline {
#include LINNET_KERNEL_FILE
}  // namespace baseline
LINNET_NAMESPACE_END
#undef LINNET_ISA_NAMESPACE
#undef LINNET_INLINE_IF_FUSED
#define LINNET_INLINE_IF_FUSED LINNET_INLINE

#if LINNET_X86
#define LINNET_ISA_NAMESPACE avx2
LINNET_TARGET_AVX2
LINNET_NAMESPACE_BEGIN
namespace avx2 {
#include LINNET_KERNEL_FILE
}  // namespace avx2
LINNET_NAMESPACE_END
LINNET_TARGET_END
#undef LINNET_ISA_NAMESPACE

#define LINNET_ISA_NAMESPACE avx512
LINNET_TARGET_AVX512
LINNET_NAMESPACE_BEGIN
namespace avx512 {
#include LINNET_KERNEL_FILE
}  // namespace avx512
LINNET_NAMESPACE_END
LINNET_TARGET_END
#undef LINNET_ISA_NAMESPACE
#endif

#undef LINNET_INLINE_IF_FUSED
#undef LINNET_KERNEL_FILE
