// The kernel of conv2d_panel_weights.hpp: see there.

/// `pixels` packs of up to a pack of channels, `step` apart, copied side by side, with `margin` zeros on both sides.
template <class T>
void gather_packs(const T* from, Index step, Index pixels, Index columns, Index margin, T* to) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr Index kAhead = 16;
  for (Index i = 0; i < margin; ++i, to += kLanes) store(to, zero<T>());
  if (columns >= kLanes) {
    for (Index i = 0; i < pixels; ++i, from += step, to += kLanes) {
      LINNET_PREFETCH(from + kAhead * step);
      store(to, load(from));
    }
  } else {
    for (Index i = 0; i < pixels; ++i, from += step, to += kLanes) store(to, load(from, columns));
  }
  for (Index i = 0; i < margin; ++i, to += kLanes) store(to, zero<T>());
}

/// dw {taps of a row, kElements, lanes} += the products of kElements of every pixel in g.rows rows and the packs that
/// they meet: that of the same step, and those before it.
template <class T, class P, int kStride, int kElements>
void panel_weights(const PanelProducts& g, const T* elements, const T* packs, Index columns, T* dw) {
  constexpr Index kLanes = kPanelWidth<T>;
  constexpr int kDepth = row_depth(kStride), kTaps = kStride * kDepth;
  for (int t = 0; t < kTaps; ++t) {  // wanted at the end, and for many channels and filters out of reach until then
    for (int e = 0; e < kElements; ++e) LINNET_PREFETCH(dw + t * g.dw_tap + e * g.dw_element);
  }
  P sums[kTaps][kElements];
  LINNET_UNROLL
  for (int t = 0; t < kTaps; ++t) {
    LINNET_UNROLL
    for (int e = 0; e < kElements; ++e) sums[t][e] = zero_as<P>();
  }
  for (Index row = 0; row < g.rows; ++row) {
    const T* pixel = elements + row * g.element_row;
    const T* pack = packs + row * g.pack_row;
    const auto multiply_step = [&]() LINNET_INLINE_LAMBDA {
      LINNET_FORGET(pack);  // packs of steps before would take registers
      LINNET_UNROLL
      for (int s = 0; s < kStride; ++s) {
        const T* at = pixel + s * g.element_pixel;
        // What there is more of is taken one by one: the other side stays in registers, beside the sums.
        if constexpr (kElements > kDepth) {
          P factor[kDepth];
          LINNET_UNROLL
          for (int d = 0; d < kDepth; ++d) factor[d] = load_as<P>(pack - d * kLanes);
          LINNET_UNROLL
          for (int e = 0; e < kElements; ++e) {
            const P element = broadcast_as<P>(at[e]);
            LINNET_UNROLL
            for (int d = 0; d < kDepth; ++d) accumulate(sums[kStride * d + s][e], element, factor[d]);
          }
        } else {
          P element[kElements];
          LINNET_UNROLL
          for (int e = 0; e < kElements; ++e) element[e] = broadcast_as<P>(at[e]);
          LINNET_UNROLL
          for (int d = 0; d < kDepth; ++d) {
            const P factor = load_as<P>(pack - d * kLanes);
            LINNET_UNROLL
            for (int e = 0; e < kElements; ++e) accumulate(sums[kStride * d + s][e], element[e], factor);
          }
        }
      }
      pixel += kStride * g.element_pixel;
      pack += kLanes;
    };
    repeat(g.steps, multiply_step);
  }
  P totals[kTaps][kElements];
  LINNET_UNROLL
  for (int t = 0; t < kTaps; ++t) {
    LINNET_UNROLL
    for (int e = 0; e < kElements; ++e) totals[t][e] = sums[t][e];
  }
  for (int t = 0; t < kTaps; ++t) add_packs(totals[t], kElements, dw + t * g.dw_tap, g.dw_element, columns);
}

/// The numbers of elements of a pixel whose sums stay in the registers.
template <class P, int kStride>
constexpr auto panel_weights_sizes() {
  if constexpr (kPartBytes == 64 && kStride == 1) {
    return Sizes<8, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64) {
    return Sizes<6, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 32 && P::kParts == 1 && kStride == 1) {
    return Sizes<4, 3, 2, 1>{};
  } else if constexpr (kStride == 1 || P::kParts == 1) {
    return Sizes<2, 1>{};
  } else {
    return Sizes<1>{};
  }
}
template <class T, class P, int kStride, int... kElements>
constexpr std::array<PanelWeightsFunction<T>, sizeof...(kElements)> make_panel_weights(Sizes<kElements...>) {
  return {&panel_weights<T, P, kStride, kElements>...};
}
template <class T, class P, int kStride>
inline constexpr auto kPanelWeights = make_panel_weights<T, P, kStride>(panel_weights_sizes<P, kStride>());

/// `kHalf`: of half a pack.
template <class T, int kStride, bool kHalf>
PanelWeightsKernels<T> panel_weights_kernels(std::integral_constant<int, kStride>, std::bool_constant<kHalf>) {
  using P = std::conditional_t<kHalf, HalfPack<T>, Pack<T>>;
  return {panel_weights_sizes<P, kStride>().values, kPanelWeights<T, P, kStride>.data(), P::kLanes};
}
