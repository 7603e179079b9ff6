// The report: one HTML file that needs nothing else, and the files beside it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "linnet/io/file.hpp"
#include "linnet/io/image_grid.hpp"
#include "linnet/io/model.hpp"
#include "run.hpp"

namespace denoise {

using namespace linnet;

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* kCompiler = "g++ " __VERSION__;
#else
constexpr const char* kCompiler = "unknown";
#endif

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// The shortest text that a number is read back from.
std::string exact(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

std::string base64(const Bytes& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

/// "12,345".
std::string thousands(Index value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

/// What the loss has above the least there is, by epoch and on a logarithmic axis, as an SVG figure.
std::string loss_plot(const Figures& f) {
  constexpr double kLeft = 62, kRight = 690, kTop = 40, kBottom = 268;
  double low = 1e9, high = 0;
  for (const auto* losses : {&f.loss, &f.held_out_loss}) {
    for (const double loss : *losses) {
      low = std::min(low, loss - f.floor);
      high = std::max(high, loss - f.floor);
    }
  }
  // Ticks at 1, 2 and 5 times the powers of ten, from the one below the lowest to the one above the highest.
  std::vector<double> ticks;
  const double lowest = std::max(low, 1e-6);
  for (double power = std::pow(10, std::floor(std::log10(lowest))); power < 10 * high; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * power;
      if (!ticks.empty() && ticks.back() >= high) break;
      if (tick <= lowest) ticks.clear();
      ticks.push_back(tick);
    }
  }
  const auto epochs = static_cast<double>(f.loss.size());
  const auto x = [&](double epoch) {
    return epochs > 1 ? kLeft + (kRight - kLeft) * (epoch - 1) / (epochs - 1) : (kLeft + kRight) / 2;
  };
  const auto y = [&](double excess) {
    const double share = std::log(std::max(excess, lowest) / ticks.front()) / std::log(ticks.back() / ticks.front());
    return kBottom - (kBottom - kTop) * share;
  };

  std::string svg =
      "<svg viewBox=\"0 0 720 320\" role=\"img\" aria-label=\"Loss above the least possible, by epoch\">\n";
  for (const double v : ticks) {
    svg += "<line class=\"grid\" x1=\"" + number(kLeft, 1) + "\" x2=\"" + number(kRight, 1) + "\" y1=\"" +
           number(y(v), 1) + "\" y2=\"" + number(y(v), 1) + "\"/><text x=\"" + number(kLeft - 8, 1) + "\" y=\"" +
           number(y(v) + 4, 1) + "\" text-anchor=\"end\">" + number(v, v < 0.01 ? 3 : 2) + "</text>\n";
  }
  const Index step = std::max<Index>(1, static_cast<Index>(std::ceil(epochs / 10)));
  for (Index e = 1; e <= static_cast<Index>(f.loss.size()); e += e == 1 && step > 1 ? step - 1 : step) {
    svg += "<text x=\"" + number(x(static_cast<double>(e)), 1) + "\" y=\"" + number(kBottom + 20, 1) +
           "\" text-anchor=\"middle\">" + std::to_string(e) + "</text>\n";
  }
  svg += "<text x=\"" + number((kLeft + kRight) / 2, 1) + "\" y=\"312\" text-anchor=\"middle\">epoch</text>\n";
  svg += "<text transform=\"translate(14 " + number((kTop + kBottom) / 2, 1) +
         ") rotate(-90)\" text-anchor=\"middle\">above the least possible (nats a pixel)</text>\n";
  const auto curve = [&](const std::vector<double>& values, const char* name) {
    std::string points, marks;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string px = number(x(static_cast<double>(i + 1)), 1), py = number(y(values[i] - f.floor), 1);
      points += px + "," + py + " ";
      marks += "<circle class=\"" + std::string(name) + "\" cx=\"" + px + "\" cy=\"" + py + "\" r=\"3\"/>";
    }
    svg += "<polyline class=\"" + std::string(name) + "\" points=\"" + points + "\"/>" + marks + "\n";
  };
  curve(f.loss, "training");
  curve(f.held_out_loss, "held");
  const auto key = [&](int at, const char* name, const char* label) {
    const std::string left = std::to_string(at), right = std::to_string(at + 32), text = std::to_string(at + 40);
    svg += "<line class=\"" + std::string(name) + "\" x1=\"" + left + "\" x2=\"" + right +
           "\" y1=\"18\" y2=\"18\"/><text x=\"" + text + "\" y=\"22\">" + label + "</text>\n";
  };
  key(62, "training", "training digits, fresh noise");
  key(330, "held", "held-out digits");
  return svg + "</svg>\n";
}

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5a6475; --ground: #ffffff; --card: #f4f6f9; --line: #d8dde5;
        --blue: #0067b1; --orange: #b65200; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf1; --soft: #a3adbd; --ground: #14181f; --card: #1d232d; --line: #353e4c;
          --blue: #5cb3f5; --orange: #f39c4a; }
}
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 12px; }
p { margin: 8px 0; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin-top: 24px; }
.tile { background: var(--card); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 14px; }
.rows { display: grid; grid-template-columns: auto 1fr; gap: 0 12px; }
.rows .names { display: grid; grid-template-rows: repeat(3, 1fr); align-items: center; color: var(--soft); font-size: 14px; }
img { width: 100%; height: auto; display: block; image-rendering: pixelated; border-radius: 6px; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 13px system-ui, sans-serif; }
svg .grid { stroke: var(--line); } svg .training, svg .held { fill: none; stroke-width: 2.2; }
svg .training { stroke: var(--blue); } svg .held { stroke: var(--orange); }
svg circle.training { fill: var(--blue); } svg circle.held { fill: var(--orange); }
pre { background: var(--card); border-radius: 10px; padding: 14px 16px; overflow-x: auto; font-size: 13px; line-height: 1.45; }
table { border-collapse: collapse; width: 100%; } td { padding: 6px 8px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { color: var(--soft); width: 40%; }
)";

