#include "backend/cpu/simd/reduce.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kBlock = 32768;  // elements of one partial result
constexpr std::int64_t kRowBlock = 1024;
constexpr std::int64_t kWideColumns = 512;

enum class Kind : std::uint8_t { sum, squares, max, min };

float pick(Kind kind, float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  return kind == Kind::max ? std::max(a, b) : std::min(a, b);
}

// One run in fixed blocks whose partial results are combined in order: the same bits whether the
// blocks ran on one thread or many.
double reduce_run(Kind kind, const float* x, std::int64_t n) {
  const ReduceTable& table = reduce_table();
  const auto part = [&](std::int64_t begin, std::int64_t end) -> double {
    switch (kind) {
      case Kind::sum:
        return table.sum(x + begin, end - begin);
      case Kind::squares:
        return table.sum_squares(x + begin, end - begin);
      case Kind::max:
        return table.max(x + begin, end - begin);
      default:
        return table.min(x + begin, end - begin);
    }
  };
  if (n <= kBlock) return part(0, n);
  std::vector<double> parts(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
  parallel_blocks(n, kBlock, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
    parts[static_cast<std::size_t>(i)] = part(begin, end);
  });
  double out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool sums = kind == Kind::sum || kind == Kind::squares;
    out = sums ? out + parts[i] : pick(kind, static_cast<float>(out), static_cast<float>(parts[i]));
  }
  return out;
}

void reduce_rows(Kind kind, const KernelOperand& x, double* out) {
  const auto* in = data<const float>(x);
  if (x.cols > kBlock) {  // long rows split themselves
    for (std::int64_t i = 0; i < x.rows; ++i) out[i] = reduce_run(kind, in + i * x.cols, x.cols);
    return;
  }
  parallel_for(x.rows, std::max<std::int64_t>(1, kParallelGrain / x.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   out[i] = reduce_run(kind, in + i * x.cols, x.cols);
                 }
               });
}

void add_rows(Kind kind, const float* x, std::int64_t rows, std::int64_t stride, double* out,
              std::int64_t n) {
  const ReduceTable& table = reduce_table();
  if (kind == Kind::sum) return table.add_rows_to(x, rows, stride, out, n);
  for (std::int64_t i = 0; i < rows; ++i, x += stride) {
    if (kind == Kind::squares) {
      table.add_squares_to(x, out, n);
    } else {
      for (std::int64_t j = 0; j < n; ++j) out[j] = pick(kind, static_cast<float>(out[j]), x[j]);
    }
  }
}

double start_of(Kind kind) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (kind == Kind::max) return -kInfinity;
  return kind == Kind::min ? kInfinity : 0.0;
}

// Down the columns: wide matrices are split by columns, tall ones by blocks of rows.
void reduce_columns(Kind kind, const KernelOperand& x, const float* in, double* out) {
  std::fill(out, out + x.cols, start_of(kind));
  if (x.cols >= kWideColumns || x.rows <= kRowBlock) {
    parallel_for(x.cols, std::max<std::int64_t>(16, kParallelGrain / x.rows),
                 [&](std::int64_t begin, std::int64_t end) {
                   add_rows(kind, in + begin, x.rows, x.cols, out + begin, end - begin);
                 });
    return;
  }
  const std::int64_t blocks = (x.rows + kRowBlock - 1) / kRowBlock;
  std::vector<double> parts(static_cast<std::size_t>(blocks * x.cols), start_of(kind));
  parallel_blocks(x.rows, kRowBlock, [&](std::int64_t b, std::int64_t begin, std::int64_t end) {
    add_rows(kind, in + begin * x.cols, end - begin, x.cols, parts.data() + b * x.cols, x.cols);
  });
  const bool sums = kind == Kind::sum || kind == Kind::squares;
  for (std::int64_t b = 0; b < blocks; ++b) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const double part = parts[static_cast<std::size_t>(b * x.cols + j)];
      out[j] =
          sums ? out[j] + part : pick(kind, static_cast<float>(out[j]), static_cast<float>(part));
    }
  }
}

template <Kind kind, bool root>
void reduce(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  auto* out = data<float>(args.out[0]);
  const auto finish = [](double v) { return static_cast<float>(root ? std::sqrt(v) : v); };
  if (args.ints[0] < 0) {
    *out = finish(reduce_run(kind, data<const float>(x), x.size()));
    return;
  }
  std::vector<double> wide(static_cast<std::size_t>(args.out[0].size()));
  if (args.ints[0] == 0) {
    reduce_columns(kind, x, data<const float>(x), wide.data());
  } else {
    reduce_rows(kind, x, wide.data());
  }
  std::transform(wide.begin(), wide.end(), out, finish);
}

