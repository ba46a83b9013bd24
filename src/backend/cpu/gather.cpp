#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Rows by number: gather_rows and scatter_add_rows.
namespace spiraltorch::cpu {
namespace {

using Numbers = std::vector<std::int64_t>;

std::int64_t rows_grain(std::int64_t cols) {
  return std::max<std::int64_t>(1, kParallelGrain / cols);
}

template <class I>
void gather(const KernelArgs& args) {
  const std::int64_t cols = args.in[0].cols;
  const auto* x = data<const float>(args.in[0]);
  const auto* rows = data<const I>(args.in[1]);
  auto* out = data<float>(args.out[0]);
  parallel_for(args.out[0].rows, rows_grain(cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* from = x + static_cast<std::int64_t>(rows[i]) * cols;
      std::copy(from, from + cols, out + i * cols);
    }
  });
}

void gather_rows(const KernelArgs& args) {
  args.in[1].type == ElementType::i64 ? gather<std::int64_t>(args) : gather<std::int32_t>(args);
}

// Numbers of the source rows by ascending target, those of one target ascending. Counting costs
// the table's length: few rows for a long table are sorted instead.
template <class I>
Numbers order_by_target(const I* rows, std::int64_t count, std::int64_t table_rows) {
  Numbers order(static_cast<std::size_t>(count));
  if (table_rows / 8 > count) {
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [rows](std::int64_t a, std::int64_t b) { return rows[a] < rows[b]; });
    return order;
  }
  Numbers next(static_cast<std::size_t>(table_rows) + 1);
  for (std::int64_t i = 0; i < count; ++i) ++next[static_cast<std::size_t>(rows[i]) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  for (std::int64_t i = 0; i < count; ++i) {
    order[static_cast<std::size_t>(next[static_cast<std::size_t>(rows[i])]++)] = i;
  }
  return order;
}

// One row of out: x's and those of the sources begin … end, in that order.
void add_segment(const float* x, const float* source, const std::int64_t* begin,
                 const std::int64_t* end, std::int64_t cols, float* out) {
  constexpr std::int64_t kBlock = 64;
  std::array<double, kBlock> sum;
  for (std::int64_t first = 0; first < cols; first += kBlock) {
    const std::int64_t n = std::min(kBlock, cols - first);
    std::copy(x + first, x + first + n, sum.begin());
    for (const std::int64_t* i = begin; i != end; ++i) {
      const float* from = source + *i * cols + first;
      for (std::int64_t j = 0; j < n; ++j) {
        sum[static_cast<std::size_t>(j)] += static_cast<double>(from[j]);
      }
    }
    std::transform(sum.begin(), sum.begin() + n, out + first,
                   [](double v) { return static_cast<float>(v); });
  }
}

// A thread takes the targets whose first source row lies in its part of the order.
template <class I>
void scatter_add(const KernelArgs& args) {
  const KernelOperand& table = args.in[0];
  const std::int64_t cols = table.cols;
  const std::int64_t count = args.in[1].rows;
  const auto* x = data<const float>(table);
  const auto* source = data<const float>(args.in[1]);
  const auto* rows = data<const I>(args.in[2]);
  auto* out = data<float>(args.out[0]);
  const Numbers order = order_by_target(rows, count, table.rows);
  if (out != x) {
    parallel_for(table.size(), kParallelGrain, [&](std::int64_t begin, std::int64_t end) {
      std::copy(x + begin, x + end, out + begin);
    });
  }
  const auto target = [&](std::int64_t i) { return rows[order[static_cast<std::size_t>(i)]]; };
  parallel_for(count, rows_grain(cols), [&](std::int64_t begin, std::int64_t end) {
    while (begin > 0 && begin < end && target(begin) == target(begin - 1)) ++begin;
    while (begin < end) {
      std::int64_t last = begin + 1;
      while (last < count && target(last) == target(begin)) ++last;
      const std::int64_t at = static_cast<std::int64_t>(target(begin)) * cols;
      add_segment(x + at, source, order.data() + begin, order.data() + last, cols, out + at);
      begin = last;
    }
  });
}

void scatter_add_rows(const KernelArgs& args) {
  args.in[2].type == ElementType::i64 ? scatter_add<std::int64_t>(args)
                                      : scatter_add<std::int32_t>(args);
}

}  // namespace

void register_gather(KernelTable& table) {
  set_kernel(table, OpId::gather_rows, gather_rows);
  set_kernel(table, OpId::scatter_add_rows, scatter_add_rows);
}

}  // namespace spiraltorch::cpu
