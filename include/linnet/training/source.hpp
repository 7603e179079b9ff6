// Where batches come from: the trainer's view of a data set.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "linnet/core/tensor.hpp"

LINNET_NAMESPACE_BEGIN

/// Anything that has samples. `fill` writes the inputs and targets of the samples with the given indices; it is
/// called by several threads at once, for different samples, and must not allocate. The epoch lets a source
/// give other noise each time.
template <class S, class T>
concept Source = requires(const S& source, std::span<const Index> samples, std::uint32_t epoch, TensorView<T> view) {
  { source.size() } -> std::same_as<Index>;
  { source.input_shape() } -> std::convertible_to<Shape>;
  { source.target_shape() } -> std::convertible_to<Shape>;
  source.fill(samples, epoch, view, view);
};

/// A reference to any source, which must outlive it; a temporary is moved into it. A default one refers to none.
template <class T>
class SourceRef {
 public:
  SourceRef() = default;
  SourceRef(const SourceRef&) = default;  // and no moving: what is moved from would still look like a source
  SourceRef& operator=(const SourceRef&) = default;
  template <class S>
  requires(!std::same_as<S, SourceRef> && Source<S, T>)
      SourceRef(const S& source)  // NOLINT: a source is handed over as it is
      : SourceRef(&source) {}
  template <class S>
  requires(!std::is_lvalue_reference_v<S> && !std::same_as<std::remove_cv_t<S>, SourceRef> &&
           Source<std::remove_cv_t<S>, T>) SourceRef(S&& source)  // NOLINT
      : SourceRef(std::make_shared<const S>(std::move(source))) {}

  explicit operator bool() const { return object_ != nullptr; }
  Index size() const { return size_(object_); }
  Shape input_shape() const { return input_shape_(object_); }
  Shape target_shape() const { return target_shape_(object_); }
  void fill(std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x, TensorView<T> target) const {
    fill_(object_, samples, epoch, x, target);
  }

 private:
  template <class S>
  explicit SourceRef(std::shared_ptr<const S> owned) : SourceRef(owned.get()) {
    owned_ = std::move(owned);
  }
  template <class S>
  explicit SourceRef(const S* source)
      : object_(source),
        size_([](const void* s) { return static_cast<const S*>(s)->size(); }),
        input_shape_([](const void* s) -> Shape { return static_cast<const S*>(s)->input_shape(); }),
        target_shape_([](const void* s) -> Shape { return static_cast<const S*>(s)->target_shape(); }),
        fill_([](const void* s, std::span<const Index> samples, std::uint32_t epoch, TensorView<T> x,
                 TensorView<T> target) { static_cast<const S*>(s)->fill(samples, epoch, x, target); }) {}

  std::shared_ptr<const void> owned_;
  const void* object_ = nullptr;
  Index (*size_)(const void*) = nullptr;
  Shape (*input_shape_)(const void*) = nullptr;
  Shape (*target_shape_)(const void*) = nullptr;
  void (*fill_)(const void*, std::span<const Index>, std::uint32_t, TensorView<T>, TensorView<T>) = nullptr;
};

LINNET_NAMESPACE_END
