// Diversity, fidelity and copies, against NumPy, SciPy and published values.
#include "linnet/evaluation/diversity.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "golden/goldens.hpp"
#include "support.hpp"

using namespace linnet;
using doctest::Approx;
using test::error_of;
using test::mentions;

TEST_CASE("diversity and closeness are NumPy's and SciPy's") {
  const test::GoldenArrays golden("evaluation");
  const Tensor<double>&real = golden["real"], &generated = golden["generated"];
  const TensorView<const double> a = real.view(), b = generated.view();
  CHECK(mean_pairwise_distance(a) == Approx(golden["pairwise"][0]).epsilon(1e-12));
  CHECK(vendi_score_cosine(a) == Approx(golden["vendi"][0]).epsilon(1e-10));
  CHECK(vendi_score_cosine(a.samples(0, 7)) == Approx(golden["vendi_few"][0]).epsilon(1e-10));
  const DensityCoverage near = density_coverage(a, b);
  CHECK(near.density == Approx(golden["density"][0]).epsilon(1e-12));
  CHECK(near.coverage == Approx(golden["coverage"][0]).epsilon(1e-12));
  const NearestSamples nearest = nearest_samples(b, a);
  for (Index i = 0; i < b.batch(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    CHECK(static_cast<double>(nearest.index[k]) == golden["nearest"][2 * i]);
    CHECK(nearest.distance[k] == Approx(golden["nearest"][2 * i + 1]).epsilon(1e-12));
  }
  CHECK(nearest.distance[40] == 0);  // a copy
  CHECK(frechet_distance(a, b) == Approx(golden["frechet"][0]).epsilon(1e-9));
  CHECK(frechet_distance(a, a) == Approx(0).epsilon(1e-9));
  CHECK(mean_pairwise_ssim(golden["images"]) == Approx(golden["pairwise_ssim"][0]).epsilon(1e-9));
}

TEST_CASE("the Vendi score counts what differs") {
  const std::array<double, 6> points = {0, 0, 10, 10, 20, 20};
  Tensor<double> kernel({6, 6});
  for (Index i = 0; i < 6; ++i) {
    for (Index j = 0; j < 6; ++j) {
      kernel[i * 6 + j] =
          std::exp(-std::abs(points[static_cast<std::size_t>(i)] - points[static_cast<std::size_t>(j)]));
    }
  }
  CHECK(vendi_score(kernel) == Approx(2.9999).epsilon(5e-5));
  Tensor<double> all({4, 4});
  for (Index i = 0; i < 4; ++i) all[5 * i] = 1;
  CHECK(vendi_score(all) == Approx(4).epsilon(1e-12));
  CHECK(vendi_score(Tensor<double>({4, 4}, 1.0)) == Approx(1).epsilon(1e-12));
}

TEST_CASE("what cannot be compared is refused") {
  const auto shape_error = [](const auto& call) { return error_of<ShapeError>(call); };
  const Tensor<float> one({1, 4}, 1.0f), six({6, 4}, 1.0f), other({6, 3}, 1.0f);
  CHECK(mentions(shape_error([&] { mean_pairwise_distance(one); }), "at least 2 samples {n, ...}, got (1, 4)"));
  CHECK(mentions(shape_error([&] { mean_pairwise_ssim(six); }), "at least 2 images"));
  CHECK(mentions(shape_error([&] { density_coverage(one, six); }), "at least 6 samples"));
  CHECK(mentions(shape_error([&] { density_coverage(six, other); }), "got 4 and 3"));
  CHECK(mentions(shape_error([&] { nearest_samples(six, other); }), "got 4 and 3"));
  CHECK(mentions(shape_error([&] { frechet_distance(one, six); }), "at least 2 samples"));
  CHECK(mentions(shape_error([&] { vendi_score(Tensor<double>({2, 3})); }), "got (2, 3)"));
  CHECK(mentions(error_of<ValueError>([&] { vendi_score(Tensor<double>({2, 2})); }), "1 on its diagonal"));
  Tensor<double> indefinite({2, 2}, 1.0);
  indefinite[1] = indefinite[2] = 2;
  CHECK(mentions(error_of<ValueError>([&] { vendi_score(indefinite); }), "an eigenvalue of -1.0"));
  CHECK(mentions(error_of<ValueError>([&] { vendi_score_cosine(Tensor<float>({2, 2})); }), "sample 0"));
  CHECK(mentions(error_of<ValueError>([&] { density_coverage(six, six, 0); }), "k >= 1"));
}
