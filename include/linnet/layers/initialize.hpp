// initialize(): gives a parameter its first values.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "linnet/core/tensor.hpp"
#include "linnet/kernels/random.hpp"
#include "linnet/kernels/vector_ops.hpp"
#include "linnet/layers/initializer.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {
struct Fans {
  double in, out;
};
/// As Keras: (..., in, out), both times the receptive field; a vector is its own in and out.
inline Fans fans_of(const Shape& shape) {
  if (shape.rank() == 0) return {1, 1};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1;
  for (int axis = 0; axis < shape.rank() - 2; ++axis) field *= static_cast<double>(shape[axis]);
  return {field * static_cast<double>(shape[shape.rank() - 2]), field * static_cast<double>(shape.back())};
}

/// Normal numbers with |z| <= 2: those outside are replaced by the next of a second sequence that are inside.
template <class T>
void fill_truncated_normal(const RandomKey& key, std::span<T> out) {
  fill_normal<T>(key, out);
  const RandomKey spare = key.with_sample(key.sample + 1);
  Index next = 0;
  for (T& z : out) {
    while (z > T(2) || z < T(-2)) fill_normal<T>(spare, std::span<T>(&z, 1), next++);
  }
}

/// Orthonormal rows or columns (whichever are fewer) by Gram and Schmidt, each orthogonalized twice
/// against rounding, from normal numbers; in double.
template <class T>
void fill_orthogonal(const RandomKey& key, double gain, const Shape& shape, std::span<T> out) {
  const Index columns = shape.back();
  const Index rows = columns == 0 ? 0 : shape.size() / columns;
  const bool tall = rows >= columns;
  const Index count = tall ? columns : rows;   // vectors
  const Index length = tall ? rows : columns;  // of each
  std::vector<double> vectors(static_cast<std::size_t>(count * length));
  fill_normal<double>(key, std::span<double>(vectors));
  for (Index v = 0; v < count; ++v) {
    double* vector = vectors.data() + v * length;
    Index axis = 0;
    for (int pass = 0; pass < 2; ++pass) {
      for (Index u = 0; u < v; ++u) {
        const double* other = vectors.data() + u * length;
        double dot = 0;
        for (Index i = 0; i < length; ++i) dot = std::fma(vector[i], other[i], dot);
        for (Index i = 0; i < length; ++i) vector[i] = std::fma(-dot, other[i], vector[i]);
      }
      double square = 0;
      for (Index i = 0; i < length; ++i) square = std::fma(vector[i], vector[i], square);
      const double norm = std::sqrt(square);
      if (norm == 0) {  // it lay in the span of the others: one of the axes does not
        vector[axis++] = 1;
        --pass;
        continue;
      }
      for (Index i = 0; i < length; ++i) vector[i] /= norm;
    }
    for (Index i = 0; i < length; ++i) {
      const Index at = tall ? i * columns + v : v * columns + i;
      out[static_cast<std::size_t>(at)] = static_cast<T>(gain * vector[i]);
    }
  }
}
}  // namespace detail

/// Fills `parameter`; its shape gives the fans. The same key gives the same values on every machine.
template <class T>
void initialize(const Initializer& initializer, const RandomKey& key, TensorView<T> parameter) {
  using Kind = Initializer::Kind;
  const detail::Fans fans = detail::fans_of(parameter.shape());
  const auto uniform = [&](double limit) {
    fill_uniform<T>(key, parameter.span());
    for (T& value : parameter) {  // (2 u - 1) is exact
      value = static_cast<T>(limit) * (value + value - T(1));
    }
  };
  const auto normal = [&](double variance) {
    constexpr double kTruncated = 0.87962566103423978;  // standard deviation of a normal cut at +-2
    detail::fill_truncated_normal<T>(key, parameter.span());
    scale<T>(parameter.size(), static_cast<T>(std::sqrt(variance) / kTruncated), parameter.data(), parameter.data());
  };
  switch (initializer.kind) {
    case Kind::zeros:
      return std::fill(parameter.begin(), parameter.end(), T(0));
    case Kind::ones:
      return std::fill(parameter.begin(), parameter.end(), T(1));
    case Kind::constant:
      return std::fill(parameter.begin(), parameter.end(), static_cast<T>(initializer.value));
    case Kind::glorot_uniform:
      return uniform(std::sqrt(6 / (fans.in + fans.out)));
    case Kind::he_uniform:
      return uniform(std::sqrt(6 / fans.in));
    case Kind::glorot_normal:
      return normal(2 / (fans.in + fans.out));
    case Kind::he_normal:
      return normal(2 / fans.in);
    case Kind::orthogonal:
      return detail::fill_orthogonal<T>(key, initializer.value, parameter.shape(), parameter.span());
  }
}

LINNET_NAMESPACE_END
