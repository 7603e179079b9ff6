// ImageDataset: images in memory, with or without labels, kept as bytes.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "linnet/core/random.hpp"
#include "linnet/core/tensor.hpp"
#include "linnet/kernels/image.hpp"

LINNET_NAMESPACE_BEGIN

class ImageDataset {
 public:
  ImageDataset() = default;
  /// `bytes` holds the images one after the other, each of shape {height, width, channels}; `labels` one class per
  /// image, or nothing. Throws ShapeError when the counts do not fit.
  ImageDataset(const Shape& image_shape, std::vector<std::uint8_t> bytes, std::vector<std::uint8_t> labels)
      : shape_(image_shape), bytes_(std::move(bytes)), labels_(std::move(labels)) {
    if (shape_.rank() != 3 || shape_.size() == 0) {
      throw ShapeError("ImageDataset: expected images (height, width, channels), got " + shape_.to_string());
    }
    const auto count = static_cast<Index>(bytes_.size()) / shape_.size();
    if (count * shape_.size() != static_cast<Index>(bytes_.size())) {
      throw ShapeError("ImageDataset: " + std::to_string(bytes_.size()) + " bytes are no whole number of images " +
                       shape_.to_string());
    }
    if (!labels_.empty() && static_cast<Index>(labels_.size()) != count) {
      throw ShapeError("ImageDataset: " + std::to_string(count) + " images, but " + std::to_string(labels_.size()) +
                       " labels");
    }
    size_ = count;
  }

  Index size() const { return size_; }
  const Shape& image_shape() const { return shape_; }
  /// Whether every image has a label.
  bool labelled() const { return !labels_.empty() || size_ == 0; }
  /// The bytes of image `i`.
  std::span<const std::uint8_t> image(Index i) const {
    return std::span<const std::uint8_t>(bytes_).subspan(static_cast<std::size_t>(i * shape_.size()),
                                                         static_cast<std::size_t>(shape_.size()));
  }
  int label(Index i) const { return labels_[static_cast<std::size_t>(i)]; }
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  std::span<const std::uint8_t> labels() const { return labels_; }

  /// Image `i` as numbers in [0, 1]: byte / 255.
  template <class T>
  void copy_image(Index i, T* to) const {
    bytes_to_unit<T>(shape_.size(), image(i).data(), to);
  }
  /// All images as a tensor {n, height, width, channels} in [0, 1].
  template <class T = float>
  Tensor<T> images() const {
    Tensor<T> result(shape_.with_batch(size_));
    bytes_to_unit<T>(result.size(), bytes_.data(), result.data());
    return result;
  }
  /// The given images as a tensor {n, height, width, channels} in [0, 1].
  template <class T = float>
  Tensor<T> images(std::span<const Index> indices) const {
    Tensor<T> result(shape_.with_batch(static_cast<Index>(indices.size())));
    T* to = result.data();
    for (const Index i : indices) {
      copy_image(checked(i), to);
      to += shape_.size();
    }
    return result;
  }

  /// The images with these indices, in this order. Throws ValueError for an index out of range.
  ImageDataset subset(std::span<const Index> indices) const {
    ImageDataset result;
    result.shape_ = shape_;
    result.size_ = static_cast<Index>(indices.size());
    for (const Index i : indices) {
      const auto bytes = image(checked(i));
      result.bytes_.insert(result.bytes_.end(), bytes.begin(), bytes.end());
      if (!labels_.empty()) result.labels_.push_back(labels_[static_cast<std::size_t>(i)]);
    }
    return result;
  }
  /// The first `count` images.
  ImageDataset first(Index count) const {
    require(count, size_, "images");
    std::vector<Index> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), Index{0});
    return subset(indices);
  }
  /// `count` images of a class, drawn at random without repetition. Throws ValueError when there are fewer, or no
  /// labels.
  ImageDataset of_class(int label, Index count, const RandomKey& key) const {
    std::vector<Index> all = indices_of(label);
    require(count, static_cast<Index>(all.size()), "images of class " + std::to_string(label));
    std::vector<Index> order =
        random_permutation(key.with_stream(random_stream::kSubset), static_cast<Index>(all.size()));
    order.resize(static_cast<std::size_t>(count));
    for (Index& i : order) i = all[static_cast<std::size_t>(i)];
    return subset(order);
  }
  /// All images of a class. Throws ValueError when there are no labels.
  ImageDataset of_class(int label) const { return subset(indices_of(label)); }
  /// The images in random order.
  ImageDataset shuffled(const RandomKey& key) const {
    return subset(random_permutation(key.with_stream(random_stream::kSubset), size_));
  }
  /// Two parts: {the rest, a share of `fraction` drawn at random}.
  std::pair<ImageDataset, ImageDataset> split(double fraction, const RandomKey& key) const {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw ValueError("ImageDataset: expected a fraction in [0, 1], got " + std::to_string(fraction));
    }
    const std::vector<Index> order = random_permutation(key.with_stream(random_stream::kSubset), size_);
    const auto held = static_cast<std::size_t>(fraction * static_cast<double>(size_) + 0.5);
    const std::span<const Index> all(order);
    return {subset(all.subspan(held)), subset(all.first(held))};
  }
  /// Two parts by a fixed rule: of every class, each `every`-th image in order goes to the second. The classes keep
  /// their shares, and nothing is random.
  std::pair<ImageDataset, ImageDataset> split_every(Index every) const {
    const auto [rest, held] = split_indices(every);
    return {subset(rest), subset(held)};
  }
  /// The indices of the images of both parts.
  std::pair<std::vector<Index>, std::vector<Index>> split_indices(Index every) const {
    if (every < 2) {
      throw ValueError("ImageDataset: expected to split every 2nd image or rarer, got " + std::to_string(every));
    }
    std::vector<Index> seen(256, 0), rest, held;
    for (Index i = 0; i < size_; ++i) {
      const std::size_t c = labels_.empty() ? 0 : static_cast<std::size_t>(label(i));
      (++seen[c] % every == 0 ? held : rest).push_back(i);
    }
    return {std::move(rest), std::move(held)};
  }
  /// The indices of a class's images. Throws ValueError when there are no labels.
  std::vector<Index> indices_of(int label) const {
    if (!labelled()) {
      throw ValueError("ImageDataset: class " + std::to_string(label) + " asked for, but the " + std::to_string(size_) +
                       " images have no labels");
    }
    std::vector<Index> indices;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] == label) indices.push_back(static_cast<Index>(i));
    }
    return indices;
  }

 private:
  Index checked(Index i) const {
    if (i < 0 || i >= size_) {
      throw ValueError("ImageDataset: expected an index in [0, " + std::to_string(size_) + "), got " +
                       std::to_string(i));
    }
    return i;
  }
  static void require(Index asked, Index available, const std::string& what) {
    if (asked < 0 || asked > available) {
      throw ValueError("ImageDataset: " + std::to_string(asked) + " " + what + " asked for, there are " +
                       std::to_string(available));
    }
  }

  Shape shape_{0, 0, 0};
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> labels_;
  Index size_ = 0;
};

LINNET_NAMESPACE_END
