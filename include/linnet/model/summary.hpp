// Model::summary(): the table that Keras prints.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {
/// 7265 -> "7,265".
inline std::string with_thousands(Index value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// "(None, 28, 28, 1)": Keras's way to write a batch of any size.
inline std::string with_any_batch(const Shape& shape) {
  std::string text = "(None";
  for (const Index extent : shape.extents()) text += ", " + std::to_string(extent);
  return text + ")";
}
}  // namespace detail

template <class T>
std::string Model<T>::summary() const {
  using Row = std::vector<std::string>;
  std::vector<Row> rows;
  rows.push_back({"input (InputLayer)", detail::with_any_batch(input_shape_), "0", ""});
  bool branches = false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node<T>& node = nodes_[i];
    Index count = 0;
    for (const ParameterSpec& spec : node.plan.parameters) count += spec.shape.size();
    std::string inputs;
    for (const int input : node.inputs) {
      inputs += (inputs.empty() ? "" : ", ") +
                (input == kModelInput ? "input" : nodes_[static_cast<std::size_t>(input)].name);
    }
    branches = branches || node.inputs != std::vector<int>{static_cast<int>(i) - 1};
    rows.push_back({node.name + " (" + std::string(node.layer.kind()) + ")", detail::with_any_batch(node.plan.output),
                    detail::with_thousands(count), inputs});
  }
  const Row titles = {"Layer (type)", "Output Shape", "Param #", "Connected to"};
  const std::size_t columns = branches ? 4 : 3;
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns; ++c) {
    std::size_t width = titles[c].size();
    for (const Row& row : rows) width = std::max(width, row[c].size());
    widths.push_back(width + 3);
  }
  std::size_t line_width = 1;
  for (const std::size_t width : widths) line_width += width;

  const auto line = [&](const Row& row) {
    std::string text = " ";
    for (std::size_t c = 0; c < columns; ++c) {
      text += row[c] + std::string(widths[c] - row[c].size(), ' ');
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  const std::string rule(line_width, '=');
  std::string text = line(titles) + rule + "\n";
  for (const Row& row : rows) text += line(row);
  text += rule + "\n";
  text += "Total params: " + detail::with_thousands(parameter_count()) + "\n";
  text += "Trainable params: " + detail::with_thousands(parameter_count(true)) + "\n";
  text += "Non-trainable params: " + detail::with_thousands(parameter_count(false)) + "\n";
  return text;
}

LINNET_NAMESPACE_END
