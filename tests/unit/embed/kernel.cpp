#include "spiraltorch/runtime/kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/tensor/detail.hpp"

using namespace spiraltorch;

namespace {

// Node 2 has ancestors 0 and 1 of five nodes, so its only possible negatives are 3 and 4.
const std::vector<std::int64_t> kOffsets{0, 0, 0, 2, 2, 2};
const std::vector<std::int32_t> kLinked{0, 1};
constexpr std::int64_t kDim = 3;

// The gradient grows with the scale; the step stays far from the ball's edge.
double rate_of(double scale) { return 0.05 / std::max(1.0, scale); }

template <class T>
std::shared_ptr<Buffer> buffer_of(const std::vector<T>& values) {
  auto buffer = Buffer::allocate({}, values.size() * sizeof(T));
  upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

double run(Tensor& table, bool grouped, std::int64_t negatives, double scale, std::int32_t item) {
  const auto offsets = buffer_of(kOffsets);
  const auto linked = buffer_of(kLinked);
  const auto order = buffer_of(std::vector<std::int32_t>{item});
  const auto cumulative = buffer_of(std::vector<double>{1, 2, 3, 4, 5});
  const auto loss = Buffer::allocate({}, sizeof(double));
  const std::array in{
      operand(*offsets, {1, 6}, ElementType::i64), operand(*linked, {1, 2}, ElementType::i32),
      operand(*order, {1, 1}, ElementType::i32), operand(*cumulative, {1, 5}, ElementType::f64)};
  const std::array out{detail::operand_of(table), operand(*loss, {1, 1}, ElementType::f64)};
  const std::array scalars{rate_of(scale), scale};
  const std::array<std::int64_t, 6> ints{7, 3, 8, negatives, grouped ? 1 : 0, 0};
  launch(OpId::embed_train, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  double value = 0;
  download(*loss, 0, &value, sizeof value);
  return value;
}

using Table = std::vector<double>;

long double distance(const Table& x, std::size_t a, std::size_t b) {
  long double aa = 0, bb = 0, ss = 0;
  for (std::size_t j = 0; j < kDim; ++j) {
    const long double p = x[a * kDim + j], q = x[b * kDim + j];
    aa += p * p;
    bb += q * q;
    ss += (p - q) * (p - q);
  }
  return std::acosh(1 + 2 * ss / ((1 - aa) * (1 - bb)));
}

// The objective of one item, by its definition: drawn[i] copies of node i as negatives.
long double objective(const Table& x, double scale, const std::vector<std::size_t>& positives,
                      const std::array<int, 5>& drawn) {
  long double negatives = 0;
  for (std::size_t v = 0; v < 5; ++v) {
    if (drawn[v] > 0) negatives += drawn[v] * std::exp(-scale * distance(x, 2, v));
  }
  long double loss = 0;
  for (const std::size_t v : positives) {
    const long double e = std::exp(-scale * distance(x, 2, v));
    loss -= std::log(e / (e + negatives));
  }
  return loss;
}

// exp_x(−rate·grad) by the textbook formula.
Table stepped(const Table& x, const Table& gradient, double rate) {
  Table out = x;
  for (std::size_t i = 0; i < 5; ++i) {
    long double xx = 0, gg = 0, xg = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      xx += x[i * kDim + j] * x[i * kDim + j];
      gg += gradient[i * kDim + j] * gradient[i * kDim + j];
    }
    if (gg == 0) continue;
    const long double lambda = 2 / (1 - xx);
    const long double length = rate / (lambda * lambda) * std::sqrt(gg);
    const long double factor = -std::tanh(lambda * length / 2) / std::sqrt(gg);
    long double yy = 0;
    Table y(kDim);
    for (std::size_t j = 0; j < kDim; ++j) {
      y[j] = static_cast<double>(factor * gradient[i * kDim + j]);
      yy += y[j] * y[j];
      xg += x[i * kDim + j] * y[j];
    }
    const long double d = 1 + 2 * xg + xx * yy;
    for (std::size_t j = 0; j < kDim; ++j) {
      out[i * kDim + j] =
          static_cast<double>(((1 + 2 * xg + yy) * x[i * kDim + j] + (1 - xx) * y[j]) / d);
    }
  }
  return out;
}

// How often each node was drawn, from how the loss depends on it: only 3 and 4 can be.
void check_item(bool grouped, double scale) {
  const Tensor start(5, kDim,
                     {0.1F, 0.2F, -0.1F, 0.4F, -0.3F, 0.2F, -0.2F, 0.5F, 0.3F, 0.6F, 0.1F, -0.4F,
                      -0.5F, -0.5F, 0.1F});
  const auto values = start.data();
  const Table x(values.begin(), values.end());
  const std::vector<std::size_t> positives =
      grouped ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1};
  Tensor table = start.clone();
  const double loss = run(table, grouped, 6, scale, grouped ? 2 : 1);
  std::array<int, 5> drawn{};
  for (int threes = 0; threes <= 6; ++threes) {
    const std::array<int, 5> guess{0, 0, 0, threes, 6 - threes};
    if (std::abs(objective(x, scale, positives, guess) - loss) < 1e-9) drawn = guess;
  }
  REQUIRE(drawn[3] + drawn[4] == 6);
  Table gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    constexpr double kStep = 1e-6;
    Table up = x, down = x;
    up[i] += kStep;
    down[i] -= kStep;
    gradient[i] = static_cast<double>(
        (objective(up, scale, positives, drawn) - objective(down, scale, positives, drawn)) /
        (2 * kStep));
  }
  const Table expected = stepped(x, gradient, rate_of(scale));
  const auto got = table.data();
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - expected[i]) <= 2e-7);
  }
}

}  // namespace

