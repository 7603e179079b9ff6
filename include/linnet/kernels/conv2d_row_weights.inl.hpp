// The gradient by weights of the convolutions of conv2d_rows.inl.hpp: rows of three taps with stride 1, or four with
// stride 2. See conv2d.hpp.
//
// By weights, an element of one side meets a pack of the other. The pack has the filters of dy and the element is one
// of x; or, for a few filters of many channels (narrow), the pack has the channels of x and the element is one of dy.
// The second is the first with the roles exchanged and the taps turned: both are one kernel.

/// The packs in a row that an element meets, with stride 1 and (of four taps) with stride 2.
constexpr int row_depth(int stride) { return stride == 1 ? 3 : 2; }
/// The numbers of elements of a pixel whose sums stay in the registers, for one row of taps ...
template <int kStride>
constexpr auto row_weights_sizes() {
  if constexpr (kPartBytes == 64 && kStride == 1) {
    return Sizes<8, 4, 2, 1>{};
  } else if constexpr (kPartBytes == 64) {
    return Sizes<6, 4, 2, 1>{};
  } else if constexpr (kStride == 1) {
    return Sizes<2, 1>{};
  } else {
    return Sizes<1>{};
  }
}
/// ... and for all rows of a square kernel that meet a pack. With few elements one row has too few sums: they would
/// wait for each other.
inline constexpr Index kFewElements = kPartBytes == 64 ? 2 : 0;

/// What all products have in common. Steps count scalars.
struct RowProducts {
  Index elements = 0, packs = 0;  ///< pixels of a row
  Index element_row = 0, element_pixel = 0;
  Index pack_row = 0, pack_pixel = 0;
  /// Along a row, pixel kStride h + s - pad meets pack h - d under tap kStride d + s.
  Index pad = 0;
  Index dw_row = 0, dw_tap = 0, dw_element = 0, dw_lane = 0;
};

