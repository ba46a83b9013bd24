#include "data/elements.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "spiraltorch/base/half.hpp"

namespace spiraltorch::data {
namespace {

template <class T>
double element(const unsigned char* from, bool swapped) {
  unsigned char bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (swapped) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

double half(const unsigned char* from, bool swapped) {
  return half_value(static_cast<std::uint16_t>(element<std::uint16_t>(from, swapped)));
}

double truth(const unsigned char* from, bool) { return *from != 0 ? 1.0 : 0.0; }

}  // namespace

ReadElement element_reader(std::string_view type) noexcept {
  struct Row {
    std::string_view type;
    ReadElement read;
  };
  static constexpr Row kRows[] = {{"f4", element<float>},
                                  {"f8", element<double>},
                                  {"f2", half},
                                  {"i1", element<std::int8_t>},
                                  {"i2", element<std::int16_t>},
                                  {"i4", element<std::int32_t>},
                                  {"i8", element<std::int64_t>},
                                  {"u1", element<std::uint8_t>},
                                  {"u2", element<std::uint16_t>},
                                  {"u4", element<std::uint32_t>},
                                  {"u8", element<std::uint64_t>},
                                  {"b1", truth}};
  for (const Row& row : kRows) {
    if (row.type == type) return row.read;
  }
  constexpr std::string_view kLong = sizeof(long double) == 16 ? "f16" : "f12";
  if (sizeof(long double) > sizeof(double) && type == kLong) return element<long double>;
  return nullptr;
}

}  // namespace spiraltorch::data
