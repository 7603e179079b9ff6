// A function that a header defines without `inline` is here and in second_unit.cpp: it would not link.
#include "all_headers.hpp"

int version_in_second_unit();

int main() {
  const int version = LINNET_VERSION_MAJOR * 100 + LINNET_VERSION_MINOR;
  return version == version_in_second_unit() ? 0 : 1;
}
