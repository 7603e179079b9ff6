// The optimizers' updates, one pass over weights, gradients and state each; see optimizer.hpp.

/// v = momentum v - rate g; w += v, or (Nesterov) w += momentum v - rate g.
template <class T>
void sgd_update(Index n, T rate, T momentum, bool nesterov, T decay, T* w, const T* g, T* v) {
  const Pack<T> minus_rate = broadcast(-rate), mu = broadcast(momentum), wd = broadcast(decay);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index lanes = n - i;
    const Pack<T> weight = load(w + i, lanes);
    const Pack<T> gradient = multiply_add(wd, weight, load(g + i, lanes));
    if (v == nullptr) {
      store(w + i, multiply_add(minus_rate, gradient, weight), lanes);
      continue;
    }
    const Pack<T> velocity = multiply_add(mu, load(v + i, lanes), minus_rate * gradient);
    store(v + i, velocity, lanes);
    const Pack<T> step = nesterov ? multiply_add(mu, velocity, minus_rate * gradient) : velocity;
    store(w + i, weight + step, lanes);
  }
}

/// s = rho s + (1 - rho) g^2; step = rate g / (sqrt(s) + epsilon); with momentum v = momentum v + step.
template <class T>
void rmsprop_update(Index n, T rate, T rho, T one_minus_rho, T momentum, T epsilon, T* w, const T* g, T* s, T* v) {
  const Pack<T> keep = broadcast(rho), take = broadcast(one_minus_rho), mu = broadcast(momentum);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index lanes = n - i;
    const Pack<T> gradient = load(g + i, lanes);
    const Pack<T> square = multiply_add(keep, load(s + i, lanes), take * (gradient * gradient));
    store(s + i, square, lanes);
    Pack<T> step = (broadcast(rate) * gradient) / (sqrt(square) + broadcast(epsilon));
    if (v != nullptr) {
      step = multiply_add(mu, load(v + i, lanes), step);
      store(v + i, step, lanes);
    }
    store(w + i, load(w + i, lanes) - step, lanes);
  }
}

/// m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2;
/// w -= rate_m m / (sqrt(v) inverse_root + epsilon), where rate_m and inverse_root hold the bias corrections;
/// before it w *= keep (decoupled weight decay).
template <class T>
void adam_update(Index n, T rate_m, T inverse_root, T beta_1, T one_minus_1, T beta_2, T one_minus_2, T epsilon, T keep,
                 T* w, const T* g, T* m, T* v) {
  const Pack<T> b1 = broadcast(beta_1), c1 = broadcast(one_minus_1);
  const Pack<T> b2 = broadcast(beta_2), c2 = broadcast(one_minus_2);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    const Index lanes = n - i;
    const Pack<T> gradient = load(g + i, lanes);
    const Pack<T> first = multiply_add(b1, load(m + i, lanes), c1 * gradient);
    const Pack<T> second = multiply_add(b2, load(v + i, lanes), c2 * (gradient * gradient));
    store(m + i, first, lanes);
    store(v + i, second, lanes);
    const Pack<T> denominator = multiply_add(sqrt(second), broadcast(inverse_root), broadcast(epsilon));
    const Pack<T> step = (broadcast(rate_m) * first) / denominator;
    store(w + i, load(w + i, lanes) * broadcast(keep) - step, lanes);
  }
}

template <class T>
void clip_values(Index n, T limit, T* g) {
  const Pack<T> low = broadcast(-limit), high = broadcast(limit);
  for (Index i = 0; i < n; i += Pack<T>::kLanes) {
    store(g + i, min(high, max(low, load(g + i, n - i))), n - i);
  }
}
