// Runs of random numbers: many elements of a key's sequence at once, with the same bits on every machine.
#pragma once

#include <span>

#include "linnet/core/random.hpp"
#include "linnet/kernels/math.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/random.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// Elements [first, first + out.size()) of the key's uniform numbers in [0, 1): what key.uniform(i) gives.
template <class T>
void fill_uniform(const RandomKey& key, std::span<T> out, Index first = 0) {
  LINNET_DISPATCH(fill_uniform<T>, (key, first, static_cast<Index>(out.size()), out.data()));
}

/// Elements [first, first + out.size()) of the key's standard normal numbers, |z| < 5.8, by the transform of
/// G. Box and M. Muller (Ann. Math. Stat. 29, 1958): words w0 and w1 of a block give elements 0 and 1, words w2 and w3
/// elements 2 and 3.
template <class T>
void fill_normal(const RandomKey& key, std::span<T> out, Index first = 0) {
  LINNET_DISPATCH(fill_normal<T>, (key, first, static_cast<Index>(out.size()), out.data()));
}

LINNET_NAMESPACE_END
