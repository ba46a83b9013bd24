#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "spiraltorch/base/error.hpp"

/// Calls `f` and checks that it throws `code`, with a message that says what was got.
template <class F>
void check_error(spiraltorch::Errc code, F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const spiraltorch::Error& e) {
    CHECK(spiraltorch::errc_name(e.code()) == spiraltorch::errc_name(code));
    const std::string what = e.what();
    CAPTURE(what);
    CHECK(what.front() == '[');
    CHECK(what.find("got") != std::string::npos);
    CHECK(what.find("expected") != std::string::npos);
    return;
  }
  FAIL_CHECK("nothing thrown, expected ", std::string(spiraltorch::errc_name(code)));
}
