#pragma once

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Rows by number. `rows` is (1,m) or (m,1), on the tensors' device; an element outside [0, n) of
/// an (n,c) tensor is `out_of_range`, before anything is written.
namespace spiraltorch::ops {

/// (m,c): the rows of x that `rows` names. `invalid_shape` where it names none. Its gradient adds
/// each row to where it came from, see index_add.
[[nodiscard]] SPIRALTORCH_API Tensor index_select(const Tensor& x, const IndexTensor& rows);

/// x with row i of source, (m,c), added to row rows[i], for every i ascending: the same bits each
/// time. O(n·c + m·c) and the sorting of m indices; |error| ≤ 2⁻²²·Σ|terms|, on the CPU one
/// rounding of a sum in double.
[[nodiscard]] SPIRALTORCH_API Tensor index_add(const Tensor& x, const IndexTensor& rows,
                                               const Tensor& source);

}  // namespace spiraltorch::ops
