#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {
namespace {

// Names of the shared table, then what other back ends compute through doubles.
enum class Expression : std::uint8_t {
#define SPIRALTORCH_UNARY(name, ...) name,
#define SPIRALTORCH_BINARY(name, ...) name,
#include "backend/expressions.inc"
  hypot,
  atan2,
  norm_grad,
  pow_scalar,
  pow_scalar_grad,
  count_
};
constexpr std::size_t kExpressions = static_cast<std::size_t>(Expression::count_);

struct Named {
  const char* name;
  const char* text;
};

constexpr std::array<Named, kExpressions> kTexts{{
#define SPIRALTORCH_UNARY(name, ...) {#name, #__VA_ARGS__},
#define SPIRALTORCH_BINARY(name, ...) {#name, #__VA_ARGS__},
#include "backend/expressions.inc"
    {"hypot", "st_hypot(a, b)"},
    {"atan2", "st_atan2(a, b)"},
    {"norm_grad", "select(a / b * c, 0.0, b == 0.0)"},
    {"pow_scalar", "st_pow(a, p0)"},
    {"pow_scalar_grad", "st_pow_grad(a, b, p0, p1)"},
}};

// Shaders of every expression: through strides, and over runs.
struct Shaders {
  std::array<std::string, kExpressions> functions;
  std::array<Shader, kExpressions> strided;
  std::array<Shader, kExpressions> runs;
  Shaders() {
    for (std::size_t i = 0; i < kExpressions; ++i) {
      functions[i] =
          text("fn combine(a: f32, b: f32, c: f32, p0: f32, p1: f32) -> f32 {\n  return ",
               kTexts[i].text, ";\n}\n");
      strided[i] = {kTexts[i].name, {wgsl::bits, wgsl::math, functions[i], wgsl::elementwise}};
      runs[i] = {kTexts[i].name, {wgsl::bits, wgsl::math, functions[i], wgsl::elementwise_run}};
    }
  }
};

const Shaders& shaders() {
  static const Shaders all;
  return all;
}

// Contiguous, or one element repeated: walked in one step over all elements.
bool is_repeated(const KernelOperand& x) { return x.row_stride == 0 && x.col_stride == 0; }
bool is_contiguous(const KernelOperand& x) {
  return x.col_stride == 1 && (x.rows == 1 || x.row_stride == x.cols);
}
bool is_run(const KernelOperand& x) {
  return is_contiguous(x) || is_repeated(x) || (x.rows == 1 && x.col_stride == 0);
}

// Elements up to the last whole four go as vectors; a buffer's last block has room for whole fours.
void over_runs(Expression e, const KernelArgs& args, double p0, double p1) {
  Device& device = device_of(args);
  const KernelOperand& a = args.in[0];
  const KernelOperand& b = args.in[args.in.size() > 1 ? 1 : 0];
  const KernelOperand& out = args.out[0];
  const auto steps = [](const KernelOperand& x) {
    return is_contiguous(x) && x.size() > 1 ? 1 : 0;
  };
  const std::int64_t a_step = a.size() == out.size() ? steps(a) : 0;
  const std::int64_t b_step = b.size() == out.size() ? steps(b) : 0;
  const auto total = static_cast<std::uint64_t>(out.size()) * 4;
  const std::uint64_t piece = device.limits().binding_bytes;
  const auto bind = [&](Task& task, const KernelOperand& x, std::int64_t step, std::uint64_t first,
                        std::uint64_t bytes) {
    const std::uint64_t padded = (bytes + 15) / 16 * 16;
    step == 0 ? task.bind_range(x, 0, 16) : task.bind_range(x, first, padded);
  };
  for (std::uint64_t first = 0; first < total; first += piece) {
    const std::uint64_t bytes = std::min(piece, total - first);
    Task task(device, shaders().runs[static_cast<std::size_t>(e)],
              {{"A_STEP", a_step}, {"B_STEP", b_step}});
    bind(task, a, a_step, first, bytes);
    bind(task, b, b_step, first, bytes);
    bind(task, out, 1, first, bytes);
    const std::uint64_t vectors = (bytes + 15) / 16;
    task.u(vectors).f(p0).f(p1).run((vectors + 511) / 512);
  }
}

void through_strides(Expression e, const KernelArgs& args, double p0, double p1) {
  const KernelOperand& out = args.out[0];
  Task task(device_of(args), shaders().strided[static_cast<std::size_t>(e)]);
  const auto in = [&](std::size_t i) -> const KernelOperand& {
    return args.in[std::min(i, args.in.size() - 1)];
  };
  task.bind(in(0)).bind(in(1)).bind(in(2)).bind(out);
  task.u(out.size()).u(out.cols);
  for (std::size_t i = 0; i < 3; ++i) task.u(in(i).row_stride).u(in(i).col_stride);
  task.f(p0).f(p1).run((static_cast<std::uint64_t>(out.size()) + 1023) / 1024);
}

void compute(Expression e, const KernelArgs& args, double p0, double p1) {
  const bool runs =
      args.in.size() < 3 &&
      std::all_of(args.in.begin(), args.in.end(), [](const KernelOperand& x) { return is_run(x); });
  (runs ? over_runs : through_strides)(e, args, p0, p1);
}

template <Expression e>
void kernel(const KernelArgs& args) {
  const auto scalar = [&](std::size_t i) {
    return i < args.scalars.size() ? args.scalars[i] : 0.0;
  };
  compute(e, args, scalar(0), scalar(1));
}

void pow_scalar(const KernelArgs& args) {
  const double e = args.scalars[0];
  compute(e == 2.0 ? Expression::square : Expression::pow_scalar, args, e, 0.0);
}

void pow_scalar_grad(const KernelArgs& args) {
  compute(Expression::pow_scalar_grad, args, args.scalars[0], args.scalars[0] - 1.0);
}

const Shader kFill{"fill", {wgsl::fill}};

void fill(const KernelArgs& args) {
  Device& device = device_of(args);
  const auto total = static_cast<std::uint64_t>(args.out[0].size()) * 4;
  const std::uint64_t piece = device.limits().binding_bytes;
  for (std::uint64_t first = 0; first < total; first += piece) {
    const std::uint64_t bytes = std::min(piece, total - first);
    Task task(device, kFill);
    task.bind_range(args.out[0], first, bytes).u(bytes / 4).f(args.scalars[0]);
    task.run((bytes / 4 + 1023) / 1024);
  }
}

}  // namespace

