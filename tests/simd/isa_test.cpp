// The choice of the instruction set.
#include <doctest/doctest.h>

#include <string>

#include "linnet/simd/isa.hpp"
#include "support.hpp"

using namespace linnet;
using test::error_of;

TEST_CASE("instruction sets have names, and unknown ones are refused") {
  for (const Isa set : test::supported_sets()) CHECK(parse_isa(to_string(set)) == set);
  CHECK(supported(Isa::baseline));
  CHECK(error_of<ValueError>([] { parse_isa("sse9"); }) ==
        "parse_isa: expected baseline, avx2 or avx512, got \"sse9\"");
  CHECK(test::mentions(error_of<ValueError>([] { parse_isa(""); }), "expected baseline"));
  for (const Isa set : {Isa::avx2, Isa::avx512}) {
    if (supported(set)) continue;
    CHECK(error_of<ValueError>([&] { set_isa(set); }) ==
          std::string(LINNET_X86 ? "set_isa: this processor has no " : "set_isa: this program has no kernels for ") +
              to_string(set));
  }
}

TEST_CASE("a switch holds until the next one") {
  const Isa before = isa();
  test::for_each_isa([](Isa set) { CHECK(isa() == set); });
  CHECK(isa() == before);
}
