#include "backend/cpu/simd/elementwise.hpp"

#include <algorithm>
#include <cmath>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

constexpr std::int64_t kUnit = 64;  // elements: splits keep the output's 64-byte alignment
// From here on a result does not fit the last-level cache beside its operands, so it is written
// past the caches: reading its lines first would cost a third of the bandwidth.
constexpr std::int64_t kStreamElements = std::int64_t{1} << 21;

bool is_row_run(const KernelOperand& x) { return x.col_stride == 1; }
// Whether all rows of x form one run: contiguous, or one element repeated.
bool is_one_run(const KernelOperand& x) {
  if (x.rows == 1) return true;
  return is_row_run(x) ? x.row_stride == x.cols : x.row_stride == 0;
}

bool aligned(const float* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; }

// One run split over threads.
void run_split(RunKernel kernel, const Run& whole, std::int64_t grain) {
  const std::int64_t units = (whole.n + kUnit - 1) / kUnit;
  parallel_for(units, std::max<std::int64_t>(1, grain / kUnit),
               [&](std::int64_t begin, std::int64_t end) {
                 Run part = whole;
                 const std::int64_t first = begin * kUnit;
                 part.a += first * whole.a_step;
                 if (part.b != nullptr) part.b += first * whole.b_step;
                 part.out += first;
                 part.n = std::min(whole.n, end * kUnit) - first;
                 kernel(part);
               });
}

void run_binary(RunKernel kernel, const KernelArgs& args, const float* params) {
  const KernelOperand& a = args.in[0];
  const KernelOperand& b = args.in[1];
  const KernelOperand& out = args.out[0];
  const auto* pa = data<const float>(a);
  const auto* pb = data<const float>(b);
  auto* po = data<float>(out);
  if (is_one_run(a) && is_one_run(b)) {
    const bool stream = out.size() >= kStreamElements && aligned(po) && po != pa && po != pb;
    run_split(kernel, {pa, a.col_stride, pb, b.col_stride, po, out.size(), params, stream},
              kParallelGrain);
    return;
  }
  parallel_for(out.rows, std::max<std::int64_t>(1, kParallelGrain / out.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   kernel({pa + i * a.row_stride, a.col_stride, pb + i * b.row_stride, b.col_stride,
                           po + i * out.cols, out.cols, params, false});
                 }
               });
}

template <BinaryOp op>
void binary(const KernelArgs& args) {
  std::array<float, 2> params{};
  for (std::size_t i = 0; i < std::min<std::size_t>(2, args.scalars.size()); ++i) {
    params[i] = static_cast<float>(args.scalars[i]);
  }
  run_binary(elementwise_table().binary[static_cast<std::size_t>(op)], args, params.data());
}

void run_unary(UnaryOp op, const KernelArgs& args, const float* params) {
  const auto* in = data<const float>(args.in[0]);
  auto* out = data<float>(args.out[0]);
  const std::int64_t n = args.out[0].size();
  const bool stream = n >= kStreamElements && aligned(out) && in != out;
  run_split(elementwise_table().unary[static_cast<std::size_t>(op)],
            {in, 1, nullptr, 0, out, n, params, stream}, kParallelGrain);
}

template <UnaryOp op>
void unary(const KernelArgs& args) {
  std::array<float, 2> params{};
  for (std::size_t i = 0; i < std::min<std::size_t>(2, args.scalars.size()); ++i) {
    params[i] = static_cast<float>(args.scalars[i]);
  }
  run_unary(op, args, params.data());
}

// Rare operations element by element, through strides.
template <class F>
void each(const KernelArgs& args, F f) {
  const KernelOperand& out = args.out[0];
  const auto at = [](const KernelOperand& x, std::int64_t i, std::int64_t j) {
    return data<const float>(x)[i * x.row_stride + j * x.col_stride];
  };
  parallel_for(out.rows, std::max<std::int64_t>(1, kParallelGrain / 8 / out.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   float* row = data<float>(out) + i * out.cols;
                   for (std::int64_t j = 0; j < out.cols; ++j) {
                     row[j] = f([&](std::size_t k) { return at(args.in[k], i, j); });
                   }
                 }
               });
}