// The whole gradient to the first element of each group that equals the extremum.
void extremum_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const auto* in = data<const float>(x);
  const auto* y = data<const float>(args.in[1]);
  const auto* g = data<const float>(args.in[2]);
  auto* out = data<float>(args.out[0]);
  const std::int64_t axis = args.ints[0];
  std::fill(out, out + x.size(), 0.0F);
  std::vector<bool> done(static_cast<std::size_t>(args.in[1].size()), false);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const std::int64_t group = axis < 0 ? 0 : (axis == 0 ? j : i);
      const float v = in[i * x.cols + j];
      const bool hit = v == y[group] || (std::isnan(v) && std::isnan(y[group]));
      if (!hit || done[static_cast<std::size_t>(group)]) continue;
      done[static_cast<std::size_t>(group)] = true;
      out[i * x.cols + j] = g[group];
    }
  }
}

void weighted_sum(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const auto* in = data<const float>(x);
  auto* out = data<float>(args.out[0]);
  parallel_for(x.cols, std::max<std::int64_t>(16, kParallelGrain / x.rows),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<double> sums(static_cast<std::size_t>(end - begin), 0.0);
                 for (std::int64_t i = 0; i < x.rows; ++i) {
                   reduce_table().add_weighted_to(in + i * x.cols + begin,
                                                  args.scalars[static_cast<std::size_t>(i)],
                                                  sums.data(), end - begin);
                 }
                 std::transform(sums.begin(), sums.end(), out + begin,
                                [](double v) { return static_cast<float>(v); });
               });
}

void squared_norm(const KernelArgs& args) {
  *data<double>(args.out[0]) =
      reduce_run(Kind::squares, data<const float>(args.in[0]), args.in[0].size());
}

// The first index where `bad` holds, or -1. Blocks are searched in parallel; the lowest wins.
template <class F>
std::int64_t find_first(std::int64_t n, F bad) {
  std::vector<std::int64_t> found(static_cast<std::size_t>((n + kBlock - 1) / kBlock), -1);
  parallel_blocks(n, kBlock, [&](std::int64_t b, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (!bad(i)) continue;
      found[static_cast<std::size_t>(b)] = i;
      return;
    }
  });
  const auto hit = std::find_if(found.begin(), found.end(), [](std::int64_t i) { return i >= 0; });
  return hit == found.end() ? -1 : *hit;
}

void all_close(const KernelArgs& args) {
  const auto* a = data<const float>(args.in[0]);
  const auto* b = data<const float>(args.in[1]);
  const double rtol = args.scalars[0];
  const double atol = args.scalars[1];
  const bool equal_nan = args.ints[0] != 0;
  const auto differs = [=](std::int64_t i) {
    const double x = a[i];
    const double y = b[i];
    if (std::isnan(x) || std::isnan(y)) return !(equal_nan && std::isnan(x) && std::isnan(y));
    if (std::isinf(x) || std::isinf(y)) return x != y;
    return !(std::abs(x - y) <= atol + rtol * std::abs(y));
  };
  *data<std::int32_t>(args.out[0]) = find_first(args.in[0].size(), differs) < 0 ? 1 : 0;
}

// Whether some element is infinite or NaN, without a branch: a compiler makes vectors of it.
bool has_non_finite(const float* x, std::int64_t n) {
  constexpr std::uint32_t kExponent = 0x7F800000U;
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    found |= (std::bit_cast<std::uint32_t>(x[i]) & kExponent) == kExponent ? 1U : 0U;
  }
  return found != 0;
}

void first_non_finite(const KernelArgs& args) {
  const auto* x = data<const float>(args.in[0]);
  const bool nan_only = args.ints[0] != 0;
  const std::int64_t n = args.in[0].size();
  std::atomic<bool> found{false};  // nearly never
  parallel_for(n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    if (has_non_finite(x + begin, end - begin)) found = true;
  });
  const auto bad = [=](std::int64_t i) {
    return nan_only ? std::isnan(x[i]) : !std::isfinite(x[i]);
  };
  *data<std::int64_t>(args.out[0]) = found ? find_first(n, bad) : -1;
}

}  // namespace

void sum_columns(const KernelOperand& x, const float* data, float* out) {
  std::vector<double> wide(static_cast<std::size_t>(x.cols));
  reduce_columns(Kind::sum, x, data, wide.data());
  std::transform(wide.begin(), wide.end(), out, [](double v) { return static_cast<float>(v); });
}

void register_reduce(KernelTable& table) {
  set_kernel(table, OpId::sum, reduce<Kind::sum, false>);
  set_kernel(table, OpId::max, reduce<Kind::max, false>);
  set_kernel(table, OpId::min, reduce<Kind::min, false>);
  set_kernel(table, OpId::norm, reduce<Kind::squares, true>);
  set_kernel(table, OpId::extremum_grad, extremum_grad);
  set_kernel(table, OpId::weighted_sum, weighted_sum);
  set_kernel(table, OpId::squared_norm, squared_norm);
  set_kernel(table, OpId::all_close, all_close);
  set_kernel(table, OpId::first_non_finite, first_non_finite);
}

}  // namespace spiraltorch::cpu
