#include "linnet/io/json.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "linnet/io/json_config.hpp"
#include "support.hpp"

using namespace linnet;
using namespace linnet::test;
using nlohmann::json;

namespace {

std::string problem_with_text(const std::string& text) {
  return error_of<FormatError>([&] { detail::parse_strict_json("file: the header", text); });
}

std::string nested(int levels, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += open;
  text += "0";
  for (int i = 0; i < levels; ++i) text += close;
  return text;
}

struct JsonLayer {
  Index units = 1;
  std::string title = "t";
  template <class Visitor>
  void describe(Visitor& visit) {
    visit.field("units", units);
    visit.field("title", title);
  }
};

}  // namespace

TEST_CASE("names that occur twice are refused at every level") {
  CHECK(problem_with_text(R"({"a":{"b":1},"b":[{"a":1},{"a":2}]})") == "(no error)");
  CHECK(problem_with_text(R"({"a":1,"a":2})") == "file: the header: the name \"a\" occurs twice");
  CHECK(mentions(problem_with_text(R"({"x":[{"b":1,"c":{},"b":2}]})"), "\"b\" occurs twice"));
  CHECK(mentions(problem_with_text(R"({"a":1,)"), "file: the header is not valid JSON"));
}

TEST_CASE("a header with many names is read in time") {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += "\"" + std::to_string(i) + "\":0,";
  const auto start = std::chrono::steady_clock::now();
  CHECK(problem_with_text(text + "\"last\":0}") == "(no error)");
  CHECK(mentions(problem_with_text(text + "\"500\":0}"), "\"500\" occurs twice"));
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 10);
}

TEST_CASE("deep nesting is refused, however deep it is") {
  for (const auto& [open, close] : {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    CHECK(problem_with_text(nested(64, open, close)) == "(no error)");
    CHECK(problem_with_text(nested(65, open, close)) ==
          "file: the header: expected at most 64 levels of JSON, there are more");
    CHECK(mentions(problem_with_text(nested(300000, open, close)), "64 levels"));
    CHECK(mentions(problem_with_text(nested(300000, open, "")), "64 levels"));
  }
}

TEST_CASE("messages quote the beginning of a long value") {
  const std::string longest(1000000, 'x');
  CHECK(problem_with_text("[" + longest).size() < 400);
  CHECK(problem_with_text("[\"" + longest + "\n\"]").size() < 400);
  JsonLayer layer;
  const auto problem = [&](const json& config) {
    return error_of<FormatError>([&] { read_config(longest, config, layer); });
  };
  CHECK(problem({{"units", longest}, {"title", "t"}}).size() < 400);
  CHECK(problem({{"units", json(std::vector<int>(100000, 7))}, {"title", "t"}}).size() < 400);
  CHECK(problem({{"units", 1}, {"title", "t"}, {longest, 1}}).size() < 400);
  CHECK(problem(json(std::vector<int>(100000, 7))).size() < 400);
  // It is not cut within a character.
  CHECK(detail::excerpt("abcd\xC3\xA9", 5) == "abcd...");
  CHECK(detail::excerpt("abcd\xC3\xA9", 6) == "abcd\xC3\xA9");
  CHECK(detail::excerpt(std::string(100, '\x80')) == "...");
}

TEST_CASE("only texts in UTF-8 are written") {
  CHECK(detail::dump_json("file", json{{"a", "caf\xC3\xA9"}}) == "{\"a\":\"caf\xC3\xA9\"}");
  const auto problem = [](const json& value) {
    return error_of<ValueError>([&] { detail::dump_json("file", value); });
  };
  CHECK(mentions(problem({{"a", "caf\xE9"}}), "file: expected names and texts in UTF-8"));
  CHECK(mentions(problem({{"caf\xE9", 1}}), "UTF-8"));
  // What is refused can be named all the same.
  JsonLayer layer;
  const json config = {{"units", "caf\xE9"}, {"title", "t"}};
  CHECK(mentions(error_of<FormatError>([&] { read_config("dense", config, layer); }), "expected an integer"));
}
