#include <cmath>

#include <doctest/doctest.h>
#include "golden/goldens.hpp"
#include "linnet/evaluation/classification.hpp"
#include "linnet/evaluation/confidence.hpp"
#include "linnet/evaluation/filters.hpp"
#include "linnet/evaluation/image_quality.hpp"
#include "support.hpp"

using namespace linnet;
using doctest::Approx;

TEST_CASE("image quality is scikit-image's") {
  const test::GoldenArrays golden("evaluation");
  for (const std::string name : {"grey/", "color/"}) {
    const Tensor<double>&a = golden[name + "a"], &b = golden[name + "b"];
    const std::vector<double> ssim = structural_similarity(a.view(), b.view());
    REQUIRE(static_cast<Index>(ssim.size()) == a.batch());
    const std::vector<double> same = structural_similarity(a.view(), a.view());
    for (Index i = 0; i < a.batch(); ++i) {
      const double mse = mean_squared_error(a.samples(i, 1), b.samples(i, 1));
      CHECK(mse == Approx(golden[name + "mse"][i]).epsilon(1e-12));
      CHECK(psnr(mse) == Approx(golden[name + "psnr"][i]).epsilon(1e-12));
      CHECK(ssim[static_cast<std::size_t>(i)] == Approx(golden[name + "ssim"][i]).epsilon(1e-9));
      CHECK(same[static_cast<std::size_t>(i)] == Approx(1).epsilon(1e-12));
      const Tensor<double> one_a(a.samples(i, 1)), one_b(b.samples(i, 1));
      CHECK(binary_crossentropy(one_b, one_a) == Approx(golden[name + "bce"][i]).epsilon(1e-12));
    }
    const Tensor<float> af = golden.get<float>(name + "a"), bf = golden.get<float>(name + "b");
    CHECK(structural_similarity(af.view(), bf.view()) == ssim);  // the golden inputs are floats
  }
}

TEST_CASE("filters are SciPy's") {
  const test::GoldenArrays golden("evaluation");
  const auto check = [&](const Tensor<double>& y, const std::string& name) {
    const Tensor<double>& expected = golden[name];
    REQUIRE(y.shape() == expected.shape());
    for (Index i = 0; i < y.size(); ++i) CHECK(y[i] == Approx(expected[i]).epsilon(1e-12));
  };
  for (const std::string name : {"grey/", "color/"}) {
    const auto two = golden[name + "a"].samples(0, 2);
    check(box_filter(two, 3), name + "box3");
    check(box_filter(two, 5), name + "box5");
    const Tensor<double>& deviations = golden["deviations"];
    for (Index k = 0; k < deviations.size(); ++k) {
      check(gaussian_filter(two, deviations[k]), name + "gaussian" + std::to_string(k));
    }
  }
  CHECK(test::error_of<ValueError>([] {
          box_filter(Tensor<float>({1, 3, 3, 1}), 4);
        }) == "box_filter: expected an odd size of at least 1, got 4");
  CHECK(test::mentions(test::error_of<ValueError>([] {
                         gaussian_filter(Tensor<float>({1, 3, 3, 1}), 0);
                       }),
                       "(0, 1000]"));
  CHECK(test::mentions(test::error_of<ShapeError>([] { box_filter(Tensor<float>({3, 3}), 3); }), "got (3, 3)"));
}

TEST_CASE("the entropy of grey targets is SciPy's") {
  const test::GoldenArrays golden("evaluation");
  const Tensor<double>&p = golden["probability"], &entropy = golden["entropy"];
  double sum = 0;
  for (Index i = 0; i < p.size(); ++i) {
    const Tensor<double> one(Shape{1}, p[i]);
    CHECK(binary_entropy(one.view()) == Approx(entropy[i]).epsilon(1e-12));
    sum += entropy[i];
  }
  CHECK(binary_entropy(p.view()) == Approx(sum / static_cast<double>(p.size())).epsilon(1e-12));
  CHECK(test::mentions(test::error_of<ValueError>([] { binary_entropy(Tensor<float>({2}, 1.5f)); }), "got 1.5"));
  CHECK(test::mentions(test::error_of<ShapeError>([] { binary_entropy(Tensor<float>(Shape{0})); }), "binary_entropy"));
  CHECK(test::mentions(test::error_of<ShapeError>([] { binary_crossentropy(Tensor<float>({2}), Tensor<float>({3})); }),
                       "(3)"));
}

TEST_CASE("Wilson's interval") {
  const test::GoldenArrays golden("evaluation");
  const Tensor<double>&counts = golden["counts"], &bounds = golden["wilson"];
  for (Index i = 0; i < counts.batch(); ++i) {
    const Interval got = wilson_interval(static_cast<Index>(counts[2 * i]), static_cast<Index>(counts[2 * i + 1]));
    CHECK(got.low == Approx(bounds[2 * i]).epsilon(1e-9));
    CHECK(got.high == Approx(bounds[2 * i + 1]).epsilon(1e-9));
  }
  CHECK(wilson_interval(0, 0).low == 0);
  CHECK(wilson_interval(0, 0).high == 1);
  CHECK(test::mentions(test::error_of<ValueError>([] { wilson_interval(3, 2); }), "3 of 2"));
  CHECK(test::mentions(test::error_of<ValueError>([] { wilson_interval(-1, 2); }), "-1 of 2"));
}

