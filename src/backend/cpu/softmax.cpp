#include <algorithm>
#include <cmath>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/simd/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

template <class F>
void each_row(const KernelOperand& x, F f) {
  parallel_for(x.rows, std::max<std::int64_t>(1, kParallelGrain / 8 / x.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) f(i * x.cols);
               });
}

void softmax(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const auto* in = data<const float>(x);
  auto* out = data<float>(args.out[0]);
  each_row(x, [&](std::int64_t at) {
    const ReduceTable& table = reduce_table();
    const float top = table.max(in + at, x.cols);
    const double sum = table.exp_shifted(in + at, top, out + at, x.cols);
    table.scale(out + at, static_cast<float>(1.0 / sum), x.cols);
  });
}

void log_softmax(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const auto* in = data<const float>(x);
  auto* out = data<float>(args.out[0]);
  each_row(x, [&](std::int64_t at) {
    const ReduceTable& table = reduce_table();
    const float top = table.max(in + at, x.cols);
    const double shift = top + std::log(table.sum_exp_shifted(in + at, top, x.cols));
    for (std::int64_t j = at; j < at + x.cols; ++j) {
      out[j] = static_cast<float>(static_cast<double>(in[j]) - shift);
    }
  });
}

void softmax_grad(const KernelArgs& args) {
  const KernelOperand& y = args.in[0];
  const auto* p = data<const float>(y);
  const auto* g = data<const float>(args.in[1]);
  auto* out = data<float>(args.out[0]);
  each_row(y, [&](std::int64_t at) {
    const auto mean = static_cast<float>(reduce_table().dot(p + at, g + at, y.cols));
    for (std::int64_t j = at; j < at + y.cols; ++j) out[j] = p[j] * (g[j] - mean);
  });
}

void log_softmax_grad(const KernelArgs& args) {
  const KernelOperand& y = args.in[0];
  const auto* log_p = data<const float>(y);
  const auto* g = data<const float>(args.in[1]);
  auto* out = data<float>(args.out[0]);
  each_row(y, [&](std::int64_t at) {
    const auto total = static_cast<float>(reduce_table().sum(g + at, y.cols));
    reduce_table().exp_shifted(log_p + at, 0.0F, out + at, y.cols);
    for (std::int64_t j = at; j < at + y.cols; ++j) out[j] = g[j] - out[j] * total;
  });
}

}  // namespace

void register_softmax(KernelTable& table) {
  set_kernel(table, OpId::softmax, softmax);
  set_kernel(table, OpId::log_softmax, log_softmax);
  set_kernel(table, OpId::softmax_grad, softmax_grad);
  set_kernel(table, OpId::log_softmax_grad, log_softmax_grad);
}

}  // namespace spiraltorch::cpu
