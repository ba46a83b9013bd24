#include "spiraltorch/base/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace spiraltorch {
namespace {
template <class T>
std::string convert(T value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}
}  // namespace

std::string to_text(double value) { return std::isnan(value) ? "nan" : convert(value); }
std::string to_text(float value) { return std::isnan(value) ? "nan" : convert(value); }
std::string to_text(long long value) { return convert(value); }
std::string to_text(unsigned long long value) { return convert(value); }

}  // namespace spiraltorch
