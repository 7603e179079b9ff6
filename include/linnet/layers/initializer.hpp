// Initializers: how weights start. Names, formulas and fans are those of Keras.
#pragma once

#include <array>

#include "linnet/core/names.hpp"
#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

/// A rule for the first values of a parameter. The fans of a shape (..., in, out) are in and out times
/// the receptive field (the product of the extents before them).
struct Initializer {
  enum class Kind { zeros, ones, constant, glorot_uniform, glorot_normal, he_uniform, he_normal, orthogonal };
  Kind kind = Kind::glorot_uniform;
  /// The value of `constant`, the gain of `orthogonal`; no meaning for the others.
  double value = 1;

  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("kind", kind);
    visit.field("value", value);
  }
  friend bool operator==(const Initializer&, const Initializer&) = default;
};

inline constexpr auto names(Initializer::Kind) {
  using Kind = Initializer::Kind;
  return std::array{
      NameOf{Kind::zeros, "zeros"},
      NameOf{Kind::ones, "ones"},
      NameOf{Kind::constant, "constant"},
      NameOf{Kind::glorot_uniform, "glorot_uniform"},
      NameOf{Kind::glorot_normal, "glorot_normal"},
      NameOf{Kind::he_uniform, "he_uniform"},
      NameOf{Kind::he_normal, "he_normal"},
      NameOf{Kind::orthogonal, "orthogonal"},
  };
}

inline constexpr Initializer zeros{Initializer::Kind::zeros, 0};
inline constexpr Initializer ones{Initializer::Kind::ones, 1};
/// Uniform in +-sqrt(6 / (fan_in + fan_out)): X. Glorot, Y. Bengio, AISTATS 2010.
inline constexpr Initializer glorot_uniform{Initializer::Kind::glorot_uniform};
/// Normal with variance 2 / (fan_in + fan_out), truncated at two standard deviations.
inline constexpr Initializer glorot_normal{Initializer::Kind::glorot_normal};
/// Uniform in +-sqrt(6 / fan_in): K. He et al., ICCV 2015.
inline constexpr Initializer he_uniform{Initializer::Kind::he_uniform};
/// Normal with variance 2 / fan_in, truncated at two standard deviations.
inline constexpr Initializer he_normal{Initializer::Kind::he_normal};
/// Orthonormal rows or columns times a gain: A. Saxe et al., ICLR 2014.
inline constexpr Initializer orthogonal{Initializer::Kind::orthogonal};
/// Every element `value`.
constexpr Initializer constant(double value) { return {Initializer::Kind::constant, value}; }

LINNET_NAMESPACE_END
