#include "rank_golden.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rank_data.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/ops/rank.hpp"

using namespace spiraltorch;
using nlohmann::json;

TEST_CASE("golden keys") {
  for (const json& pair : rank_data::file().at("keys")) {
    const auto bits = rank_data::parse_bits(pair[0].get<std::string>());
    const auto key = rank_data::parse_bits(pair[1].get<std::string>());
    CHECK(rank_data::key(bits[0]) == key[0]);
  }
}

TEST_CASE("golden selections") {
  // The largest needs 9 GB: run by hand.
  CHECK(rank_golden::check_selections({}, std::int64_t{1} << 26) >= 950);
}

TEST_CASE("golden ranges") { rank_golden::check_ranges({}); }

TEST_CASE("golden bands") {
  for (const json& c : rank_data::file().at("bands")) {
    const auto bits = rank_data::parse_bits(c.at("bits").get<std::string>());
    const Tensor g = rank_data::tensor(1, std::ssize(bits), bits);
    const BandSplit split =
        band_split(g, c.at("above").get<std::int64_t>(), c.at("beneath").get<std::int64_t>(),
                   c.at("tolerance").get<double>());
    std::string got;
    for (const Band b : split.bands) got += "AHB"[static_cast<std::size_t>(b)];
    CHECK(got == c.at("expect").get<std::string>());
    double total = 0.0;
    for (const float v : g.data()) total += std::abs(static_cast<double>(v));
    CHECK(split.sums[0] + split.sums[1] + split.sums[2] == doctest::Approx(total));
  }
}

TEST_CASE("golden random words") {
  for (const json& c : rank_data::file().at("philox")) {
    const auto words = rank_data::parse_bits(c.at("words").get<std::string>());
    const auto uniforms = rank_data::parse_bits(c.at("uniform").get<std::string>());
    for (std::size_t i = 0; i < words.size(); ++i) {
      const PhiloxBlock block = philox_block(
          c.at("seed").get<std::uint64_t>(), c.at("block").get<std::uint64_t>() + i / 4,
          c.at("substream").get<std::uint32_t>(),
          static_cast<PhiloxDomain>(c.at("domain").get<std::uint32_t>()));
      CHECK(block[i % 4] == words[i]);
      CHECK(rank_data::to_bits(uniform_from_word(block[i % 4])) == uniforms[i]);
    }
  }
}
