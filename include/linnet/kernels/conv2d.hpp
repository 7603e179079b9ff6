// Convolutions: forward, by data and by weights, and the choice of the kernel for each.
//
// Weights are {kernel height, kernel width, channels of a group, filters} (HWIO). A kernel that wants them
// in another order gets them from conv2d_pack(), once per training step.
#pragma once

#include <algorithm>

#include "linnet/kernels/activation.hpp"
#include "linnet/kernels/conv2d_direct.hpp"
#include "linnet/kernels/conv2d_geometry.hpp"
#include "linnet/kernels/conv2d_reference.hpp"
#include "linnet/kernels/conv2d_row_weights.hpp"
#include "linnet/kernels/conv2d_rows.hpp"
#include "linnet/kernels/gemm.hpp"

#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_narrow.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"
#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_depthwise.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"
#define LINNET_KERNEL_FILE "linnet/kernels/conv2d_im2col.inl.hpp"
#include "linnet/simd/for_each_isa.hpp"

LINNET_NAMESPACE_BEGIN

enum class ConvDirection { forward, backward_data, backward_weights };

enum class ConvAlgorithm {
  reference,    ///< the plain loops
  im2col,       ///< patches and a matrix product: every geometry
  direct,       ///< no patches; by data only with stride 1
  rows,         ///< direct, for three taps a row with stride 1 along it, or four with stride 2; no dilation there
  narrow,       ///< direct, for a few output channels of many input channels, one group
  narrow_rows,  ///< both
  depthwise     ///< every channel by itself
};

inline const char* to_string(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::im2col:
      return "im2col";
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::rows:
      return "rows";
    case ConvAlgorithm::narrow:
      return "narrow";
    case ConvAlgorithm::narrow_rows:
      return "narrow_rows";
    case ConvAlgorithm::depthwise:
      return "depthwise";
    default:
      return "reference";
  }
}

/// Backward by data with stride 1 is a forward convolution of dy with the kernel turned by 180 degrees and
/// inputs and outputs exchanged: this is its geometry.
inline Conv2DGeometry turned(const Conv2DGeometry& g) {
  Conv2DGeometry t = g;
  std::swap(t.channels, t.filters);
  for (ConvAxis* axis : {&t.y, &t.x}) {
    std::swap(axis->input, axis->output);
    axis->pad = (axis->taps - 1) * axis->dilation - axis->pad;
  }
  return t;
}

/// Whether the algorithm can do it at all.
inline bool conv2d_can(ConvAlgorithm algorithm, ConvDirection direction, const Conv2DGeometry& g) {
  const bool stride_1 = g.y.stride == 1 && g.x.stride == 1;
  const bool by_data = direction == ConvDirection::backward_data;
  const bool three_taps = g.x.taps == 3 && g.x.stride == 1 && g.x.dilation == 1;
  const bool doubling = g.x.taps == 4 && g.x.stride == 2 && g.x.dilation == 1;
  switch (algorithm) {
    case ConvAlgorithm::direct:
      return stride_1 || !by_data;
    case ConvAlgorithm::rows:
      return three_taps || doubling;
    case ConvAlgorithm::narrow_rows:
      return g.groups == 1 && (three_taps || (doubling && by_data));
    case ConvAlgorithm::narrow:
      return g.groups == 1 && (stride_1 || !by_data);
    case ConvAlgorithm::depthwise:
      return g.depthwise();
    default:
      return true;
  }
}

/// The kernel for a geometry. It looks at neither the batch, the threads nor the instruction set: the choice decides
/// the order of additions. Nor does it look at extents and padding, which are not known when weights are packed
/// (`direct` does: conv2d_product.hpp).
inline ConvAlgorithm choose_conv2d(ConvDirection direction, const Conv2DGeometry& g) {
  if (g.depthwise()) return ConvAlgorithm::depthwise;
  const bool by_data = direction == ConvDirection::backward_data;
  const Index inputs = by_data ? g.filters : g.channels;
  const Index outputs = by_data ? g.channels : g.filters;
  if (outputs <= 4 && inputs >= 4 * outputs) {
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::narrow_rows, ConvAlgorithm::narrow}) {
      if (conv2d_can(algorithm, direction, g)) return algorithm;
    }
  }
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::rows, ConvAlgorithm::direct}) {
    if (conv2d_can(algorithm, direction, g)) return algorithm;
  }
  return ConvAlgorithm::im2col;
}

namespace detail {
/// The scalars of one group's weights in panels, or in the narrow kernel's order.
template <class T>
Index packed_group_size(ConvAlgorithm algorithm, const Conv2DGeometry& g, Index inputs, Index outputs) {
  if (algorithm == ConvAlgorithm::narrow || algorithm == ConvAlgorithm::narrow_rows) {
    return checked_multiply(panels_size<T>(g.taps(), inputs), outputs);
  }
  return panels_size<T>(checked_multiply(g.taps(), inputs), outputs);
}
}  // namespace detail

