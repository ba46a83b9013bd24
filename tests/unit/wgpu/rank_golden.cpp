#include "rank_golden.hpp"

#include "conformance.hpp"

// tests/golden/rank.json on the first WebGPU adapter.
TEST_CASE("wgpu rank: golden selections") {
  if (!conformance::adapter_here()) return;
  CHECK(rank_golden::check_selections(conformance::kWgpu, std::int64_t{1} << 22) >= 900);
}

TEST_CASE("wgpu rank: golden ranges") {
  if (!conformance::adapter_here()) return;
  rank_golden::check_ranges(conformance::kWgpu);
}

TEST_CASE("wgpu rank: golden bands") {
  if (!conformance::adapter_here()) return;
  for (const nlohmann::json& c : rank_data::file().at("bands")) {
    const auto bits = rank_data::parse_bits(c.at("bits").get<std::string>());
    const auto n = std::ssize(bits);
    const auto got = conformance::run(
        conformance::kWgpu, spiraltorch::OpId::band_split, {{1, n, bits, n}},
        {{{1, n}, spiraltorch::ElementType::i32}, {{1, 3}, spiraltorch::ElementType::f64}},
        {c.at("tolerance").get<double>()},
        {c.at("above").get<std::int64_t>(), c.at("beneath").get<std::int64_t>()});
    std::string bands;
    for (const std::uint32_t band : got[0]) bands += "AHB"[band];
    CHECK(bands == c.at("expect").get<std::string>());
  }
}
