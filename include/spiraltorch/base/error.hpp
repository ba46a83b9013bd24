#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// What went wrong, in terms the caller can act on. Python shows the same names as `Error.code`.
enum class Errc : std::uint8_t {
  invalid_shape,
  length_mismatch,
  shape_mismatch,
  invalid_value,
  curvature,
  curvature_mismatch,
  non_finite,
  empty_input,
  degenerate_barycenter,
  volume_exceeded,
  depth_exceeded,
  graph,
  no_copy,
  out_of_range,
  dtype,
  unsupported,
  device,
  out_of_memory,
  io,
  not_converged,
  internal,
};

/// The enumerator's own spelling, e.g. "shape_mismatch".
[[nodiscard]] SPIRALTORCH_API std::string_view errc_name(Errc code) noexcept;

/// Source position of a throw. <source_location> is missing in clang 14.
struct Where {
  const char* file;
  int line;
  static constexpr Where here(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {f, l};
  }
};

/// The one exception type that leaves this library. `what()` reads
/// "[function] what: got X, expected Y".
class SPIRALTORCH_API Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message, Where where = Where::here());
  [[nodiscard]] Errc code() const noexcept { return code_; }
  [[nodiscard]] Where where() const noexcept { return where_; }

 private:
  Errc code_;
  Where where_;
};

/// Throws `Error(code, "[op] message")`.
[[noreturn]] SPIRALTORCH_API void fail(Errc code, std::string_view op, std::string_view message,
                                       Where where = Where::here());

/// Throws when `ok` is false. For messages that need formatting, test and call `fail` instead, so
/// that nothing is formatted on the good path.
inline void require(bool ok, Errc code, std::string_view op, std::string_view message,
                    Where where = Where::here()) {
  if (!ok) fail(code, op, message, where);
}

}  // namespace spiraltorch
