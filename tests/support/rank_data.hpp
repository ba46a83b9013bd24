#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "spiraltorch/rank/plan.hpp"
#include "spiraltorch/tensor/detail.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Inputs and answers of rank selection for tests: the families of tests/golden/rank.json and a
/// plain stable sort.
namespace rank_data {

using Bits = std::vector<std::uint32_t>;

inline float to_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }
inline std::uint32_t to_bits(float value) { return std::bit_cast<std::uint32_t>(value); }

inline std::uint64_t hash(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

inline std::uint32_t uniform(std::uint64_t h) {
  return to_bits(static_cast<float>(static_cast<double>(h >> 40) - 8388608.0) * 0x1p-23F);
}

inline std::uint32_t few(std::uint64_t h) {
  return to_bits(static_cast<float>(static_cast<int>((h >> 32) % 5) - 2));
}

inline std::uint32_t nan_of(std::uint64_t h) {
  return 0x7FC00000U | static_cast<std::uint32_t>(h & 0x803FFFFFU);
}

inline std::uint32_t infs(std::uint64_t h) {
  const auto small = static_cast<float>(h & 7U);
  switch ((h >> 32) % 4) {
    case 0:
      return 0x7F800000U;
    case 1:
      return 0xFF800000U;
    case 2:
      return to_bits(small);
    default:
      return to_bits(-small);
  }
}

inline std::uint32_t from_key(std::uint32_t u) { return (u >> 31) != 0 ? u ^ 0x80000000U : ~u; }

using Element = std::function<std::uint32_t(std::uint64_t h, std::int64_t col, std::int64_t cols)>;

inline const std::map<std::string, Element>& families() {
  using H = std::uint64_t;
  using I = std::int64_t;
  const auto low = [](H h) { return static_cast<std::uint32_t>(h); };
  static const std::map<std::string, Element> table{
      {"uniform", [](H h, I, I) { return uniform(h); }},
      {"bits",
       [low](H h, I, I) {
         const std::uint32_t b = low(h);
         return ((b >> 23) & 255U) == 255U ? b & 0xBFFFFFFFU : b;
       }},
      {"anybits", [low](H h, I, I) { return low(h); }},
      {"equal", [](H, I, I) { return 0x3FA00000U; }},
      {"two", [](H h, I, I) { return ((h >> 40) & 1U) != 0 ? 0x40000000U : 0xC0400000U; }},
      {"few", [](H h, I, I) { return few(h); }},
      {"ascending", [](H, I c, I n) { return to_bits(static_cast<float>(c - n / 2)); }},
      {"descending", [](H, I c, I n) { return to_bits(static_cast<float>(n / 2 - c)); }},
      {"zeros", [](H h, I, I) { return ((h >> 40) & 1U) != 0 ? 0x80000000U : 0U; }},
      {"infs", [](H h, I, I) { return infs(h); }},
      {"nan", [](H h, I, I) { return (h >> 32) % 5 == 0 ? nan_of(h) : uniform(h); }},
      {"allnan", [low](H h, I, I) { return 0x7F800001U | (low(h) & 0x803FFFFFU); }},
      {"fewnonnan", [](H h, I, I) { return (h >> 32) % 16 == 0 ? few(h) : nan_of(h); }},
      {"subnormal", [low](H h, I, I) { return low(h) & 0x807FFFFFU; }},
      {"crowded", [low](H h, I, I) { return 0x3F800000U | (low(h) & 0x1FFFFFU); }},
      {"crowded2", [low](H h, I, I) { return 0x3F800000U | (low(h) & 0x3FFU); }},
      {"digit",
       [](H h, I, I) {
         return from_key(static_cast<std::uint32_t>(((h >> 32) % 7 + 600) * 2097152 +
                                                    ((h >> 40) % 3) * 1024 - 1 + h % 3));
       }},
      {"late",
       [](H h, I c, I n) {
         return c >= n - n / 8 - 1 ? to_bits(to_float(uniform(h)) + 4.0F) : uniform(h);
       }},
      {"sawtooth", [](H, I c, I) { return to_bits(static_cast<float>(c % 97)); }},
  };
  return table;
}

inline Bits make(const std::string& family, std::uint64_t seed, std::int64_t rows,
                 std::int64_t cols) {
  Bits out(static_cast<std::size_t>(rows * cols), 0U);
  if (family == "planted") {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < 8; ++j) {
        out[static_cast<std::size_t>(r * cols + (r * 2654435761 + j * 40503) % cols)] =
            to_bits(static_cast<float>(j + 1));
      }
    }
    return out;
  }
  const Element& element = families().at(family);
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    out[static_cast<std::size_t>(i)] =
        element(hash(seed, static_cast<std::uint64_t>(i)), i % cols, cols);
  }
  return out;
}

