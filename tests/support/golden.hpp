#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Golden vectors (tests/golden/*.json): cases with function name, inputs, expected values in
/// double and tolerances. "inf", "-inf" and "nan" stand for those numbers.
namespace golden {

using Json = nlohmann::json;

inline double number(const Json& value) {
  if (!value.is_string()) return value.get<double>();
  const auto name = value.get<std::string>();
  if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  return name == "-inf" ? -infinity : infinity;
}

/// A number or nested lists, row-major.
inline std::vector<double> flat(const Json& value) {
  if (!value.is_array()) return {number(value)};
  std::vector<double> out;
  for (const Json& item : value) {
    const auto part = flat(item);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

/// Where golden inputs go: SPIRALTORCH_TEST_DEVICE, else the CPU.
inline spiraltorch::DeviceId device() {
  const char* name = std::getenv("SPIRALTORCH_TEST_DEVICE");
  return spiraltorch::resolve_device("golden", name == nullptr ? "cpu" : name, true);
}

/// A list of rows.
inline spiraltorch::Tensor tensor(const Json& rows) {
  const auto values = flat(rows);
  const auto count = static_cast<std::int64_t>(rows.size());
  return {count,
          static_cast<std::int64_t>(values.size()) / count,
          std::span<const double>(values),
          {.requires_grad = false, .device = device()}};
}

inline std::vector<spiraltorch::Tensor> tensors(const Json& list) {
  std::vector<spiraltorch::Tensor> out;
  for (const Json& item : list) out.push_back(tensor(item));
  return out;
}

inline std::vector<double> widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

inline const Json& file() {
  static const Json json = [] {
    std::ifstream in(std::string(SPIRALTORCH_TEST_DATA) + "/golden/core.json");
    REQUIRE(in.good());
    return Json::parse(in);
  }();
  return json;
}

inline void compare(const std::vector<double>& got, const Json& expected, const Json& one_case) {
  const auto want = flat(expected);
  REQUIRE(got.size() == want.size());
  const double atol = one_case.at("atol").get<double>();
  const double rtol = one_case.at("rtol").get<double>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CAPTURE(got[i]);
    CAPTURE(want[i]);
    CHECK(std::abs(got[i] - want[i]) <= atol + rtol * std::abs(want[i]));
  }
}

/// Runs check(inputs, case) for each case of `function`; returns how many there were.
template <class Check>
int each_case(const std::string& function, Check&& check) {
  int count = 0;
  for (const Json& one_case : file().at("cases")) {
    if (one_case.at("fn") != function) continue;
    ++count;
    CAPTURE(function);
    const std::string inputs = one_case.at("inputs").dump().substr(0, 400);
    CAPTURE(inputs);
    const Json& expected = one_case.at("expected");
    if (expected.is_object() && expected.contains("raises")) {
      CHECK_THROWS_AS(check(one_case.at("inputs"), one_case), spiraltorch::Error);
    } else {
      check(one_case.at("inputs"), one_case);
    }
  }
  REQUIRE(count > 0);
  return count;
}

}  // namespace golden
