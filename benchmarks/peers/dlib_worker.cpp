// dlib's side of the comparison: a training step of the classifier, on the CPU. dlib has neither nearest upsampling nor
// a layer that samples, so the other networks cannot be said with it. It uses one thread, and the BLAS it is linked to.
#include <dlib/dnn.h>

#include <stdexcept>
#include <string>

#include "worker.hpp"

namespace {

using namespace dlib;
/// A 3x3 convolution without padding (con<> pads by default).
template <long filters, class Below>
using valid_con = add_layer<con_<filters, 3, 3, 1, 1, 0, 0>, Below>;
template <class Below>
using convolutions = relu<valid_con<64, relu<valid_con<32, Below>>>>;
using Classifier =
    loss_multiclass_log<fc<10, relu<fc<128, max_pool<2, 2, 2, 2, convolutions<input<matrix<float>>>>>>>>;

peers::Call train(std::size_t batch) {
  struct State {
    Classifier network;
    std::vector<adam> solvers = std::vector<adam>(Classifier::num_computational_layers);
    std::vector<matrix<float>> images;
    std::vector<unsigned long> labels;
    resizable_tensor x;
  };
  const auto state = std::make_shared<State>();
  for (std::size_t i = 0; i < batch; ++i) {
    state->images.push_back(matrix_cast<float>(randm(28, 28)));
    state->labels.push_back(i % 10);
  }
  state->network.to_tensor(state->images.begin(), state->images.end(), state->x);
  state->network.forward(state->x);
  if (count_parameters(state->network) != 1199882)
    throw std::runtime_error("dlib: another network than the others', of " +
                             std::to_string(count_parameters(state->network)) + " parameters");
  return [state] {
    state->network.compute_parameter_gradients(state->x, state->labels.begin());
    state->network.update_parameters(make_sstack(state->solvers), 1e-3);
  };
}

}  // namespace

int main() {
  peers::serve([](std::istringstream& words) -> peers::Call {
    std::string what, name;
    std::size_t batch = 0;
    words >> what >> name >> batch;
    if (what != "train" || name != "classifier") return {};
    return train(batch);
  });
}