/// dw {kTapRows, taps, kElements, lanes} += the products of kElements of every pixel in `rows` rows and the packs
/// around: row i meets row pack_first + i - r of [0, pack_rows) under tap row r. An element is loaded once for all
/// the packs that it meets, and a pack is kept for the pixels that follow.
template <class T, int kStride, int kTapRows, int kElements>
void row_weights(const RowProducts& g, Index rows, const T* elements, const T* packs, Index pack_first, Index pack_rows,
                 Index columns, T* dw) {
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr int kDepth = row_depth(kStride);
  alignas(64) static constexpr T kZeros[kLanes] = {};
  Pack<T> sums[kTapRows][kStride * kDepth][kElements];
  LINNET_UNROLL
  for (int r = 0; r < kTapRows; ++r) {
    LINNET_UNROLL
    for (int t = 0; t < kStride * kDepth; ++t) {
      LINNET_UNROLL
      for (int e = 0; e < kElements; ++e) sums[r][t][e] = zero<T>();
    }
  }
  // The steps at which some pixel meets some pack; of these, those with all pixels and a new pack.
  const Index first = std::max<Index>(0, floor_divide(g.pad, kStride));
  const Index last = std::min(g.packs + kDepth - 1, floor_divide(g.elements + g.pad - 1, kStride) + 1);
  const Index first_whole = std::max(first, floor_divide(g.pad + kStride - 1, kStride));
  const Index last_whole = std::min(g.packs, floor_divide(g.elements + g.pad, kStride));
  for (Index row = 0; row < rows; ++row, elements += g.element_row) {
    const T* pack_row[kTapRows];
    Index step[kTapRows];
    LINNET_UNROLL
    for (int r = 0; r < kTapRows; ++r) {
      const Index at = pack_first + row - r;
      const bool inside = at >= 0 && at < pack_rows;
      pack_row[r] = inside ? packs + at * g.pack_row : kZeros;
      step[r] = inside ? g.pack_pixel : 0;
    }
    const auto pack = [&](int r, Index p) LINNET_INLINE_LAMBDA {
      return p >= 0 && p < g.packs ? load(pack_row[r] + p * step[r], columns) : zero<T>();
    };
    Pack<T> kept[kTapRows][kDepth];  // step h puts pack h where pack h - kDepth was
    LINNET_UNROLL
    for (int r = 0; r < kTapRows; ++r) {
      LINNET_UNROLL
      for (int d = 1; d < kDepth; ++d) kept[r][d] = pack(r, first - d);
    }
    // The pixel s of step h, where pack h - d is kept[(turn + d) % kDepth].
    const auto multiply = [&](Index h, auto s, auto turn) LINNET_INLINE_LAMBDA {
      const T* pixel = elements + (kStride * h + s - g.pad) * g.element_pixel;
      LINNET_UNROLL
      for (int e = 0; e < kElements; ++e) {
        const Pack<T> element = broadcast(pixel[e]);
        LINNET_UNROLL
        for (int r = 0; r < kTapRows; ++r) {
          LINNET_UNROLL
          for (int d = 0; d < kDepth; ++d) {
            Pack<T>& total = sums[r][kStride * d + s][e];
            total = multiply_add(element, kept[r][(turn + d) % kDepth], total);
          }
        }
      }
    };
    for (Index h = first; h < last;) {
      if constexpr (kElements <= kFewElements) {  // moving packs would take as long as multiplying them
        if (h >= first_whole && h + kDepth <= last_whole) {
          unrolled<kDepth>([&](auto j) LINNET_INLINE_LAMBDA {
            constexpr int kTurn = (kDepth - decltype(j)::value) % kDepth;
            LINNET_UNROLL
            for (int r = 0; r < kTapRows; ++r) kept[r][kTurn] = load(pack_row[r] + (h + j) * step[r], columns);
            unrolled<kStride>([&](auto s)
                                  LINNET_INLINE_LAMBDA { multiply(h + j, s, std::integral_constant<int, kTurn>{}); });
          });
          h += kDepth;
          continue;
        }
      }
      LINNET_UNROLL
      for (int r = 0; r < kTapRows; ++r) kept[r][0] = pack(r, h);
      unrolled<kStride>([&](auto s) LINNET_INLINE_LAMBDA {
        const Index i = kStride * h + s - g.pad;
        if (i >= 0 && i < g.elements) multiply(h, s, std::integral_constant<int, 0>{});
      });
      LINNET_UNROLL
      for (int r = 0; r < kTapRows; ++r) {
        LINNET_UNROLL
        for (int d = kDepth - 1; d > 0; --d) kept[r][d] = kept[r][d - 1];
      }
      ++h;
    }
  }
  Pack<T> totals[kTapRows][kStride * kDepth][kElements];  // in memory: the loops below need not be unrolled
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
      for (int e = 0; e < kElements; ++e) {
        T* to = dw + r * g.dw_row + t * g.dw_tap + e * g.dw_element;
        if (g.dw_lane == 1) {
          store(to, load(to, columns) + totals[r][t][e], columns);
        } else {
          alignas(64) T lanes[kLanes];
          store(lanes, totals[r][t][e]);
          for (Index l = 0; l < columns; ++l) to[l * g.dw_lane] += lanes[l];
        }
      }
    }
  }
}

template <class T>
using RowWeightsFunction = void (*)(const RowProducts&, Index, const T*, const T*, Index, Index, Index, T*);
template <class T, int kStride, int kTapRows, int... kElements>
constexpr std::array<RowWeightsFunction<T>, sizeof...(kElements)> make_row_weights(Sizes<kElements...>) {
  return {&row_weights<T, kStride, kTapRows, kElements>...};
}
template <class T, int kStride>
inline constexpr auto kRowWeights = make_row_weights<T, kStride, 1>(row_weights_sizes<kStride>());
/// Of kFewElements elements, and of one less.
template <class T, int kStride>
inline constexpr auto kSquareWeights = make_row_weights<T, kStride, row_depth(kStride)>(Sizes<2, 1>{});

