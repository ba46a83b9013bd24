#include "backend/wgpu/task.hpp"

#include <algorithm>

#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {
namespace {

const Shader kCopy{"copy", {wgsl::copy}};

}  // namespace

Task::Task(Device& device, const Shader& shader, std::initializer_list<Constant> constants)
    : device_(device), shader_(shader), constant_count_(constants.size()) {
  require(constants.size() <= kMaxConstants, Errc::internal, shader.name, "too many constants");
  std::copy(constants.begin(), constants.end(), constants_.begin());
}

Task& Task::bind(Block& block, std::uint64_t offset, std::uint64_t bytes) {
  require(binding_count_ < kMaxBindings, Errc::internal, shader_.name, "too many bindings");
  bindings_[binding_count_++] = {&block, offset, bytes};
  return *this;
}

Task& Task::word(std::uint32_t value) {
  require(param_count_ < params_.size(), Errc::internal, shader_.name, "too many parameters");
  params_[param_count_++] = value;
  return *this;
}

void Task::run(std::uint64_t workgroups) {
  device_.dispatch(shader_, {constants_.data(), constant_count_},
                   {bindings_.data(), binding_count_},
                   std::as_bytes(std::span(params_.data(), param_count_)), workgroups);
}

namespace {

std::vector<std::uint32_t> read(Device& device, const Block& from, std::uint64_t first,
                                std::uint64_t count) {
  std::vector<std::uint32_t> out(count);
  device.download(from, first * 4, out.data(), count * 4);
  return out;
}

}  // namespace

std::vector<std::uint32_t> read_words(Device& device, const Scratch& from, std::uint64_t first,
                                      std::uint64_t count) {
  return read(device, from.block(), first, count);
}

std::vector<std::uint32_t> read_words(Device& device, const KernelOperand& from,
                                      std::uint64_t first, std::uint64_t count) {
  return read(device, block_of(from), first, count);
}

// A kernel, because WebGPU copies only between different buffers, and blocks share buffers.
void copy_block(Device& device, Block& from, std::uint64_t from_offset, Block& to,
                std::uint64_t to_offset, std::uint64_t bytes) {
  constexpr std::uint64_t kWords = 1024;  // of a workgroup
  const std::uint64_t piece = device.limits().binding_bytes / 2;
  for (std::uint64_t done = 0; done < bytes; done += piece) {
    const std::uint64_t part = std::min(piece, bytes - done);
    const std::uint64_t from_first = from_offset + done;
    const std::uint64_t to_first = to_offset + done;
    const std::uint64_t from_rest = from_first % 256;
    const std::uint64_t to_rest = to_first % 256;
    Task task(device, kCopy);
    task.bind(from, from_first - from_rest, part + from_rest);
    task.bind(to, to_first - to_rest, part + to_rest);
    task.u(from_rest / 4).u(to_rest / 4).u(part / 4).run((part / 4 + kWords - 1) / kWords);
  }
}

}  // namespace spiraltorch::wgpu
