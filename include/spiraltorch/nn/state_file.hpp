#pragma once

#include <map>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

/// Tensors with what a state file records beside them. On disk: safetensors in canonical form, F32
/// of shape [rows, cols], with metadata `format` "spiraltorch", `format_version` "1", `kind` and
/// `manifolds`, a JSON object of the ball parameters' curvatures.
struct StateFile {
  std::map<std::string, double> manifolds{};
  StateDict tensors{};
  SafetensorsMetadata metadata{};  ///< further entries
};

/// `kind` is "state_dict" or "checkpoint"; `io`.
SPIRALTORCH_API void write_state_file(std::string_view op, const std::string& path,
                                      std::string_view kind, const StateFile& file);
/// Reads a file that `write_state_file` wrote with this kind; `FormatError` for others.
[[nodiscard]] SPIRALTORCH_API StateFile read_state_file(std::string_view op,
                                                        const std::string& path,
                                                        std::string_view kind);

/// The curvatures of the parameters on balls, by name after `prefix`.
[[nodiscard]] SPIRALTORCH_API std::map<std::string, double> manifolds_of(
    const NamedParameters& named, std::string_view prefix = {});
/// `curvature_mismatch` where a recorded curvature is not the parameter's.
SPIRALTORCH_API void check_manifolds(std::string_view op,
                                     const std::map<std::string, double>& manifolds,
                                     const NamedParameters& named, std::string_view prefix = {});

}  // namespace spiraltorch::nn
