#include "backend/wgpu/wgpu.hpp"

#include <string>

#include "backend/wgpu/device.hpp"
#include "backend/wgpu/task.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

KernelTable make_table() {
  KernelTable table{};
  wgpu::register_elementwise(table);
  wgpu::register_matmul(table);
  wgpu::register_optim(table);
  wgpu::register_linear(table);
  wgpu::register_loss(table);
  wgpu::register_norm(table);
  wgpu::register_data(table);
  wgpu::register_gather(table);
  wgpu::register_reduce(table);
  wgpu::register_search(table);
  wgpu::register_softmax(table);
  wgpu::register_ball(table);
  wgpu::register_embed(table);
  wgpu::register_ball_grad(table);
  wgpu::register_ball_mean(table);
  wgpu::register_ball_grad_sums(table);
  wgpu::register_lorentz(table);
  wgpu::register_affine(table);
  wgpu::register_mlr(table);
  wgpu::register_rank(table);
  wgpu::register_rank_range(table);
  wgpu::register_bands(table);
  return table;
}

int device_count() {
  std::string ignored;
  return static_cast<int>(wgpu::adapters(ignored).size());
}

std::string unavailable_reason() {
  std::string reason;
  static_cast<void>(wgpu::adapters(reason));
  return reason;
}

DeviceCaps describe(int index) {
  wgpu::Device& device = wgpu::Device::find(index, "describe_device");
  const wgpu::Adapter& adapter = device.adapter();
  DeviceCaps caps;
  caps.available = caps.queried = true;
  caps.lane_width = device.limits().subgroup_min;
  caps.max_workgroup = device.limits().max_workgroup;
  caps.subgroup = device.limits().subgroups;
  caps.shared_bytes = device.limits().shared_bytes;
  caps.binding_bytes = static_cast<std::int64_t>(device.limits().binding_bytes);
  caps.name = adapter.name;
  caps.driver = text(wgpu::backend_text(adapter.backend), ", ", adapter.description,
                     "; wgpu-native ", wgpu::native_version());
  caps.arch = wgpu::adapter_text(adapter.type);
  return caps;
}

bool is_metal(int index) {
  std::string ignored;
  return wgpu::adapters(ignored)[static_cast<std::size_t>(index)].backend == WGPUBackendType_Metal;
}

wgpu::Block& block(void* native) { return *static_cast<wgpu::Block*>(native); }
wgpu::Block& block(const void* native) {
  return *static_cast<wgpu::Block*>(const_cast<void*>(native));
}

constexpr Driver kDriver{
    .device_count = device_count,
    .unavailable_reason = unavailable_reason,
    .describe = describe,
    .allocate = [](int index, std::size_t bytes) -> void* {
      return wgpu::Device::get(index, "allocate").allocate(bytes);
    },
    .release =
        [](int index, void* native, std::size_t) noexcept {
          wgpu::Device::opened(index).release(static_cast<wgpu::Block*>(native));
        },
    .upload =
        [](int index, void* native, std::size_t offset, const void* from, std::size_t bytes) {
          wgpu::Device::get(index, "upload").upload(block(native), offset, from, bytes);
        },
    .download =
        [](int index, const void* native, std::size_t offset, void* to, std::size_t bytes) {
          wgpu::Device::get(index, "download").download(block(native), offset, to, bytes);
        },
    .copy =
        [](int index, const void* from, std::size_t from_offset, void* to, std::size_t to_offset,
           std::size_t bytes) {
          wgpu::copy_block(wgpu::Device::get(index, "copy"), block(from), from_offset, block(to),
                           to_offset, bytes);
        },
    .synchronize = [](int index) { wgpu::Device::get(index, "synchronize").synchronize(); },
    .is_metal = is_metal,
};

}  // namespace

BackendInfo wgpu_backend() {
  static const KernelTable table = make_table();
  return {DeviceType::wgpu, "wgpu", &table, &kDriver};
}

}  // namespace spiraltorch