/// The scalars that conv2d_pack() writes; 0 where the kernel takes the weights as they are.
template <class T>
Index conv2d_packed_size(ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g) {
  if (direction == ConvDirection::backward_weights || algorithm == ConvAlgorithm::reference ||
      algorithm == ConvAlgorithm::depthwise) {
    return 0;
  }
  const Index in = g.group_channels(), out = g.group_filters();
  if (direction == ConvDirection::forward) {
    return checked_multiply(g.groups, detail::packed_group_size<T>(algorithm, g, in, out));
  }
  if (algorithm == ConvAlgorithm::im2col) {
    return checked_multiply(g.groups, panels_size<T>(out, checked_multiply(g.taps(), in)));
  }
  return checked_multiply(g.groups, detail::packed_group_size<T>(algorithm, g, out, in));
}

/// Brings the weights into the order that the kernel reads.
template <class T>
void conv2d_pack(ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g, const T* w, T* packed) {
  if (conv2d_packed_size<T>(direction, algorithm, g) == 0) return;
  const Index in = g.group_channels(), out = g.group_filters();
  const bool forward = direction == ConvDirection::forward;
  for (Index group = 0; group < g.groups; ++group) {
    const T* w_group = w + group * out;  // element (tap, c, k): w_group[(tap * in + c) * filters + k]
    if (!forward && algorithm == ConvAlgorithm::im2col) {
      pack_panels<T>(out, g.taps() * in, w_group, 1, g.filters, packed);
      packed += panels_size<T>(out, g.taps() * in);
    } else if (algorithm == ConvAlgorithm::narrow) {
      // For each output, the taps, each with all inputs, padded to whole packs.
      const Index outputs = forward ? out : in, inputs = forward ? in : out;
      const Index padded = panels_size<T>(1, inputs);
      for (Index o = 0; o < outputs; ++o) {
        for (Index tap = 0; tap < g.taps(); ++tap, packed += padded) {
          const Index source = forward ? tap : g.taps() - 1 - tap;
          for (Index i = 0; i < padded; ++i) {
            const Index c = forward ? i : o, k = forward ? o : i;
            packed[i] = i < inputs ? w_group[(source * in + c) * g.filters + k] : T(0);
          }
        }
      }
    } else if (algorithm == ConvAlgorithm::rows || algorithm == ConvAlgorithm::narrow_rows) {
      // {output, row, input, taps, lanes}: the lanes are outputs, or (narrow) inputs. A pixel reaches the outputs from
      // its tap 0 on: forward with stride 1 that is the last one.
      constexpr Index kLanes = kPanelWidth<T>;
      const bool narrow = algorithm == ConvAlgorithm::narrow_rows, turn = forward && g.x.stride == 1;
      const Index outputs = forward ? out : in, inputs = forward ? in : out;
      for (Index o = 0; o < outputs; o += narrow ? 1 : kLanes) {
        for (Index row = 0; row < g.y.taps; ++row) {
          for (Index i = 0; i < inputs; i += narrow ? kLanes : 1) {
            for (Index column = 0; column < g.x.taps; ++column, packed += kLanes) {
              const Index tap = row * g.x.taps + (turn ? g.x.taps - 1 - column : column);
              const T* from = w_group + tap * in * g.filters;
              for (Index l = 0; l < kLanes; ++l) {
                const Index to_output = narrow ? o : o + l, of_input = narrow ? i + l : i;
                const Index c = forward ? of_input : to_output, k = forward ? to_output : of_input;
                packed[l] = c < in && k < out ? from[c * g.filters + k] : T(0);
              }
            }
          }
        }
      }
    } else if (forward) {
      pack_panels<T>(g.taps() * in, out, w_group, g.filters, 1, packed);
      packed += panels_size<T>(g.taps() * in, out);
    } else {
      // Panels of input channels; the taps run backwards.
      for (Index j = 0; j < in; j += kPanelWidth<T>) {
        const Index width = std::min(kPanelWidth<T>, in - j);
        for (Index tap = g.taps(); tap-- > 0;) {
          pack_panels<T>(out, width, w_group + (tap * in + j) * g.filters, 1, g.filters, packed);
          packed += out * kPanelWidth<T>;
        }
      }
    }
  }
}

/// Scalars of working memory. A plan serves every T; float, whose panels are the widest, wants most.
inline Index conv2d_scratch(ConvDirection direction, ConvAlgorithm algorithm, const Conv2DGeometry& g) {
  if (algorithm == ConvAlgorithm::rows && direction == ConvDirection::backward_weights) {
    return conv2d_backward_weights_rows_scratch<float>(g);
  }
  if (algorithm != ConvAlgorithm::im2col) return 0;
  return checked_multiply(baseline::kTileOutputs, checked_multiply(g.taps(), g.group_channels()));
}

