// The kernel of conv2d_row_weights.hpp: see there.

/// The numbers of elements of a pixel, for one row of taps.
template <int kStride>
constexpr auto row_weights_sizes() {
  if constexpr (kPartBytes == 64) {
    return Sizes<4, 2, 1>{};  // four: narrow
  } else if constexpr (kStride == 1) {
    return Sizes<2, 1>{};
  } else {
    return Sizes<1>{};
  }
}

/// dw {kTapRows, taps, kElements, lanes} += the products of kElements of every pixel in `rows` rows and the packs
/// around: row i meets row pack_first + i - r of [0, pack_rows) under tap row r. An element is loaded once for all
/// the packs that it meets, and a pack is kept for the pixels that follow.
template <class T, int kStride, int kTapRows, int kElements>
void row_weights(const RowProducts& g, Index rows, const T* elements, const T* packs, Index pack_first, Index pack_rows,
                 Index columns, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr int kDepth = row_depth(kStride);
  // Packs are fetched so many steps ahead: there are few products for each, and a wait lasts for many of them. Narrow
  // registers have more to do for each.
  constexpr bool kFetch = kPartBytes == 64;
  constexpr int kAhead = 32;
  Pack<T> sums[kTapRows][kStride * kDepth][kElements];
  LINNET_UNROLL
  for (int r = 0; r < kTapRows; ++r) {
    LINNET_UNROLL
    for (int t = 0; t < kStride * kDepth; ++t) {
      LINNET_UNROLL
      for (int e = 0; e < kElements; ++e) sums[r][t][e] = zero<T>();
    }
  }
  if (g.dw_lane == 1) {  // wanted at the end, and for many channels and filters out of reach of the cache until then
    LINNET_UNROLL
    for (int t = 0; t < kTapRows * kStride * kDepth; ++t) {
      for (int e = 0; e < kElements; ++e) {
        LINNET_PREFETCH(dw + t / (kStride * kDepth) * g.dw_row + t % (kStride * kDepth) * g.dw_tap + e * g.dw_element);
      }
    }
  }
  // The steps at which some pixel meets some pack; of these, those with all pixels and a new pack.
  const Index first = std::max<Index>(0, floor_divide(g.pad, kStride));
  const Index last = std::min(g.packs + kDepth - 1, floor_divide(g.elements + g.pad - 1, kStride) + 1);
  const Index first_whole = std::max(first, floor_divide(g.pad + kStride - 1, kStride));
  const Index last_whole = std::min(g.packs, floor_divide(g.elements + g.pad, kStride));
  for (Index row = 0; row < rows; ++row, elements += g.element_row) {
    const T* pack_row[kTapRows];  // null outside
    bool all_inside = true;
    LINNET_UNROLL
    for (int r = 0; r < kTapRows; ++r) {
      const Index at = pack_first + row - r;
      const bool inside = at >= 0 && at < pack_rows;
      pack_row[r] = inside ? packs + at * g.pack_row : nullptr;
      all_inside = all_inside && inside;
    }
    const auto pack = [&](int r, Index p) LINNET_INLINE_LAMBDA {
      const bool inside = p >= 0 && p < g.packs && pack_row[r] != nullptr;
      return inside ? load(pack_row[r] + p * g.pack_pixel, columns) : zero<T>();
    };
    Pack<T> kept[kTapRows][kDepth];  // step h puts pack h where pack h - kDepth was
    LINNET_UNROLL
    for (int r = 0; r < kTapRows; ++r) {
      LINNET_UNROLL
      for (int d = 1; d < kDepth; ++d) kept[r][d] = pack(r, first - d);
    }
    // `pixel` is the pixel s of step h, where pack h - d is kept[(turn + d) % kDepth]. A row of packs that is outside
    // takes no part: 0 times an element that is not finite would. (A pack outside, beside a row, does: docs/design.md.)
    const auto multiply = [&](const T* pixel, int s, int turn, auto careful) LINNET_INLINE_LAMBDA {
      LINNET_UNROLL
      for (int e = 0; e < kElements; ++e) {
        const Pack<T> element = broadcast(pixel[e]);
        LINNET_UNROLL
        for (int r = 0; r < kTapRows; ++r) {
          if (careful && kTapRows > 1 && pack_row[r] == nullptr) continue;
          LINNET_UNROLL
          for (int d = 0; d < kDepth; ++d) {
            Pack<T>& total = sums[r][kStride * d + s][e];
            total = multiply_add(element, kept[r][(turn + d) % kDepth], total);
          }
        }
      }
    };
    const auto shift = [&]() LINNET_INLINE_LAMBDA {
      LINNET_UNROLL
      for (int r = 0; r < kTapRows; ++r) {
        LINNET_UNROLL
        for (int d = kDepth - 1; d > 0; --d) kept[r][d] = kept[r][d - 1];
      }
    };
    for (Index h = first; h < last;) {
      if (columns == kLanes && all_inside && h >= first_whole && h + kDepth <= last_whole) {
        // Nothing to check in the middle of a row: there the loop is as short as it can be, since a processor that
        // takes four operations a cycle has few to spare beside two fused multiply-adds. Moving the packs from step to
        // step would take as long as multiplying them: each keeps its register, and which is which turns.
        const Index element_step = kStride * g.element_pixel, pack_step = g.pack_pixel;
        const T* pixel = elements + (kStride * h - g.pad) * g.element_pixel;
        Index pack_at = h * pack_step;
        do {
          LINNET_UNROLL
          for (int j = 0; j < kDepth; ++j) {
            const int turn = (kDepth - j) % kDepth;
            LINNET_UNROLL
            for (int r = 0; r < kTapRows; ++r) kept[r][turn] = load(pack_row[r] + pack_at);
            if constexpr (kFetch) LINNET_PREFETCH(pack_row[0] + pack_at + kAhead * pack_step);
            LINNET_UNROLL
            for (int s = 0; s < kStride; ++s) multiply(pixel + s * g.element_pixel, s, turn, std::false_type{});
            pack_at += pack_step;
            pixel += element_step;
          }
          h += kDepth;
        } while (h + kDepth <= last_whole);
        continue;
      }
      LINNET_UNROLL
      for (int r = 0; r < kTapRows; ++r) kept[r][0] = pack(r, h);
      LINNET_UNROLL
      for (int s = 0; s < kStride; ++s) {
        const Index i = kStride * h + s - g.pad;
        if (i >= 0 && i < g.elements) multiply(elements + i * g.element_pixel, s, 0, std::true_type{});
      }
      shift();
      ++h;
    }
  }
  Pack<T> totals[kTapRows][kStride * kDepth][kElements];
  LINNET_UNROLL
  for (int r = 0; r < kTapRows; ++r) {
    LINNET_UNROLL
    for (int t = 0; t < kStride * kDepth; ++t) {
      LINNET_UNROLL
      for (int e = 0; e < kElements; ++e) totals[r][t][e] = sums[r][t][e];
    }
  }
  for (int r = 0; r < kTapRows; ++r) {
    for (int t = 0; t < kStride * kDepth; ++t) {
      T* to = dw + r * g.dw_row + t * g.dw_tap;
      if (g.dw_lane == 1) {
        add_packs(totals[r][t], kElements, to, g.dw_element, columns);
        continue;
      }
      for (int e = 0; e < kElements; ++e, to += g.dw_element) {
        alignas(64) T lanes[kLanes];
        store(lanes, totals[r][t][e]);
        for (Index l = 0; l < columns; ++l) to[l * g.dw_lane] += lanes[l];
      }
    }
  }
}

template <class T, int kStride, int kTapRows, int... kElements>
constexpr std::array<RowWeightsFunction<T>, sizeof...(kElements)> make_row_weights(Sizes<kElements...>) {
  return {&row_weights<T, kStride, kTapRows, kElements>...};
}
template <class T, int kStride>
inline constexpr auto kRowWeights = make_row_weights<T, kStride, 1>(row_weights_sizes<kStride>());
/// Of kFewElements elements, and of one less.
static_assert(kFewElements == 2);
template <class T, int kStride>
inline constexpr auto kSquareWeights = make_row_weights<T, kStride, row_depth(kStride)>(Sizes<2, 1>{});

template <class T, int kStride>
RowWeightsKernels<T> row_weights_kernels(std::integral_constant<int, kStride>) {
  const RowWeightsFunction<T>* square = nullptr;
  if constexpr (kPartBytes == 64) square = kSquareWeights<T, kStride>.data();
  return {row_weights_sizes<kStride>().values, kRowWeights<T, kStride>.data(), square};
}
