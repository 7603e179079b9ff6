// Flatten: all elements of a sample as one vector; an image row by row, channels innermost.
#pragma once

#include <string_view>

#include "linnet/layers/reshape.hpp"

LINNET_NAMESPACE_BEGIN

struct Flatten : Reshape {
  static constexpr std::string_view kName = "Flatten";

  template <class Visitor>
  void describe(Visitor&) {}

  LayerPlan plan(const Shape& in) const { return {.output = {in.size()}}; }
};

LINNET_NAMESPACE_END
