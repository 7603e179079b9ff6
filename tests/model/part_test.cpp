#include "linnet/model/part.hpp"

#include <doctest/doctest.h>

#include <string>

#include "model/networks.hpp"
#include "support.hpp"

using namespace linnet;
using test::error_of;
using test::mentions;

TEST_CASE("an encoder and a decoder, one after the other, are the autoencoder") {
  const Model<double> model = test::autoencoder<double>(3);
  const int latent = find_node(model, "GaussianLatent");
  CHECK(latent == 2);
  const Model<double> encoder = part_of(model, 0, latent), rest = part_of(model, latent, 5);
  CHECK(encoder.output_shape() == Shape{4});
  CHECK(rest.input_shape() == Shape{4});
  CHECK(rest.nodes()[0].name == "gaussian_latent");
  CHECK(rest.parameters()[0].name == "dense_2/kernel");
  const Tensor<double> x = test::random_tensor<double>({3, 20}, 1);
  const Tensor<double> whole = model.predict(x.view()), halves = rest.predict(encoder.predict(x.view()).view());
  CHECK(std::equal(whole.begin(), whole.end(), halves.begin()));
}

TEST_CASE("a part may branch, but reads nothing from outside") {
  const Model<float> model = test::branched();
  const int flat = find_node(model, "Flatten");
  const Model<float> features = part_of(model, 0, flat + 1), head = part_of(model, flat + 1, flat + 2);
  const Tensor<float> x = test::random_tensor<float>(model.input_shape().with_batch(2), 1);
  const Tensor<float> whole = model.predict(x.view()), halves = head.predict(features.predict(x.view()).view());
  CHECK(std::equal(whole.begin(), whole.end(), halves.begin()));
  const int sum = find_node(model, "Add");
  CHECK(mentions(error_of([&] { part_of(model, sum, flat); }), "outside"));
  CHECK(mentions(error_of([&] { part_of(model, 2, 2); }), "[2, 2)"));
  CHECK(mentions(error_of([&] { part_of(model, 0, 99); }), "99"));
  CHECK(mentions(error_of([&] { find_node(model, "LayerNormalization"); }), "no LayerNormalization"));
}
