// The first 20 training steps of the denoiser against PyTorch, from the same weights and images.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "golden/goldens.hpp"
#include "linnet/losses/binary_crossentropy.hpp"
#include "linnet/optimizers/adam.hpp"
#include "linnet/training/trainer.hpp"
#include "model/networks.hpp"

using namespace linnet;
using nlohmann::json;

namespace {

/// Batch `step` of the images, going round, as numbers in [0, 1].
Tensor<double> batch_of(const Tensor<double>& images, Index step, Index batch) {
  Tensor<double> result(Shape{batch, 28, 28, 1});
  const Index size = result.size() / batch;
  for (Index i = 0; i < result.size(); ++i) {
    const Index image = (step * batch + i / size) % images.batch();
    result[i] = images[image * size + i % size] / 255;
  }
  return result;
}

}  // namespace

TEST_CASE("20 training steps of the denoiser equal PyTorch's") {
  const test::GoldenArrays arrays("training");
  const json golden = test::golden_manifest()["training"];
  const std::vector<std::string> parameters = golden["parameters"];
  const std::vector<double> losses = golden["losses"];
  REQUIRE(losses.size() == 20);
  test::for_each_isa([&](Isa isa) {
    CAPTURE(std::string(to_string(isa)));
    Model<double> model = test::denoiser<double>();
    REQUIRE(model.parameters().size() == parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Tensor<double>& w = arrays["w." + parameters[i]];
      const TensorView<double> to = model.parameter(model.parameters()[i].name);
      REQUIRE(to.shape() == w.shape());
      std::copy(w.begin(), w.end(), to.begin());
    }
    Trainer<double> trainer(model, BinaryCrossentropy{},
                            Adam{.learning_rate = golden["learning_rate"].get<double>(), .epsilon = golden["epsilon"]});
    const Index batch = golden["batch"];
    for (std::size_t step = 0; step < losses.size(); ++step) {
      CAPTURE(step);
      const Tensor<double> x = batch_of(arrays["noisy"], static_cast<Index>(step), batch);
      const Tensor<double> target = batch_of(arrays["clean"], static_cast<Index>(step), batch);
      const double loss = trainer.train_on_batch(x, target).total();
      CHECK(std::abs(loss - losses[step]) <= 1e-9);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CAPTURE(parameters[i]);
      const TensorView<const double> w = std::as_const(model).parameter(model.parameters()[i].name);
      CHECK(test::difference<double>(w, arrays["final." + parameters[i]]) <= 1e-9);
    }
  });
}
