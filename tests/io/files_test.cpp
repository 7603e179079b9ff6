#include <doctest/doctest.h>

#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <sys/resource.h>
#endif

#include "linnet/io/image_grid.hpp"
#include "linnet/io/npz.hpp"
#include "linnet/io/png.hpp"
#include "linnet/io/safetensors.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

/// Reading any beginning of `whole` must throw a FileError that names the file.
void refuse_when_cut(const std::string& path, const Bytes& whole, const auto& read) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    write_file(path, std::span(whole).first(size));
    CHECK(mentions(error_of([&] { read(path); }), path));
  }
}

/// Reading `whole` with any byte changed must give a result or an Error, nothing else.
void survive_damage(const std::string& path, const Bytes& whole, const auto& read) {
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      Bytes damaged = whole;
      damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ change);
      write_file(path, damaged);
      error_of([&] { read(path); });
    }
  }
}

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

Bytes with_header(const std::string& header, std::size_t data) {
  Bytes content;
  append_little_endian<std::uint64_t>(content, header.size());
  content.insert(content.end(), header.begin(), header.end());
  content.resize(content.size() + data);
  return content;
}

}  // namespace

TEST_CASE("a file that cannot be written leaves what was there, and nothing else") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("kept");
  const auto files = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  write_file(path, "before");
#if !defined(_WIN32)
  {  // no file may become longer than 3 bytes
    rlimit before, limit;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    limit = before;
    limit.rlim_cur = 3;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const std::string message = error_of<FileError>([&] { write_file(path, "after"); });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(mentions(message, path + ": cannot be written"));
  }
#endif
  CHECK(read_file(path) == bytes_of("before"));
  CHECK(files() == std::vector<std::string>{"kept"});
  std::filesystem::create_directory(folder.file("directory"));
  const auto problem = [&](const std::string& name) {
    return error_of<FileError>([&] { write_file(folder.file(name), "x"); });
  };
  CHECK(mentions(problem("directory"), "directory: cannot be replaced"));
  CHECK(mentions(problem("no/folder"), "no/folder: cannot be written"));
  CHECK(files() == std::vector<std::string>{"directory", "kept"});
  write_file(path, "after");
  CHECK(read_file(path) == bytes_of("after"));
  CHECK(files() == std::vector<std::string>{"directory", "kept"});
}

TEST_CASE("a file of the user's with a name like a temporary one is left alone") {
  const TemporaryFolder folder("files_test_files");
  write_file(folder.file("x.part"), "mine");
  write_file(folder.file("x"), "content");
  CHECK(read_file(folder.file("x.part")) == bytes_of("mine"));
  CHECK(read_file(folder.file("x")) == bytes_of("content"));
}

TEST_CASE("several writers of one path do not disturb each other") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("shared");
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      const std::string content(static_cast<std::size_t>(50000 + w), static_cast<char>('a' + w));
      for (int i = 0; i < 20; ++i) {
        try {
          write_file(path, content);
          const Bytes read = read_file(path);
          const bool whole = read.size() == 50000u + read[0] - 'a' &&
                             std::all_of(read.begin(), read.end(), [&](std::uint8_t b) { return b == read[0]; });
          if (!whole) ++failures;
        } catch (const FileError&) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failures == 0);
  const auto entries = std::filesystem::directory_iterator(folder.path());
  CHECK(std::distance(begin(entries), end(entries)) == 1);
}

