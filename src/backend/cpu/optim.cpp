#include "backend/cpu/simd/optim.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/simd/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Optimiser steps and the norm of gradients.
namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kNormBlock = 32768;  // elements of one partial sum
constexpr std::int64_t kListBlock = 64;     // rows brought together at once

std::int64_t row_grain(std::int64_t cols) { return std::max<std::int64_t>(1, 8192 / (cols + 8)); }

// What the ints say beside the rule.
struct Mode {
  bool lazy;
  bool listed;  // in[1] names the rows of the weights
};

OptimRule rule_of(const KernelArgs& args, bool ball) {
  const double* s = args.scalars.data();
  OptimRule rule;
  rule.kappa = ball ? *s++ : 0.0;
  rule.rate = s[0];
  rule.decay = s[1];
  rule.beta1 = s[2];
  rule.beta2 = s[3];
  rule.eps = s[4];
  rule.correction1 = s[5];
  rule.correction2 = s[6];
  rule.adam = args.ints[0] != 0;
  rule.nesterov = args.ints[1] != 0;
  rule.decoupled = args.ints[2] != 0;
  return rule;
}

float* state(const KernelArgs& args, std::size_t k) {
  return k < args.out.size() ? data<float>(args.out[k]) : nullptr;
}

OptimRows rows_of(const KernelArgs& args) {
  return {data<const float>(args.in[0]),
          state(args, 0),
          state(args, 1),
          state(args, 2),
          state(args, 3),
          args.in[0].rows,
          args.in[0].cols};
}

float* moved(float* p, std::int64_t by) { return p == nullptr ? nullptr : p + by; }

// Rows from `first` on; `wide` is the length of a row of `second`.
OptimRows part_of(const OptimRows& rows, std::int64_t first, std::int64_t count,
                  std::int64_t wide) {
  const std::int64_t at = first * rows.cols;
  return {rows.g + at,
          rows.w + at,
          moved(rows.first, at),
          moved(rows.second, first * wide),
          moved(rows.most, first * wide),
          count,
          rows.cols};
}

// Some rows, of a list, beside each other.
class Gathered {
 public:
  Gathered(const OptimRows& all, std::int64_t wide) : all_(all), wide_(wide) {}

  void step(void (*kernel)(const OptimRule&, const OptimRows&), const OptimRule& rule,
            const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
    const auto n = static_cast<std::int64_t>(to.size());
    OptimRows rows{load(0, all_.g, from, all_.cols),
                   load(1, all_.w, to, all_.cols),
                   load(2, all_.first, to, all_.cols),
                   load(3, all_.second, to, wide_),
                   load(4, all_.most, to, wide_),
                   n,
                   all_.cols};
    kernel(rule, rows);
    store(rows.w, all_.w, to, all_.cols);
    store(rows.first, all_.first, to, all_.cols);
    store(rows.second, all_.second, to, wide_);
    store(rows.most, all_.most, to, wide_);
  }

 private:
  float* load(std::size_t k, const float* table, const std::vector<std::int64_t>& rows,
              std::int64_t cols) {
    if (table == nullptr) return nullptr;
    memory_[k].resize(rows.size() * static_cast<std::size_t>(cols));
    float* to = memory_[k].data();
    for (const std::int64_t row : rows) {
      to = std::copy(table + row * cols, table + (row + 1) * cols, to);
    }
    return memory_[k].data();
  }

  static void store(const float* from, float* table, const std::vector<std::int64_t>& rows,
                    std::int64_t cols) {
    if (table == nullptr) return;
    for (const std::int64_t row : rows) {
      std::copy(from, from + cols, table + row * cols);
      from += cols;
    }
  }

  OptimRows all_;
  std::int64_t wide_;
  std::array<std::vector<float>, 5> memory_;
};

template <bool ball>
void step(const KernelArgs& args) {
  const OptimRule rule = rule_of(args, ball);
  const Mode mode{args.ints[3] != 0, args.ints[4] != 0};
  const OptimRows rows = rows_of(args);
  const std::int64_t wide = ball ? 1 : rows.cols;
  const auto kernel = ball ? optim_table().ball : optim_table().flat;
  if (!mode.listed && !mode.lazy) {
    parallel_for(rows.count, row_grain(rows.cols), [&](std::int64_t begin, std::int64_t end) {
      kernel(rule, part_of(rows, begin, end - begin, wide));
    });
    return;
  }
  const auto* list = mode.listed ? data<const std::int32_t>(args.in[1]) : nullptr;
  const auto all_zero = optim_table().all_zero;
  const std::int64_t cols = rows.cols;
  parallel_for(rows.count, row_grain(cols), [&](std::int64_t begin, std::int64_t end) {
    Gathered some(rows, wide);
    std::vector<std::int64_t> from;
    std::vector<std::int64_t> to;
    for (std::int64_t first = begin; first < end; first += kListBlock) {
      const std::int64_t last = std::min(end, first + kListBlock);
      if (mode.lazy && all_zero(rows.g + first * cols, (last - first) * cols)) continue;
      for (std::int64_t i = first; i < last; ++i) {
        if (mode.lazy && all_zero(rows.g + i * cols, cols)) continue;
        from.push_back(i);
        to.push_back(list != nullptr ? list[i] : i);
      }
      if (!from.empty()) some.step(kernel, rule, from, to);
      from.clear();
      to.clear();
    }
  });
}

// Σ|g|² of one parameter, on the ball Σ|g|²/λ²; fixed blocks, so that threads do not show.
void squares(const KernelArgs& args) {
  const KernelOperand& g = args.in[0];
  const bool ball = args.in.size() > 1;
  const std::int64_t rows = std::max<std::int64_t>(1, kNormBlock / g.cols);
  const std::int64_t blocks = (g.rows + rows - 1) / rows;
  std::vector<double> parts(static_cast<std::size_t>(blocks));
  parallel_blocks(g.rows, rows, [&](std::int64_t b, std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * g.cols;
    const float* from = data<const float>(g) + at;
    parts[static_cast<std::size_t>(b)] =
        ball ? optim_table().ball_squares(args.scalars[0], data<const float>(args.in[1]) + at, from,
                                          end - begin, g.cols)
             : reduce_table().sum_squares(from, (end - begin) * g.cols);
  });
  double sum = 0.0;
  for (const double part : parts) sum += part;
  data<double>(args.out[0])[args.ints[0]] = sum;
}

}  // namespace

void register_optim(KernelTable& table) {
  set_kernel(table, OpId::optim_step, step<false>);
  set_kernel(table, OpId::ball_optim_step, step<true>);
  set_kernel(table, OpId::optim_squares, squares);
}

}  // namespace spiraltorch::cpu
