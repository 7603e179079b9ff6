// The library's version and the inline namespace that keeps two versions apart at link time.
#pragma once

#if !(__cplusplus >= 202002L || (defined(_MSVC_LANG) && _MSVC_LANG >= 202002L))
#error "linnet needs C++20: -std=c++20"
#endif

#define LINNET_VERSION_MAJOR 0
#define LINNET_VERSION_MINOR 1
#define LINNET_VERSION_PATCH 0

#define LINNET_TEXT(x) #x
#define LINNET_VERSION_TEXT(major, minor, patch) LINNET_TEXT(major) "." LINNET_TEXT(minor) "." LINNET_TEXT(patch)
/// "major.minor.patch".
#define LINNET_VERSION_STRING LINNET_VERSION_TEXT(LINNET_VERSION_MAJOR, LINNET_VERSION_MINOR, LINNET_VERSION_PATCH)

#if defined(LINNET_SCALAR)  // another vector type (simd/isa.hpp)
#define LINNET_JOIN_VERSION(major, minor) v##major##_##minor##_scalar
#else
#define LINNET_JOIN_VERSION(major, minor) v##major##_##minor
#endif
#define LINNET_VERSION_NAMESPACE(major, minor) LINNET_JOIN_VERSION(major, minor)

/// Opens `linnet` and an inline namespace of the version: a program made of objects that were compiled against
/// different versions, or only some of them with LINNET_SCALAR, fails to link instead of mixing them up.
#define LINNET_NAMESPACE_BEGIN \
  namespace linnet {           \
  inline namespace LINNET_VERSION_NAMESPACE(LINNET_VERSION_MAJOR, LINNET_VERSION_MINOR) {
#define LINNET_NAMESPACE_END \
  }                          \
  }
