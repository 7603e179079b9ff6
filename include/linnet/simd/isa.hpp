// Which instruction set the kernels use: found once, when the first kernel runs.
#pragma once

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include "linnet/core/error.hpp"

// Compilers that do not speak g++'s dialect have neither its vector types nor its target regions: there the baseline,
// in plain scalars, is all. LINNET_SCALAR asks for the same elsewhere: the bits are those of the baseline of x86 as
// long as the compiler fuses no product with a sum.
#if defined(__GNUC__) && !defined(LINNET_SCALAR)
#define LINNET_VECTORS 1
#else
#define LINNET_VECTORS 0
#endif
#if (defined(__x86_64__) || defined(__i386__)) && LINNET_VECTORS
#define LINNET_X86 1
#else
#define LINNET_X86 0
#endif

LINNET_NAMESPACE_BEGIN

/// The instruction sets that every kernel is compiled for. `baseline` is what the compiler may assume
/// of every processor of the target (SSE2 on x86-64, NEON on aarch64).
enum class Isa { baseline, avx2, avx512 };

inline const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    default:
      return "baseline";
  }
}

/// Whether this processor (and its operating system) can run kernels of that set.
inline bool supported(Isa isa) {
  if (isa == Isa::baseline) return true;
#if LINNET_X86
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

/// Throws ValueError, which begins with `who`, for a set that kernels are not compiled for here, or that this processor
/// lacks.
inline void require_supported(Isa isa, const std::string& who) {
  if (supported(isa)) return;
  throw ValueError(who + (LINNET_X86 ? ": this processor has no " : ": this program has no kernels for ") +
                   to_string(isa));
}

/// The set that `name` names. Throws ValueError, which begins with `who`, for an unknown name.
inline Isa parse_isa(std::string_view name, const std::string& who = "parse_isa") {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (name == to_string(isa)) return isa;
  }
  throw ValueError(who + ": expected baseline, avx2 or avx512, got \"" + std::string(name) + "\"");
}

namespace detail {
inline Isa initial_isa() {
  if (const char* name = std::getenv("LINNET_ISA"); name != nullptr && *name != '\0') {
    const Isa isa = parse_isa(name, "LINNET_ISA");
    require_supported(isa, "LINNET_ISA");
    return isa;
  }
  if (supported(Isa::avx512)) return Isa::avx512;
  return supported(Isa::avx2) ? Isa::avx2 : Isa::baseline;
}
inline std::atomic<Isa>& current_isa() {
  static std::atomic<Isa> isa{initial_isa()};
  return isa;
}
}  // namespace detail

/// The set in use: the best that the processor has, or the one that the environment variable
/// LINNET_ISA names. Throws ValueError when that names none that can be used.
inline Isa isa() { return detail::current_isa().load(std::memory_order_relaxed); }

/// Switches every later kernel to `isa`: for tests and benchmarks. Throws ValueError if it is not
/// supported.
inline void set_isa(Isa isa) {
  require_supported(isa, "set_isa");
  detail::current_isa() = isa;
}

LINNET_NAMESPACE_END
