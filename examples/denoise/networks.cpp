// The two networks.
#include "study.hpp"

namespace denoise {

namespace {

Conv2D convolution(Index filters) {
  return {.filters = filters, .kernel_size = 3, .padding = same, .activation = relu};
}

Model<float> autoencoder(const Shape& image, Index filters, const Conv2D& last, std::uint64_t seed) {
  const Conv2D conv = convolution(filters);
  const MaxPool2D pool{.pool_size = 2};
  const UpSampling2D up{.size = 2};
  return Sequential(image, {conv, pool, conv, pool, conv, up, conv, up, last}, seed);
}

/// O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
/// with two levels instead of four and padding that keeps the size.
Model<float> unet(const Shape& image, Index filters, const Conv2D& last, std::uint64_t seed) {
  const Conv2D fine = convolution(filters), middle = convolution(2 * filters), coarse = convolution(13 * filters / 4);
  const MaxPool2D pool{.pool_size = 2};
  const UpSampling2D up{.size = 2};
  GraphBuilder<float> graph(image);
  const auto twice = [&](const Conv2D& conv, auto from) { return graph.add(conv, graph.add(conv, from)); };
  const auto down_1 = twice(fine, graph.input());
  const auto down_2 = twice(middle, graph.add(pool, down_1));
  const auto bottom = twice(coarse, graph.add(pool, down_2));
  const auto up_2 = twice(middle, graph.add(Concatenate{}, {graph.add(up, bottom), down_2}));
  const auto up_1 = twice(fine, graph.add(Concatenate{}, {graph.add(up, up_2), down_1}));
  return graph.build(graph.add(last, up_1), seed);
}

}  // namespace

Model<float> build_model(const Shape& image, const Recipe& recipe, std::uint64_t seed) {
  if (image[0] % 4 != 0 || image[1] % 4 != 0) {
    throw ShapeError("the networks halve an image twice: expected a height and a width that are multiples of 4, got " +
                     std::to_string(image[0]) + " x " + std::to_string(image[1]));
  }
  const Conv2D last{
      .filters = image[2], .kernel_size = 3, .padding = same, .activation = recipe.output == "relu" ? relu : sigmoid};
  return recipe.model == "unet" ? unet(image, recipe.filters, last, seed)
                                : autoencoder(image, recipe.filters, last, seed);
}

}  // namespace denoise
