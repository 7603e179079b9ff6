// LayerRegistry<T>: makes layers from the names that model files give them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "linnet/layers/layers.hpp"
#include "linnet/model/any_layer.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
class LayerRegistry {
 public:
  /// Knows the library's own layers.
  LayerRegistry() {
    for_each_layer([this](const auto& layer) { this->add(layer); });
  }
  /// Adds a layer of your own, which load_model() then reads: `LayerRegistry<float>().add<Scale>()`.
  template <class L>
  requires Layer<L, T> LayerRegistry& add(const L& prototype = L{}) {
    prototypes_.insert_or_assign(std::string(L::kName), AnyLayer<T>(prototype));
    return *this;
  }
  /// A layer of that kind with its default configuration. Throws ValueError that lists the kinds there are.
  AnyLayer<T> make(std::string_view kind) const {
    if (const auto found = prototypes_.find(kind); found != prototypes_.end()) return found->second;
    std::string known;
    for (const auto& [name, layer] : prototypes_) known += (known.empty() ? "" : ", ") + name;
    throw ValueError("no layer is called \"" + std::string(kind) + "\"; there are " + known +
                     " (a layer of your own is made known by LayerRegistry::add)");
  }

 private:
  std::map<std::string, AnyLayer<T>, std::less<>> prototypes_;
};

LINNET_NAMESPACE_END
