#pragma once

#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/data/data_loader.hpp"

/// Sources of samples.
namespace spiraltorch::dataset {

/// Samples in memory; there may be none.
[[nodiscard]] SPIRALTORCH_API DataLoader from_vec(std::vector<Sample> samples);

/// Row i of each, shared: the tensors' later changes are seen. `shape_mismatch` unless they have
/// equally many rows. A batch is one gather of rows, without per-sample tensors.
[[nodiscard]] SPIRALTORCH_API DataLoader from_tensors(const Tensor& inputs, const Tensor& targets);

}  // namespace spiraltorch::dataset
