// A saved autoencoder: samples as files, and pictures of its latents.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "augment.hpp"
#include "linnet/evaluation/diversity.hpp"
#include "linnet/io/npy.hpp"

namespace augment {

namespace {

namespace fs = std::filesystem;

/// A model that `augment` has saved, with what its file tells.
struct Saved {
  Model<float> model;
  Vae vae;
  std::map<std::string, std::string> about;
  std::string text(const char* name) const {
    const auto found = about.find(name);
    return found == about.end() ? "" : found->second;
  }
};
Saved load(const std::string& path) {
  const Model<float> model = load_model(path);
  const auto about = load_safetensors(path).metadata;
  const auto program = about.find("linnet_program");
  const auto is_latent = [](const Node<float>& node) { return node.layer.kind() == GaussianLatent::kName; };
  const Shape& shape = model.input_shape();
  if (program == about.end() || program->second != kProgram ||
      std::none_of(model.nodes().begin(), model.nodes().end(), is_latent) || shape != model.output_shape() ||
      shape.rank() != 3 || shape[2] != 1) {
    throw FormatError(path + ": expected a variational autoencoder of grey images, as `augment` saves them");
  }
  return {model, Vae(model), about};
}

/// The classifier that is asked for, or the one that a study has put beside the model; none without either.
std::optional<Model<float>> judge_of(const std::string& classifier, const std::string& model, const Saved& saved) {
  std::string path = classifier;
  std::error_code error;
  if (path.empty()) {
    path = (fs::path(model).parent_path() / "classifier.safetensors").string();
    if (!fs::exists(path, error)) return std::nullopt;
  }
  const Model<float> judge = load_model(path);
  classifier::require(judge, path, ImageDataset(saved.model.input_shape(), {}, {}));
  return judge;
}

/// The images that the model was trained on, and what they are called: by their files, or by where they are among all
/// training images.
struct TrainingImages {
  ImageDataset images;
  std::vector<std::string> names;
};
/// None where they are not at hand: those of `data`, or the digits that come with linnet, are others.
std::optional<TrainingImages> training_images(const Saved& saved, const std::string& data) {
  std::error_code error;
  if (data.empty() && !fs::exists(LINNET_DATA_DIR, error)) return std::nullopt;
  const data::Images images = data::load(data);
  if (images.checksum != saved.text("data_crc32")) {
    if (data.empty()) return std::nullopt;
    throw FormatError(data + ": not the images that the model was trained on (CRC-32 " + images.checksum +
                      ", expected " + saved.text("data_crc32") + ")");
  }
  const std::vector<Index> indices =
      training_indices(images.train, digit_of(saved.text("digit")), samples_of(saved.text("samples")),
                       whole_number("subset", saved.text("subset"), 0));
  TrainingImages result{images.train.subset(indices), {}};
  for (const Index i : indices) {
    result.names.push_back(images.train_files.empty() ? std::to_string(i)
                                                      : images.train_files[static_cast<std::size_t>(i)]);
  }
  return result;
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FileError(path + ": the folder cannot be made: " + error.message());
}

void require_none(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error)) throw FileError(path + ": is there already");
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

/// A cell of a CSV file, between quotation marks where a comma or a line's end would end it (RFC 4180).
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

/// Writes images in rows of `columns`, and tells their verdicts, if there is a judge.
void write_picture(const std::string& path, const Tensor<float>& y, Index columns,
                   const std::optional<Model<float>>& judge) {
  require_none(path);
  write_grid(path, y, {.columns = columns});
  std::printf("%s\n", path.c_str());
  if (!judge) return;
  const classifier::Verdicts verdicts = classifier::judge(*judge, y.view());
  for (Index i = 0; i < y.batch(); ++i) {
    std::printf("%d%s", verdicts.digit[static_cast<std::size_t>(i)], (i + 1) % columns == 0 ? "\n" : " ");
  }
}

}  // namespace

