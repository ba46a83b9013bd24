#pragma once

#include <initializer_list>
#include <string_view>

#include "spiraltorch/geometry/poincare_ball.hpp"

// What row-wise operations check of their operands.
namespace spiraltorch::geometry {

using Operands = std::initializer_list<const Tensor*>;

/// r of operands that are (r,c) or (1,c).
[[nodiscard]] Shape common_rows(std::string_view op, Operands operands);

/// t as a (1,1) or (r,1) tensor beside operands of r rows; `rows` becomes the larger number.
[[nodiscard]] Tensor as_column(std::string_view op, const Scalars& t, std::int64_t& rows,
                               DeviceId device);

}  // namespace spiraltorch::geometry
