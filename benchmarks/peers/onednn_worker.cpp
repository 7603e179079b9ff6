// oneDNN's direct convolutions (linnet's are direct too), in the memory formats that it chooses itself ("any"):
// reordering is not timed. Threads: OMP_NUM_THREADS.
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

#include "worker.hpp"

namespace {

using namespace dnnl;

/// Numbers, brought into a format, whose own padding must hold zeros.
memory filled(const memory::desc& format, const engine& on) {
  const memory::dims extents = format.dims();
  memory plain({extents, memory::data_type::f32, memory::format_tag::abcd}, on), result(format, on);
  auto* numbers = static_cast<float*>(plain.get_data_handle());
  for (std::size_t i = 0; i < plain.get_desc().get_size() / sizeof(float); ++i) {
    numbers[i] = static_cast<float>(i % 97) / 97;
  }
  stream queue(on);
  reorder(plain, result).execute(queue, plain, result);
  queue.wait();
  return result;
}

peers::Call convolve(memory::dim size, memory::dim kernel, memory::dim channels, memory::dim filters, memory::dim batch,
                     const std::string& direction) {
  static const engine cpu(engine::kind::cpu, 0);
  static stream queue(cpu);
  const auto any = [](const memory::dims& extents) {
    return memory::desc(extents, memory::data_type::f32, memory::format_tag::any);
  };
  const memory::desc x = any({batch, channels, size, size}), y = any({batch, filters, size, size});
  const memory::desc w = any({filters, channels, kernel, kernel});
  const memory::dims strides = {1, 1}, before = {(kernel - 1) / 2, (kernel - 1) / 2}, after = {kernel / 2, kernel / 2};
  const convolution_forward::primitive_desc forward(
      {prop_kind::forward_training, algorithm::convolution_direct, x, w, y, strides, before, after}, cpu);
  primitive run;
  std::unordered_map<int, memory> arguments;
  if (direction == "forward") {
    run = convolution_forward(forward);
    arguments = {{DNNL_ARG_SRC, filled(forward.src_desc(), cpu)},
                 {DNNL_ARG_WEIGHTS, filled(forward.weights_desc(), cpu)},
                 {DNNL_ARG_DST, filled(forward.dst_desc(), cpu)}};
  } else if (direction == "by_data") {
    const convolution_backward_data::primitive_desc by_data(
        {algorithm::convolution_direct, x, w, y, strides, before, after}, cpu, forward);
    run = convolution_backward_data(by_data);
    arguments = {{DNNL_ARG_DIFF_SRC, filled(by_data.diff_src_desc(), cpu)},
                 {DNNL_ARG_WEIGHTS, filled(by_data.weights_desc(), cpu)},
                 {DNNL_ARG_DIFF_DST, filled(by_data.diff_dst_desc(), cpu)}};
  } else {
    const convolution_backward_weights::primitive_desc by_weights(
        {algorithm::convolution_direct, x, w, y, strides, before, after}, cpu, forward);
    run = convolution_backward_weights(by_weights);
    arguments = {{DNNL_ARG_SRC, filled(by_weights.src_desc(), cpu)},
                 {DNNL_ARG_DIFF_WEIGHTS, filled(by_weights.diff_weights_desc(), cpu)},
                 {DNNL_ARG_DIFF_DST, filled(by_weights.diff_dst_desc(), cpu)}};
  }
  return [run, arguments] {
    run.execute(queue, arguments);
    queue.wait();
  };
}

}  // namespace

int main() {
  peers::serve([](std::istringstream& words) -> peers::Call {
    std::string what, direction;
    memory::dim size = 0, kernel = 0, channels = 0, filters = 0, batch = 0;
    words >> what >> size >> kernel >> channels >> filters >> batch >> direction;
    if (what != "conv") return {};
    return convolve(size, kernel, channels, filters, batch, direction);
  });
}
