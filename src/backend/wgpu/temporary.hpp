#pragma once

#include <initializer_list>
#include <memory>

#include "backend/wgpu/task.hpp"

// What kernels made of other kernels need: the queue runs them in order.
namespace spiraltorch::wgpu {

/// float32 memory of one call, on the device of `like`, as an operand.
struct Temporary {
  std::shared_ptr<Buffer> buffer;
  KernelOperand operand;
  Temporary(const KernelOperand& like, Shape shape)
      : buffer(Buffer::allocate(like.buffer->device(), static_cast<std::size_t>(shape.size()) * 4)),
        operand(spiraltorch::operand(*buffer, shape)) {}
};

inline void run_op(OpId op, std::initializer_list<KernelOperand> in,
                   std::initializer_list<KernelOperand> out,
                   std::initializer_list<std::int64_t> ints = {},
                   std::initializer_list<double> scalars = {}) {
  launch(op, {.in = {in.begin(), in.size()},
              .out = {out.begin(), out.size()},
              .scalars = {scalars.begin(), scalars.size()},
              .ints = {ints.begin(), ints.size()}});
}

}  // namespace spiraltorch::wgpu
