// Sources: what a Trainer takes its batches from (training/source.hpp says what a source is). They refer to their
// data, which must outlive them (so a temporary is refused), and convert it batch by batch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "linnet/core/tensor.hpp"
#include "linnet/data/corruption.hpp"
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

/// Inputs and targets: the same images.
class AutoencodingSource {
 public:
  explicit AutoencodingSource(const ImageDataset& images) : images_(&images) {}
  explicit AutoencodingSource(const ImageDataset&&) = delete;
  Index size() const { return images_->size(); }
  Shape input_shape() const { return images_->image_shape(); }
  Shape target_shape() const { return images_->image_shape(); }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t, TensorView<T> x, TensorView<T> target) const {
    const Index n = x.sample_size();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      T* to = x.data() + static_cast<Index>(i) * n;
      images_->copy_image(samples[i], to);
      std::copy_n(to, n, target.data() + static_cast<Index>(i) * n);
    }
  }

 private:
  const ImageDataset* images_;
};

/// Inputs: images, as they are or corrupted; targets {1}: the index of their class, for SparseCategoricalCrossentropy.
class LabelSource {
 public:
  /// Throws ValueError when the images have no labels.
  explicit LabelSource(const ImageDataset& images) : LabelSource(images, Corruption{.amount = 0}) {}
  /// The noise is that of a DenoisingSource with the same arguments. Throws ValueError for a corruption out of range,
  /// and when the images have no labels.
  LabelSource(const ImageDataset& images, const Corruption& corruption, std::uint64_t seed = 0, bool fresh = true)
      : images_(&images), noise_(corruption, seed, fresh) {
    if (!images.labelled()) throw ValueError("LabelSource: the images have no labels");
  }
  explicit LabelSource(const ImageDataset&&) = delete;
  LabelSource(const ImageDataset&&, const Corruption&, std::uint64_t = 0, bool = true) = delete;
  Index size() const { return images_->size(); }
  Shape input_shape() const { return images_->image_shape(); }
  Shape target_shape() const { return {1}; }
  template <class T>
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    const Index n = x.sample_size();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      T* image = x.data() + static_cast<Index>(i) * n;
      images_->copy_image(samples[i], image);
      target[static_cast<Index>(i)] = static_cast<T>(images_->label(samples[i]));
      noise_.apply<T>(samples[i], epoch, std::span<T>(image, static_cast<std::size_t>(n)));
    }
  }

 private:
  const ImageDataset* images_;
  detail::ImageNoise noise_;
};

LINNET_NAMESPACE_END
