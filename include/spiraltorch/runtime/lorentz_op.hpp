#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spiraltorch {

/// Row-wise operations of the hyperboloid: the first integer of `lorentz_rows` and its gradient.
enum class LorentzOp : std::uint8_t {
  project,
  expmap0,
  logmap0,
  expmap,
  logmap,
  parallel_transport,
  dist,
  squared_dist,
  conformal_factor,
  egrad2rgrad,
  geodesic,
  to_poincare,
  to_poincare_tangent,
  from_poincare_tangent,
};

/// What a row of the result is: a time column comes first in points and tangents.
enum class LorentzResult : std::uint8_t { point, tangent, number, ball };

struct LorentzInfo {
  LorentzOp op;
  std::string_view name;
  std::string_view roles;  ///< of the operands: a, b points, v a vector, t a number
  LorentzResult result;
  bool timed =
      true;  ///< operands a, b, v have a time column, which is read for egrad2rgrad's v only
};

inline constexpr std::array kLorentzOps{
    LorentzInfo{LorentzOp::project, "project", "a", LorentzResult::point},
    LorentzInfo{LorentzOp::expmap0, "expmap0", "a", LorentzResult::point},  // a is the vector
    LorentzInfo{LorentzOp::logmap0, "logmap0", "a", LorentzResult::tangent},
    LorentzInfo{LorentzOp::expmap, "expmap", "av", LorentzResult::point},
    LorentzInfo{LorentzOp::logmap, "logmap", "ab", LorentzResult::tangent},
    LorentzInfo{LorentzOp::parallel_transport, "parallel_transport", "abv", LorentzResult::tangent},
    LorentzInfo{LorentzOp::dist, "dist", "ab", LorentzResult::number},
    LorentzInfo{LorentzOp::squared_dist, "dist", "ab", LorentzResult::number},
    LorentzInfo{LorentzOp::conformal_factor, "conformal_factor", "a", LorentzResult::number},
    LorentzInfo{LorentzOp::egrad2rgrad, "egrad2rgrad", "av", LorentzResult::tangent},
    LorentzInfo{LorentzOp::geodesic, "geodesic", "abt", LorentzResult::point},
    LorentzInfo{LorentzOp::to_poincare, "to_poincare", "a", LorentzResult::ball},
    LorentzInfo{LorentzOp::to_poincare_tangent, "to_poincare_tangent", "av", LorentzResult::ball},
    LorentzInfo{LorentzOp::from_poincare_tangent, "from_poincare_tangent", "av",
                LorentzResult::tangent, false},
};

[[nodiscard]] constexpr const LorentzInfo& lorentz_info(LorentzOp op) {
  return kLorentzOps[static_cast<std::size_t>(op)];
}

/// Columns of space of an operand (r, cols), and of the result of `space` columns of space.
[[nodiscard]] constexpr std::int64_t lorentz_space(const LorentzInfo& info, std::int64_t cols) {
  return info.timed ? cols - 1 : cols;
}
[[nodiscard]] constexpr std::int64_t lorentz_result_cols(const LorentzInfo& info,
                                                         std::int64_t space) {
  if (info.result == LorentzResult::number) return 1;
  return info.result == LorentzResult::ball ? space : space + 1;
}

}  // namespace spiraltorch
