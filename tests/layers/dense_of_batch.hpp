// A Dense whose gradients by weights are those of the whole batch (LayerPlan::weight_pieces) even if it is small.
#pragma once

#include "linnet/layers/dense.hpp"

namespace linnet::test {

struct DenseOfBatch : Dense {
  LayerPlan plan(const Shape& in) const {
    LayerPlan plan = Dense::plan(in);
    plan.weight_pieces = 1;
    return plan;
  }
};

}  // namespace linnet::test
