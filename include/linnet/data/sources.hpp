// Sources: what a Trainer takes its batches from (training/source.hpp says what a source is). They refer to their
// data, which must outlive them (so a temporary is refused), and convert it batch by batch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "linnet/core/tensor.hpp"
#include "linnet/data/corruption.hpp"
#include "linnet/data/distortion.hpp"
#include "linnet/data/image_dataset.hpp"

LINNET_NAMESPACE_BEGIN

/// Inputs {n, ...} and targets {n, ...} in memory.
template <class T>
class TensorSource {
  /// Whether a parameter X&& has been given a tensor that ends with the expression.
  template <class X>
  static constexpr bool kTemporary = std::is_same_v<std::remove_const_t<X>, Tensor<T>>;

 public:
  /// Throws ShapeError when there are not as many targets as inputs.
  TensorSource(TensorView<const T> x, TensorView<const T> target) : x_(x), target_(target) {
    if (x.shape().rank() == 0 || target.shape().rank() == 0 || x.batch() != target.batch()) {
      throw ShapeError("TensorSource: expected as many inputs as targets, got " + x.shape().to_string() + " and " +
                       target.shape().to_string());
    }
  }
  TensorSource(const Tensor<T>& x, const Tensor<T>& target) : TensorSource(x.view(), target.view()) {}
  template <class X, class Target>
  requires(kTemporary<X> || kTemporary<Target>) TensorSource(X&& x, Target&& target)
  = delete;

  Index size() const { return x_.batch(); }
  Shape input_shape() const { return x_.shape().without_batch(); }
  Shape target_shape() const { return target_.shape().without_batch(); }
  void fill(std::span<const Index> samples, std::uint32_t, TensorView<T> x, TensorView<T> target) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      copy(x_, samples[i], x, static_cast<Index>(i));
      copy(target_, samples[i], target, static_cast<Index>(i));
    }
  }

 private:
  static void copy(TensorView<const T> from, Index i, TensorView<T> to, Index j) {
    const Index n = to.sample_size();
    std::copy_n(from.data() + i * n, n, to.data() + j * n);
  }
  TensorView<const T> x_, target_;
};

namespace detail {
/// Noise that depends on a seed, an image's index and, if `fresh`, the epoch, and on nothing else.
class ImageNoise {
 public:
  /// Throws ValueError for a corruption out of range.
  ImageNoise(const Corruption& corruption, std::uint64_t seed, bool fresh)
      : corruption_(corruption), seed_(seed), fresh_(fresh) {
    corruption.validate();
  }
  /// Corrupts image `index`, whose values lie in [0, 1].
  template <class T>
  void apply(Index index, std::uint32_t epoch, std::span<T> image) const {
    if (corruption_.amount == 0) return;
    corruption_.apply<T>(RandomKey{seed_, 0, fresh_ ? epoch : 0, static_cast<std::uint32_t>(index)}, image);
  }

 private:
  Corruption corruption_;
  std::uint64_t seed_;
  bool fresh_;
};
}  // namespace detail

/// Inputs: corrupted images; targets: the clean ones.
class DenoisingSource {
 public:
  /// With `fresh`, every epoch has new noise; otherwise an image always has the same. The noise of an image depends
  /// only on `seed`, its index and, if `fresh`, the epoch. Throws ValueError for a corruption out of range.
  DenoisingSource(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed = 0, bool fresh = true)
      : images_(&images), noise_(corruption, seed, fresh) {}
  DenoisingSource(const ImageDataset&&, const Corruption&, std::uint64_t = 0, bool = true) = delete;
  Index size() const { return images_->size(); }
  Shape input_shape() const { return images_->image_shape(); }
  Shape target_shape() const { return images_->image_shape(); }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    const Index n = x.sample_size();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      T* noisy = x.data() + static_cast<Index>(i) * n;
      T* clean = target.data() + static_cast<Index>(i) * n;
      images_->copy_image(samples[i], clean);
      std::copy_n(clean, n, noisy);
      noise_.apply<T>(samples[i], epoch, std::span<T>(noisy, static_cast<std::size_t>(n)));
    }
  }

 private:
  const ImageDataset* images_;
  detail::ImageNoise noise_;
};

namespace detail {
/// Draws images, with a distortion that depends on a seed, an image's index and the epoch, and on nothing else.
class ImageDistorter {
 public:
  /// Throws ValueError for a distortion out of range.
  ImageDistorter(const ImageDataset& images, const Distortion& distortion, std::uint64_t seed)
      : images_(&images), distortion_(distortion), seed_(seed) {
    distortion.validate();
  }
  const ImageDataset& images() const { return *images_; }
  template <class T>
  void draw(Index index, std::uint32_t epoch, T* to) const {
    if (distortion_.none()) return images_->copy_image(index, to);
    const RandomKey key{seed_, 0, epoch, static_cast<std::uint32_t>(index)};
    const Shape& shape = images_->image_shape();
    Distortion::draw(distortion_.random_map(key, shape), shape, images_->image(index), to);
  }

