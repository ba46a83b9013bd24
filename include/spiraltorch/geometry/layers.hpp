#pragma once

#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch::geometry {

/// Logits of the rows of x (B, dim) from their signed distances to hyperplanes of the ball, as
/// `nn::PoincareMLR` defines them: column k of `normals` (dim, classes) and the signed distance k
/// of `offsets` (1, classes) from the origin are one hyperplane. Every finite offset has finite
/// derivatives. One pass, O(B·dim·classes); in double, rounded once.
[[nodiscard]] SPIRALTORCH_API Tensor hyperplane_logits(const PoincareBall& ball, const Tensor& x,
                                                       const Tensor& normals,
                                                       const Tensor& offsets);

/// (m⊗x) ⊕ b for the rows of x (B, in), m (in, out) and a point b (1, out), or none:
/// `mobius_matvec` and `mobius_add` with one kernel before and one behind the product, rounded once
/// less.
[[nodiscard]] SPIRALTORCH_API Tensor mobius_affine(const PoincareBall& ball, const Tensor& x,
                                                   const Tensor& m, const Tensor* b);

}  // namespace spiraltorch::geometry
