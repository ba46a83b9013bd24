#include "backend/cpu/simd/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/simd/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Losses: value and gradient in one pass over prediction and target.
namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kBlock = 8192;  // elements of one partial sum
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

float* gradient_of(const KernelArgs& args) {
  return args.out.size() > 1 ? data<float>(args.out[1]) : nullptr;
}

// The mean of n numbers, summed by `part` block by block: the same bits for any number of threads.
template <class F>
void put_mean(const KernelArgs& args, std::int64_t n, F part) {
  double sum = 0.0;
  if (n <= kBlock) {
    sum = part(std::int64_t{0}, n);
  } else {
    std::vector<double> parts(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
    parallel_blocks(n, kBlock, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      parts[static_cast<std::size_t>(i)] = part(begin, end);
    });
    sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  }
  *data<float>(args.out[0]) = static_cast<float>(sum / static_cast<double>(n));
}

float* shifted(float* g, std::int64_t by) { return g == nullptr ? nullptr : g + by; }

void squared_error(const KernelArgs& args) {
  const auto* p = data<const float>(args.in[0]);
  const auto* t = data<const float>(args.in[1]);
  float* g = gradient_of(args);
  const std::int64_t n = args.in[0].size();
  put_mean(args, n, [&](std::int64_t begin, std::int64_t end) {
    return loss_table().squared_error(p + begin, t + begin, end - begin,
                                      2.0 / static_cast<double>(n), shifted(g, begin));
  });
}

bool is_valid(const float* p, const float* t, std::int64_t n) {
  const bool lengths = std::none_of(p, p + n, [](float v) { return v < 0.0F; });
  return lengths && std::all_of(t, t + n, [](float v) { return v >= 0.0F && v <= 1.0F; });
}

void logistic_loss(const KernelArgs& args) {
  const auto* p = data<const float>(args.in[0]);
  const auto* t = data<const float>(args.in[1]);
  float* g = gradient_of(args);
  const std::int64_t n = args.in[0].size();
  const LogisticTerms terms{args.scalars[0], args.scalars[1], args.scalars[2], args.scalars[3]};
  const bool checked = args.ints[0] != 0;
  put_mean(args, n, [&](std::int64_t begin, std::int64_t end) {
    const double sum =
        loss_table().logistic(p + begin, t + begin, end - begin, terms,
                              terms.slope / static_cast<double>(n), shifted(g, begin));
    return checked && !is_valid(p + begin, t + begin, end - begin) ? kNan : sum;
  });
}

// The class that a target names, −1 for none.
std::int64_t class_of(float t, std::int64_t count) {
  const bool fits = t >= 0.0F && t < static_cast<float>(count) && t == std::floor(t);
  return fits ? static_cast<std::int64_t>(t) : -1;
}

// Σ of a distribution, NaN where it is none.
double mass_of(const float* t, std::int64_t count) {
  if (!std::all_of(t, t + count, [](float v) { return v >= 0.0F; })) return kNan;
  const double sum = reduce_table().sum(t, count);
  return std::abs(sum - 1.0) <= 1e-4 ? sum : kNan;
}

struct Row {
  const float* p;
  const float* t;
  float* g;
  std::int64_t count;
  double scale;  // 1/B
  double* powers;
};

double by_class(const Row& row, double top, double sum) {
  const std::int64_t k = class_of(*row.t, row.count);
  const double lost = k < 0 ? kNan : 0.0;
  if (row.g != nullptr) {
    loss_table().softmax_less_target(row.powers, row.scale / sum + lost, nullptr, 0.0, row.count,
                                     row.g);
    if (k >= 0) row.g[k] = static_cast<float>(row.scale * (row.powers[k] / sum - 1.0));
  }
  return k < 0 ? kNan : std::log(sum) + (top - static_cast<double>(row.p[k]));
}

double by_distribution(const Row& row, double top, double sum) {
  const double mass = mass_of(row.t, row.count);
  if (row.g != nullptr) {
    loss_table().softmax_less_target(row.powers, row.scale * mass / sum, row.t, row.scale,
                                     row.count, row.g);
  }
  const double shift = std::log(sum) + top;
  double loss = mass * 0.0;  // NaN without a distribution
  for (std::int64_t j = 0; j < row.count; ++j) {
    const double t = row.t[j];
    if (t != 0.0) loss += t * (shift - static_cast<double>(row.p[j]));
  }
  return loss + sum * 0.0;
}

void cross_entropy(const KernelArgs& args) {
  const KernelOperand& prediction = args.in[0];
  const std::int64_t cols = prediction.cols;
  const std::int64_t target_cols = args.in[1].cols;
  float* g = gradient_of(args);
  std::vector<double> losses(static_cast<std::size_t>(prediction.rows));
  parallel_for(prediction.rows, std::max<std::int64_t>(1, kParallelGrain / 8 / cols),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<double> powers(static_cast<std::size_t>(cols));
                 for (std::int64_t i = begin; i < end; ++i) {
                   const Row row{data<const float>(prediction) + i * cols,
                                 data<const float>(args.in[1]) + i * target_cols,
                                 shifted(g, i * cols),
                                 cols,
                                 1.0 / static_cast<double>(prediction.rows),
                                 powers.data()};
                   const double top = reduce_table().max(row.p, cols);
                   const double sum = loss_table().exp_shifted(row.p, top, row.powers, cols);
                   losses[static_cast<std::size_t>(i)] =
                       target_cols == 1 ? by_class(row, top, sum) : by_distribution(row, top, sum);
                 }
               });
  const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
  *data<float>(args.out[0]) = static_cast<float>(sum / static_cast<double>(prediction.rows));
}

}  // namespace

void register_loss(KernelTable& table) {
  set_kernel(table, OpId::squared_error, squared_error);
  set_kernel(table, OpId::cross_entropy, cross_entropy);
  set_kernel(table, OpId::logistic_loss, logistic_loss);
}

}  // namespace spiraltorch::cpu
