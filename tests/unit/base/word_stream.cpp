#include "spiraltorch/base/word_stream.hpp"

#include <doctest/doctest.h>

#include <string>

#include "learning.hpp"

using namespace spiraltorch;

namespace {

std::uint64_t number(const learning::Json& text) { return std::stoull(text.get<std::string>()); }

// FNV-1a-64 of the order as little-endian u64.
std::string hash(const std::vector<std::int64_t>& order) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const std::int64_t one : order) {
    for (int byte = 0; byte < 8; ++byte) {
      h = (h ^ ((static_cast<std::uint64_t>(one) >> (8 * byte)) & 0xffU)) * 0x100000001b3U;
    }
  }
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kDigits[(h >> shift) & 15U]);
  return out;
}

std::vector<std::int64_t> order_of(const learning::Json& c) {
  return permutation(c.at("count").get<std::int64_t>(), number(c.at("seed")),
                     c.at("epoch").get<std::uint32_t>(), PhiloxDomain::loader);
}

}  // namespace

TEST_CASE("words of a stream are its blocks in sequence") {
  for (const auto& c : learning::file().at("philox").at("blocks")) {
    const auto words = philox_block(number(c.at("seed")), number(c.at("index")),
                                    c.at("substream").get<std::uint32_t>(),
                                    static_cast<PhiloxDomain>(c.at("domain").get<std::uint32_t>()));
    for (std::size_t i = 0; i < 4; ++i) CHECK(words[i] == c.at("words")[i].get<std::uint32_t>());
  }
  WordStream stream(5, 6, PhiloxDomain::window);
  for (std::uint64_t i = 0; i < 12; ++i) {
    CHECK(stream.word() == philox_block(5, i / 4, 6, PhiloxDomain::window)[i % 4]);
  }
}

TEST_CASE("below agrees with the golden draws") {
  for (const auto& c : learning::file().at("philox").at("below")) {
    WordStream words(number(c.at("seed")), c.at("substream").get<std::uint32_t>(),
                     static_cast<PhiloxDomain>(c.at("domain").get<std::uint32_t>()));
    for (const auto& draw : c.at("draws")) {
      CHECK(words.below(number(c.at("bound"))) == number(draw));
    }
  }
}

TEST_CASE("permutations agree with the golden orders") {
  for (const auto& c : learning::file().at("permutations")) {
    CHECK(order_of(c) == c.at("order").get<std::vector<std::int64_t>>());
  }
  for (const auto& c : learning::file().at("permutation_hashes")) {
    CHECK(hash(order_of(c)) == c.at("fnv1a64").get<std::string>());
  }
  CHECK(permutation(0, 1, 0, PhiloxDomain::loader).empty());
}