/// y = f(x * w + bias).
template <class T>
void conv2d_forward(ConvAlgorithm algorithm, const Conv2DGeometry& g, const T* x, const T* w, const T* packed,
                    const Epilogue<T>& epilogue, T* y, T* scratch) {
  switch (algorithm) {
    case ConvAlgorithm::reference:
      return reference::conv2d_forward(g, x, w, epilogue, y);
    case ConvAlgorithm::im2col:
      return LINNET_DISPATCH(conv2d_forward_im2col<T>, (g, x, packed, epilogue, y, scratch));
    case ConvAlgorithm::direct:
      return conv2d_forward_direct<T>(g, x, packed, epilogue, y);
    case ConvAlgorithm::rows:
      return conv2d_forward_rows<T>(g, x, packed, epilogue, y);
    case ConvAlgorithm::narrow:
      return LINNET_DISPATCH(conv2d_forward_narrow<T>, (g, x, packed, epilogue, y));
    case ConvAlgorithm::narrow_rows:
      return conv2d_forward_narrow_rows<T>(g, x, packed, epilogue, y);
    case ConvAlgorithm::depthwise:
      return LINNET_DISPATCH(conv2d_forward_depthwise<T>, (g, x, w, epilogue, y));
  }
}

/// dx = f(the gradient by x + bias): with an epilogue, this is the forward pass of a transposed convolution.
template <class T>
void conv2d_backward_data(ConvAlgorithm algorithm, const Conv2DGeometry& g, const T* dy, const T* w, const T* packed,
                          const Epilogue<T>& epilogue, T* dx, T* scratch) {
  const Index size = g.batch * g.input_size();
  const auto scatter = [&](const auto& add_products) {  // for kernels that add to dx
    if (epilogue.bias == nullptr) std::fill_n(dx, size, T(0));
    for (Index pixel = 0; epilogue.bias != nullptr && pixel < size; pixel += g.channels) {
      std::copy_n(epilogue.bias, g.channels, dx + pixel);
    }
    add_products();
    if (epilogue.relu) activate<T>(ActivationKind::relu, T(0), size, size, dx);
  };
  switch (algorithm) {
    case ConvAlgorithm::reference:
      return scatter([&] { reference::conv2d_backward_data(g, dy, w, dx); });
    case ConvAlgorithm::im2col:
      return scatter([&] { LINNET_DISPATCH(conv2d_backward_data_im2col<T>, (g, dy, packed, dx, scratch)); });
    case ConvAlgorithm::direct:
      return conv2d_forward_direct<T>(turned(g), dy, packed, epilogue, dx);
    case ConvAlgorithm::rows:
      return conv2d_backward_data_rows<T>(g, dy, packed, epilogue, dx);
    case ConvAlgorithm::narrow:
      return LINNET_DISPATCH(conv2d_forward_narrow<T>, (turned(g), dy, packed, epilogue, dx));
    case ConvAlgorithm::narrow_rows:
      return conv2d_backward_data_narrow_rows<T>(g, dy, packed, epilogue, dx);
    case ConvAlgorithm::depthwise:
      return scatter([&] { LINNET_DISPATCH(conv2d_backward_data_depthwise<T>, (g, dy, w, dx)); });
  }
}

/// dw += the gradient by w.
template <class T>
void conv2d_backward_weights(ConvAlgorithm algorithm, const Conv2DGeometry& g, const T* x, const T* dy, T* dw,
                             T* scratch) {
  switch (algorithm) {
    case ConvAlgorithm::reference:
      return reference::conv2d_backward_weights(g, x, dy, dw);
    case ConvAlgorithm::im2col:
      return LINNET_DISPATCH(conv2d_backward_weights_im2col<T>, (g, x, dy, dw, scratch));
    case ConvAlgorithm::direct:
      return conv2d_backward_weights_direct<T>(g, x, dy, dw);
    case ConvAlgorithm::rows:
      return conv2d_backward_weights_rows<T>(g, x, dy, dw, scratch);
    case ConvAlgorithm::narrow:
      return LINNET_DISPATCH(conv2d_backward_weights_narrow<T>, (g, x, dy, dw));
    case ConvAlgorithm::narrow_rows:
      return conv2d_backward_weights_narrow_rows<T>(g, x, dy, dw);
    case ConvAlgorithm::depthwise:
      return LINNET_DISPATCH(conv2d_backward_weights_depthwise<T>, (g, x, dy, dw));
  }
}

// The same with the chosen kernels, for layers.

/// The scalars of a direction's packed weights. A plan serves every T; panels of float are the widest, so they count.
inline Index conv2d_packed_size(ConvDirection direction, const Conv2DGeometry& g) {
  return conv2d_packed_size<float>(direction, choose_conv2d(direction, g), g);
}
template <class T>
void conv2d_pack(ConvDirection direction, const Conv2DGeometry& g, const T* w, T* packed) {
  conv2d_pack<T>(direction, choose_conv2d(direction, g), g, w, packed);
}
/// Scalars of working memory for any direction.
inline Index conv2d_scratch(const Conv2DGeometry& g) {
  Index most = 0;
  for (const ConvDirection direction :
       {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
    most = std::max(most, conv2d_scratch(direction, choose_conv2d(direction, g), g));
  }
  return most;
}
/// The name of the kernel: "rows", ...
inline std::string conv2d_kernel(ConvDirection direction, const Conv2DGeometry& g) {
  const ConvAlgorithm algorithm = choose_conv2d(direction, g);
  return algorithm == ConvAlgorithm::direct && conv2d_is_product(g) ? "matrix product" : to_string(algorithm);
}

LINNET_NAMESPACE_END
