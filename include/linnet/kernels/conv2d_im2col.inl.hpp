// Convolutions by way of patches: for kTileOutputs outputs at a time their patches {outputs, taps * channels of a
// group} are copied into scratch, and the rest is a matrix product. Handles every geometry. See conv2d.hpp.

inline constexpr Index kTileOutputs = 56;

/// Visits the pixels of the patches of outputs [first, last) of a sample: visit(place in patches, place in
/// image), with a negative place in the image for padding; each stands for `in` channels.
template <class Visit>
LINNET_INLINE void for_each_patch_pixel(const Conv2DGeometry& g, Index first, Index last, const Visit& visit) {
  const Index in = g.group_channels();
  Index patch = 0;
  for (Index o = first; o < last; ++o) {
    const Index oy = o / g.x.output, ox = o % g.x.output;
    for (Index ty = 0; ty < g.y.taps; ++ty) {
      const Index iy = g.y.pixel(oy, ty);
      const bool row_inside = iy >= 0 && iy < g.y.input;
      for (Index tx = 0; tx < g.x.taps; ++tx, patch += in) {
        const Index ix = g.x.pixel(ox, tx);
        const bool inside = row_inside && ix >= 0 && ix < g.x.input;
        visit(patch, inside ? (iy * g.x.input + ix) * g.channels : Index{-1});
      }
    }
  }
}

template <class T>
LINNET_INLINE void gather_patches(const Conv2DGeometry& g, const T* image, Index first, Index last, T* patches) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const Index in = g.group_channels();
  for_each_patch_pixel(g, first, last, [&](Index to, Index from) {
    for (Index c = 0; c < in; c += kLanes) {
      store(patches + to + c, from < 0 ? zero<T>() : load(image + from + c, in - c), in - c);
    }
  });
}

/// Forward, with weights in panels (conv2d_pack).
template <class T>
void conv2d_forward_im2col(const Conv2DGeometry& g, const T* x, const T* panels, const Epilogue<T>& epilogue, T* y,
                           T* patches) {
  const Index in = g.group_channels(), out = g.group_filters();
  const Index depth = g.taps() * in;
  const Index panels_size = depth * ((out + Pack<T>::kLanes - 1) / Pack<T>::kLanes * Pack<T>::kLanes);
  const Index outputs = g.y.output * g.x.output;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index group = 0; group < g.groups; ++group) {
      const T* image = x + n * g.input_size() + group * in;
      for (Index first = 0; first < outputs; first += kTileOutputs) {
        const Index last = std::min(outputs, first + kTileOutputs);
        gather_patches(g, image, first, last, patches);
        gemm_packed(last - first, out, depth, static_cast<const T*>(patches), depth, panels + group * panels_size,
                    y + n * g.output_size() + first * g.filters + group * out, g.filters, epilogue.at(group * out));
      }
    }
  }
}

/// Backward by data: patches = dy W^T, added to where they were taken from. Weights in transposed panels (conv2d_pack).
template <class T>
void conv2d_backward_data_im2col(const Conv2DGeometry& g, const T* dy, const T* panels, T* dx, T* patches) {
  constexpr Index kLanes = Pack<T>::kLanes;
  const Index in = g.group_channels(), out = g.group_filters();
  const Index depth = g.taps() * in;
  const Index panels_size = out * ((depth + kLanes - 1) / kLanes * kLanes);
  const Index outputs = g.y.output * g.x.output;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index group = 0; group < g.groups; ++group) {
      T* image = dx + n * g.input_size() + group * in;
      for (Index first = 0; first < outputs; first += kTileOutputs) {
        const Index last = std::min(outputs, first + kTileOutputs);
        gemm_packed(last - first, depth, out, dy + n * g.output_size() + first * g.filters + group * out, g.filters,
                    panels + group * panels_size, patches, depth);
        for_each_patch_pixel(g, first, last, [&](Index from, Index to) {
          if (to < 0) return;
          for (Index c = 0; c < in; c += kLanes) {
            const Pack<T> total = load(image + to + c, in - c) + load(patches + from + c, in - c);
            store(image + to + c, total, in - c);
          }
        });
      }
    }
  }
}

template <class T>
void conv2d_backward_weights_im2col(const Conv2DGeometry& g, const T* x, const T* dy, T* dw, T* patches) {
  const Index in = g.group_channels(), out = g.group_filters();
  const Index depth = g.taps() * in;
  const Index outputs = g.y.output * g.x.output;
  for (Index n = 0; n < g.batch; ++n) {
    for (Index group = 0; group < g.groups; ++group) {
      for (Index first = 0; first < outputs; first += kTileOutputs) {
        const Index last = std::min(outputs, first + kTileOutputs);
        gather_patches(g, x + n * g.input_size() + group * in, first, last, patches);
        gemm_at_b(depth, out, last - first, static_cast<const T*>(patches), depth,
                  dy + n * g.output_size() + first * g.filters + group * out, g.filters, dw + group * out, g.filters);
      }
    }
  }
}
