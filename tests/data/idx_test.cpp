#include "linnet/data/idx.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "support.hpp"

using namespace linnet;
using namespace linnet::test;

namespace {

Bytes gzip(const Bytes& plain) {
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(plain.size())) + 32);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Two images of 2 x 3, as the format's description spells them.
const Bytes kImages = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 250, 251, 252, 253, 254, 255};
const Bytes kLabels = {0, 0, 8, 1, 0, 0, 0, 2, 7, 9};

}  // namespace

TEST_CASE("IDX files are read, plain and compressed") {
  const TemporaryFolder folder("idx_test_files");
  const std::string images = folder.file("images"), labels = folder.file("labels");
  for (const bool compressed : {false, true}) {
    write_file(images, compressed ? gzip(kImages) : kImages);
    write_file(labels, compressed ? gzip(kLabels) : kLabels);
    const ImageDataset set = load_idx(images, labels);
    CHECK(set.size() == 2);
    CHECK(set.image_shape() == Shape{2, 3, 1});
    CHECK(set.image(0)[5] == 6);
    CHECK(set.image(1)[0] == 250);
    CHECK(set.label(1) == 9);
  }
  write_idx(folder.file("again"), Shape{2, 2, 3}, std::span(kImages).subspan(16));
  CHECK(read_file(folder.file("again")) == kImages);
}

TEST_CASE("a set in a folder is found with and without .gz") {
  const TemporaryFolder folder("idx_test_files");
  write_file(folder.file("few-images-idx3-ubyte.gz"), gzip(kImages));
  write_file(folder.file("few-labels-idx1-ubyte"), kLabels);
  CHECK(load_idx_set(folder.path(), "few").size() == 2);
  CHECK(mentions(error_of([&] { load_idx_set(folder.path(), "none"); }), "none-images-idx3-ubyte"));
}

TEST_CASE("an IDX file that is cut anywhere is refused by name") {
  const TemporaryFolder folder("idx_test_files");
  const std::string path = folder.file("cut");
  for (const Bytes& whole : {kImages, gzip(kImages)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      write_file(path, std::span(whole).first(size));
      CHECK(mentions(error_of([&] { read_idx(path); }), path));
    }
    Bytes longer = whole;
    longer.push_back(0);
    write_file(path, longer);
    CHECK(mentions(error_of([&] { read_idx(path); }), path));
  }
}

TEST_CASE("no more is unpacked than the header claims") {
  const TemporaryFolder folder("idx_test_files");
  const std::string path = folder.file("bomb");
  Bytes plain = kImages;
  plain.resize(plain.size() + 100000);
  write_file(path, gzip(plain));
  CHECK(error_of([&] { read_idx(path); }) == path + ": expected at most 28 unpacked bytes, there are more");
  plain.resize(kImages.size() + 1);
  write_file(path, gzip(plain));
  CHECK(mentions(error_of([&] { read_idx(path); }), "at most 28 unpacked bytes"));
  // A megabyte that would become a gigabyte.
  std::size_t gigabyte = 0;
  Bytes bomb = kImages;
  bomb.resize(1 << 20);
  for (Bytes part = gzip(bomb); gigabyte < (std::size_t{1} << 30); gigabyte += bomb.size()) {
    plain.insert(plain.end(), part.begin(), part.end());
  }
  plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(kImages.size() + 1));
  CHECK(plain.size() < (2 << 20));
  write_file(path, plain);
  CHECK(mentions(error_of([&] { read_idx(path); }), "at most 28 unpacked bytes"));
  for (const Bytes& few : {Bytes{}, Bytes{0, 0, 8}, Bytes{0, 0, 8, 3, 0, 0}}) {
    write_file(path, gzip(few));
    CHECK(mentions(error_of<FormatError>([&] { read_idx(path); }), path));
  }
}

