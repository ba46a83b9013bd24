#include "spiraltorch/zspace/open_topos.hpp"

#include <cmath>
#include <limits>

#include "check_error.hpp"
#include "golden.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {
OpenTopos topos_of(const Json& in) {
  return OpenTopos(-1.0, 1e-6, golden::number(in.at("saturation")), 64, in.at("max_volume"));
}
}  // namespace

TEST_CASE("golden guards") {
  golden::each_case("OpenTopos.guard_tensor", [](const Json& in, const Json&) {
    const Tensor x = golden::tensor(in.at("value"));
    const auto before = x.data();
    topos_of(in).guard_tensor("x", x);
    CHECK(x.data() == before);
  });
  golden::each_case("OpenTopos.saturate_scalar", [](const Json& in, const Json& one) {
    golden::compare({topos_of(in).saturate_scalar(golden::number(in.at("value")))},
                    one.at("expected"), one);
  });
  golden::each_case("OpenTopos.saturate_tensor", [](const Json& in, const Json& one) {
    Tensor x = golden::tensor(in.at("value"));
    const Tensor copy = topos_of(in).rewrite("x", x);
    topos_of(in).saturate_tensor(x);
    golden::compare(golden::widen(x.data()), one.at("expected"), one);
    CHECK(copy.data() == x.data());
  });
}

TEST_CASE("a guard's own conditions and its messages") {
  check_error(Errc::curvature, [] { (void)OpenTopos(0.0); });
  check_error(Errc::invalid_value, [] { (void)OpenTopos(-1.0, 0.0); });
  check_error(Errc::non_finite, [] { (void)OpenTopos(-1.0, NAN); });
  check_error(Errc::non_finite, [] { (void)OpenTopos(-1.0, 1e-6, INFINITY); });
  check_error(Errc::invalid_value, [] { (void)OpenTopos(-1.0, 1e-6, -1.0); });
  check_error(Errc::invalid_value, [] { (void)OpenTopos(-1.0, 1e-6, 1.0, 0); });
  check_error(Errc::invalid_value, [] { (void)OpenTopos(-1.0, 1e-6, 1.0, 1, 0); });
  const OpenTopos topos(-1.0, 1e-6, 2.0, 3, 4);
  check_error(Errc::volume_exceeded, [&] { topos.guard_tensor("big", Tensor(1, 5)); });
  check_error(Errc::depth_exceeded, [&] { topos.guard_depth(3); });
  topos.guard_depth(2);
  try {
    topos.guard_tensor("wave", Tensor(2, 2, {0, 1, NAN, 2}));
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::non_finite);
    CHECK(std::string(e.what()).find("wave") != std::string::npos);
    CHECK(std::string(e.what()).find("(1, 0)") != std::string::npos);
  }
  Tensor bad(1, 2, {9, NAN});
  check_error(Errc::non_finite, [&] { topos.saturate_tensor(bad); });
  CHECK(bad.at(0, 0) == 9);
  Tensor infinite(1, 2, {9, -INFINITY});
  topos.saturate_tensor(infinite);
  CHECK(infinite.data() == std::vector<float>{2, -2});
  CHECK(topos.repr() ==
        "OpenTopos(curvature=-1, tolerance=1e-06, saturation=2, max_depth=3, max_volume=4)");
}

TEST_CASE("a bound beyond float32 still cuts infinities") {
  const OpenTopos topos(-1.0, 1e-6, 1e300);
  const Tensor x = topos.rewrite("x", Tensor(1, 2, {INFINITY, -INFINITY}));
  const float most = std::numeric_limits<float>::max();
  CHECK(x.data() == std::vector<float>{most, -most});
  CHECK(topos.saturate_scalar(INFINITY) == 1e300);
  check_error(Errc::non_finite, [&] { (void)topos.saturate_scalar(NAN); });
  check_error(Errc::non_finite, [&] { (void)topos.rewrite("x", Tensor(1, 1, {NAN})); });
  check_error(Errc::volume_exceeded,
              [] { (void)OpenTopos(-1.0, 1e-6, 1.0, 1, 1).rewrite("x", Tensor(1, 2)); });
}

TEST_CASE("guards read tracked tensors as constants") {
  const OpenTopos topos(-1.0, 1e-6, 2.0);
  const Tensor x(1, 2, std::initializer_list<float>{1, 5}, {.requires_grad = true});
  const Tensor y = topos.rewrite("x", x * 2.0);
  CHECK_FALSE(y.requires_grad());
  CHECK(y.data() == std::vector<float>{2, 2});
}