TEST_CASE("quantiles are SciPy's") {
  const test::GoldenArrays golden("evaluation");
  const Tensor<double>&normal = golden["normal"], &student = golden["student"], &radius = golden["radius"];
  const auto close = [](double expected) { return Approx(expected).epsilon(1e-9).scale(1e-3); };
  for (Index i = 0; i < normal.batch(); ++i) CHECK(normal_quantile(normal[2 * i]) == close(normal[2 * i + 1]));
  for (Index i = 0; i < student.batch(); ++i) {
    CAPTURE(student[3 * i]);
    CAPTURE(student[3 * i + 1]);
    CHECK(student_t_quantile(student[3 * i], student[3 * i + 1]) == close(student[3 * i + 2]));
  }
  for (Index i = 0; i < radius.batch(); ++i) {
    CAPTURE(radius[3 * i]);
    CAPTURE(radius[3 * i + 1]);
    CHECK(normal_radius(radius[3 * i], static_cast<Index>(radius[3 * i + 1])) == close(radius[3 * i + 2]));
  }
  CHECK_THROWS_WITH_AS(normal_quantile(1), doctest::Contains("between 0 and 1"), ValueError);
  CHECK_THROWS_WITH_AS(student_t_quantile(0.9, 0), doctest::Contains("degree of freedom"), ValueError);
  CHECK_THROWS_WITH_AS(normal_radius(0.9, 0), doctest::Contains("dimension"), ValueError);
  CHECK_THROWS_AS(normal_radius(NAN, 1), ValueError);
}

TEST_CASE("intervals of means and of paired rates are SciPy's") {
  const test::GoldenArrays golden("evaluation");
  const Tensor<double>&values = golden["values"], &means = golden["mean_interval"], &paired = golden["paired"];
  for (Index i = 0; i < means.batch(); ++i) {
    const Interval got = mean_interval(values.view().span(), means[3 * i]);
    CHECK(got.low == Approx(means[3 * i + 1]).epsilon(1e-9));
    CHECK(got.high == Approx(means[3 * i + 2]).epsilon(1e-9));
  }
  for (Index i = 0; i < paired.batch(); ++i) {
    const auto count = [&](Index k) { return static_cast<Index>(paired[5 * i + k]); };
    const Interval got = paired_difference_interval(count(0), count(1), count(2));
    CHECK(got.low == Approx(paired[5 * i + 3]).epsilon(1e-9));
    CHECK(got.high == Approx(paired[5 * i + 4]).epsilon(1e-9));
  }
  CHECK(paired_difference_interval(0, 0, 0).low == -1);
  CHECK(paired_difference_interval(0, 0, 0).high == 1);
  const std::vector<double> one = {1};
  CHECK_THROWS_WITH_AS(mean_interval(one), doctest::Contains("at least two values, got 1"), ValueError);
  CHECK_THROWS_WITH_AS(paired_difference_interval(2, 2, 3), doctest::Contains("2 and 2 of 3"), ValueError);
  CHECK_THROWS_AS(paired_difference_interval(-1, 2, 3), ValueError);
}

TEST_CASE("a confusion matrix counts") {
  ConfusionMatrix matrix(3);
  for (const auto& [actual, recognized] : {std::pair{0, 0}, {0, 0}, {0, 2}, {1, 1}, {2, 0}, {2, 2}}) {
    matrix.add(actual, recognized);
  }
  CHECK(matrix.count(0, 2) == 1);
  CHECK(matrix.count(2, 1) == 0);
  CHECK(matrix.total(0) == 3);
  CHECK(matrix.total() == 6);
  CHECK(matrix.correct() == 4);
  CHECK(matrix.accuracy() == Approx(4.0 / 6));
  CHECK(matrix.recall(0) == Approx(2.0 / 3));
  CHECK(std::isnan(ConfusionMatrix(2).accuracy()));
  CHECK(test::mentions(test::error_of<ValueError>([&] { matrix.add(3, 0); }), "[0, 3)"));
  CHECK(test::mentions(test::error_of<ValueError>([&] { matrix.count(0, -1); }), "got 0 recognized as -1"));
  CHECK(test::mentions(test::error_of<ValueError>([] { ConfusionMatrix(0); }), "classes >= 1"));
}

TEST_CASE("images that cannot be compared") {
  const Tensor<float> a(Shape{2, 12, 12, 1}), b(Shape{2, 12, 11, 1}), small(Shape{1, 10, 12, 1}),
      none(Shape{0, 12, 12, 1});
  CHECK(test::mentions(test::error_of<ShapeError>([&] { mean_squared_error(a.view(), b.view()); }), "12, 11"));
  CHECK(test::mentions(test::error_of<ShapeError>([&] { mean_squared_error(none.view(), none.view()); }),
                       "at least one"));
  CHECK(
      test::mentions(test::error_of<ShapeError>([&] { structural_similarity(small.view(), small.view()); }), "11x11"));
}