TEST_CASE("NPY files, as NumPy writes them") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.npy");
  // numpy.save of numpy.array([[1, -2.5], [3, 4]], "<f4"), written out by its format's description
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  header.resize(117, ' ');
  header += '\n';
  Bytes content = bytes_of(std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header);
  for (const float v : {1.0f, -2.5f, 3.0f, 4.0f}) append_little_endian<float>(content, v);
  write_file(path, content);
  const Tensor<double> read = load_npy<double>(path);
  CHECK(read.shape() == Shape{2, 2});
  CHECK(read[1] == -2.5);
  save_npy<float>(path, load_npy<float>(path));
  CHECK(read_file(path) == content);

  Tensor<double> scalar(Shape{}, 7.25), vector(Shape{3}, {1, 2, 3}), none(Shape{0, 4});
  for (const Tensor<double>& tensor : {scalar, vector, none}) {
    save_npy<double>(path, tensor);
    const Tensor<double> again = load_npy<double>(path);
    CHECK(again.shape() == tensor.shape());
    CHECK(std::equal(again.begin(), again.end(), tensor.begin()));
  }
  const auto read_it = [](const std::string& p) { load_npy<float>(p); };
  refuse_when_cut(path, content, read_it);
  survive_damage(path, content, read_it);
  std::string fortran(content.begin(), content.end());
  fortran.replace(fortran.find("False"), 5, "True ");
  write_file(path, fortran);
  CHECK(mentions(error_of([&] { load_npy<float>(path); }), "Fortran order"));
  std::string complex(content.begin(), content.end());
  complex.replace(complex.find("<f4"), 3, "<c8");
  write_file(path, complex);
  CHECK(mentions(error_of([&] { load_npy<float>(path); }), "got <c8"));
}

TEST_CASE("elements that a type cannot hold are refused, others are converted") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.npy");
  const auto stored = [&]<class Stored, class T>(Stored value, T) {
    save_npy<Stored>(path, Tensor<Stored>(Shape{2}, {Stored(1), value}));
    T read = 0;
    const std::string message = error_of<FormatError>([&] { read = load_npy<T>(path)[1]; });
    if (message == "(no error)") return static_cast<Stored>(read) == value;
    CHECK(mentions(message, path + ": element 1: "));
    return false;
  };
  const std::uint8_t byte = 0;
  const std::int32_t word = 0;
  const std::int64_t wide = 0;
  CHECK(stored(255.0f, byte));
  CHECK(stored(0.0, byte));
  CHECK(stored(-2147483648.0, word));
  CHECK(stored(2147483647.0, word));
  CHECK(stored(-9223372036854775808.0, wide));
  CHECK(stored(9223371487098961920.0f, wide));
  CHECK(stored(std::int64_t{255}, byte));
  CHECK(stored(byte, wide));
  CHECK(stored(std::numeric_limits<double>::infinity(), 0.0f));
  CHECK(stored(-0.5, 0.0f));
  for (const double bad : {300.0, 256.0, -1.0, 2.5, 1e30, -1e300, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    CAPTURE(bad);
    CHECK_FALSE(stored(bad, byte));
    CHECK_FALSE(stored(static_cast<float>(std::clamp(bad, -1e30, 1e30)), byte));
  }
  CHECK_FALSE(stored(2147483648.0, word));
  CHECK_FALSE(stored(2147483648.0f, word));
  CHECK_FALSE(stored(9223372036854775808.0, wide));
  CHECK_FALSE(stored(std::int64_t{256}, byte));
  CHECK_FALSE(stored(std::int32_t{-1}, byte));
  CHECK_FALSE(stored(std::int64_t{1} << 40, word));
  CHECK_FALSE(stored(1e300, 0.0f));
  save_npy<double>(path, Tensor<double>(Shape{1}, {300}));
  CHECK(error_of([&] { load_npy<std::uint8_t>(path); }) ==
        path + ": element 0: 300 does not fit the type that is asked for");

  SafetensorsFile file;
  file.add<double>("a", Tensor<double>(Shape{2}, {1e38, 1e39}));
  CHECK(mentions(error_of<FormatError>([&] { file.tensors.at("a").to_tensor<float>("a"); }), "element 1 is too large"));
}

TEST_CASE("NPZ files") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.npz");
  const std::map<std::string, Tensor<float>> arrays = {{"one", Tensor<float>(Shape{2}, {1, 2})},
                                                       {"two", Tensor<float>(Shape{1, 3}, {4, 5, 6})}};
  save_npz(path, arrays);
  const auto again = load_npz<float>(path);
  REQUIRE(again.size() == 2);
  CHECK(again.at("two").shape() == Shape{1, 3});
  CHECK(again.at("two")[2] == 6);
  const Bytes content = read_file(path);
  const auto read_it = [](const std::string& p) { load_npz<float>(p); };
  refuse_when_cut(path, content, read_it);
  survive_damage(path, content, read_it);
  // NumPy's own, deflated: the golden file of the losses
  CHECK(load_npz<double>(LINNET_TEST_SOURCE_DIR "/golden/losses.npz").size() > 50);
}

