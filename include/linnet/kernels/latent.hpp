// The kernels of GaussianLatent, for one sample of n latents.
#pragma once

#include "linnet/kernels/math.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/latent.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

/// z = mean + e^(log_variance / 2) noise (without noise, null: z = mean). Returns the divergence
/// -1/2 sum(1 + log_variance - mean^2 - e^log_variance).
template <class T>
double latent_forward(Index n, const T* mean, const T* log_variance, const T* noise, T* z) {
  return LINNET_DISPATCH(latent_forward<T>, (n, mean, log_variance, noise, z));
}
/// The gradients from dz, with kl_factor times those of the divergence.
template <class T>
void latent_backward(Index n, T kl_factor, const T* mean, const T* log_variance, const T* noise, const T* dz, T* d_mean,
                     T* d_log_variance) {
  LINNET_DISPATCH(latent_backward<T>, (n, kl_factor, mean, log_variance, noise, dz, d_mean, d_log_variance));
}

LINNET_NAMESPACE_END