TEST_CASE("gzip files of several members are read") {
  const TemporaryFolder folder("idx_test_files");
  const std::string path = folder.file("members");
  for (std::size_t first = 0; first <= kImages.size(); ++first) {
    CAPTURE(first);
    const auto cut = kImages.begin() + static_cast<std::ptrdiff_t>(first);
    Bytes packed = gzip(Bytes(kImages.begin(), cut));
    const Bytes second = gzip(Bytes(cut, kImages.end()));
    const std::size_t second_at = packed.size();
    packed.insert(packed.end(), second.begin(), second.end());
    write_file(path, packed);
    CHECK(std::equal(kImages.begin() + 16, kImages.end(), read_idx(path).bytes.begin()));
    for (std::size_t size = second_at + 1; size < packed.size(); ++size) {
      write_file(path, std::span(packed).first(size));
      CHECK(mentions(error_of<FormatError>([&] { read_idx(path); }), path));
    }
  }
}

TEST_CASE("every damaged bit of a compressed file is found") {
  const TemporaryFolder folder("idx_test_files");
  const std::string path = folder.file("damaged");
  const Bytes whole = gzip(kImages);
  const IdxFile expected = [&] {
    write_file(path, whole);
    return read_idx(path);
  }();
  for (std::size_t i = 0; i < 8 * whole.size(); ++i) {
    Bytes damaged = whole;
    damaged[i / 8] = static_cast<std::uint8_t>(damaged[i / 8] ^ (1u << (i % 8)));
    write_file(path, damaged);
    bool same = false;  // some bits of the gzip header mean nothing
    try {
      same = read_idx(path).bytes == expected.bytes;
    } catch (const FileError&) {
      same = true;
    }
    CHECK(same);
  }
}

TEST_CASE("files of another kind are refused, saying what was expected") {
  const TemporaryFolder folder("idx_test_files");
  const std::string path = folder.file("file"), images = folder.file("images"), labels = folder.file("labels");
  const auto message = [&](Bytes content) {
    write_file(path, content);
    return error_of([&] { read_idx(path); });
  };
  CHECK(mentions(message({'P', 'N', 'G', '!', 0, 0, 0, 0}), "not an IDX file"));
  CHECK(mentions(message({0, 0, 0x0D, 1, 0, 0, 0, 0}), "got type 13"));
  CHECK(mentions(message({0, 0, 8, 9, 0, 0, 0, 0}), "at most 7 axes, got 9"));
  CHECK(mentions(message({0, 0, 8, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), path));  // 2^64 bytes
  CHECK(mentions(message({0, 0, 8, 1, 0x7F, 0xFF, 0xFF, 0xFF, 1, 2}), "truncated"));
  CHECK(mentions(error_of([&] { read_idx(folder.file("missing")); }), "no such file"));
  CHECK(mentions(error_of([&] { read_idx(folder.path()); }), "folder"));

  write_file(images, kImages);
  write_file(labels, kLabels);
  CHECK(mentions(error_of([&] { load_idx(labels, images); }), "are these the labels?"));
  CHECK(mentions(error_of([&] { load_idx(images, images); }), "are these the images?"));
  write_file(labels, Bytes{0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 1});
  CHECK(mentions(error_of([&] { load_idx(images, labels); }), "3 labels for the 2 images"));
}

TEST_CASE("the digits that come with linnet") {
  const ImageDataset digits = load_idx_set(LINNET_SOURCE_DIR "/examples/data", "mnist10k");
  CHECK(digits.size() == 10000);
  CHECK(digits.image_shape() == Shape{28, 28, 1});
  // The class counts of the first 10,000 images of MNIST's training set.
  const std::vector<std::size_t> counts = {1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978};
  const auto [train, held_out] = digits.split_every(5);
  CHECK(train.size() + held_out.size() == 10000);
  for (int digit = 0; digit < 10; ++digit) {
    CHECK(digits.indices_of(digit).size() == counts[static_cast<std::size_t>(digit)]);
    CHECK(held_out.indices_of(digit).size() == counts[static_cast<std::size_t>(digit)] / 5);
  }
}
