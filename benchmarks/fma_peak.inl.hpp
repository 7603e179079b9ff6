// The highest rate of fused multiply-adds: independent chains that never leave the registers.

/// Multiplies and adds `rounds` times in each of kChains packs and returns the number of operations done. `result`
/// takes what comes out, so that none of it can be left out.
inline double multiply_and_add(Index rounds, float* result) {
  constexpr int kChains = kPartBytes == 64 ? 16 : kPartBytes == 32 ? 6 : 3;
  Pack<float> sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = broadcast(static_cast<float>(c));
  const Pack<float> a = broadcast(result[0]), b = broadcast(result[1]);
  for (Index round = 0; round < rounds; ++round) {
    LINNET_UNROLL
    for (int c = 0; c < kChains; ++c) sums[c] = multiply_add(sums[c], a, b);  // a b would be done once for all rounds
  }
  Pack<float> total = sums[0];
  for (int c = 1; c < kChains; ++c) total = total + sums[c];
  result[0] = sum(total);
  return 2.0 * kChains * Pack<float>::kLanes * static_cast<double>(rounds);
}
