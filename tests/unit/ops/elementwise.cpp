#include "spiraltorch/ops/elementwise.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "check_error.hpp"

using namespace spiraltorch;

namespace {
void check_values(const Tensor& got, const std::vector<double>& expected) {
  const auto data = got.data();
  REQUIRE(data.size() == expected.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    CAPTURE(i);
    CHECK(data[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  }
}
}  // namespace

TEST_CASE("arithmetic broadcasts rows, columns and numbers") {
  const Tensor a(2, 2, {1, 2, 3, 4});
  const Tensor row(1, 2, {10, 20});
  const Tensor col(2, 1, {2, 3});
  check_values(a + row, {11, 22, 13, 24});
  check_values(row + a, {11, 22, 13, 24});
  check_values(a * col, {2, 4, 9, 12});
  check_values(col - a, {1, 0, 0, -1});
  check_values(a / Tensor(1, 1, {2}), {0.5, 1, 1.5, 2});
  check_values(2.0 / a, {2, 1, 2.0 / 3, 0.5});
  check_values(1.0 - a, {0, -1, -2, -3});
  check_values(a.pow(3), {1, 8, 27, 64});
  check_error(Errc::shape_mismatch, [&] { (void)(a + Tensor(3, 2)); });
  check_error(Errc::shape_mismatch, [&] { (void)(row + col); });
}

TEST_CASE("numbers are rounded to float32 first") {
  CHECK((Tensor(1, 1, {1}) * 0.1).item() == static_cast<double>(0.1F));
}

TEST_CASE("functions") {
  const std::vector<double> x{-2, -0.5, 0.25, 3};
  const Tensor t(1, 4, std::span<const double>(x));
  std::vector<double> e, th, s, r, ab, cl;
  for (const double v : x) {
    e.push_back(std::exp(v));
    th.push_back(std::tanh(v));
    s.push_back(1 / (1 + std::exp(-v)));
    r.push_back(std::max(v, 0.0));
    ab.push_back(std::abs(v));
    cl.push_back(std::min(std::max(v, -1.0), 2.0));
  }
  check_values(t.exp(), e);
  check_values(t.tanh(), th);
  check_values(t.sigmoid(), s);
  check_values(t.relu(), r);
  check_values(t.abs(), ab);
  check_values(t.clamp(-1.0, 2.0), cl);
  check_values(Tensor(1, 2, {1, 4}).sqrt(), {1, 2});
  check_values(Tensor(1, 2, {1, 4}).log(), {0, std::log(4.0)});
}

TEST_CASE("sigmoid does not overflow, IEEE rules hold") {
  const Tensor x(1, 3, {-1e4F, 1e4F, NAN});
  const auto s = x.sigmoid().data();
  CHECK(s[0] == 0.0F);
  CHECK(s[1] == 1.0F);
  CHECK(std::isnan(s[2]));
  CHECK(std::isinf((Tensor(1, 1, {1}) / 0.0).item()));
  CHECK(std::isnan(Tensor(1, 1, {-1}).sqrt().item()));
  CHECK(std::isnan(Tensor(1, 1, {NAN}).clamp(0.0, 1.0).item()));
}

TEST_CASE("clamp's conditions") {
  const Tensor x(1, 1);
  check_error(Errc::invalid_value, [&] { (void)x.clamp({}, {}); });
  check_error(Errc::invalid_value, [&] { (void)x.clamp(1.0, 0.0); });
  check_error(Errc::invalid_value, [&] { (void)x.clamp(NAN, 0.0); });
}

TEST_CASE("hypot and atan2 refuse tracked operands") {
  const Tensor x(1, 1, {3}, {.requires_grad = true});
  check_error(Errc::unsupported, [&] { (void)ops::hypot(x, x); });
  check_error(Errc::unsupported, [&] { (void)ops::atan2(x, x); });
  CHECK(ops::hypot(Tensor(1, 1, {3e30F}), Tensor(1, 1, {4e30F})).item() ==
        doctest::Approx(5e30).epsilon(1e-6));
}
