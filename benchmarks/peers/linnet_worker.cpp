// linnet's side of the comparison. Threads: OMP_NUM_THREADS.
#include <memory>
#include <string>

#include "convolution.hpp"
#include "kernels/conv2d_cases.hpp"
#include "networks.hpp"
#include "worker.hpp"

using namespace linnet;

namespace {

template <class Work, class... Arguments>
peers::Call call(const Arguments&... arguments) {
  const auto work = std::make_shared<Work>(arguments...);
  return [work] { work->run(); };
}

peers::Call convolve(Index size, Index kernel, Index channels, Index filters, Index batch, const std::string& name) {
  const ConvDirection direction = name == "forward"   ? ConvDirection::forward
                                  : name == "by_data" ? ConvDirection::backward_data
                                                      : ConvDirection::backward_weights;
  const Conv2DGeometry g = test::same_conv(size, kernel, channels, filters, batch);
  return call<bench::Convolution>(direction, choose_conv2d(direction, g), g);
}

}  // namespace

int main() {
  peers::serve([](std::istringstream& words) -> peers::Call {
    std::string what, name;
    words >> what;
    if (what == "conv") {
      Index size = 0, kernel = 0, channels = 0, filters = 0, batch = 0;
      words >> size >> kernel >> channels >> filters >> batch >> name;
      return convolve(size, kernel, channels, filters, batch, name);
    }
    Index batch = 0;
    words >> name >> batch;
    for (const bench::NamedNetwork& network : bench::kNetworks) {
      if (network.name != name) continue;
      return what == "train" ? call<bench::Training>(network, batch) : call<bench::Prediction>(network, batch);
    }
    return {};
  });
}
