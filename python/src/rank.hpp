#pragma once

#include <cstdint>
#include <spiraltorch/ops/rank.hpp>
#include <spiraltorch/session/spiral_session.hpp>
#include <string>

#include "arrays.hpp"
#include "bind.hpp"

/// RankPlan as Python holds it: shared with the memo.
struct PyRankPlan {
  st::SharedPlan plan;
};

/// An integer argument; TypeError for other objects, `invalid_value` beyond 64 bits.
[[nodiscard]] std::int64_t integer(const char* op, const char* what, nb::handle object);

/// A number below 2⁶⁴; TypeError for other objects, `invalid_value` outside.
[[nodiscard]] std::uint64_t word(const char* op, const char* what, nb::handle object);

/// `plan(kind, rows, cols, k)` for a device string.
[[nodiscard]] PyRankPlan make_plan(nb::handle kind, nb::handle rows, nb::handle cols, nb::handle k,
                                   const std::string& device);

/// The dict that `SpiralSession.trace` takes as `sot`.
[[nodiscard]] st::TracePlanOptions trace_plan_options(const nb::dict& options);

void bind_rank_plan(nb::module_& m);
void bind_index_tensor(nb::module_& m);
