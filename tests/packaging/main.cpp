// A program outside the project, which has nothing but the targets.
#include <png.h>
#include <zlib.h>
#include <linnet/linnet.hpp>
#include <nlohmann/json.hpp>

#include <Eigen/Core>
#include <iostream>

#if defined(EXPECT_OPENMP) && !defined(_OPENMP)
#error "OpenMP was found, and linnet::linnet does not bring it"
#endif

int main() {
  const nlohmann::json version = {LINNET_VERSION_MAJOR, LINNET_VERSION_MINOR, LINNET_VERSION_PATCH};
  std::cout << "linnet " << version << ", zlib " << zlibVersion() << ", libpng " << png_get_libpng_ver(nullptr)
            << ", Eigen " << EIGEN_WORLD_VERSION << '\n';
  return linnet::num_threads() >= 1 ? 0 : 1;
}
