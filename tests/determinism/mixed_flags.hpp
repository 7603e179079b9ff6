// What the two units of mixed_flags share.
#pragma once

#include "linnet/linnet.hpp"

/// A predictor for 64 samples, and the weights after three training steps, by the unit that is compiled without OpenMP,
/// at -O1 and for the processor at hand.
linnet::Predictor<float> serial_predictor(const linnet::Model<float>& model);
void train_in_serial_unit(linnet::Trainer<float>& trainer, const linnet::Tensor<float>& x);
