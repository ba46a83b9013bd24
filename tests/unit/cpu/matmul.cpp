#include <cmath>
#include <cstdlib>

#include "check_error.hpp"
#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

void check_product(std::int64_t m, std::int64_t n, std::int64_t k, bool ta, bool tb,
                   bool accumulate) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const Matrix a = ta ? random_matrix(k, m, 10) : random_matrix(m, k, 10);
  const Matrix b = tb ? random_matrix(n, k, 11) : random_matrix(k, n, 11);
  const Matrix c = random_matrix(m, n, 12);
  const auto ba = to_buffer(a);
  const auto bb = to_buffer(b);
  every_level(
      [&] {
        return run_guarded(OpId::matmul,
                           {operand(*ba, {a.rows, a.cols}), operand(*bb, {b.rows, b.cols})}, {m, n},
                           {}, {ta ? 1 : 0, tb ? 1 : 0, accumulate ? 1 : 0}, c.values);
      },
      [&](const std::vector<float>& got) {
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            double sum = accumulate ? c.at(i, j) : 0.0;
            double terms = std::abs(sum);
            for (std::int64_t l = 0; l < k; ++l) {
              const double t =
                  double(ta ? a.at(l, i) : a.at(i, l)) * (tb ? b.at(j, l) : b.at(l, j));
              sum += t;
              terms += std::abs(t);
            }
            const double bound = double(k + 1) * 0x1p-24 * terms;
            REQUIRE(std::abs(got[static_cast<std::size_t>(i * n + j)] - sum) <= bound);
          }
        }
      });
}

}  // namespace

TEST_CASE("products of odd shapes, transposed, added to the result") {
  const std::array<std::array<std::int64_t, 3>, 14> shapes{{{1, 1, 1},
                                                            {1, 17, 5},
                                                            {5, 1, 300},
                                                            {7, 1, 3},
                                                            {6, 16, 4},
                                                            {13, 33, 1},
                                                            {12, 32, 257},
                                                            {31, 7, 19},
                                                            {64, 64, 64},
                                                            {97, 101, 103},
                                                            {150, 40, 300},
                                                            {3, 200, 520},
                                                            {145, 130, 260},
                                                            {300, 5, 60}}};
  for (const auto& [m, n, k] : shapes) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        check_product(m, n, k, ta, tb, false);
        check_product(m, n, k, ta, tb, true);
      }
    }
  }
}

TEST_CASE("a product wider than one block of columns") {
  check_product(20, 3100, 30, false, true, false);
}

TEST_CASE("an optional BLAS library computes when SPIRALTORCH_BLAS names one") {
  if (std::getenv("SPIRALTORCH_BLAS") == nullptr) return;  // run as its own test with a fake one
  const Matrix a = random_matrix(2, 2, 1);
  const auto buffer = to_buffer(a);
  const auto got = run_guarded(OpId::matmul, {operand(*buffer, {2, 2}), operand(*buffer, {2, 2})},
                               {2, 2}, {}, {0, 0, 0});
  CHECK(got[3] == 12345.0F);
}

TEST_CASE("an unusable BLAS library is an error at each product") {
  const char* path = std::getenv("SPIRALTORCH_BLAS");
  if (path == nullptr) return;  // run as its own test with a path that does not exist
  const Matrix a = random_matrix(2, 2, 1);
  const auto buffer = to_buffer(a);
  for (int i = 0; i < 2; ++i) {
    check_error(Errc::device, [&] {
      (void)run_guarded(OpId::matmul, {operand(*buffer, {2, 2}), operand(*buffer, {2, 2})}, {2, 2},
                        {}, {0, 0, 0});
    });
  }
}
