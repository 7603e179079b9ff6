// Models as safetensors files. The weights are tensors named as in Model::parameters(); the architecture is JSON in the
// metadata, so that load_model() needs no code for it. Kernels of convolutions are stored as PyTorch has them (OIHW):
// other programs read the file as it is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/json.hpp"
#include "linnet/io/json_config.hpp"
#include "linnet/io/safetensors.hpp"
#include "linnet/model/layer_registry.hpp"
#include "linnet/model/model.hpp"
#include "linnet/model/predictor.hpp"
#include "linnet/model/summary.hpp"

LINNET_NAMESPACE_BEGIN

namespace detail {

inline constexpr const char* kArchitectureKey = "linnet.architecture";
inline constexpr const char* kProgressKey = "linnet.progress";  // of checkpoints
inline constexpr int kArchitectureVersion = 1;

/// The one place where layouts change: kernels with four axes are HWIO here and OIHW in files; those with two are
/// {in, out} here and {out, in} in files. Both are the order of axes reversed but for the spatial ones.
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

/// Throws ValueError for a layer without describe(), or a name or text that is not UTF-8.
template <class T>
nlohmann::json architecture_of(const Model<T>& model) {
  const std::span<const Index> input = model.input_shape().extents();
  nlohmann::json json = {{"version", kArchitectureVersion},
                         {"input_shape", std::vector<Index>(input.begin(), input.end())},
                         {"seed", model.seed()},
                         {"nodes", nlohmann::json::array()}};
  for (const Node<T>& node : model.nodes()) {
    nlohmann::json description = {{"name", node.name},
                                  {"layer", std::string(node.layer.kind())},
                                  {"config", write_config(AnyLayer<T>(node.layer))},
                                  {"inputs", node.inputs}};
    dump_json("Model: node " + std::to_string(json["nodes"].size()), description);  // for its message
    json["nodes"].push_back(std::move(description));
  }
  return json;
}

/// The nodes of an architecture, and what Model's constructor takes beside them.
template <class T>
struct Architecture {
  Shape input_shape;
  std::uint64_t seed = 0;
  std::vector<std::pair<AnyLayer<T>, std::vector<int>>> layers;
  std::vector<std::string> names;
};

/// Throws an Error about what cannot be read.
template <class T>
Architecture<T> read_architecture(const nlohmann::json& json, const LayerRegistry<T>& registry) {
  const JsonFields fields("architecture", json);
  const int version = fields.integer<int>("version", 0);
  if (version != kArchitectureVersion) {
    throw FormatError("expected architecture version " + std::to_string(kArchitectureVersion) + ", got " +
                      std::to_string(version));
  }
  Architecture<T> architecture;
  const std::vector<Index> extents = fields.integers<Index>("input_shape", 0);
  architecture.input_shape = Shape(std::span<const Index>(extents));
  architecture.seed = fields.integer<std::uint64_t>("seed", 0);
  for (const nlohmann::json& item : fields.list("nodes")) {
    const int index = static_cast<int>(architecture.layers.size());
    const std::string name = JsonFields("node " + std::to_string(index), item).text("name");
    const JsonFields node(excerpt(name), item);
    AnyLayer<T> layer = registry.make(node.text("layer"));
    read_config(name, node.at("config"), layer);
    std::vector<int> inputs = node.integers<int>("inputs", kModelInput);
    for (const int input : inputs) {
      if (input >= index) node.fail("inputs", "reads node " + std::to_string(input) + ", which is not before it");
    }
    architecture.layers.emplace_back(std::move(layer), std::move(inputs));
    architecture.names.push_back(name);
  }
  return architecture;
}

inline std::string slot_prefix(std::size_t slot) { return "optimizer." + std::to_string(slot) + "/"; }

/// The tensor of a parameter. Throws FormatError when it is missing, of another shape, or not of F32 or F64.
inline const StoredTensor& find_tensor(const std::string& path, const SafetensorsFile& file, const std::string& name,
                                       const Shape& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) {
    throw FormatError(path + ": there is no tensor " + excerpt(name) + " (a file of another architecture?)");
  }
  const StoredTensor& stored = found->second;
  const Shape expected = file_shape(shape);
  if (stored.shape != expected) {
    throw FormatError(path + ": " + excerpt(name) + ": expected the shape " + expected.to_string() + ", got " +
                      stored.shape.to_string() + " (a file of another architecture?)");
  }
  if (!stored.is_floating()) {
    throw FormatError(path + ": " + excerpt(name) + ": expected elements of type F32 or F64, got " + stored.dtype);
  }
  return stored;
}