TEST_CASE("one training step is the exponential map of the objective's gradient") {
  const cpu::SimdLevel best = cpu::simd_level();
  for (const auto level : {cpu::SimdLevel::baseline, cpu::SimdLevel::sse4, cpu::SimdLevel::neon,
                           cpu::SimdLevel::avx2, cpu::SimdLevel::avx512}) {
    if (level > best) break;
    cpu::set_simd_level(level);
    // At 2000, curvature -2.5e-7, e^{−scale·d} of every candidate is 0 in double.
    for (const double scale : {1.0, 0.5, 2.0, 2000.0}) {
      check_item(true, scale);
      check_item(false, scale);
    }
  }
  cpu::set_simd_level(best);
}

TEST_CASE("a node linked to all others has no negatives and still trains") {
  Tensor table(5, kDim,
               {0.1F, 0.2F, -0.1F, 0.4F, -0.3F, 0.2F, -0.2F, 0.5F, 0.3F, 0.6F, 0.1F, -0.4F, -0.5F,
                -0.5F, 0.1F});
  const auto offsets = buffer_of(std::vector<std::int64_t>{0, 0, 0, 4, 4, 4});
  const auto linked = buffer_of(std::vector<std::int32_t>{0, 1, 3, 4});
  const auto order = buffer_of(std::vector<std::int32_t>{2});
  const auto cumulative = buffer_of(std::vector<double>{1, 2, 3, 4, 5});
  const auto loss = Buffer::allocate({}, sizeof(double));
  const std::array in{
      operand(*offsets, {1, 6}, ElementType::i64), operand(*linked, {1, 4}, ElementType::i32),
      operand(*order, {1, 1}, ElementType::i32), operand(*cumulative, {1, 5}, ElementType::f64)};
  const std::array out{detail::operand_of(table), operand(*loss, {1, 1}, ElementType::f64)};
  const std::array scalars{rate_of(1.0), 1.0};
  const std::array<std::int64_t, 6> ints{7, 3, 8, 5, 1, 0};
  launch(OpId::embed_train, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  CHECK(*static_cast<const double*>(loss->native()) == 0.0);
}
