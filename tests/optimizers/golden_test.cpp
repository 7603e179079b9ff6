// The optimizers against PyTorch: a thousand steps on weight tensors of several sizes.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "golden/goldens.hpp"
#include "linnet/optimizers/adam.hpp"
#include "linnet/optimizers/rmsprop.hpp"
#include "linnet/optimizers/sgd.hpp"
#include "linnet/training/any_optimizer.hpp"

using namespace linnet;
using nlohmann::json;

namespace {

AnyOptimizer<double> make_optimizer(const json& golden) {
  const std::string name = golden["optimizer"];
  const json config = golden["config"];
  const double rate = golden["learning_rate"];
  if (name == "SGD") {
    return SGD{.learning_rate = rate,
               .momentum = config.value("momentum", 0.0),
               .nesterov = config.value("nesterov", false),
               .weight_decay = config.value("weight_decay", 0.0)};
  }
  if (name == "RMSprop") {
    return RMSprop{.learning_rate = rate,
                   .rho = config["rho"],
                   .momentum = config.value("momentum", 0.0),
                   .epsilon = config["epsilon"]};
  }
  if (name == "Adam") {
    return Adam{
        .learning_rate = rate, .beta_1 = config["beta_1"], .beta_2 = config["beta_2"], .epsilon = config["epsilon"]};
  }
  if (name == "AdamW") {
    return AdamW{.learning_rate = rate, .weight_decay = config["weight_decay"], .epsilon = config["epsilon"]};
  }
  throw std::runtime_error("no optimizer is called " + name);
}

/// A weight tensor of the problem: its gradient at step t is h * w + g[t % 16].
struct Weights {
  Tensor<double> w, h, g, gradient, slot_0, slot_1;
};

}  // namespace

TEST_CASE("optimizers equal PyTorch's over a thousand steps") {
  const test::GoldenArrays arrays("optimizers");
  const json manifest = test::golden_manifest();
  CHECK(manifest["optimizers"].size() == 9);
  test::for_each_isa([&](Isa isa) {
    for (const json& golden : manifest["optimizers"]) {
      const std::string name = golden["name"];
      CAPTURE(to_string(isa));
      CAPTURE(name);
      const AnyOptimizer<double> optimizer = make_optimizer(golden);
      std::vector<Weights> tensors;
      for (int i = 0; i < golden["tensors"]; ++i) {
        const std::string of = "." + std::to_string(i);
        const Tensor<double>& w = arrays[name + "/w" + of];
        tensors.push_back({w, arrays[name + "/h" + of], arrays[name + "/g" + of], Tensor<double>(w.shape()),
                           Tensor<double>(w.shape()), Tensor<double>(w.shape())});
      }
      REQUIRE(tensors.size() == 3);
      const std::vector<Index> checked = golden["steps"];
      REQUIRE(checked.back() == 1000);
      for (Index step = 1; step <= checked.back(); ++step) {
        const bool check = std::find(checked.begin(), checked.end(), step) != checked.end();
        for (std::size_t i = 0; i < tensors.size(); ++i) {
          Weights& t = tensors[i];
          const Index n = t.w.size();
          const double* g = t.g.data() + (step - 1) % t.g.batch() * n;
          for (Index k = 0; k < n; ++k) t.gradient[k] = t.h[k] * t.w[k] + g[k];
          const std::array<std::span<double>, 2> slots{t.slot_0.view().span(), t.slot_1.view().span()};
          optimizer.update(step, optimizer.learning_rate.at(step - 1), t.w.view().span(),
                           std::as_const(t.gradient).view().span(),
                           std::span(slots).first(static_cast<std::size_t>(optimizer.slots())));
          if (!check) continue;
          CAPTURE(step);
          const std::string key = name + "/w." + std::to_string(i) + "." + std::to_string(step);
          CHECK(test::difference<double>(t.w, arrays[key]) <= 1e-10);
        }
      }
    }
  });
}
