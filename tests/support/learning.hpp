#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "spiraltorch/tensor/tensor.hpp"

/// tests/golden/learning.json, with the tolerance of its default entry.
namespace learning {

using Json = nlohmann::json;

inline const Json& file() {
  static const Json json = [] {
    std::ifstream in(std::string(SPIRALTORCH_TEST_DATA) + "/golden/learning.json");
    REQUIRE(in.good());
    return Json::parse(in);
  }();
  return json;
}

inline void check_near(double got, double want) {
  CAPTURE(got);
  CAPTURE(want);
  CHECK(std::abs(got - want) <= 1e-6 + 1e-5 * std::abs(want));
}

/// Rows by their number: {"0": [...], "63": [...]}.
inline void check_rows(const spiraltorch::Tensor& x, const Json& rows) {
  for (const auto& [index, want] : rows.items()) {
    CAPTURE(index);
    REQUIRE(x.cols() == std::ssize(want));
    for (std::int64_t j = 0; j < x.cols(); ++j) {
      check_near(x.at(std::stoll(index), j), want[static_cast<std::size_t>(j)].get<double>());
    }
  }
}

/// Column sums, in double.
inline void check_sums(const spiraltorch::Tensor& x, const Json& sums) {
  const auto rows = x.tolist();
  for (std::size_t j = 0; j < sums.size(); ++j) {
    double sum = 0.0;
    double size = 0.0;
    for (const auto& row : rows) {
      sum += row[j];
      size += std::abs(row[j]);
    }
    CHECK(std::abs(sum - sums[j].get<double>()) <= 1e-6 + 1e-5 * size);
  }
}

}  // namespace learning
