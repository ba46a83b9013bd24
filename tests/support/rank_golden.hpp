#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "rank_data.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/ops/rank.hpp"

/// The cases of tests/golden/rank.json on a device.
namespace rank_golden {

using nlohmann::json;
using namespace spiraltorch;

inline RankResult select(const json& c, const Tensor& x) {
  const auto kind = parse_rank_kind("test", c.at("kind").get<std::string>());
  const RankOptions options{.sorted = c.at("sorted").get<bool>(),
                            .nan = parse_nan_policy("test", c.at("nan").get<std::string>())};
  const auto k = c.at("k").get<std::int64_t>();
  if (kind == RankKind::topk) return topk(x, k, options);
  return kind == RankKind::midk ? midk(x, k, options) : bottomk(x, k, options);
}

inline void check_error_case(const json& c, const Tensor& x) {
  try {
    (void)select(c, x);
    FAIL_CHECK("nothing thrown");
  } catch (const Error& e) {
    const auto& at = c.at("expect");
    CHECK(e.code() == (at.contains("at") ? Errc::non_finite : Errc::invalid_value));
    if (!at.contains("at")) return;
    const std::string place = "(" + std::to_string(at.at("at")[0].get<int>()) + ", " +
                              std::to_string(at.at("at")[1].get<int>()) + ")";
    const std::string what = e.what();
    CAPTURE(what);
    CHECK(what.find(place) != std::string::npos);
  }
}

inline void check_digest(const json& expect, const rank_data::Answer& got) {
  rank_data::Digest digest;
  for (const std::uint32_t v : got.values) digest.add(v);
  for (const std::int64_t i : got.indices) digest.add(static_cast<std::uint32_t>(i));
  CHECK(digest.text() == expect.at("digest").get<std::string>());
  const auto head = rank_data::parse_bits(expect.at("head_values").get<std::string>());
  for (std::size_t i = 0; i < head.size(); ++i) CHECK(got.values[i] == head[i]);
}

/// On a device; only there is an empty one made.
inline Tensor placed(std::int64_t rows, std::int64_t cols, const rank_data::Bits& bits,
                     DeviceId device) {
  if (bits.empty()) return detail::empty_result({rows, cols}, device);
  return rank_data::tensor(rows, cols, bits).to(device);
}

/// Selections of at most `most` elements; how many there were.
inline int check_selections(DeviceId device, std::int64_t most) {
  int count = 0;
  for (const json& c : rank_data::file().at("cases")) {
    const auto rows = c.at("rows").get<std::int64_t>();
    const auto cols = c.at("cols").get<std::int64_t>();
    if (rows * cols > most) continue;
    CAPTURE(c.at("id").get<int>());
    const Tensor x = placed(rows, cols, rank_data::input_bits(c), device);
    const json& expect = c.at("expect");
    ++count;
    if (expect.contains("error")) {
      check_error_case(c, x);
      continue;
    }
    const RankResult result = select(c, x);
    const auto got = rank_data::answer(result.values, result.indices);
    if (expect.contains("digest")) {
      check_digest(expect, got);
      continue;
    }
    CHECK(got.values == rank_data::parse_bits(expect.at("values").get<std::string>()));
    CHECK(got.indices == expect.at("indices").get<std::vector<std::int64_t>>());
  }
  return count;
}

inline void check_ranges(DeviceId device) {
  for (const json& c : rank_data::file().at("compact")) {
    CAPTURE(c.at("id").get<int>());
    const auto rows = c.at("rows").get<std::int64_t>();
    const auto cols = c.at("cols").get<std::int64_t>();
    const Tensor x = placed(rows, cols, rank_data::input_bits(c), device);
    const auto bound = [&](const char* name) {
      const json& b = c.at(name);
      return b.is_string() ? std::strtod(b.get<std::string>().c_str(), nullptr) : b.get<double>();
    };
    const json& expect = c.at("expect");
    if (expect.contains("error")) {
      CHECK_THROWS_AS((void)compact_range(x, bound("low"), bound("high")), Error);
      continue;
    }
    const CompactResult result = compact_range(x, bound("low"), bound("high"));
    const auto got = rank_data::answer(result.values, result.indices);
    if (expect.contains("digest")) {
      rank_data::Digest digest;
      for (const std::uint32_t v : got.values) digest.add(v);
      for (const std::int64_t i : got.indices) digest.add(static_cast<std::uint32_t>(i));
      for (const std::int64_t i : result.counts.data()) digest.add(static_cast<std::uint32_t>(i));
      CHECK(digest.text() == expect.at("digest").get<std::string>());
      continue;
    }
    CHECK(got.values == rank_data::parse_bits(expect.at("values").get<std::string>()));
    CHECK(got.indices == expect.at("indices").get<std::vector<std::int64_t>>());
    CHECK(result.counts.data() == expect.at("counts").get<std::vector<std::int64_t>>());
  }
}

}  // namespace rank_golden
