// The arithmetic of the vector type, to be compared with what it means lane by lane; see pack_test.cpp.

/// The results of the operations on a pack from each of a, b and c, in the order of pack_test.cpp's list. Returns
/// whether multiply_add() rounds once. (No two share a product: g++ fuses one with a sum only where it is used once.)
template <class T>
bool pack_operations(const T* a, const T* b, const T* c, T* results) {
  const Pack<T> x = load(a), y = load(b), z = load(c);
  Pack<T> accumulated = z;
  accumulate(accumulated, x, y);
  const Pack<T> all[] = {x + y,
                         x - y,
                         x * y,
                         x / y,
                         max(x, y),
                         min(x, y),
                         fma(x, y, z),
                         multiply_add(x, y, z),
                         accumulated,
                         y * z + x,
                         x * z - y,
                         sqrt(x),
                         abs(x),
                         select_less(x, y, z, x),
                         select_equal(x, y, z, x),
                         select_unordered(x, y, z),
                         broadcast(a[1]),
                         zero<T>()};
  for (const Pack<T>& result : all) {
    store(results, result);
    results += Pack<T>::kLanes;
  }
  return kFusedMultiplyAdd;
}

/// Copies n lanes by each kind of partial load: `loaded` gets the whole packs, `stored` no more than n lanes of one.
template <class T>
void pack_partial(const T* from, Index n, T* loaded, T* stored) {
  store(loaded, load(from, n));
  store(loaded + Pack<T>::kLanes, masked_load_as<Pack<T>>(from, n));
  Pack<T> parts = zero<T>();
  for (int i = 0; i < Pack<T>::kParts; ++i) {
    const Index left = n - i * Pack<T>::kPartLanes;
    if (left > 0) parts.part[i] = masked_load_as<Pack<T, 1>>(from + i * Pack<T>::kPartLanes, left).part[0];
  }
  store(loaded + 2 * Pack<T>::kLanes, parts);
  store(stored, load(loaded), n);
}

/// Stores up to five packs (or halves), n lanes of each, `step` apart; then adds them to what is there.
template <class T, class P>
void store_and_add(const T* from, int count, Index step, Index n, bool rectified, T* to) {
  P packs[5];
  for (int i = 0; i < count; ++i) packs[i] = load_as<P>(from + i * Pack<T>::kLanes);
  store_packs(packs, count, to, step, n);
  add_packs(packs, count, to, step, n, rectified);
}
template <class T>
void pack_stores(const T* from, bool half, int count, Index step, Index n, bool rectified, T* to) {
  half ? store_and_add<T, HalfPack<T>>(from, count, step, n, rectified, to)
       : store_and_add<T, Pack<T>>(from, count, step, n, rectified, to);
}

/// The sum of each of kLanes packs, one by one and all together; then of the first three together.
template <class T>
void pack_sums(const T* from, T* one_by_one, T* together, T* three) {
  Pack<T> packs[Pack<T>::kLanes];
  for (int i = 0; i < Pack<T>::kLanes; ++i) {
    packs[i] = load(from + i * Pack<T>::kLanes);
    one_by_one[i] = sum(packs[i]);
  }
  store(together, sums_of(packs));
  const Pack<T> first[] = {packs[0], packs[1], packs[2]};
  store(three, sums_of(first));
}
