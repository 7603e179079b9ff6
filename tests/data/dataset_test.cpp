#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "linnet/data/sources.hpp"
#include "linnet/simd/isa.hpp"
#include "linnet/training/source.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

/// Image i holds i, i + 1, ... (mod 256); its label is i mod 4.
ImageDataset numbered(Index count) {
  std::vector<std::uint8_t> bytes, labels;
  for (Index i = 0; i < count; ++i) {
    for (Index p = 0; p < 6; ++p) bytes.push_back(static_cast<std::uint8_t>(i + p));
    labels.push_back(static_cast<std::uint8_t>(i % 4));
  }
  return ImageDataset({2, 3, 1}, std::move(bytes), std::move(labels));
}

std::set<int> ids(const ImageDataset& set) {
  std::set<int> result;
  for (Index i = 0; i < set.size(); ++i) result.insert(set.image(i)[0]);
  return result;
}

}  // namespace

TEST_CASE("images stay bytes, and become byte / 255") {
  std::vector<std::uint8_t> bytes(256);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  const ImageDataset set({16, 16, 1}, bytes, {});
  std::vector<float> single(256);
  std::vector<double> wide(256);
  set.copy_image(0, single.data());
  set.copy_image(0, wide.data());
  for (int b = 0; b < 256; ++b) {
    CHECK(single[static_cast<std::size_t>(b)] == static_cast<float>(b) / 255.0f);
    CHECK(wide[static_cast<std::size_t>(b)] == b / 255.0);
  }
}

TEST_CASE("subsets") {
  const ImageDataset set = numbered(40);
  const std::vector<Index> some = {7, 3};
  const ImageDataset two = set.subset(some);
  CHECK(two.size() == 2);
  CHECK(two.image(0)[0] == 7);
  CHECK(two.label(1) == 3);
  const ImageDataset class_2 = set.of_class(2, 5, RandomKey{1});
  CHECK(class_2.size() == 5);
  CHECK(ids(class_2).size() == 5);
  for (Index i = 0; i < 5; ++i) CHECK(class_2.label(i) == 2);
  CHECK(ids(set.of_class(2, 5, RandomKey{1})) == ids(class_2));
  CHECK(ids(set.of_class(2, 5, RandomKey{2})) != ids(class_2));
  CHECK(set.of_class(2).size() == 10);
  CHECK(ids(set.shuffled(RandomKey{3})) == ids(set));
  const auto [rest, held] = set.split(0.25, RandomKey{4});
  CHECK(rest.size() == 30);
  CHECK(held.size() == 10);
  std::set<int> both = ids(rest);
  both.merge(ids(held));
  CHECK(both == ids(set));
  const auto [fixed_rest, fixed_held] = set.split_every(5);
  for (int c = 0; c < 4; ++c) CHECK(fixed_held.indices_of(c).size() == 2);
  CHECK(ids(fixed_held) == std::set<int>{16, 17, 18, 19, 36, 37, 38, 39});
  CHECK(fixed_rest.size() == 32);
}

TEST_CASE("more than there is, or something else, is refused") {
  const ImageDataset set = numbered(40);
  const std::string few = error_of([&] { set.of_class(2, 11, RandomKey{}); });
  CHECK(mentions(few, "11 images of class 2 asked for, there are 10"));
  CHECK(mentions(error_of([&] { set.first(41); }), "there are 40"));
  CHECK(mentions(error_of([&] { set.subset(std::vector<Index>{40}); }), "[0, 40), got 40"));
  CHECK(mentions(error_of([&] { set.split(1.5, RandomKey{}); }), "got 1.5"));
  CHECK(mentions(error_of([] { ImageDataset({2, 3, 1}, std::vector<std::uint8_t>(7), {}); }), "7 bytes"));
  const std::vector<std::uint8_t> two_images(12);
  CHECK(mentions(error_of([&] { ImageDataset({2, 3, 1}, two_images, {1}); }), "2 images, but 1 labels"));
  const ImageDataset unlabelled({1, 1, 1}, {1, 2}, {});
  CHECK(mentions(error_of([&] { LabelSource source(unlabelled); }), "no labels"));
  CHECK(mentions(error_of([] { Corruption{.amount = -1}.validate(); }), ">= 0"));
  const Corruption too_much{.kind = Corruption::Kind::salt_and_pepper, .amount = 1.1};
  CHECK(mentions(error_of([&] { too_much.validate(); }), "[0, 1]"));
  const Tensor<float> three(Shape{3, 2}), two(Shape{2, 2});
  CHECK(mentions(error_of([&] { TensorSource<float>(three, two); }), "(3, 2)"));
}

