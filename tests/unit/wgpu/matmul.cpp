#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;

namespace {

// |error| ≤ k·2^-24·Σ|a||b|, against products in double.
void check(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b,
           bool accumulate) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(trans_a);
  CAPTURE(trans_b);
  const In a = trans_a ? normal(k, m, 1) : normal(m, k, 1);
  const In b = trans_b ? normal(n, k, 2) : normal(k, n, 2);
  const In start = normal(m, n, 3);
  const auto words = run(kWgpu, OpId::matmul, {a, b}, {{{m, n}, {}, start.words}}, {},
                         {trans_a, trans_b, accumulate});
  const auto got = as_floats(words[0]);
  const auto av = as_floats(a.words);
  const auto bv = as_floats(b.words);
  const auto cv = as_floats(start.words);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? static_cast<double>(cv[static_cast<std::size_t>(i * n + j)]) : 0.0;
      double size = std::abs(sum);
      for (std::int64_t l = 0; l < k; ++l) {
        const double x = av[static_cast<std::size_t>(trans_a ? l * m + i : i * k + l)];
        const double y = bv[static_cast<std::size_t>(trans_b ? j * k + l : l * n + j)];
        sum += x * y;
        size += std::abs(x * y);
      }
      const double bound = static_cast<double>(k + 1) * 0x1p-24 * size;
      const double error =
          std::abs(static_cast<double>(got[static_cast<std::size_t>(i * n + j)]) - sum);
      if (error <= bound) continue;
      CAPTURE(i);
      CAPTURE(j);
      CHECK(error <= bound);
      return;
    }
  }
}

}  // namespace

TEST_CASE("matmul: shapes, transposes and sums onto the result") {
  if (!adapter_here()) return;
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      check(1, 1, 1, trans_a, trans_b, false);
      check(5, 3, 7, trans_a, trans_b, true);
      check(64, 64, 16, trans_a, trans_b, false);
      check(65, 129, 33, trans_a, trans_b, false);
      check(68, 132, 36, trans_a, trans_b, true);
      check(1, 300, 20, trans_a, trans_b, false);
    }
  }
}

TEST_CASE("matmul: few rows or columns along a long inner length") {
  if (!adapter_here()) return;
  each_variant([] {
    for (const bool accumulate : {false, true}) {
      check(1, 1, 100001, false, true, accumulate);
      check(300, 1, 1000, false, false, accumulate);
      check(300, 7, 129, false, true, accumulate);
      check(3, 200, 64, false, true, accumulate);
      check(1, 5, 70, true, true, accumulate);
      check(5, 1, 70, true, false, accumulate);
    }
  });
}

TEST_CASE("matmul: large tiles") {
  if (!adapter_here()) return;
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      check(1412, 1410, 17, trans_a, trans_b, false);
      check(1412, 1412, 20, trans_a, trans_b, trans_a);
    }
  }
}

TEST_CASE("matmul: not-a-number stays") {
  if (!adapter_here()) return;
  In a = normal(4, 8, 1);
  a.words[9] = 0x7fc00000U;
  const In b = normal(8, 4, 2);
  const auto got = as_floats(run(kWgpu, OpId::matmul, {a, b}, {{{4, 4}}}, {}, {0, 0, 0})[0]);
  for (std::size_t i = 0; i < 16; ++i) CHECK(std::isnan(got[i]) == (i / 4 == 1));
}
