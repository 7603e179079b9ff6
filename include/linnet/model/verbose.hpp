// What a plan has chosen, in words: printed to the standard error stream when a workspace is made for it while the
// environment variable LINNET_VERBOSE is set, to anything but 0.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/model/plan.hpp"
#include "linnet/simd/isa.hpp"

LINNET_NAMESPACE_BEGIN

inline bool verbose() {
  const char* value = std::getenv("LINNET_VERBOSE");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

/// Prints a description, unless the program has printed the same before: one plan may get many workspaces.
inline void print_once(const std::string& description) {
  static std::mutex mutex;
  static std::set<std::string> printed;
  const std::lock_guard<std::mutex> lock(mutex);
  if (printed.insert(description).second) std::fputs(description.c_str(), stderr);
}

namespace detail {
/// 1536 -> "1.5 KiB".
inline std::string bytes_text(Index bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  const bool mega = bytes >= 1024 * 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", static_cast<double>(bytes) / (mega ? 1024.0 * 1024 : 1024.0),
                mega ? "MiB" : "KiB");
  return text.data();
}

/// The kernels that the plan runs for a node: "forward rows, by weights rows", or the layer's name.
template <class T>
std::string kernels_text(const Plan<T>& plan, const PlannedNode<T>& node) {
  const KernelNames& names = node.plan.kernels;
  const char* of_batch = node.defers_weights() ? " of the batch" : "";
  if (names.forward.empty()) return std::string(node.layer.kind()) + (*of_batch ? ", by weights" : "") + of_batch;
  std::string text = "forward " + names.forward;
  if (plan.training() && node.needs_gradient) text += ", by weights " + names.by_weights + of_batch;
  if (plan.training() && node.wants_dx()) text += ", by data " + names.by_data;
  return text;
}
}  // namespace detail

/// A table of the plan's layers (kernels, instruction set, and the bytes of their buffers for a slice of the batch),
/// below a line on the slices and the memory of a workspace for so many threads.
template <class T>
std::string describe(const Plan<T>& plan, int threads) {
  const auto bytes = [](Index scalars) { return detail::bytes_text(scalars * static_cast<Index>(sizeof(T))); };
  const Index slice = plan.slice_of(plan.batch);
  std::string text = std::string("linnet: ") + (plan.training() ? "training" : "inference") + ", batch " +
                     std::to_string(plan.batch) + ": slices of " + std::to_string(slice) + " (" +
                     std::to_string(plan.slice_count(plan.batch)) + "), ";
  if (plan.partial_count > 0) {
    text += std::to_string(plan.partials_of(plan.batch)) + " sums of gradients of " + bytes(plan.partial_count) + ", ";
  }
  const auto memory = [&](const char* what, Index of_thread, Index of_batch) {
    const std::string batch = bytes(of_batch) + " for the batch";
    text += what + (of_thread == 0 && of_batch > 0 ? batch : bytes(of_thread) + " a thread");
    if (of_thread > 0 && of_batch > 0) text += " and " + batch;
  };
  text += std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ");
  memory("an arena of ", plan.arena_size, plan.batch_arena_size);
  memory(", scratch of ", plan.scratch_size, plan.batch_scratch_size);
  text += ", weights " + bytes(plan.weight_count) + " and " + bytes(plan.prepared_size) + " derived from them\n";

  using Row = std::vector<std::string>;
  std::vector<Row> rows = {{"layer", "kernels", "set", "samples", "output", "gradient", "saved", "derived", "scratch"},
                           {"input", "", "", std::to_string(slice), bytes(plan.input_shape.size() * slice)}};
  for (const PlannedNode<T>& node : plan.nodes) {
    const LayerPlan& layer = node.plan;
    const Index samples = node.whole_batch ? plan.batch : slice;
    rows.push_back(
        {node.name, detail::kernels_text(plan, node), std::string(to_string(isa())), std::to_string(samples),
         bytes(layer.output.size() * samples), bytes(node.needs_gradient ? layer.output.size() * samples : 0),
         bytes(layer.saved + layer.saved_per_sample * samples), bytes(node.prepared_size), bytes(node.scratch_size)});
  }
  if (plan.loss) {
    rows.push_back(
        {"loss", std::string(plan.loss->kind()) + (plan.fused_activation == linear ? "" : " with the last activation"),
         std::string(to_string(isa())), std::to_string(slice), bytes(plan.target_shape.size() * slice)});
  }
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  for (const Row& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - row[c].size(), ' ');
      line += " " + (c < 3 ? row[c] + space : space + row[c]) + " ";  // names to the left, numbers to the right
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

LINNET_NAMESPACE_END
