#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/rank_job.hpp"
#include "backend/cpu/simd/select.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Elements of a range of values, and the gradient of a selection.
namespace spiraltorch::cpu {
namespace {

// One cell a row and piece of `ints[0]` columns, handled in parallel.
template <class F>
void each_cell(const KernelOperand& x, std::int64_t piece, F&& body) {
  const std::int64_t pieces = (x.cols + piece - 1) / piece;
  parallel_for(x.rows * pieces, std::max<std::int64_t>(1, kParallelGrain / piece),
               [&](std::int64_t begin, std::int64_t end) {
                 const GradualUnderflow mode;
                 for (std::int64_t cell = begin; cell < end; ++cell) {
                   const std::int64_t at = cell % pieces * piece;
                   body(cell, data<const float>(x) + cell / pieces * x.cols + at, at,
                        std::min(piece, x.cols - at));
                 }
               });
}

void range_count(const KernelArgs& args) {
  const auto low = static_cast<float>(args.scalars[0]);
  const auto high = static_cast<float>(args.scalars[1]);
  auto* out = data<std::int64_t>(args.out[0]);
  const SelectTable& simd = select_table();
  each_cell(args.in[0], args.ints[0],
            [&](std::int64_t cell, const float* x, std::int64_t, std::int64_t n) {
              out[cell] = simd.range_count(x, n, low, high);
            });
}

template <class I>
void emit(const KernelArgs& args) {
  const auto low = static_cast<float>(args.scalars[0]);
  const auto high = static_cast<float>(args.scalars[1]);
  const auto* offsets = data<const std::int64_t>(args.in[1]);
  auto* values = data<float>(args.out[0]);
  auto* index = data<I>(args.out[1]);
  const SelectTable& simd = select_table();
  each_cell(args.in[0], args.ints[0],
            [&](std::int64_t cell, const float* x, std::int64_t at, std::int64_t n) {
              const std::int64_t to = offsets[cell];
              const std::int64_t kept = offsets[cell + 1] - to;
              std::vector<std::uint32_t> local(static_cast<std::size_t>(kept));
              simd.range_emit(x, n, low, high, values + to, local.data());
              std::transform(local.begin(), local.end(), index + to,
                             [at](std::uint32_t i) { return static_cast<I>(at + i); });
            });
}

void range_emit(const KernelArgs& args) {
  if (args.out[1].type == ElementType::i32) return emit<std::int32_t>(args);
  emit<std::int64_t>(args);
}

// Each row's gradient at the columns it was selected from, 0 elsewhere.
template <class I>
void scatter(const KernelArgs& args) {
  const KernelOperand& g = args.in[0];
  const KernelOperand& out = args.out[0];
  const auto* gradient = data<const float>(g);
  const auto* index = data<const I>(args.in[1]);
  auto* to = data<float>(out);
  parallel_for(out.rows, std::max<std::int64_t>(1, kParallelGrain / out.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 std::fill(to + begin * out.cols, to + end * out.cols, 0.0F);
                 for (std::int64_t i = begin * g.cols; i < end * g.cols; ++i) {
                   if (index[i] >= 0) to[i / g.cols * out.cols + index[i]] = gradient[i];
                 }
               });
}

void rank_grad(const KernelArgs& args) {
  if (args.in[1].type == ElementType::i32) return scatter<std::int32_t>(args);
  scatter<std::int64_t>(args);
}

}  // namespace

void register_rank_range(KernelTable& table) {
  set_kernel(table, OpId::rank_grad, rank_grad);
  set_kernel(table, OpId::range_count, range_count);
  set_kernel(table, OpId::range_emit, range_emit);
}

}  // namespace spiraltorch::cpu
