#include "spiraltorch/base/error.hpp"

#include <array>

namespace spiraltorch {
namespace {
constexpr std::array<std::string_view, 21> kNames{"invalid_shape",
                                                  "length_mismatch",
                                                  "shape_mismatch",
                                                  "invalid_value",
                                                  "curvature",
                                                  "curvature_mismatch",
                                                  "non_finite",
                                                  "empty_input",
                                                  "degenerate_barycenter",
                                                  "volume_exceeded",
                                                  "depth_exceeded",
                                                  "graph",
                                                  "no_copy",
                                                  "out_of_range",
                                                  "dtype",
                                                  "unsupported",
                                                  "device",
                                                  "out_of_memory",
                                                  "io",
                                                  "not_converged",
                                                  "internal"};
static_assert(kNames.size() == static_cast<std::size_t>(Errc::internal) + 1);
}  // namespace

std::string_view errc_name(Errc code) noexcept { return kNames[static_cast<std::size_t>(code)]; }

Error::Error(Errc code, const std::string& message, Where where)
    : std::runtime_error(message), code_(code), where_(where) {}

void fail(Errc code, std::string_view op, std::string_view message, Where where) {
  std::string text;
  text.reserve(op.size() + message.size() + 3);
  text.append("[").append(op).append("] ").append(message);
  throw Error(code, text, where);
}

}  // namespace spiraltorch