TEST_CASE("safetensors files, as the format's description spells them") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.safetensors");
  Bytes content = with_header(R"({"__metadata__":{"who":"me"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                              R"("a":{"dtype":"F64","shape":[1,1],"data_offsets":[8,16]}})",
                              0);
  append_little_endian<float>(content, 1.5f);
  append_little_endian<float>(content, -2.0f);
  append_little_endian<double>(content, 0.1);
  const SafetensorsFile file = parse_safetensors(path, content);
  CHECK(file.metadata.at("who") == "me");
  CHECK(file.tensors.at("b").to_tensor<double>(path)[1] == -2.0);
  CHECK(file.tensors.at("a").to_tensor<double>(path)[0] == 0.1);
  save_safetensors(path, file);
  const Bytes written = read_file(path);
  CHECK(read_little_endian<std::uint64_t>(written.data()) % 8 == 0);
  const SafetensorsFile again = load_safetensors(path);
  CHECK(again.metadata == file.metadata);
  CHECK(again.tensors.at("b").bytes == file.tensors.at("b").bytes);
  const auto read_it = [](const std::string& p) { load_safetensors(p); };
  refuse_when_cut(path, content, read_it);
  survive_damage(path, content, read_it);
}

TEST_CASE("safetensors headers that lie are refused") {
  const auto message = [](const std::string& header, std::size_t data) {
    return error_of([&] { parse_safetensors("file", with_header(header, data)); });
  };
  const auto tensor = [](const std::string& name, const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  const std::string a = tensor("a", "F32", "[2]", "[0,8]");
  CHECK(message("{" + a + "}", 8) == "(no error)");
  CHECK(mentions(message("{" + a + "}", 12), "4 bytes behind the last tensor"));
  CHECK(mentions(message("{" + a + "," + tensor("b", "F32", "[1]", "[4,8]") + "}", 8), "overlap"));
  CHECK(mentions(message("{" + a + "," + tensor("b", "F32", "[1]", "[12,16]") + "}", 16), "gap"));
  CHECK(mentions(message("{" + tensor("a", "F32", "[3]", "[0,8]") + "}", 8), "expected 12 bytes"));
  CHECK(mentions(message("{" + tensor("a", "F31", "[2]", "[0,8]") + "}", 8), "unknown dtype F31"));
  CHECK(mentions(message("{" + tensor("a", "F32", "[-2]", "[0,8]") + "}", 8), "expected a dtype, a shape"));
  CHECK(mentions(message("{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,8]") + "}", 8), "file: a"));
  CHECK(mentions(message("{" + tensor("a", "F32", "[2]", "[8,0]") + "}", 8), "range 8 to 0"));
  CHECK(mentions(message("{" + a + "," + a + "}", 8), "occurs twice"));
  CHECK(mentions(message("[1]", 0), "no JSON object"));
  CHECK(mentions(message("{\"__metadata__\":{\"n\":1}}", 0), "n is no text"));
  CHECK(mentions(message("{", 0), "not valid JSON"));
  Bytes huge = with_header("{}", 0);
  huge[7] = 0x7F;
  CHECK(mentions(error_of([&] { parse_safetensors("file", huge); }), "its header should have"));
  const Bytes text = bytes_of("# A text: its first eight bytes spell an enormous length.\n");
  CHECK(error_of([&] { parse_safetensors("a.md", text); }) ==
        "a.md: not a safetensors file: no JSON object behind its first 8 bytes");
}

TEST_CASE("an empty path is said to be one") {
  CHECK(error_of<FileError>([] { read_file(""); }) == "expected the path of a file, got an empty one");
  CHECK(error_of<FileError>([] { write_file("", "text"); }) == "expected the path of a file, got an empty one");
}

