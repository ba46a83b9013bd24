#include <array>
#include <initializer_list>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"

// The linear layer from the kernels of its parts: the queue runs them in order.
namespace spiraltorch::wgpu {
namespace {

void then(OpId op, std::initializer_list<KernelOperand> in, const KernelOperand& out,
          std::initializer_list<std::int64_t> ints = {}) {
  launch(op, {.in = {in.begin(), in.size()},
              .out = {&out, 1},
              .scalars = {},
              .ints = {ints.begin(), ints.size()}});
}

void linear(const KernelArgs& args) {
  const KernelOperand& out = args.out[0];
  then(OpId::matmul, {args.in[0], args.in[1]}, out, {0, 0, 0});
  if (args.in.size() > 2) {
    KernelOperand bias = args.in[2];
    bias.rows = out.rows;
    bias.row_stride = 0;
    then(OpId::add, {out, bias}, out);
  }
  if (args.ints[0] != 0) then(OpId::relu, {out}, out);
}

void linear_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  KernelOperand g = args.in[2];
  std::shared_ptr<Buffer> masked;
  if (args.in.size() > 3) {
    masked = Buffer::allocate(g.buffer->device(), static_cast<std::size_t>(g.size()) * 4);
    const KernelOperand out = operand(*masked, {g.rows, g.cols});
    then(OpId::relu_grad, {args.in[3], g}, out);
    g = out;
  }
  const KernelOperand* out = args.out.data();
  if ((args.ints[0] & 1) != 0) then(OpId::matmul, {g, args.in[1]}, *out++, {0, 1, 0});
  if ((args.ints[0] & 2) != 0) then(OpId::matmul, {x, g}, *out++, {1, 0, 0});
  if ((args.ints[0] & 4) != 0) then(OpId::sum, {g}, *out, {0});
}

}  // namespace

void register_linear(KernelTable& table) {
  set_kernel(table, OpId::linear, linear);
  set_kernel(table, OpId::linear_grad, linear_grad);
}

}  // namespace spiraltorch::wgpu
