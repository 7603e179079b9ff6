// Models as safetensors files. The weights are tensors named as in Model::parameters(); the architecture is JSON in the metadata,
// so that load_model() needs no code for it. Kernels of convolutions are stored as PyTorch has them (OIHW):
// other programs read the file as it is.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/json_config.hpp"
#include "linnet/io/safetensors.hpp"
#include "linnet/model/layer_registry.hpp"
#include "linnet/model/model.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

inline constexpr const char* kArchitectureKey = "linnet.architecture";
inline constexpr int kArchitectureVersion = 1;

/// The one place where layouts change: kernels with four axes are HWIO here and OIHW in files; of those with two, {in, out}
/// here and {out, in} in files. Both are the order of axes reversed but for the spatial ones.
inline bool is_kernel(const Shape& shape) { return shape.rank() == 4 || shape.rank() == 2; }

inline Shape file_shape(const Shape& shape) {
  if (shape.rank() == 4) return {shape[3], shape[2], shape[0], shape[1]};
  if (shape.rank() == 2) return {shape[1], shape[0]};
  return shape;
}

/// Calls visit(index in the model, index in the file) for every element of a kernel.
template <class Visit>
void for_each_kernel_element(const Shape& shape, const Visit& visit) {
  const bool dense = shape.rank() == 2;
  const Index field = dense ? 1 : shape[0] * shape[1];
  const Index in = shape[shape.rank() - 2], out = shape.back();
  for (Index p = 0; p < field; ++p) {
    for (Index i = 0; i < in; ++i) {
      for (Index o = 0; o < out; ++o) visit((p * in + i) * out + o, (o * in + i) * field + p);
    }
  }
}

template <class T>
nlohmann::json architecture_of(const Model<T>& model) {
  const std::span<const Index> input = model.input_shape().extents();
  nlohmann::json json = {{"version", kArchitectureVersion},
                         {"input_shape", std::vector<Index>(input.begin(), input.end())},
                         {"seed", model.seed()},
                         {"nodes", nlohmann::json::array()}};
  for (const Node<T>& node : model.nodes()) {
    json["nodes"].push_back({{"name", node.name},
                             {"layer", std::string(node.layer.kind())},
                             {"config", write_config(AnyLayer<T>(node.layer))},
                             {"inputs", node.inputs}});
  }
  return json;
}

template <class T>
Model<T> build_model(const std::string& path, const nlohmann::json& json, const LayerRegistry<T>& registry) {
  std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers;
  std::vector<std::string> names;
  try {
    if (json.at("version") != kArchitectureVersion) {
      throw FormatError("expected architecture version " + std::to_string(kArchitectureVersion) + ", got " + json.at("version").dump());
    }
    for (const nlohmann::json& node : json.at("nodes")) {
      AnyLayer<T> layer = registry.make(node.at("layer").template get<std::string>());
      names.push_back(node.at("name").template get<std::string>());
      read_config(names.back(), node.at("config"), layer);
      layers.emplace_back(std::move(layer), node.at("inputs").template get<std::vector<int>>());
    }
    const auto extents = json.at("input_shape").template get<std::vector<Index>>();
    return Model<T>(Shape(std::span<const Index>(extents)), std::move(layers), json.at("seed").template get<std::uint64_t>(),
                    std::move(names));
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path + ": the architecture is damaged (" + error.what() + ")");
  } catch (const Error& error) {
    throw FormatError(path + ": the architecture cannot be built: " + error.what());
  }
}

/// The values of a parameter, laid out as in files.
template <class T>
Tensor<T> to_file_layout(TensorView<const T> values) {
  if (!is_kernel(values.shape())) return Tensor<T>(values);
  Tensor<T> result(file_shape(values.shape()));
  for_each_kernel_element(values.shape(), [&](Index here, Index there) { result[there] = values[here]; });
  return result;
}

template <class T>
void from_file_layout(const Tensor<T>& stored, TensorView<T> values) {
  if (!is_kernel(values.shape())) {
    std::copy(stored.begin(), stored.end(), values.begin());
    return;
  }
  for_each_kernel_element(values.shape(), [&](Index here, Index there) { values[here] = stored[there]; });
}

/// Reads the tensor `prefix + parameter` of each parameter into an arena laid out as the model's weights. Throws FormatError for one
/// that is missing or of another shape.
template <class T>
void read_arena(const std::string& path, const SafetensorsFile& file, const std::string& prefix,
                const std::vector<ParameterInfo>& parameters, std::span<T> arena) {
  for (const ParameterInfo& info : parameters) {
    const std::string name = prefix + info.name;
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) {
      throw FormatError(path + ": there is no tensor " + name + " (a file of another architecture?)");
    }
    const Shape expected = file_shape(info.shape);
    if (found->second.shape != expected) {
      throw FormatError(path + ": " + name + ": expected the shape " + expected.to_string() + ", got " +
                        found->second.shape.to_string() + " (a file of another architecture?)");
    }
    from_file_layout<T>(found->second.template to_tensor<T>(path + ": " + name),
                        TensorView<T>(arena.data() + info.offset, info.shape));
  }
}

template <class T>
void add_arena(SafetensorsFile& file, const std::string& prefix, const std::vector<ParameterInfo>& parameters,
               std::span<const T> arena) {
  for (const ParameterInfo& info : parameters) {
    file.add<T>(prefix + info.name, to_file_layout<T>({arena.data() + info.offset, info.shape}).view());
  }
}

template <class T>
SafetensorsFile model_file(const Model<T>& model) {
  SafetensorsFile file;
  file.metadata[kArchitectureKey] = architecture_of(model).dump();
  file.metadata["format"] = "pt";  // what PyTorch's loaders look for
  add_arena<T>(file, "", model.parameters(), model.weights());
  return file;
}

template <class T>
Model<T> model_of(const std::string& path, const SafetensorsFile& file, const LayerRegistry<T>& registry) {
  const auto architecture = file.metadata.find(kArchitectureKey);
  if (architecture == file.metadata.end()) {
    throw FormatError(path + ": there is no architecture in it; load_weights() reads the weights into a model of yours");
  }
  Model<T> model = build_model<T>(path, parse_strict_json(path, architecture->second), registry);
  read_arena<T>(path, file, "", model.parameters(), model.weights());
  return model;
}

}  // namespace detail

/// Writes a model, architecture and weights. Throws FileError when the file cannot be written, ValueError for a layer without
/// describe().
template <class T>
void save_model(const Model<T>& model, const std::string& path) {
  save_safetensors(path, detail::model_file(model));
}

/// Reads a model. Layers of your own must be in the registry: load_model<float>(path, LayerRegistry<float>().add<Mine>()).
/// Throws FileError or FormatError naming the file.
template <class T = float>
Model<T> load_model(const std::string& path, const LayerRegistry<T>& registry = {}) {
  return detail::model_of<T>(path, load_safetensors(path), registry);
}

/// Reads only the weights, into a model that has the same parameters. Throws FormatError when the file's tensors are others; the
/// model is then as before.
template <class T>
void load_weights(Model<T>& model, const std::string& path) {
  const SafetensorsFile file = load_safetensors(path);
  AlignedVector<T> weights(model.weights().begin(), model.weights().end());
  detail::read_arena<T>(path, file, "", model.parameters(), std::span<T>(weights));
  if (file.tensors.size() != model.parameters().size()) {
    throw FormatError(path + ": expected " + std::to_string(model.parameters().size()) + " tensors, got " +
                      std::to_string(file.tensors.size()) + " (a file of another architecture?)");
  }
  std::copy(weights.begin(), weights.end(), model.weights().begin());
}

LINNET_NAMESPACE_END
