// The library's version and the inline namespace that keeps two versions apart at link time.
#pragma once

#define LINNET_VERSION_MAJOR 0
#define LINNET_VERSION_MINOR 1
#define LINNET_VERSION_PATCH 0

/// Opens `linnet` and an inline namespace of the version: a program made of objects that were
/// compiled against different versions fails to link instead of mixing them up.
#define LINNET_NAMESPACE_BEGIN \
  namespace linnet {           \
  inline namespace v0_1 {
#define LINNET_NAMESPACE_END \
  }                          \
  }
