// The kernels of the image data: bytes to inputs, and noise. Their results have the same bits on every machine.
#pragma once

#include "linnet/simd/dispatch.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/image.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// to = bytes / 255, correctly rounded.
template <class T>
void bytes_to_unit(Index n, const std::uint8_t* bytes, T* to) {
  LINNET_DISPATCH(bytes_to_unit<T>, (n, bytes, to));
}
/// x = x + factor * noise, held within [0, 1].
template <class T>
void add_noise_clipped(Index n, T factor, const T* noise, T* x) {
  LINNET_DISPATCH(add_noise_clipped<T>, (n, factor, noise, x));
}
/// x = 0 where uniform < amount / 2, 1 where it is below amount.
template <class T>
void salt_and_pepper(Index n, T amount, const T* uniform, T* x) {
  LINNET_DISPATCH(salt_and_pepper<T>, (n, amount, uniform, x));
}

LINNET_NAMESPACE_END