inline spiraltorch::Tensor tensor(std::int64_t rows, std::int64_t cols, const Bits& bits) {
  if (bits.empty()) return spiraltorch::detail::empty_result({rows, cols}, {});
  std::vector<float> values(bits.size());
  std::transform(bits.begin(), bits.end(), values.begin(), to_float);
  return {rows, cols, std::span<const float>(values)};
}

/// Values as bits and column indices, row-major.
struct Answer {
  Bits values;
  std::vector<std::int64_t> indices;
  friend bool operator==(const Answer&, const Answer&) = default;
};

inline Answer answer(const spiraltorch::Tensor& values, const spiraltorch::IndexTensor& indices) {
  Answer out;
  for (const float v : values.data()) out.values.push_back(to_bits(v));
  out.indices = indices.data();
  return out;
}

inline std::uint32_t key(std::uint32_t bits) {
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return 0xFFFFFFFFU;
  if ((bits & 0x7FFFFFFFU) == 0) return 0x80000000U;
  return (bits >> 31) != 0 ? ~bits : bits ^ 0x80000000U;
}

/// The oracle: a stable sort of each row.
inline Answer stable_sort(spiraltorch::RankKind kind, const Bits& bits, std::int64_t rows,
                          std::int64_t cols, std::int64_t k, spiraltorch::NanPolicy nan,
                          bool sorted) {
  using spiraltorch::RankKind;
  Answer out;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::uint32_t* row = bits.data() + r * cols;
    std::vector<std::int64_t> order;
    for (std::int64_t c = 0; c < cols; ++c) {
      const bool is_nan = (row[c] & 0x7FFFFFFFU) > 0x7F800000U;
      if (!is_nan || nan == spiraltorch::NanPolicy::largest) order.push_back(c);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return kind == RankKind::topk ? key(row[a]) > key(row[b]) : key(row[a]) < key(row[b]);
    });
    const auto m = std::ssize(order);
    const std::int64_t t = std::min(k, m);
    const std::int64_t first = kind == RankKind::midk ? (m - t) / 2 : 0;
    std::vector<std::int64_t> kept(order.begin() + first, order.begin() + first + t);
    if (!sorted) std::sort(kept.begin(), kept.end());
    for (std::int64_t j = 0; j < k; ++j) {
      out.values.push_back(j < t ? row[kept[static_cast<std::size_t>(j)]] : 0x7FC00000U);
      out.indices.push_back(j < t ? kept[static_cast<std::size_t>(j)] : -1);
    }
  }
  return out;
}

/// tests/golden/rank.json.
inline const nlohmann::json& file() {
  static const nlohmann::json json = [] {
    std::ifstream in(std::string(SPIRALTORCH_TEST_DATA) + "/golden/rank.json");
    return nlohmann::json::parse(in);
  }();
  return json;
}

/// "3f800000 40000000".
inline Bits parse_bits(const std::string& text) {
  Bits out;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    out.push_back(static_cast<std::uint32_t>(std::strtoul(word.c_str(), nullptr, 16)));
  }
  return out;
}

inline Bits input_bits(const nlohmann::json& one_case) {
  const auto& input = one_case.at("input");
  if (input.contains("bits")) return parse_bits(input.at("bits").get<std::string>());
  return make(input.at("gen").get<std::string>(), input.at("seed").get<std::uint64_t>(),
              one_case.at("rows").get<std::int64_t>(), one_case.at("cols").get<std::int64_t>());
}

/// FNV-1a, 64 bits, over little-endian words.
class Digest {
 public:
  void add(std::uint32_t word) {
    for (int i = 0; i < 4; ++i) {
      hash_ = (hash_ ^ ((word >> (8 * i)) & 255U)) * 0x100000001b3U;
    }
  }
  [[nodiscard]] std::string text() const {
    char out[17];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash_));
    return out;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace rank_data