TEST_CASE("classes of images without labels are refused") {
  const ImageDataset unlabelled({1, 1, 1}, {1, 2}, {});
  const std::string expected = "ImageDataset: class 3 asked for, but the 2 images have no labels";
  CHECK(error_of<ValueError>([&] { unlabelled.indices_of(3); }) == expected);
  CHECK(error_of<ValueError>([&] { unlabelled.of_class(3); }) == expected);
  CHECK(error_of<ValueError>([&] { unlabelled.of_class(3, 0, RandomKey{}); }) == expected);
  CHECK(ImageDataset({1, 1, 1}, {}, {}).of_class(3).size() == 0);
}

TEST_CASE("sources refuse data that would end before them") {
  using Set = ImageDataset;
  static_assert(std::is_constructible_v<DenoisingSource, Set&, Corruption>);
  static_assert(std::is_constructible_v<DenoisingSource, const Set&, Corruption, std::uint64_t, bool>);
  static_assert(!std::is_constructible_v<DenoisingSource, Set, Corruption>);
  static_assert(!std::is_constructible_v<DenoisingSource, const Set, Corruption, std::uint64_t, bool>);
  static_assert(std::is_constructible_v<AutoencodingSource, const Set&>);
  static_assert(!std::is_constructible_v<AutoencodingSource, Set>);
  static_assert(std::is_constructible_v<LabelSource, const Set&>);
  static_assert(!std::is_constructible_v<LabelSource, Set>);
  using Values = Tensor<float>;
  using View = TensorView<const float>;
  static_assert(std::is_constructible_v<TensorSource<float>, Values&, Values&>);
  static_assert(std::is_constructible_v<TensorSource<float>, const Values&, Values&>);
  static_assert(std::is_constructible_v<TensorSource<float>, View, View>);
  static_assert(std::is_constructible_v<TensorSource<float>, const Values&, View>);
  static_assert(std::is_constructible_v<TensorSource<float>, TensorView<float>, Values&>);
  static_assert(!std::is_constructible_v<TensorSource<float>, Values, Values>);
  static_assert(!std::is_constructible_v<TensorSource<float>, Values&, Values>);
  static_assert(!std::is_constructible_v<TensorSource<float>, const Values, const Values&>);
  static_assert(!std::is_constructible_v<TensorSource<float>, Values, View>);
  static_assert(!std::is_constructible_v<TensorSource<float>, View, Values>);
}

TEST_CASE("Gaussian corruption adds noise of its standard deviation, held within [0, 1]") {
  std::vector<double> image(200000, 0.5);
  Corruption{.amount = 0.1}.apply<double>(RandomKey{5}, image);
  double mean = 0, square = 0;
  for (const double v : image) {
    mean += v / 200000;
    square += (v - 0.5) * (v - 0.5) / 200000;
  }
  CHECK(mean == doctest::Approx(0.5).epsilon(2e-3));
  CHECK(std::sqrt(square) == doctest::Approx(0.1).epsilon(1e-2));
  std::vector<double> white(200000, 1.0);
  Corruption{.amount = 0.5}.apply<double>(RandomKey{5}, white);
  CHECK(*std::max_element(white.begin(), white.end()) == 1.0);
  CHECK(*std::min_element(white.begin(), white.end()) >= 0.0);
  const auto kept = std::count(white.begin(), white.end(), 1.0);
  CHECK(static_cast<double>(kept) == doctest::Approx(100000).epsilon(0.02));
}

TEST_CASE("salt and pepper hit the given share of the pixels, as often with white as with black") {
  std::vector<float> image(100000, 0.5f);
  Corruption{.kind = Corruption::Kind::salt_and_pepper, .amount = 0.3}.apply<float>(RandomKey{6}, image);
  CHECK(static_cast<double>(std::count(image.begin(), image.end(), 0.0f)) == doctest::Approx(15000).epsilon(0.03));
  CHECK(static_cast<double>(std::count(image.begin(), image.end(), 1.0f)) == doctest::Approx(15000).epsilon(0.03));
  CHECK(static_cast<double>(std::count(image.begin(), image.end(), 0.5f)) == doctest::Approx(70000).epsilon(0.03));
}

