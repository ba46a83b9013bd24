#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "backend/wgpu/device.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

namespace spiraltorch::wgpu {

inline void set_kernel(KernelTable& table, OpId op, Kernel kernel) {
  table[static_cast<std::size_t>(op)] = kernel;
}

/// The device that holds a launch's operands.
[[nodiscard]] inline Device& device_of(const KernelArgs& args) {
  const KernelOperand& any = args.out.empty() ? args.in[0] : args.out[0];
  return Device::get(any.buffer->device().index, "launch");
}

[[nodiscard]] inline Block& block_of(const KernelOperand& x) {
  return *static_cast<Block*>(x.buffer->native());
}

/// Bytes of an operand's buffer.
[[nodiscard]] inline std::uint64_t bytes_of(const KernelOperand& x) { return x.buffer->bytes(); }

/// Temporary device memory. The queue runs in order, so it may be given back while work on it is
/// pending.
class Scratch {
 public:
  Scratch(Device& device, std::uint64_t bytes)
      : device_(device), block_(device.allocate(bytes)), bytes_(bytes) {}
  ~Scratch() { device_.release(block_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] Block& block() const noexcept { return *block_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  Device& device_;
  Block* block_;
  std::uint64_t bytes_;
};

/// One dispatch: a shader with its constants, storage bindings 1, 2, … and parameters in the order
/// of the shader's `Params`.
///
/// @code
///   Task task(device, kSoftmax, {{"WG", 256}});
///   task.bind(args.in[0]).bind(args.out[0]).u(rows).u(cols).run(rows);
/// @endcode
class Task {
 public:
  Task(Device& device, const Shader& shader, std::initializer_list<Constant> constants = {});

  Task& bind(const KernelOperand& x) { return bind(block_of(x), 0, bytes_of(x)); }
  Task& bind(const Scratch& x) { return bind(x.block(), 0, x.bytes()); }
  /// A part of an operand; `first_byte` is a multiple of 256.
  Task& bind_range(const KernelOperand& x, std::uint64_t first_byte, std::uint64_t bytes) {
    return bind(block_of(x), first_byte, bytes);
  }
  Task& bind_range(const Scratch& x, std::uint64_t first_byte, std::uint64_t bytes) {
    return bind(x.block(), first_byte, bytes);
  }
  Task& bind(Block& block, std::uint64_t offset, std::uint64_t bytes);

  /// A u32; wider numbers must fit.
  template <class Integer>
  Task& u(Integer value) {
    return word(static_cast<std::uint32_t>(value));
  }
  template <class Integer>
  Task& i(Integer value) {
    return word(static_cast<std::uint32_t>(static_cast<std::int32_t>(value)));
  }
  Task& f(double value) { return word(std::bit_cast<std::uint32_t>(static_cast<float>(value))); }

  void run(std::uint64_t workgroups);

 private:
  Task& word(std::uint32_t value);
  Device& device_;
  const Shader& shader_;
  std::array<Constant, kMaxConstants> constants_{};
  std::size_t constant_count_ = 0;
  std::array<Binding, kMaxBindings> bindings_{};
  std::size_t binding_count_ = 0;
  std::array<std::uint32_t, kParamBytes / 4> params_{};
  std::size_t param_count_ = 0;
};

/// Copies words to the host: submits and waits.
[[nodiscard]] std::vector<std::uint32_t> read_words(Device& device, const Scratch& from,
                                                    std::uint64_t first, std::uint64_t count);
[[nodiscard]] std::vector<std::uint32_t> read_words(Device& device, const KernelOperand& from,
                                                    std::uint64_t first, std::uint64_t count);

/// Copies bytes between two blocks, or within one, in stream order. Multiples of 4.
void copy_block(Device& device, Block& from, std::uint64_t from_offset, Block& to,
                std::uint64_t to_offset, std::uint64_t bytes);

}  // namespace spiraltorch::wgpu
