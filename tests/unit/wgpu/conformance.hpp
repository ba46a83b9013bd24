#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "backend/wgpu/device.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

/// What the conformance tests share: an operation runs on the first WebGPU adapter and on the CPU
/// over the same words, with sentinels in the memory beside its results.
namespace conformance {

using Words = std::vector<std::uint32_t>;
inline constexpr spiraltorch::DeviceId kCpu{};
inline constexpr spiraltorch::DeviceId kWgpu{spiraltorch::DeviceType::wgpu, 0};
inline constexpr std::uint32_t kSentinel = 0xF2B6A5C3U;  // also a float, of size -7.2e30

/// False, with a message, where there is no adapter. SPIRALTORCH_TEST_WGPU=1 makes that a failure.
inline bool adapter_here() {
  const spiraltorch::DeviceStatus status = spiraltorch::device_status(kWgpu);
  if (status.available) return true;
  const char* needed = std::getenv("SPIRALTORCH_TEST_WGPU");
  INFO(status.reason);
  CHECK_MESSAGE((needed == nullptr || std::string(needed) != "1"), "an adapter is demanded");
  MESSAGE("skipped: " << status.reason);
  return false;
}

/// Calls body() with subgroup operations, where the adapter has them, and without.
template <class F>
void each_variant(F&& body) {
  auto& device = spiraltorch::wgpu::Device::get(0, "test");
  for (const bool subgroups : {true, false}) {
    device.set_subgroups(subgroups);
    if (subgroups && !device.limits().subgroups) continue;
    CAPTURE(subgroups);
    body();
  }
  device.set_subgroups(true);
}

struct In {
  std::int64_t rows;
  std::int64_t cols;
  Words words;
  std::int64_t row_stride;
  std::int64_t col_stride = 1;
  spiraltorch::ElementType type = spiraltorch::ElementType::f32;
};

inline In floats(std::int64_t rows, std::int64_t cols, const std::vector<float>& values) {
  In out{rows, cols, Words(values.size()), cols};
  std::transform(values.begin(), values.end(), out.words.begin(),
                 [](float v) { return std::bit_cast<std::uint32_t>(v); });
  return out;
}

/// Normally distributed.
inline In normal(std::int64_t rows, std::int64_t cols, unsigned seed, float scale = 1.0F,
                 float shift = 0.0F) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> draw(shift, scale);
  std::vector<float> values(static_cast<std::size_t>(rows * cols));
  for (float& v : values) v = draw(engine);
  return floats(rows, cols, values);
}

/// One row for all rows, or one column for all columns.
inline In repeated_row(In x, std::int64_t rows) {
  x.rows = rows;
  x.row_stride = 0;
  return x;
}
inline In repeated_column(In x, std::int64_t cols) {
  x.cols = cols;
  x.col_stride = 0;
  x.row_stride = 1;
  return x;
}

struct Out {
  spiraltorch::Shape shape;
  spiraltorch::ElementType type = spiraltorch::ElementType::f32;
  Words start{};  ///< what it holds before
};

inline std::shared_ptr<spiraltorch::Buffer> put(spiraltorch::DeviceId device, const Words& words) {
  auto buffer = spiraltorch::Buffer::allocate(device, words.size() * 4);
  spiraltorch::upload(*buffer, 0, words.data(), words.size() * 4);
  return buffer;
}
inline Words get(const spiraltorch::Buffer& buffer) {
  Words words(buffer.bytes() / 4);
  spiraltorch::download(buffer, 0, words.data(), words.size() * 4);
  return words;
}

/// Results of one launch, as words; inputs and the sentinels' buffers must be as before.
inline std::vector<Words> run(spiraltorch::DeviceId device, spiraltorch::OpId op,
                              const std::vector<In>& in, const std::vector<Out>& out,
                              const std::vector<double>& scalars = {},
                              const std::vector<std::int64_t>& ints = {}) {
  using namespace spiraltorch;
  std::vector<std::shared_ptr<Buffer>> inputs;
  std::vector<std::shared_ptr<Buffer>> results;
  std::vector<std::shared_ptr<Buffer>> guards;
  std::vector<KernelOperand> in_operands;
  std::vector<KernelOperand> out_operands;
  for (const In& x : in) {
    inputs.push_back(put(device, x.words));
    in_operands.push_back(
        {inputs.back().get(), x.rows, x.cols, x.row_stride, x.col_stride, x.type});
  }
  for (const Out& x : out) {
    const std::size_t words = static_cast<std::size_t>(x.shape.size()) * size_of(x.type) / 4;
    guards.push_back(put(device, Words(words, kSentinel)));  // beside it, where memory is fresh
    results.push_back(put(device, x.start.empty() ? Words(words, kSentinel) : x.start));
    guards.push_back(put(device, Words(words, kSentinel)));
    out_operands.push_back(operand(*results.back(), x.shape, x.type));
  }
  launch(op, {.in = in_operands, .out = out_operands, .scalars = scalars, .ints = ints});
  std::vector<Words> words;
  for (const auto& result : results) words.push_back(get(*result));
  for (std::size_t i = 0; i < in.size(); ++i) CHECK(get(*inputs[i]) == in[i].words);
  for (const auto& guard : guards) CHECK(get(*guard) == Words(guard->bytes() / 4, kSentinel));
  return words;
}

inline std::vector<float> as_floats(const Words& words) {
  std::vector<float> out(words.size());
  std::transform(words.begin(), words.end(), out.begin(),
                 [](std::uint32_t w) { return std::bit_cast<float>(w); });
  return out;
}
inline std::vector<std::uint64_t> as_u64(const Words& words) {
  std::vector<std::uint64_t> out(words.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = words[2 * i] | static_cast<std::uint64_t>(words[2 * i + 1]) << 32U;
  }
  return out;
}
inline std::vector<double> as_doubles(const Words& words) {
  const auto bits = as_u64(words);
  std::vector<double> out(bits.size());
  std::transform(bits.begin(), bits.end(), out.begin(),
                 [](std::uint64_t b) { return std::bit_cast<double>(b); });
  return out;
}

/// |got - expected| in units of `relative`·|expected| + `absolute`; equal infinities and two NaNs
/// are 0 apart, otherwise a non-finite value is infinitely far.
inline double distance(double got, double expected, double relative, double absolute) {
  if (std::isnan(got) && std::isnan(expected)) return 0.0;
  if (got == expected) return 0.0;
  if (!std::isfinite(got) || !std::isfinite(expected)) {
    return std::numeric_limits<double>::infinity();
  }
  return std::abs(got - expected) / (relative * std::abs(expected) + absolute);
}

/// The largest distance of two results must be at most 1.
template <class T>
void check_close(const std::vector<T>& got, const std::vector<T>& expected, double relative,
                 double absolute) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double d =
        distance(static_cast<double>(got[i]), static_cast<double>(expected[i]), relative, absolute);
    if (d <= 1.0) continue;
    CAPTURE(i);
    CAPTURE(got[i]);
    CAPTURE(expected[i]);
    CHECK(d <= 1.0);
    return;  // one message a result
  }
}

}  // namespace conformance