void hypot(const KernelArgs& args) {
  each(args, [](auto x) {
    return static_cast<float>(std::hypot(static_cast<double>(x(0)), static_cast<double>(x(1))));
  });
}

void atan2(const KernelArgs& args) {
  each(args, [](auto x) {
    return static_cast<float>(std::atan2(static_cast<double>(x(0)), static_cast<double>(x(1))));
  });
}

void norm_grad(const KernelArgs& args) {
  each(args, [](auto x) { return x(1) == 0.0F ? 0.0F : x(0) / x(1) * x(2); });
}

void pow_scalar(const KernelArgs& args) {
  const double e = args.scalars[0];
  if (e == 2.0) {
    constexpr std::array<float, 2> kNoParams{};
    return run_unary(UnaryOp::square, args, kNoParams.data());
  }
  each(args, [e](auto x) { return static_cast<float>(std::pow(static_cast<double>(x(0)), e)); });
}

void pow_scalar_grad(const KernelArgs& args) {
  const double e = args.scalars[0];
  each(args, [e](auto x) {
    const double slope = e == 0.0 ? 0.0 : e * std::pow(static_cast<double>(x(0)), e - 1.0);
    return static_cast<float>(static_cast<double>(x(1)) * slope);
  });
}

}  // namespace

void register_elementwise(KernelTable& table) {
  set_kernel(table, OpId::add, binary<BinaryOp::add>);
  set_kernel(table, OpId::sub, binary<BinaryOp::sub>);
  set_kernel(table, OpId::mul, binary<BinaryOp::mul>);
  set_kernel(table, OpId::div, binary<BinaryOp::div>);
  set_kernel(table, OpId::add_scaled, binary<BinaryOp::add_scaled>);
  set_kernel(table, OpId::abs_grad, binary<BinaryOp::abs_grad>);
  set_kernel(table, OpId::relu_grad, binary<BinaryOp::relu_grad>);
  set_kernel(table, OpId::tanh_grad, binary<BinaryOp::tanh_grad>);
  set_kernel(table, OpId::sigmoid_grad, binary<BinaryOp::sigmoid_grad>);
  set_kernel(table, OpId::clamp_grad, binary<BinaryOp::clamp_grad>);
  set_kernel(table, OpId::gelu_grad, binary<BinaryOp::gelu_grad>);
  set_kernel(table, OpId::gelu_tanh_grad, binary<BinaryOp::gelu_tanh_grad>);
  set_kernel(table, OpId::gelu, unary<UnaryOp::gelu>);
  set_kernel(table, OpId::gelu_tanh, unary<UnaryOp::gelu_tanh>);
  set_kernel(table, OpId::neg, unary<UnaryOp::neg>);
  set_kernel(table, OpId::abs, unary<UnaryOp::abs>);
  set_kernel(table, OpId::exp, unary<UnaryOp::exp>);
  set_kernel(table, OpId::log, unary<UnaryOp::log>);
  set_kernel(table, OpId::tanh, unary<UnaryOp::tanh>);
  set_kernel(table, OpId::sigmoid, unary<UnaryOp::sigmoid>);
  set_kernel(table, OpId::relu, unary<UnaryOp::relu>);
  set_kernel(table, OpId::sqrt, unary<UnaryOp::sqrt>);
  set_kernel(table, OpId::clamp, unary<UnaryOp::clamp>);
  set_kernel(table, OpId::hypot, hypot);
  set_kernel(table, OpId::atan2, atan2);
  set_kernel(table, OpId::norm_grad, norm_grad);
  set_kernel(table, OpId::pow_scalar, pow_scalar);
  set_kernel(table, OpId::pow_scalar_grad, pow_scalar_grad);
}

}  // namespace spiraltorch::cpu
