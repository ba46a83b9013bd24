#include "spiraltorch/base/text.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/shape.hpp"

using namespace spiraltorch;

TEST_CASE("numbers print as their shortest decimal") {
  CHECK(to_text(0.1F) == "0.1");
  CHECK(to_text(-1.0) == "-1");
  CHECK(to_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(text("got ", 3, ", expected ", 4U, ' ', 0.5) == "got 3, expected 4 0.5");
}

TEST_CASE("errors carry code, name and message") {
  try {
    fail(Errc::shape_mismatch, "matmul", "inner sizes: got 3, expected 4");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::shape_mismatch);
    CHECK(errc_name(e.code()) == "shape_mismatch");
    CHECK(std::string(e.what()) == "[matmul] inner sizes: got 3, expected 4");
    CHECK(e.where().line > 0);
  }
  CHECK(errc_name(Errc::internal) == "internal");
}

TEST_CASE("shapes are checked for sign and overflow, and broadcast") {
  const auto code = [](std::int64_t r, std::int64_t c) {
    try {
      check_shape("test", r, c);
    } catch (const Error& e) {
      return e.code();
    }
    return Errc::internal;
  };
  CHECK(code(0, 3) == Errc::invalid_shape);
  CHECK(code(3, -1) == Errc::invalid_shape);
  CHECK(code(std::int64_t{1} << 62, 8) == Errc::invalid_shape);
  CHECK(code(1 << 20, (1 << 20) + 1) == Errc::invalid_shape);
  CHECK(code(1 << 20, 1 << 20) == Errc::internal);
  CHECK(broadcast_shape("test", {2, 3}, {1, 3}) == Shape{2, 3});
  CHECK(broadcast_shape("test", {2, 1}, {2, 3}) == Shape{2, 3});
  CHECK(broadcast_shape("test", {1, 1}, {2, 3}) == Shape{2, 3});
  CHECK_THROWS_AS((void)broadcast_shape("test", {2, 1}, {1, 3}), Error);
  CHECK_THROWS_AS((void)broadcast_shape("test", {2, 3}, {3, 3}), Error);
}
