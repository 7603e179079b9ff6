#include "all_headers.hpp"

int version_in_second_unit();

int version_in_second_unit() { return LINNET_VERSION_MAJOR * 100 + LINNET_VERSION_MINOR; }