/// dw += x^T dy. A block of rows, which stays in the cache, is taken through all channels and filters before the next.
template <int kStride, bool kNarrow, class T>
void all_row_weights(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  static_assert(kStride == 1 || !kNarrow);
  constexpr Index kLanes = Pack<T>::kLanes;
  constexpr int kTaps = kStride * row_depth(kStride);
  constexpr Index kBlockBytes = 128 * 1024;
  constexpr Index kBlockPixels = 224;  // at least, for each reading and writing of dw
  const Index in = g.group_channels(), out = g.group_filters();
  const Index x_row = g.x.input * g.channels, dy_row = g.x.output * g.filters;
  const Index dw_tap = in * g.filters;
  RowProducts products;
  products.dw_tap = kNarrow ? -dw_tap : dw_tap;
  products.dw_row = kStride * kTaps * products.dw_tap;
  if constexpr (kNarrow) {
    products.elements = g.x.output;
    products.packs = g.x.input;
    products.pad = kTaps - 1 - g.x.pad;
    products.element_row = dy_row;
    products.element_pixel = g.filters;
    products.pack_row = g.y.stride * x_row;
    products.pack_pixel = g.channels;
    products.dw_element = 1;
    products.dw_lane = g.filters;
  } else {
    products.elements = g.x.input;
    products.packs = g.x.output;
    products.pad = g.x.pad;
    products.element_row = g.y.stride * x_row;
    products.element_pixel = g.channels;
    products.pack_row = dy_row;
    products.pack_pixel = g.filters;
    products.dw_element = g.filters;
    products.dw_lane = 1;
  }
  const Index elements = kNarrow ? out : in, lanes = kNarrow ? in : out;
  const bool square = g.y.taps == kTaps && g.y.stride == kStride && g.y.dilation == 1 && elements <= kFewElements;

  // The products of the output rows [first, last) of one image.
  const auto multiply_block = [&](const T* image, const T* output, Index first, Index last) {
    for (Index group = 0; group < g.groups; ++group) {
      for (Index j = 0; j < lanes; j += kLanes) {
        const Index columns = std::min(kLanes, lanes - j);
        const T* element = (kNarrow ? output : image) + group * elements;
        const T* pack = (kNarrow ? image : output) + group * lanes + j;
        T* to = dw + group * out + j * products.dw_lane;
        if constexpr (kFewElements > 0) {
          if (square) {
            // Rows of elements in turns of the stride; of narrow ones, which are outputs, the rows of the block.
            const Index pad = kNarrow ? kTaps - 1 - g.y.pad : g.y.pad;
            for (Index s = 0; s < kStride; ++s) {
              // Row kStride h + s - pad meets pack row h - r: first all h of the block, or all with such a row.
              Index h = kNarrow ? first + pad : first, end = kNarrow ? last + pad : last;
              if (!kNarrow && last == g.y.output) end += row_depth(kStride) - 1;
              if (!kNarrow) {
                h = std::max(h, floor_divide(pad - s + kStride - 1, kStride));
                end = std::min(end, floor_divide(g.y.input + pad - s - 1, kStride) + 1);
              }
              if (h >= end) continue;
              kSquareWeights<T, kStride>[static_cast<std::size_t>(kFewElements - elements)](
                  products, end - h, element + (kStride * h + s - pad) * (kNarrow ? dy_row : x_row), pack, h,
                  kNarrow ? g.y.input : g.y.output, columns, to + (kNarrow ? kTaps * kTaps - 1 : s * kTaps) * dw_tap);
            }
            continue;
          }
        }
        for (Index ty = 0; ty < g.y.taps; ++ty) {
          const ConvAxis::Range reached = g.y.outputs_of(ty);
          const Index o0 = std::max(first, reached.first), o1 = std::min(last, reached.last);
          if (o0 >= o1) continue;
          const Index x_first = g.y.pixel(o0, ty) * x_row, dy_first = o0 * dy_row;
          const T* e = element + (kNarrow ? dy_first : x_first);
          const T* p = pack + (kNarrow ? x_first : dy_first);
          T* row = to + (ty * kTaps + (kNarrow ? kTaps - 1 : 0)) * dw_tap;  // narrow, the taps run backwards
          for_each_part(row_weights_sizes<kStride>(), elements, [&](Index c, std::size_t size) {
            kRowWeights<T, kStride>[size](products, o1 - o0, e + c, p, 0, o1 - o0, columns,
                                          row + c * products.dw_element);
          });
        }
      }
    }
  };
  const Index row_bytes = (x_row * g.y.stride + dy_row) * static_cast<Index>(sizeof(T));
  const Index block_rows = std::max({Index{1}, kBlockBytes / row_bytes, kBlockPixels / g.x.output});
  for (Index n = 0; n < g.batch; ++n) {
    for (Index first = 0; first < g.y.output; first += block_rows) {
      multiply_block(x + n * g.input_size(), dy + n * g.output_size(), first, std::min(g.y.output, first + block_rows));
    }
  }
}

template <class T>
void conv2d_backward_weights_rows(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  if (g.x.stride == 2) return all_row_weights<2, false>(g, x, dy, dw);
  all_row_weights<1, false>(g, x, dy, dw);
}
template <class T>
void conv2d_backward_weights_narrow_rows(const Conv2DGeometry& g, const T* x, const T* dy, T* dw) {
  all_row_weights<1, true>(g, x, dy, dw);
}
