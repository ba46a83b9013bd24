#include <string>
#include <vector>

#include "conformance.hpp"
#include "rank_data.hpp"

// Ranges, gradients of selections and bands on WebGPU against the CPU, byte for byte.
using namespace spiraltorch;
using conformance::In;
using conformance::Out;
using conformance::run;
using conformance::Words;

namespace {

In input(const char* family, std::int64_t rows, std::int64_t cols) {
  return {rows, cols, rank_data::make(family, 11, rows, cols), cols};
}

// Counts, then elements at the counts' running sums.
void check_range(const In& x, double low, double high, std::int64_t piece, ElementType index) {
  const std::int64_t pieces = (x.cols + piece - 1) / piece;
  const std::vector<Out> counts{{{x.rows, pieces}, ElementType::i64}};
  const auto counted =
      run(conformance::kWgpu, OpId::range_count, {x}, counts, {low, high}, {piece});
  CHECK(counted == run(conformance::kCpu, OpId::range_count, {x}, counts, {low, high}, {piece}));
  In offsets{1, x.rows * pieces + 1, {0, 0}, x.rows * pieces + 1, 1, ElementType::i64};
  std::uint32_t total = 0;
  for (const std::uint64_t count : conformance::as_u64(counted[0])) {
    total += static_cast<std::uint32_t>(count);
    offsets.words.insert(offsets.words.end(), {total, 0});
  }
  if (total == 0) return;
  const std::vector<Out> kept{{{1, total}}, {{1, total}, index}};
  const auto got =
      run(conformance::kWgpu, OpId::range_emit, {x, offsets}, kept, {low, high}, {piece});
  CHECK(got == run(conformance::kCpu, OpId::range_emit, {x, offsets}, kept, {low, high}, {piece}));
}

void check_bands(const In& g, std::int64_t above, std::int64_t beneath, double tolerance) {
  CAPTURE(g.words.size());
  CAPTURE(above);
  CAPTURE(beneath);
  CAPTURE(tolerance);
  const std::int64_t n = g.rows * g.cols;
  const std::vector<Out> out{{{1, n}, ElementType::i32}, {{1, 3}, ElementType::f64}};
  const auto got =
      run(conformance::kWgpu, OpId::band_split, {g}, out, {tolerance}, {above, beneath});
  const auto want =
      run(conformance::kCpu, OpId::band_split, {g}, out, {tolerance}, {above, beneath});
  const bool same = got[0] == want[0];
  CHECK(same);
  conformance::check_close(conformance::as_doubles(got[1]), conformance::as_doubles(want[1]),
                           0x1p-40, 0.0);
}

void check_scaled(const In& g, const std::array<double, 3>& weights) {
  const std::int64_t n = g.rows * g.cols;
  In bands{1, n, {}, n, 1, ElementType::i32};
  for (std::int64_t i = 0; i < n; ++i) bands.words.push_back(static_cast<std::uint32_t>(i % 3));
  const std::vector<Out> out{{{g.rows, g.cols}}};
  const std::vector<double> scalars(weights.begin(), weights.end());
  const auto got = run(conformance::kWgpu, OpId::band_scale, {g, bands}, out, scalars, {});
  const auto want = run(conformance::kCpu, OpId::band_scale, {g, bands}, out, scalars, {});
  const bool same = got[0] == want[0];
  CHECK(same);
}

}  // namespace

TEST_CASE("wgpu rank: bands are scaled") {
  if (!conformance::adapter_here()) return;
  for (const In& g : {input("uniform", 3, 1000), input("zeros", 1, 7), input("few", 2, 4099)}) {
    check_scaled(g, {1.0, 0.5, 0.1});
    check_scaled(g, {0.0, -0.25, 1.0});
  }
}

TEST_CASE("wgpu rank: ranges of values") {
  if (!conformance::adapter_here()) return;
  conformance::each_variant([] {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const char* family : {"uniform", "anybits", "zeros", "infs", "nan", "subnormal", "few"}) {
      CAPTURE(family);
      for (const In& x : {input(family, 3, 1000), input(family, 1, 7), input(family, 2, 4099)}) {
        for (const std::int64_t piece : {65536, 1024, 999}) {
          check_range(x, -0.25, 0.5, piece, ElementType::i32);
          check_range(x, -infinity, infinity, piece, ElementType::i64);
          check_range(x, 0.0, -0.0, piece, ElementType::i32);
          check_range(x, 1e-40, 1.0, piece, ElementType::i32);
          check_range(x, 2.0, 1.0, piece, ElementType::i32);
        }
      }
    }
  });
}

TEST_CASE("wgpu rank: gradients go to their columns") {
  if (!conformance::adapter_here()) return;
  for (const std::int64_t rows : {1, 3, 700}) {
    for (const std::int64_t k : {1, 5, 300}) {
      const std::int64_t cols = 301;
      for (const ElementType type : {ElementType::i32, ElementType::i64}) {
        In index{rows, k, {}, k, 1, type};
        for (std::int64_t i = 0; i < rows * k; ++i) {
          const bool none = i % 7 == 3;
          index.words.push_back(none ? 0xFFFFFFFFU
                                     : static_cast<std::uint32_t>((i * 2 + 1) % cols));
          if (type == ElementType::i64) index.words.push_back(none ? 0xFFFFFFFFU : 0U);
        }
        const std::vector<In> in{input("anybits", rows, k), index};
        const std::vector<Out> out{{{rows, cols}}};
        CHECK(run(conformance::kWgpu, OpId::rank_grad, in, out) ==
              run(conformance::kCpu, OpId::rank_grad, in, out));
      }
    }
  }
}

TEST_CASE("wgpu rank: bands of a gradient") {
  if (!conformance::adapter_here()) return;
  conformance::each_variant([] {
    for (const char* family : {"uniform", "bits", "equal", "two", "few", "zeros", "subnormal",
                               "crowded", "crowded2", "ascending", "digit"}) {
      CAPTURE(family);
      for (const std::int64_t n : {1, 6, 5000, 30001}) {
        const In g = input(family, 1, n);
        check_bands(g, n / 10, n / 3, 0.0);
        check_bands(g, 0, n, 1.5);
        check_bands(g, n, 5, -1.0);
        check_bands(g, n / 2, n, 0.25);
        check_bands(g, 0, 0, 0.0);
        check_bands(g, 1, 1, 1e-41);
      }
    }
    check_bands(input("uniform", 300, 401), 1000, 50000, 1e-3);
  });
}