/// Throws FormatError unless the file has the tensors of these parameters, and beside them at most the optimizer's
/// state of a checkpoint.
inline void require_tensors(const std::string& path, const SafetensorsFile& file,
                            const std::vector<ParameterInfo>& parameters) {
  std::set<std::string, std::less<>> names;
  for (const ParameterInfo& info : parameters) {
    if (!names.insert(info.name).second) throw FormatError(path + ": two parameters are called " + excerpt(info.name));
    find_tensor(path, file, info.name, info.shape);
  }
  const bool checkpoint = file.metadata.contains(kProgressKey);
  for (const auto& [name, tensor] : file.tensors) {
    if (names.contains(name)) continue;
    const std::size_t slash = name.find('/');
    const bool state = name.starts_with("optimizer.") && slash != std::string::npos &&
                       names.contains(std::string_view(name).substr(slash + 1));
    if (checkpoint && state) continue;
    throw FormatError(path + ": no parameter of the model is called " + excerpt(name) +
                      " as a tensor of the file is (a file of another architecture?)");
  }
}

template <class T>
Model<T> build_model(const std::string& path, const SafetensorsFile& file, const nlohmann::json& json,
                     const LayerRegistry<T>& registry) {
  const auto fail = [&](const Error& error) {
    throw FormatError(path + ": the architecture cannot be built: " + excerpt(error.what(), 600));
  };
  Architecture<T> architecture;
  try {
    architecture = read_architecture<T>(json, registry);
  } catch (const Error& error) {
    fail(error);
  }
  // The file must hold the weights before memory is taken for them: a small file may ask for any number.
  const auto check = [&](const std::vector<ParameterInfo>& parameters) { require_tensors(path, file, parameters); };
  try {
    return Model<T>::uninitialized(architecture.input_shape, std::move(architecture.layers), architecture.seed,
                                   std::move(architecture.names), check);
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    fail(error);
    throw;
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

/// Reads the tensor `prefix + parameter` of each parameter into an arena laid out as the model's weights. Throws
/// FormatError for one that is missing, of another shape or type.
template <class T>
void read_arena(const std::string& path, const SafetensorsFile& file, const std::string& prefix,
                const std::vector<ParameterInfo>& parameters, std::span<T> arena) {
  for (const ParameterInfo& info : parameters) {
    const std::string name = prefix + info.name;
    const StoredTensor& stored = find_tensor(path, file, name, info.shape);
    from_file_layout<T>(stored.to_tensor<T>(path + ": " + excerpt(name)),
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
  file.metadata[kArchitectureKey] = dump_json("Model", architecture_of(model));
  file.metadata["format"] = "pt";  // what PyTorch's loaders look for
  add_arena<T>(file, "", model.parameters(), model.weights());
  return file;
}

template <class T>
Model<T> model_of(const std::string& path, const SafetensorsFile& file, const LayerRegistry<T>& registry) {
  const auto architecture = file.metadata.find(kArchitectureKey);
  if (architecture == file.metadata.end()) {
    throw FormatError(path +
                      ": there is no architecture in it; load_weights() reads the weights into a model of yours");
  }
  Model<T> model =
      build_model<T>(path, file, parse_strict_json(path + ": the architecture", architecture->second), registry);
  read_arena<T>(path, file, "", model.parameters(), model.weights());
  return model;
}

}  // namespace detail

/// Writes a model, architecture and weights, and texts of your own beside them, which load_safetensors(path).metadata
/// has again. Throws FileError when the file cannot be written, ValueError for a layer without describe(), for names
/// that are not UTF-8 or occur twice, and for a text called "format" or "linnet....".
template <class T>
void save_model(const Model<T>& model, const std::string& path,
                const std::map<std::string, std::string>& metadata = {}) {
  SafetensorsFile file = detail::model_file(model);
  for (const auto& [name, text] : metadata) {
    if (name.starts_with("linnet.") || !file.metadata.emplace(name, text).second) {
      throw ValueError("save_model: the name \"" + name + "\" is taken by the format; choose another");
    }
  }
  save_safetensors(path, file);
}

/// Reads a model, from a checkpoint too. Layers of your own must be in the registry:
/// load_model<float>(path, LayerRegistry<float>().add<Mine>()). Throws FileError or FormatError naming the file.
template <class T = float>
Model<T> load_model(const std::string& path, const LayerRegistry<T>& registry = {}) {
  return detail::model_of<T>(path, load_safetensors(path), registry);
}

/// Reads only the weights, from a checkpoint too, into a model that has the same parameters. Throws FormatError when
/// the file has other tensors; the model is then unchanged.
template <class T>
void load_weights(Model<T>& model, const std::string& path) {
  const SafetensorsFile file = load_safetensors(path);
  detail::require_tensors(path, file, model.parameters());
  AlignedVector<T> weights(model.weights().begin(), model.weights().end());
  detail::read_arena<T>(path, file, "", model.parameters(), std::span<T>(weights));
  std::copy(weights.begin(), weights.end(), model.weights().begin());
}

LINNET_NAMESPACE_END

#if defined(LINNET_COMPILED)
#include "linnet/instances.hpp"
#endif
