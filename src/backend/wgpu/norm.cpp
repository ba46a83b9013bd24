#include "backend/wgpu/task.hpp"
#include "backend/wgpu/temporary.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Layer normalisation: a workgroup a row; gradients of weight and bias are sums down the columns.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 64;

const Shader kNorm{"layer_norm", {wgsl::layer_norm}};

void sum_columns(const KernelOperand& x, const KernelOperand& out) {
  run_op(OpId::sum, {x}, {out}, {0});
}

void layer_norm(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const bool has_w = args.in.size() > 1;
  const bool has_b = args.in.size() > 2;
  Task task(device_of(args), kNorm, {{"WG", kThreads}, {"GRAD", 0}});
  task.bind(x).bind(has_b ? args.in[2] : x).bind(has_w ? args.in[1] : x);
  task.bind(args.out[0]).bind(args.out[0]);
  task.u(x.rows).u(x.cols).f(args.scalars[0]).u(has_w ? 1 : 0).u(has_b ? 1 : 0);
  task.run(static_cast<std::uint64_t>(x.rows));
}

void layer_norm_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& g = args.in[1];
  const bool has_w = args.in.size() > 2;
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* out = args.out.data();
  const Temporary spare(x, {x.rows, x.cols});
  const Temporary products(x, {x.rows, x.cols});
  const KernelOperand by_x = (wanted & 1) != 0 ? *out++ : spare.operand;
  if ((wanted & 3) != 0) {
    Task task(device_of(args), kNorm, {{"WG", kThreads}, {"GRAD", 1}});
    task.bind(x).bind(g).bind(has_w ? args.in[2] : x).bind(by_x).bind(products.operand);
    task.u(x.rows).u(x.cols).f(args.scalars[0]).u(has_w ? 1 : 0).u(0);
    task.run(static_cast<std::uint64_t>(x.rows));
  }
  if ((wanted & 2) != 0) sum_columns(products.operand, *out++);
  if ((wanted & 4) != 0) sum_columns(g, *out);
}

}  // namespace

void register_norm(KernelTable& table) {
  set_kernel(table, OpId::layer_norm, layer_norm);
  set_kernel(table, OpId::layer_norm_grad, layer_norm_grad);
}

}  // namespace spiraltorch::wgpu