 private:
  const ImageDataset* images_;
  Distortion distortion_;
  std::uint64_t seed_;
};
}  // namespace detail

/// Inputs and targets: the same images.
class AutoencodingSource {
 public:
  /// With a distortion, every epoch has others of the images. Throws ValueError for one out of range.
  explicit AutoencodingSource(const ImageDataset& images, const Distortion& distortion = {}, std::uint64_t seed = 0)
      : drawn_(images, distortion, seed) {}
  explicit AutoencodingSource(const ImageDataset&&, const Distortion& = {}, std::uint64_t = 0) = delete;
  Index size() const { return drawn_.images().size(); }
  Shape input_shape() const { return drawn_.images().image_shape(); }
  Shape target_shape() const { return drawn_.images().image_shape(); }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    const Index n = x.sample_size();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      T* to = x.data() + static_cast<Index>(i) * n;
      drawn_.draw(samples[i], epoch, to);
      std::copy_n(to, n, target.data() + static_cast<Index>(i) * n);
    }
  }

 private:
  detail::ImageDistorter drawn_;
};

/// Inputs: images, as they are, distorted or corrupted; targets {1}: the index of their class, for
/// SparseCategoricalCrossentropy.
class LabelSource {
 public:
  /// With a distortion, every epoch has others of the images. Throws ValueError for one out of range, and when the images
  /// have no labels.
  explicit LabelSource(const ImageDataset& images, const Distortion& distortion = {}, std::uint64_t seed = 0)
      : LabelSource(images, distortion, Corruption{.amount = 0}, seed, true) {}
  /// The noise is that of a DenoisingSource with the same arguments. Throws ValueError for a corruption out of range,
  /// and when the images have no labels.
  LabelSource(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed = 0, bool fresh = true)
      : LabelSource(images, Distortion{}, corruption, seed, fresh) {}
  explicit LabelSource(const ImageDataset&&, const Distortion& = {}, std::uint64_t = 0) = delete;
  LabelSource(const ImageDataset&&, const Corruption&, std::uint64_t = 0, bool = true) = delete;
  Index size() const { return drawn_.images().size(); }
  Shape input_shape() const { return drawn_.images().image_shape(); }
  Shape target_shape() const { return {1}; }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    const Index n = x.sample_size();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      T* image = x.data() + static_cast<Index>(i) * n;
      drawn_.draw(samples[i], epoch, image);
      target[static_cast<Index>(i)] = static_cast<T>(drawn_.images().label(samples[i]));
      noise_.apply<T>(samples[i], epoch, std::span<T>(image, static_cast<std::size_t>(n)));
    }
  }

 private:
  LabelSource(const ImageDataset& images, const Distortion& distortion, const Corruption& corruption,
              std::uint64_t seed, bool fresh)
      : drawn_(images, distortion, seed), noise_(corruption, seed, fresh) {
    if (!images.labelled()) throw ValueError("LabelSource: the images have no labels");
  }
  detail::ImageDistorter drawn_;
  detail::ImageNoise noise_;
};

/// Epochs of `count` samples from another source, large or small, pass after pass: sample i of epoch e is sample
/// i % size of the source in its epoch e * passes + i / size. So ten images with fresh distortions make an epoch of
/// thousands. (Epochs of the source are counted modulo 2^32.) Holds a copy of the source.
template <class S>
class RepeatedSource {
 public:
  /// Throws ValueError for a source without samples, or a negative count.
  RepeatedSource(S source, Index count) : source_(std::move(source)), count_(count) {
    if (source_.size() < 1 || count < 0) {
      throw ValueError("RepeatedSource: expected samples to repeat, and a count >= 0, got " +
                       std::to_string(source_.size()) + " and " + std::to_string(count));
    }
    passes_ = static_cast<std::uint32_t>((count + source_.size() - 1) / source_.size());
  }
  Index size() const { return count_; }
  Shape input_shape() const { return source_.input_shape(); }
  Shape target_shape() const { return source_.target_shape(); }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Index sample = samples[i] % source_.size();
      const auto pass = static_cast<std::uint32_t>(samples[i] / source_.size());
      source_.fill(std::span(&sample, 1), epoch * passes_ + pass, x.samples(static_cast<Index>(i), 1),
                   target.samples(static_cast<Index>(i), 1));
    }
  }

 private:
  S source_;
  Index count_;
  std::uint32_t passes_ = 1;
};

LINNET_NAMESPACE_END