void register_elementwise(KernelTable& table) {
#define SPIRALTORCH_SAME(name) set_kernel(table, OpId::name, kernel<Expression::name>)
  SPIRALTORCH_SAME(add);
  SPIRALTORCH_SAME(sub);
  SPIRALTORCH_SAME(mul);
  SPIRALTORCH_SAME(div);
  SPIRALTORCH_SAME(hypot);
  SPIRALTORCH_SAME(atan2);
  SPIRALTORCH_SAME(add_scaled);
  SPIRALTORCH_SAME(neg);
  SPIRALTORCH_SAME(abs);
  SPIRALTORCH_SAME(exp);
  SPIRALTORCH_SAME(log);
  SPIRALTORCH_SAME(tanh);
  SPIRALTORCH_SAME(sigmoid);
  SPIRALTORCH_SAME(relu);
  SPIRALTORCH_SAME(sqrt);
  SPIRALTORCH_SAME(clamp);
  SPIRALTORCH_SAME(abs_grad);
  SPIRALTORCH_SAME(relu_grad);
  SPIRALTORCH_SAME(tanh_grad);
  SPIRALTORCH_SAME(sigmoid_grad);
  SPIRALTORCH_SAME(clamp_grad);
  SPIRALTORCH_SAME(norm_grad);
  SPIRALTORCH_SAME(gelu);
  SPIRALTORCH_SAME(gelu_tanh);
  SPIRALTORCH_SAME(gelu_grad);
  SPIRALTORCH_SAME(gelu_tanh_grad);
#undef SPIRALTORCH_SAME
  set_kernel(table, OpId::pow_scalar, pow_scalar);
  set_kernel(table, OpId::pow_scalar_grad, pow_scalar_grad);
  set_kernel(table, OpId::fill, fill);
}

}  // namespace spiraltorch::wgpu