TEST_CASE("blind corruption gives every image an amount of its own, up to the given one") {
  const Corruption blind{.amount = 0.4, .blind = true};
  double sum = 0, most = 0;
  for (std::uint32_t i = 0; i < 500; ++i) {
    std::vector<double> image(400, 0.5);  // deviations of up to 0.4: some are held within [0, 1]
    blind.apply<double>(RandomKey{5, 0, 0, i}, image);
    std::vector<double> same(400, 0.5);
    const double amount = 0.4 * double{RandomKey{5, random_stream::kCorruptionAmount, 0, i}.uniform(0)};
    Corruption{.amount = amount}.apply<double>(RandomKey{5, 0, 0, i}, same);
    REQUIRE(image == same);
    sum += amount / 500;
    most = std::max(most, amount);
  }
  CHECK(sum == doctest::Approx(0.2).epsilon(0.05));
  CHECK(most > 0.39);
}

TEST_CASE("a label source corrupts as a denoising source does") {
  const ImageDataset set = numbered(10);
  const std::vector<Index> samples = {3, 6};
  Tensor<float> x(Shape{2, 2, 3, 1}), noisy(x.shape()), image(x.shape()), label(Shape{2, 1});
  const Corruption noise{.amount = 0.3};
  LabelSource(set, noise, 4).fill<float>(samples, 2, x, label);
  DenoisingSource(set, noise, 4).fill<float>(samples, 2, noisy, image);
  CHECK(std::equal(x.begin(), x.end(), noisy.begin()));
  CHECK(!std::equal(x.begin(), x.end(), image.begin()));
  CHECK(label[1] == static_cast<float>(set.label(6)));
  CHECK(mentions(error_of([&] { LabelSource(set, Corruption{.amount = -1}); }), ">= 0"));
}

TEST_CASE("an image's noise depends on seed, epoch and index alone") {
  const ImageDataset set = numbered(10);
  const auto noisy = [&](const DenoisingSource& source, std::vector<Index> samples, std::uint32_t epoch) {
    Tensor<float> x(Shape{static_cast<Index>(samples.size()), 2, 3, 1}), target(x.shape());
    source.fill<float>(samples, epoch, x, target);
    return x;
  };
  const auto sample = [](const Tensor<float>& x, Index i) {
    const auto view = x.samples(i, 1);
    return std::vector<float>(view.begin(), view.end());
  };
  const DenoisingSource fresh(set, Corruption{.amount = 0.2}, 1), fixed(set, Corruption{.amount = 0.2}, 1, false);
  std::vector<std::vector<float>> seen;
  test::for_each_isa([&](Isa) {
    const Tensor<float> all = noisy(fresh, {0, 1, 2, 3, 4}, 2);
    const Tensor<float> some = noisy(fresh, {4, 2}, 2);
    CHECK(sample(all, 4) == sample(some, 0));
    CHECK(sample(all, 2) == sample(some, 1));
    CHECK(sample(noisy(fresh, {4}, 3), 0) != sample(some, 0));
    CHECK(sample(noisy(fixed, {4}, 3), 0) == sample(noisy(fixed, {4}, 0), 0));
    CHECK(sample(all, 1) != sample(all, 2));
    seen.push_back(sample(all, 4));
  });
  for (const auto& bits : seen) CHECK(bits == seen[0]);
}

TEST_CASE("sources give inputs and targets") {
  static_assert(Source<TensorSource<float>, float>);
  static_assert(Source<DenoisingSource, double>);
  static_assert(Source<LabelSource, float>);
  const ImageDataset set = numbered(10);
  Tensor<float> x(Shape{2, 2, 3, 1}), image(x.shape()), label(Shape{2, 1});
  const std::vector<Index> samples = {3, 6};
  AutoencodingSource(set).fill<float>(samples, 0, x, image);
  CHECK(x[0] == 3 / 255.0f);
  CHECK(std::equal(x.begin(), x.end(), image.begin()));
  LabelSource(set).fill<float>(samples, 0, x, label);
  CHECK(label[0] == 3);
  CHECK(label[1] == 2);
  DenoisingSource(set, Corruption{.amount = 0}).fill<float>(samples, 0, x, image);
  CHECK(std::equal(x.begin(), x.end(), image.begin()));
}