TEST_CASE("PNG files") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.png");
  for (const Index channels : {1, 3}) {
    PngImage image{5, 4, channels, {}};
    for (Index i = 0; i < 20 * channels; ++i) image.pixels.push_back(static_cast<std::uint8_t>(11 * i));
    write_png(path, image);
    const PngImage again = read_png(path, channels);
    CHECK_FALSE(again.reduced);
    CHECK(read_png(path, 4 - channels).reduced == (channels == 3));  // colors as grey, not grey as colors
    CHECK(again.width == 5);
    CHECK(again.height == 4);
    CHECK(again.pixels == image.pixels);
    refuse_when_cut(path, read_file(path), [&](const std::string& p) { read_png(p, channels); });
  }
  CHECK(mentions(error_of([&] { write_png(path, PngImage{2, 2, 1, {1, 2, 3}}); }), "2 x 2 x 1 and 3 bytes"));
}

TEST_CASE("a PNG file that claims to be larger than it can be is refused before memory is taken") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.png");
  write_png(path, PngImage{1, 1, 1, {7}});
  Bytes content = read_file(path);
  constexpr std::size_t kType = 12, kWidth = 16, kCrc = 29;  // of the header's chunk
  const auto claim = [&](std::uint32_t width, std::uint32_t height) {
    for (std::size_t i = 0; i < 4; ++i) {
      content[kWidth + i] = static_cast<std::uint8_t>(width >> (24 - 8 * i));
      content[kWidth + 4 + i] = static_cast<std::uint8_t>(height >> (24 - 8 * i));
    }
    const auto crc = static_cast<std::uint32_t>(crc32(0, content.data() + kType, kCrc - kType));
    for (std::size_t i = 0; i < 4; ++i) content[kCrc + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    write_file(path, content);
    return error_of<FormatError>([&] { read_png(path, 3); });
  };
  CHECK(claim(1, 1) == "(no error)");
  CHECK(mentions(claim(1000000, 1000000), "cannot hold the 1000000 x 1000000 pixels"));
  CHECK(mentions(claim(1000, 1000), "cannot hold the 1000 x 1000 pixels"));
  CHECK(mentions(claim(1, 200), "damaged or truncated"));
  CHECK(mentions(claim(0, 1), path));
  // A large picture of one color is as small as a file can be.
  write_png(path, PngImage{3000, 2000, 1, std::vector<std::uint8_t>(6000000)});
  CHECK(read_file(path).size() < 10000);
  CHECK(read_png(path).pixels.size() == 6000000);
}

TEST_CASE("PNG files are read as grey or RGB only") {
  const TemporaryFolder folder("files_test_files");
  const std::string path = folder.file("a.png");
  write_png(path, PngImage{1, 1, 1, {7}});
  for (const Index channels : {-1, 0, 2, 4}) {
    CHECK(mentions(error_of<ValueError>([&] { read_png(path, channels); }), "got " + std::to_string(channels)));
  }
}

TEST_CASE("a grid of images") {
  const Tensor<float> images(Shape{3, 1, 2, 1}, {0, 1, 0.5f, 2, -1, 0.25f});
  const PngImage grid = draw_grid<float>(images, {.columns = 2, .scale = 2, .gap = 1, .ground = 77});
  CHECK(grid.width == 11);  // gap 4 gap 4 gap
  CHECK(grid.height == 7);  // gap 2 gap 2 gap
  PngImage g = grid;
  CHECK(*g.pixel(0, 0) == 77);
  CHECK(*g.pixel(1, 1) == 0);
  CHECK(*g.pixel(3, 2) == 255);
  CHECK(*g.pixel(6, 1) == 128);  // 0.5
  CHECK(*g.pixel(8, 1) == 255);  // 2 is held within [0, 1]
  CHECK(*g.pixel(1, 4) == 0);    // the third, in the next row
  CHECK(*g.pixel(6, 4) == 77);   // where there is none
  CHECK_THROWS_AS(draw_grid<float>(Tensor<float>(Shape{2, 2})), ShapeError);
  const GridStyle huge{.scale = std::numeric_limits<Index>::max() / 2};
  CHECK_THROWS_AS(draw_grid<float>(images, huge), ShapeError);

  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Tensor<float> odd(Shape{1, 1, 4, 1}, {nan, -nan, infinity, -infinity});
  CHECK(draw_grid<float>(odd, {.scale = 1, .gap = 0}).pixels == std::vector<std::uint8_t>{0, 0, 255, 0});
}
