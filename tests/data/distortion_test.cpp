// Distortions against SciPy, and what sources make of them.
#include "linnet/data/distortion.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "golden/goldens.hpp"
#include "linnet/data/sources.hpp"
#include "linnet/training/source.hpp"
#include "support.hpp"

using namespace linnet;
using doctest::Approx;
using test::error_of;
using test::mentions;

namespace {

/// One image of random bytes.
ImageDataset noise_image(const Shape& shape, Index count = 1) {
  std::vector<std::uint8_t> bytes, labels;
  for (Index i = 0; i < count * shape.size(); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(RandomKey{3}.bits(i)));
  }
  for (Index i = 0; i < count; ++i) labels.push_back(static_cast<std::uint8_t>(i));
  return ImageDataset(shape, std::move(bytes), std::move(labels));
}

}  // namespace

TEST_CASE("an image is distorted as SciPy does it") {
  const test::GoldenArrays golden("distortion");
  for (const std::string name : {"0", "1", "2"}) {
    CAPTURE(name);
    const Tensor<double>&image = golden[name + "/image"], &expected = golden[name + "/distorted"];
    std::vector<std::uint8_t> bytes;
    for (const double v : image) bytes.push_back(static_cast<std::uint8_t>(v));
    Distortion::Map map;
    const auto fixed = [](double v) { return static_cast<std::int64_t>(std::llround(v * double{Distortion::kOne})); };
    for (std::size_t i = 0; i < 4; ++i) map.matrix[i] = fixed(golden[name + "/matrix"][static_cast<Index>(i)]);
    for (std::size_t i = 0; i < 2; ++i) map.shift[i] = fixed(golden[name + "/shift"][static_cast<Index>(i)]);
    for (std::size_t i = 0; i < map.controls.size(); ++i) {
      map.controls[i] = fixed(golden[name + "/controls"][static_cast<Index>(i)]);
      map.elastic = map.elastic || map.controls[i] != 0;
    }
    CHECK(map.elastic == (name != "2"));
    std::vector<float> to(bytes.size());
    Distortion::draw(map, image.shape(), bytes, to.data());
    // A coordinate is rounded to 1/256 of a pixel, and pixels differ by up to 1.
    for (std::size_t i = 0; i < to.size(); ++i) {
      REQUIRE(double{to[i]} == Approx(expected[static_cast<Index>(i)]).epsilon(0).scale(1).epsilon(0.01));
    }
  }
}

TEST_CASE("without a distortion an image stays what it is, to the bit") {
  const ImageDataset set = noise_image({9, 12, 3});
  std::vector<float> plain(static_cast<std::size_t>(set.image_shape().size())), drawn(plain.size());
  set.copy_image(0, plain.data());
  Distortion::draw(Distortion{}.random_map(RandomKey{1}, set.image_shape()), set.image_shape(), set.image(0),
                   drawn.data());
  CHECK(plain == drawn);
}

TEST_CASE("random maps keep within the distortion's limits, and reach them") {
  const Shape shape{20, 30, 1};
  double least = 1e9, most = -1e9;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Distortion::Map map = Distortion{.scale = 0.2, .shift = 0.1}.random_map(RandomKey{4, 0, 0, i}, shape);
    const double high = static_cast<double>(map.matrix[0]) / double{Distortion::kOne},
                 down = static_cast<double>(map.shift[0]) / double{Distortion::kOne},
                 right = static_cast<double>(map.shift[1]) / double{Distortion::kOne};
    REQUIRE(std::abs(high - 1) <= 0.2001);
    REQUIRE(std::abs(down) <= 2.001);
    REQUIRE(std::abs(right) <= 3.001);
    REQUIRE(map.matrix[1] == 0);
    least = std::min(least, right);
    most = std::max(most, high);
  }
  CHECK(least < -2.9);
  CHECK(most > 1.19);

  // A turn keeps lengths: the columns of its matrix are orthonormal.
  double widest = 0;
  for (std::uint32_t i = 0; i < 500; ++i) {
    const Distortion::Map map = Distortion{.rotation = 90}.random_map(RandomKey{4, 0, 0, i}, shape);
    const auto at = [&](std::size_t k) { return static_cast<double>(map.matrix[k]) / double{Distortion::kOne}; };
    REQUIRE(at(0) * at(0) + at(2) * at(2) == Approx(1).epsilon(1e-4));
    REQUIRE(at(0) * at(1) + at(2) * at(3) == Approx(0).epsilon(1e-4));
    widest = std::max(widest, std::atan2(std::abs(at(1)), at(0)));
  }
  CHECK(widest > 1.5);
  CHECK(widest < 1.571);
}

TEST_CASE("distortions out of range are refused") {
  CHECK(mentions(error_of([] { Distortion{.rotation = -1}.validate(); }), "rotation"));
  CHECK(mentions(error_of([] { Distortion{.scale = 1}.validate(); }), "scale"));
  CHECK(mentions(error_of([] { Distortion{.elastic = std::nan("")}.validate(); }), "elastic"));
  const ImageDataset set = noise_image({4, 4, 1}, 3);
  CHECK(mentions(error_of([&] { AutoencodingSource(set, Distortion{.shift = 2}); }), "shift"));
}

TEST_CASE("sources draw other distortions in each epoch, the same on every instruction set") {
  static_assert(Source<AutoencodingSource, float>);
  static_assert(Source<RepeatedSource<AutoencodingSource>, double>);
  const ImageDataset set = noise_image({12, 12, 1}, 3);
  const Distortion distortion{.rotation = 10, .scale = 0.1, .shear = 0.1, .shift = 0.1, .elastic = 1};
  const std::vector<Index> samples = {2, 0};
  std::set<std::vector<float>> epochs, bits;
  test::for_each_isa([&](Isa) {
    for (const std::uint32_t epoch : {0u, 1u}) {
      Tensor<float> x(Shape{2, 12, 12, 1}), target(x.shape()), labelled(x.shape()), label(Shape{2, 1});
      AutoencodingSource(set, distortion, 5).fill<float>(samples, epoch, x, target);
      CHECK(std::equal(x.begin(), x.end(), target.begin()));
      LabelSource(set, distortion, 5).fill<float>(samples, epoch, labelled, label);
      CHECK(std::equal(x.begin(), x.end(), labelled.begin()));
      CHECK(label[0] == 2);
      epochs.insert(std::vector<float>(x.begin(), x.end()));
      if (epoch == 1) bits.insert(std::vector<float>(x.begin(), x.end()));
    }
  });
  CHECK(epochs.size() == 2);
  CHECK(bits.size() == 1);
}

TEST_CASE("a repeated source gives pass after pass") {
  const ImageDataset set = noise_image({12, 12, 1}, 3);
  const AutoencodingSource once(set, Distortion{.shift = 0.2}, 5);
  const RepeatedSource source(once, 8);  // three passes
  CHECK(source.size() == 8);
  const std::vector<Index> samples = {7, 1};
  Tensor<float> x(Shape{2, 12, 12, 1}), target(x.shape()), expected(x.shape()), other(x.shape());
  source.fill<float>(samples, 2, x, target);
  const std::vector<Index> second = {1};
  once.fill<float>(second, 2 * 3 + 2, expected.samples(0, 1), other.samples(0, 1));
  once.fill<float>(second, 2 * 3, expected.samples(1, 1), other.samples(1, 1));
  CHECK(std::equal(x.begin(), x.end(), expected.begin()));
  const ImageDataset none({12, 12, 1}, {}, {});
  CHECK(mentions(error_of([&] { RepeatedSource(AutoencodingSource(none), 5); }), "samples to repeat"));
}