std::string html(const Model<float>& model, const Digits& digits, const Options& options, const Figures& f,
                 const Bytes& picture) {
  const auto tile = [](const std::string& value, const std::string& what) {
    return "<div class=\"tile\"><b>" + value + "</b><span>" + what + "</span></div>\n";
  };
  const auto row = [](const std::string& name, const std::string& value) {
    return "<tr><td>" + name + "</td><td>" + escaped(value) + "</td></tr>\n";
  };
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>linnet: denoised digits</title><style>" +
      std::string(kStyle) + "</style></head><body><main>\n";
  page += "<h1>Denoised digits</h1>\n<p class=\"soft\">A convolutional autoencoder of " +
          thousands(model.parameter_count()) + " parameters, trained with linnet in " + number(f.seconds, 1) +
          " seconds. None of the digits below was used in training.</p>\n<div class=\"tiles\">\n";
  page += tile(number(psnr(f.mse_noisy), 1) + " &rarr; " + number(psnr(f.mse_denoised), 1) + " dB",
               "PSNR of the held-out digits, before and after denoising");
  page += tile(number(f.held_out_loss.back(), 4),
               "binary cross-entropy a pixel, held out; a perfect copy scores " + number(f.floor, 4));
  page += tile(thousands(std::llround(f.images_per_second)) + " / s",
               "training images, on " + std::to_string(num_threads()) + (num_threads() == 1 ? " thread" : " threads") +
                   " with " + to_string(isa()));
  page +=
      "</div>\n<h2>Before and after</h2>\n<div class=\"rows\"><div class=\"names\"><span>clean</span><span>noisy</span>"
      "<span>denoised</span></div><img alt=\"Ten digits: clean, noisy and denoised\" src=\"data:image/png;base64," +
      base64(picture) + "\"></div>\n<p class=\"soft\">Noise: x + " + number(options.noise, 2) +
      " &middot; N(0, 1), held within [0, 1].</p>\n";
  page += "<h2>Loss by epoch</h2>\n" + loss_plot(f);
  page += "<p class=\"soft\">Grey targets have an entropy of their own: a perfect copy would still score " +
          number(f.floor, 4) + ". The network is " + number(f.held_out_loss.back() - f.floor, 4) + " above it.</p>\n";
  page += "<h2>The network</h2>\n<pre>" + escaped(model.summary()) + "</pre>\n<h2>The run</h2>\n<table>\n";
  page += row("digits", digits.origin + "; " + thousands(digits.train.size()) + " to train, " +
                            thousands(digits.held_out.size()) + " held out");
  page += row("epochs, batch", std::to_string(options.epochs) + ", " + std::to_string(options.batch));
  page += row("optimizer", "Adam, learning rate from " + exact(options.learning_rate) + " to 0 along a cosine");
  page += row("loss", "binary cross-entropy, mean over pixels and batch");
  page += row("seed", std::to_string(options.seed));
  page += row("threads, instruction set", std::to_string(num_threads()) + ", " + to_string(isa()));
  page += row("compiler", kCompiler);
  page += row("mean squared error, noisy to denoised", number(f.mse_noisy, 5) + " to " + number(f.mse_denoised, 5));
  page += row("version", "linnet " LINNET_VERSION_STRING);
  page += row("the same again", "denoise demo --epochs " + std::to_string(options.epochs) + " --batch " +
                                    std::to_string(options.batch) + " --noise " + exact(options.noise) + " --lr " +
                                    exact(options.learning_rate) + " --seed " + std::to_string(options.seed) +
                                    (options.data.empty() ? "" : " --data " + options.data));
  page += row("beside this page", "before_after.png, history.csv, metrics.json, model.safetensors");
  return page + "</table>\n</main></body></html>\n";
}

}  // namespace

void write_report(const Model<float>& model, const Digits& digits, const Options& options, const Figures& f) {
  const Tensor<float> rows = before_and_after(model, digits, options);
  const std::string picture = options.out + "/before_after.png";
  write_grid(picture, rows, {.columns = rows.batch() / 3});
  save_model(model, options.out + "/model.safetensors");
  const nlohmann::json metrics = {{"noise", options.noise},
                                  {"epochs", options.epochs},
                                  {"batch", options.batch},
                                  {"learning_rate", options.learning_rate},
                                  {"schedule", "cosine"},
                                  {"seed", options.seed},
                                  {"data", digits.origin},
                                  {"training_images", digits.train.size()},
                                  {"held_out_images", digits.held_out.size()},
                                  {"parameters", model.parameter_count()},
                                  {"training_bce", f.loss},
                                  {"held_out_bce", f.held_out_loss},
                                  {"held_out_bce_floor", f.floor},
                                  {"mse_noisy", f.mse_noisy},
                                  {"mse_denoised", f.mse_denoised},
                                  {"psnr_noisy_db", psnr(f.mse_noisy)},
                                  {"psnr_denoised_db", psnr(f.mse_denoised)},
                                  {"seconds", f.seconds},
                                  {"version", LINNET_VERSION_STRING},
                                  {"threads", num_threads()},
                                  {"instruction_set", to_string(isa())},
                                  {"images_per_second", f.images_per_second}};
  write_file(options.out + "/metrics.json", metrics.dump(2) + "\n");
  write_file(options.out + "/report.html", html(model, digits, options, f, read_file(picture)));
}

}  // namespace denoise
