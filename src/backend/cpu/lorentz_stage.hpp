#pragma once

#include "backend/cpu/ball_stage.hpp"
#include "spiraltorch/runtime/lorentz_op.hpp"

// Row-wise operations of the hyperboloid, in double: the stages of ball_stage.hpp on the columns of
// space.
namespace spiraltorch::cpu::lorentz {

/// The coefficients of an operation over a = x, b = −y, s = x − y and v; v is −y for the operations
/// of two points without a vector.
[[nodiscard]] Coefficients coefficients_of(LorentzOp op);

}  // namespace spiraltorch::cpu::lorentz