void sample_command(const SampleOptions& options) {
  set_num_threads(options.threads);
  const Saved saved = load(options.model);
  const Vae& vae = saved.vae;
  const std::optional<Model<float>> judge = judge_of(options.classifier, options.model, saved);
  const std::optional<TrainingImages> train = training_images(saved, options.data);
  const RandomKey key{options.seed};
  Tensor<float> z = vae.draw_prior(options.count, key);
  if (options.sampling == "posterior") {
    if (!train) {
      throw ValueError("--sampling posterior: the images that the model was trained on are needed; give their --data");
    }
    const ImageDataset& images = train->images;
    const Distortion distortion = saved.text("recipe") == "improved" ? distortion_for(images.size()) : Distortion{};
    const Tensor<float> x = drawn_images(images, distortion, options.count, key.with_step(1));
    z = vae.draw(vae.encode(x.view()).view(), key);
  }
  const Tensor<float> y = vae.decode(z.view());

  // Every name is known before the first file is written, and none may be there.
  const auto file = [&](const std::string& name) { return (fs::path(options.out) / name).string(); };
  const auto name_of = [&](Index i) {
    char text[32];
    std::snprintf(text, sizeof text, "sample-%05td.png", i);
    return std::string(text);
  };
  const std::string together = options.format == "idx" ? "samples-idx3-ubyte" : "samples.npy";
  const std::string manifest = file("manifest.csv");
  require_none(manifest);
  if (options.format != "png") require_none(file(together));
  for (Index i = 0; options.format == "png" && i < options.count; ++i) require_none(file(name_of(i)));

  make_folder(options.out);
  const std::vector<std::uint8_t> bytes = data::bytes_of(y.view());
  const Shape& shape = y.shape();
  const Index height = shape[1], width = shape[2], pixels = height * width;
  if (options.format == "idx") write_idx(file(together), {options.count, height, width}, bytes);
  if (options.format == "npy") save_npy(file(together), y);
  for (Index i = 0; options.format == "png" && i < options.count; ++i) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(i * pixels);
    write_png(file(name_of(i)), {width, height, 1, std::vector<std::uint8_t>(first, first + pixels)});
  }
  std::string text = "index,file,seed";
  for (Index k = 0; k < vae.latent(); ++k) text += ",z" + std::to_string(k + 1);
  text += ",recognized,confidence,nearest,distance\n";
  classifier::Verdicts verdicts;
  if (judge) verdicts = classifier::judge(*judge, y.view());
  NearestSamples nearest;
  if (train) nearest = nearest_samples(y, train->images.images());
  for (Index i = 0; i < options.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    text += std::to_string(i) + "," + (options.format == "png" ? name_of(i) : together) + "," +
            std::to_string(options.seed);
    for (Index k = 0; k < vae.latent(); ++k) text += "," + decimal(double{z[i * vae.latent() + k]});
    text += judge ? "," + std::to_string(verdicts.digit[at]) + "," + decimal(verdicts.confidence[at]) : ",,";
    text += train ? "," + csv_cell(train->names[static_cast<std::size_t>(nearest.index[at])]) + "," +
                        decimal(nearest.distance[at])
                  : ",,";
    text += "\n";
  }
  write_file(manifest, text);
  std::printf("%td samples: %s\n", options.count, options.out.c_str());
  if (!judge) std::printf("no verdicts: give a --classifier (`classify train` makes one)\n");
  if (!train) std::printf("no nearest training images: give the --data that the model was trained on\n");
}

void traverse_command(const PictureOptions& options) {
  set_num_threads(options.threads);
  const Saved saved = load(options.model);
  const Vae& vae = saved.vae;
  write_picture(options.out, vae.along(0, vae.latent(), options.range, options.steps), options.steps,
                judge_of(options.classifier, options.model, saved));
}

void interpolate_command(const PictureOptions& options) {
  set_num_threads(options.threads);
  const Saved saved = load(options.model);
  const Shape& shape = saved.model.input_shape();
  std::optional<ImageDataset> held_out;
  const auto image_of = [&](const char* option, const std::string& what) {
    ImageDataset image;
    if (data::is_png(what)) {
      image = data::load_pngs({what}, {}, shape, "the model takes");
    } else {
      if (!held_out) {
        const data::Images images = data::load(options.data);
        held_out = held_out_of(images.held_out, digit_of(saved.text("digit")));
      }
      const std::vector<Index> one = {whole_number(std::string(option) + " (no PNG file)", what, 0)};
      if (one[0] >= held_out->size()) {
        throw ValueError(std::string(option) + " " + what + ": there are " + std::to_string(held_out->size()) +
                         " held-out images, numbered from 0; a PNG file is taken as well");
      }
      image = held_out->subset(one);
    }
    if (image.image_shape() != shape) {
      throw ShapeError(what + ": expected images of " + data::size_text(shape) + " pixels, as the model takes, got " +
                       data::size_text(image.image_shape()));
    }
    return image.images();
  };
  const Tensor<float> from = image_of("--from", options.from), to = image_of("--to", options.to);
  const Tensor<float> row = saved.vae.between(from.view(), to.view(), options.steps);
  write_picture(options.out, row, row.batch(), judge_of(options.classifier, options.model, saved));
}

}  // namespace augment
