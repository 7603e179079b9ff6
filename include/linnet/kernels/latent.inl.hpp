// The Gaussian latent of a variational autoencoder; see latent.hpp.

template <class T>
double latent_forward(Index n, const T* mean, const T* log_variance, const T* noise, T* z) {
  Pack<T> total = zero<T>();
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index lanes = n - i;
    const Pack<T> m = load(mean + i, lanes), lv = load(log_variance + i, lanes);
    // In the lanes past the end both are 0, and so is their term.
    // 1 + lv - e^lv, written without the 1, in which a small lv would be lost.
    total = total + fma(zero<T>() - m, m, lv - expm1(lv));
    const Pack<T> value = noise == nullptr ? m : fma(exp(lv * broadcast(T(0.5))), load(noise + i, lanes), m);
    store(z + i, value, lanes);
  }
  return -0.5 * static_cast<double>(sum(total));
}

template <class T>
void latent_backward(Index n, T kl_factor, const T* mean, const T* log_variance, const T* noise, const T* dz, T* d_mean,
                     T* d_log_variance) {
  const Pack<T> factor = broadcast(kl_factor);
  const Pack<T> half = broadcast(T(0.5));
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index lanes = n - i;
    const Pack<T> m = load(mean + i, lanes), lv = load(log_variance + i, lanes);
    const Pack<T> d = load(dz + i, lanes);
    store(d_mean + i, multiply_add(factor, m, d), lanes);
    const Pack<T> d_kl = (half * factor) * expm1(lv);
    store(d_log_variance + i, multiply_add((d * load(noise + i, lanes)) * half, exp(lv * half), d_kl), lanes);
  }
}
