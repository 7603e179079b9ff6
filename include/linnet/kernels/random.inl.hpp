// Runs of random numbers; see random.hpp. Philox is computed for one block per lane.

/// Blocks [first, first + lanes) of the key's sequence: word w of block `first + l` is words[w] lane l.
LINNET_INLINE void philox_blocks(const RandomKey& key, std::uint32_t first, Pack<std::uint32_t> (&words)[4]) {
  using Words = Pack<std::uint32_t>;
  alignas(64) std::uint32_t block[Words::kLanes];
  for (int l = 0; l < Words::kLanes; ++l) block[l] = first + static_cast<std::uint32_t>(l);
  words[0] = load(block);
  words[1] = broadcast(key.sample);
  words[2] = broadcast(key.step);
  words[3] = broadcast(key.stream);
  std::uint32_t k0 = static_cast<std::uint32_t>(key.seed);
  std::uint32_t k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    LINNET_UNROLL
    for (int i = 0; i < Words::kParts; ++i) {
      using Part = typename Words::Part;
      Part high_a, low_a, high_b, low_b;
      part_multiply_wide(words[0].part[i], 0xD2511F53u, high_a, low_a);
      part_multiply_wide(words[2].part[i], 0xCD9E8D57u, high_b, low_b);
      words[0].part[i] = high_b ^ words[1].part[i] ^ k0;
      words[1].part[i] = low_b;
      words[2].part[i] = high_a ^ words[3].part[i] ^ k1;
      words[3].part[i] = low_a;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/// (word >> 8) as a float, which is exact.
template <class Part, class Words>
LINNET_INLINE void part_upper_bits(Words words, Part& r) {
  if constexpr (kIsScalar<Part>) {
    r = static_cast<float>(words >> 8);
  } else {
#if LINNET_VECTORS
    r = __builtin_convertvector((typename PartOf<float>::bits)(words >> 8), Part);
#endif
  }
}
LINNET_INLINE Pack<float> upper_bits(const Pack<std::uint32_t>& words) {
  Pack<float> r;
  LINNET_UNROLL
  for (int i = 0; i < Pack<float>::kParts; ++i) part_upper_bits(words.part[i], r.part[i]);
  return r;
}

/// Writes the four packs of a run of blocks in the order of the elements: those in [0, n), from
/// `offset` elements into the run.
template <class T>
LINNET_INLINE void store_blocks(const Pack<float> (&values)[4], Index offset, Index n, T* out) {
  alignas(64) float lanes[4][Pack<float>::kLanes];
  for (int w = 0; w < 4; ++w) store(lanes[w], values[w]);
  const Index last = std::min<Index>(offset + n, 4 * Pack<float>::kLanes);
  for (Index e = offset; e < last; ++e) out[e - offset] = static_cast<T>(lanes[e % 4][e / 4]);
}

template <class T>
void fill_uniform(const RandomKey& key, Index first, Index n, T* out) {
  constexpr Index kRun = 4 * Pack<float>::kLanes;
  for (Index i = first; i < first + n;) {
    const Index offset = i % 4;
    Pack<std::uint32_t> words[4];
    philox_blocks(key, static_cast<std::uint32_t>(i / 4), words);
    Pack<float> values[4];
    for (int w = 0; w < 4; ++w) values[w] = upper_bits(words[w]) * broadcast(0x1p-24f);
    store_blocks(values, offset, first + n - i, out + (i - first));
    i += kRun - offset;
  }
}

template <class T>
void fill_normal(const RandomKey& key, Index first, Index n, T* out) {
  constexpr Index kRun = 4 * Pack<float>::kLanes;
  for (Index i = first; i < first + n;) {
    const Index offset = i % 4;
    Pack<std::uint32_t> words[4];
    philox_blocks(key, static_cast<std::uint32_t>(i / 4), words);
    Pack<float> values[4];
    for (int w = 0; w < 4; w += 2) {
      const Pack<float> u = fma(upper_bits(words[w]), broadcast(0x1p-24f), broadcast(0x1p-24f));
      const Pack<float> radius = sqrt(log(u) * broadcast(-2.0f));
      Pack<float> sine, cosine;
      sin_cos_turns(upper_bits(words[w + 1]) * broadcast(0x1p-24f), sine, cosine);
      values[w] = radius * cosine;
      values[w + 1] = radius * sine;
    }
    store_blocks(values, offset, first + n - i, out + (i - first));
    i += kRun - offset;
  }
}
