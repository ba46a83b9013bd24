#include "backend/cpu/simd/affine.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "backend/cpu/ball_stage.hpp"
#include "backend/cpu/cpu.hpp"
#include "backend/cpu/matmul.hpp"
#include "backend/cpu/simd/ball.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// nn.PoincareLinear: y = exp0(log0(x)·w) ⊕ b around one matrix product, and its gradients.
namespace spiraltorch::cpu {
namespace {

enum Wanted : std::uint8_t { want_x = 1, want_w = 2, want_b = 4 };

std::int64_t row_grain(std::int64_t cols) { return std::max<std::int64_t>(1, 8192 / (cols + 8)); }

// b as a point: in double, in the ball.
struct Point {
  std::vector<double> row;
  double factor = 1.0;
  explicit Point(const KernelOperand* b, double kappa)
      : row(b == nullptr ? 0 : static_cast<std::size_t>(b->cols)) {
    if (b == nullptr) return;
    factor = load_point(data<const float>(*b), 1.0, kappa, row);
    if (factor == factor) return;
    std::fill(row.begin(), row.end(), std::numeric_limits<double>::quiet_NaN());
  }
  [[nodiscard]] const double* data_or_null() const { return row.empty() ? nullptr : row.data(); }
};

void logarithms(const KernelOperand& x, double kappa, float* out) {
  const auto kernel = ball_table().rows[static_cast<std::size_t>(BallOp::logmap0)];
  parallel_for(x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    BallJob job;
    job.in[0] = data<const float>(x) + begin * x.cols;
    job.stride[0] = x.cols;
    job.out = out + begin * x.cols;
    job.rows = end - begin;
    job.cols = x.cols;
    job.kappa = kappa;
    kernel(job);
  });
}

AffineJob part_of(const AffineJob& job, std::int64_t begin, std::int64_t end) {
  AffineJob part = job;
  part.t += begin * job.cols;
  part.rows = end - begin;
  return part;
}

void poincare_linear(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.out[0];
  const double kappa = args.scalars[0];
  auto* t = data<float>(args.out[1]);
  std::vector<float> logs(static_cast<std::size_t>(x.size()));
  logarithms(x, kappa, logs.data());
  multiply({.a = view_of(logs.data(), x.cols, false),
            .b = view_of(data<const float>(args.in[1]), y.cols, false),
            .c = t,
            .m = y.rows,
            .n = y.cols,
            .k = x.cols});
  const Point b(args.in.size() > 2 ? &args.in[2] : nullptr, kappa);
  const AffineJob job{t, b.data_or_null(), y.rows, y.cols, kappa};
  auto* out = data<float>(y);
  parallel_for(y.rows, row_grain(y.cols), [&](std::int64_t begin, std::int64_t end) {
    affine_table().forward(part_of(job, begin, end), out + begin * y.cols);
  });
}

// Gradients by t, and, if wanted, by b, summed over blocks that depend on the rows only.
void row_gradients(const AffineJob& job, const float* g, float* by_t, double* by_b) {
  const std::int64_t block = std::max<std::int64_t>(64, (job.rows / 16 + 64) / 64 * 64);
  const std::int64_t blocks = (job.rows + block - 1) / block;
  std::vector<double> sums(by_b == nullptr ? 0 : static_cast<std::size_t>(blocks * job.cols));
  parallel_blocks(job.rows, block, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
    affine_table().backward(part_of(job, begin, end), g + begin * job.cols, by_t + begin * job.cols,
                            by_b == nullptr ? nullptr : sums.data() + i * job.cols);
  });
  if (by_b == nullptr) return;
  std::fill(by_b, by_b + job.cols, 0.0);
  for (std::int64_t i = 0; i < blocks; ++i) {
    std::transform(by_b, by_b + job.cols, sums.data() + i * job.cols, by_b, std::plus<>());
  }
}

struct Gradients {
  float* x = nullptr;
  float* w = nullptr;
  float* b = nullptr;
  explicit Gradients(const KernelArgs& args) {
    const KernelOperand* next = args.out.data();
    if ((args.ints[0] & want_x) != 0) x = data<float>(*next++);
    if ((args.ints[0] & want_w) != 0) w = data<float>(*next++);
    if ((args.ints[0] & want_b) != 0) b = data<float>(*next++);
  }
};

// Gradients by x and w from those by t.
void product_gradients(const KernelArgs& args, const float* by_t, const Gradients& out) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& w = args.in[1];
  const double kappa = args.scalars[0];
  std::vector<float> rows(static_cast<std::size_t>(x.size()));
  if (out.w != nullptr) {
    logarithms(x, kappa, rows.data());
    multiply({.a = view_of(rows.data(), x.cols, true),
              .b = view_of(by_t, w.cols, false),
              .c = out.w,
              .m = w.rows,
              .n = w.cols,
              .k = x.rows});
  }
  if (out.x == nullptr) return;
  multiply({.a = view_of(by_t, w.cols, false),
            .b = view_of(data<const float>(w), w.cols, true),
            .c = rows.data(),
            .m = x.rows,
            .n = x.cols,
            .k = w.cols});
  const AffineJob job{data<const float>(x), nullptr, x.rows, x.cols, kappa};
  parallel_for(x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    affine_table().log_backward(part_of(job, begin, end), rows.data() + begin * x.cols,
                                out.x + begin * x.cols);
  });
}

void poincare_linear_grad(const KernelArgs& args) {
  const bool has_b = args.in.size() > 4;
  const KernelOperand& t = args.in[has_b ? 3 : 2];
  const auto* g = data<const float>(args.in[has_b ? 4 : 3]);
  const double kappa = args.scalars[0];
  const Gradients out(args);
  const Point b(has_b ? &args.in[2] : nullptr, kappa);
  const AffineJob job{data<const float>(t), b.data_or_null(), t.rows, t.cols, kappa};
  std::vector<float> by_t(static_cast<std::size_t>(t.size()));
  std::vector<double> by_b(out.b == nullptr ? 0 : static_cast<std::size_t>(t.cols));
  row_gradients(job, g, by_t.data(), out.b == nullptr ? nullptr : by_b.data());
  if (out.b != nullptr) {
    clamp_gradient(b.row.data(), b.factor, t.cols, by_b.data());
    std::transform(by_b.begin(), by_b.end(), out.b, [](double v) { return static_cast<float>(v); });
  }
  if (out.x != nullptr || out.w != nullptr) product_gradients(args, by_t.data(), out);
}

}  // namespace

void register_affine(KernelTable& table) {
  set_kernel(table, OpId::poincare_linear, poincare_linear);
  set_kernel(table, OpId::poincare_linear_grad, poincare_linear_grad);
}

}  // namespace spiraltorch::cpu
