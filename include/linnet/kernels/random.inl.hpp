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

/// Units of `kUnit` lanes of two parts in turn, from their middles on if `upper`: with units of one lane the lower half
/// of a0 a1 ... and b0 b1 ... is a0 b0 a1 b1 ...
template <int kUnit, bool upper, class Part, int... lanes>
LINNET_INLINE Part part_alternate(const Part& a, const Part& b, std::integer_sequence<int, lanes...>) {
#if LINNET_VECTORS
  constexpr int kCount = sizeof...(lanes), kFirst = upper ? kCount / 2 : 0;
  return __builtin_shufflevector(
      a, b, (kFirst + lanes / (2 * kUnit) * kUnit + lanes % kUnit + (lanes / kUnit % 2 == 0 ? 0 : kCount))...);
#else
  return a;
#endif
}

/// Writes the four packs of a run of blocks, block by block.
LINNET_INLINE void store_in_turn(const Pack<float> (&values)[4], float* run) {
  constexpr int kLanes = Pack<float>::kPartLanes;
  using Part = Pack<float>::Part;
  LINNET_UNROLL
  for (int i = 0; i < Pack<float>::kParts; ++i) {
    const Part &a = values[0].part[i], &b = values[1].part[i], &c = values[2].part[i], &d = values[3].part[i];
    Part turns[4] = {a, b, c, d};
    if constexpr (!kIsScalar<Part>) {
      constexpr std::make_integer_sequence<int, kLanes> all;
      const Part lower_ab = part_alternate<1, false>(a, b, all), upper_ab = part_alternate<1, true>(a, b, all);
      const Part lower_cd = part_alternate<1, false>(c, d, all), upper_cd = part_alternate<1, true>(c, d, all);
      turns[0] = part_alternate<2, false>(lower_ab, lower_cd, all);
      turns[1] = part_alternate<2, true>(lower_ab, lower_cd, all);
      turns[2] = part_alternate<2, false>(upper_ab, upper_cd, all);
      turns[3] = part_alternate<2, true>(upper_ab, upper_cd, all);
    }
    std::memcpy(run + 4 * kLanes * i, turns, sizeof turns);
  }
}

/// Writes the elements of a run of blocks: n of them, from `offset` elements into the run, or as many as there are.
template <class T>
LINNET_INLINE void store_blocks(const Pack<float> (&values)[4], Index offset, Index n, T* out) {
  alignas(64) float run[4 * Pack<float>::kLanes];
  store_in_turn(values, run);
  const Index count = std::min<Index>(n, 4 * Pack<float>::kLanes - offset);
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(out, run + offset, static_cast<std::size_t>(count) * sizeof(float));
  } else {
    for (Index e = 0; e < count; ++e) out[e] = static_cast<T>(run[offset + e]);
  }
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
