#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// Shortest decimal that reads back as the same number ("0.1", "-1", "inf", "nan").
[[nodiscard]] SPIRALTORCH_API std::string to_text(double value);
[[nodiscard]] SPIRALTORCH_API std::string to_text(float value);
[[nodiscard]] SPIRALTORCH_API std::string to_text(long long value);
[[nodiscard]] SPIRALTORCH_API std::string to_text(unsigned long long value);

namespace detail {
inline void append(std::string& out, std::string_view part) { out.append(part); }
inline void append(std::string& out, char part) { out.push_back(part); }
inline void append(std::string& out, std::floating_point auto part) { out.append(to_text(part)); }
inline void append(std::string& out, std::signed_integral auto part) {
  out.append(to_text(static_cast<long long>(part)));
}
inline void append(std::string& out, std::unsigned_integral auto part) {
  out.append(to_text(static_cast<unsigned long long>(part)));
}
}  // namespace detail

/// Joins strings and numbers: text("got ", 3, ", expected ", 4).
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

}  // namespace spiraltorch
