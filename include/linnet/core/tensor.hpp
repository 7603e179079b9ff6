// Tensor<T> owns elements, TensorView<T> looks at them. Both are row-major with the batch first, so an
// image batch is {batch, height, width, channels} (NHWC), as in Keras.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// std::vector's allocator for storage on a 64-byte boundary: a cache line, and the widest vector.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::size_t kAlignment = 64;

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT: conversion is what allocators do

  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    try {
      return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{kAlignment}));
    } catch (const std::bad_alloc&) {
      throw MemoryError(n * sizeof(T));
    }
  }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{kAlignment}); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// A shape over elements that live elsewhere. Copying it copies no element. `TensorView<const T>`
/// only reads; a `TensorView<T>` converts to it.
template <class T>
class TensorView {
 public:
  TensorView() = default;
  TensorView(T* data, const Shape& shape) : data_(data), shape_(shape) {}
  TensorView(const TensorView<std::remove_const_t<T>>& other)  // NOLINT: T to const T
      requires std::is_const_v<T> : data_(other.data()),
                                    shape_(other.shape()) {}
  TensorView(const TensorView&) = default;
  TensorView& operator=(const TensorView&) = default;

  T* data() const { return data_; }
  const Shape& shape() const { return shape_; }
  Index size() const { return data_ == nullptr ? 0 : shape_.size(); }
  /// True for a view of nothing: what a layer gets for a gradient that nobody needs.
  bool empty() const { return size() == 0; }
  T& operator[](Index i) const { return data_[i]; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size(); }
  std::span<T> span() const { return {data_, static_cast<std::size_t>(size())}; }

  /// The number of samples: the first extent.
  Index batch() const { return shape_[0]; }
  /// The elements of one sample.
  Index sample_size() const { return batch() == 0 ? 0 : size() / batch(); }
  /// Samples [first, first + count) of a batch. Throws ShapeError where the batch has fewer.
  TensorView samples(Index first, Index count) const {
    const Shape sample = shape_.without_batch();
    if (first < 0 || count < 0 || first > batch() || count > batch() - first) {
      throw ShapeError("samples: expected a part of the batch of " + std::to_string(batch()) + ", got " +
                       std::to_string(count) + " from sample " + std::to_string(first) + " on");
    }
    return {data_ + first * sample.size(), sample.with_batch(count)};
  }
  /// The same elements under another shape of the same size. Throws ShapeError otherwise.
  TensorView reshaped(const Shape& shape) const {
    if (shape.size() != shape_.size()) {
      throw ShapeError("reshape: " + shape_.to_string() + " cannot become " + shape.to_string());
    }
    return {data_, shape};
  }

 private:
  T* data_ = nullptr;
  Shape shape_{0};
};

/// Owns its elements on a 64-byte boundary. Copying copies them.
template <class T>
class Tensor {
 public:
  Tensor() = default;
  /// All elements `value`. Throws ShapeError when their bytes cannot be counted, and MemoryError when there is no room.
  explicit Tensor(const Shape& shape, T value = T{}) : shape_(shape), data_(count_of(shape), value) {}
  /// The given elements in row-major order. Throws ShapeError when their count is another.
  Tensor(const Shape& shape, std::initializer_list<T> values) : shape_(shape), data_(values) {
    if (static_cast<Index>(data_.size()) != shape.size()) {
      throw ShapeError("Tensor: shape " + shape.to_string() + " has " + std::to_string(shape.size()) +
                       " elements, got " + std::to_string(data_.size()));
    }
  }
  /// A copy of what `view` looks at.
  explicit Tensor(TensorView<const T> view) : shape_(view.shape()), data_(view.begin(), view.end()) {}

  const Shape& shape() const { return shape_; }
  Index size() const { return static_cast<Index>(data_.size()); }
  Index batch() const { return shape_[0]; }
  T* data() { return data_.data(); }
  const T* data() const { return data_.data(); }
  T& operator[](Index i) { return data_[static_cast<std::size_t>(i)]; }
  const T& operator[](Index i) const { return data_[static_cast<std::size_t>(i)]; }
  auto begin() { return data_.begin(); }
  auto end() { return data_.end(); }
  auto begin() const { return data_.begin(); }
  auto end() const { return data_.end(); }
  void fill(T value) { std::fill(data_.begin(), data_.end(), value); }

  TensorView<T> view() { return {data_.data(), shape_}; }
  TensorView<const T> view() const { return {data_.data(), shape_}; }
  operator TensorView<T>() { return view(); }              // NOLINT: a tensor is usable as a view
  operator TensorView<const T>() const { return view(); }  // NOLINT
  TensorView<T> samples(Index first, Index count) { return view().samples(first, count); }
  TensorView<const T> samples(Index first, Index count) const { return view().samples(first, count); }

 private:
  static std::size_t count_of(const Shape& shape) {
    return static_cast<std::size_t>(checked_multiply(shape.size(), Index{sizeof(T)})) / sizeof(T);
  }
  Shape shape_{0};
  AlignedVector<T> data_;
};

LINNET_NAMESPACE_END
