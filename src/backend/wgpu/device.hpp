#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/wgpu/adapters.hpp"
#include "backend/wgpu/memory.hpp"
#include "backend/wgpu/stream.hpp"

namespace spiraltorch::wgpu {

/// What kernels may count on.
struct Limits {
  std::uint32_t max_workgroup = 256;        ///< threads
  std::uint32_t shared_bytes = 16384;       ///< workgroup memory
  bool subgroups = false;                   ///< subgroup operations exist
  std::uint32_t subgroup_min = 1;           ///< threads of the smallest subgroup, 1 without them
  std::uint64_t binding_bytes = 134217728;  ///< of one storage binding
  std::uint64_t buffer_bytes = 268435456;   ///< of one buffer
  std::uint32_t max_groups = 65535;         ///< workgroups in x, in y and in z
};

/// WGSL text: library parts first. Its address is the key of the pipeline cache, so it is static.
struct Shader {
  std::string_view name;
  std::vector<std::string_view> parts;
};

/// A constant in front of a shader's text: `const NAME: u32 = 5u;`. Part of the pipeline's key.
struct Constant {
  std::string_view name;
  std::int64_t value;
};

inline constexpr std::size_t kMaxBindings = 8;
inline constexpr std::size_t kMaxConstants = 8;
inline constexpr std::size_t kParamBytes = 240;

/// One adapter's device, its memory, its stream and its pipelines. Opened at the first use and kept
/// until the process ends. Calls of several threads are serialised by its mutex.
class Device {
 public:
  /// Throws `device` where there is none, after a fork, once it is lost, or what was reported to
  /// it.
  static Device& get(int index, std::string_view op);
  /// The same, but leaves what was reported to a call that computes.
  static Device& find(int index, std::string_view op);
  /// One that `get` has opened, whatever became of it.
  static Device& opened(int index) noexcept;

  [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
  [[nodiscard]] int index() const noexcept { return index_; }
  [[nodiscard]] const Adapter& adapter() const noexcept { return adapter_; }
  [[nodiscard]] std::recursive_mutex& mutex() noexcept { return mutex_; }

  [[nodiscard]] Block* allocate(std::uint64_t bytes);
  void release(Block* block) noexcept;
  void upload(Block& to, std::uint64_t offset, const void* from, std::uint64_t bytes);
  void download(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes);
  void synchronize();

  /// Records one dispatch.
  void dispatch(const Shader& shader, std::span<const Constant> constants,
                std::span<const Binding> bindings, std::span<const std::byte> params,
                std::uint64_t workgroups);
  /// Forgets what it measured or was told: subgroup operations off, for tests of the plain variant.
  void set_subgroups(bool on) noexcept;

 private:
  Device(int index, const Adapter& adapter);
  void open();
  void prepare();
  void measure_subgroup();
  /// Out of memory: waits, and gives back what lies unused.
  void make_room();
  WGPUComputePipeline pipeline(const Shader& shader, std::span<const Constant> constants,
                               std::size_t bindings);
  WGPUComputePipeline compile(const Shader& shader, std::span<const Constant> constants,
                              std::size_t bindings);

  int index_;
  const Adapter& adapter_;
  Limits limits_;
  bool has_subgroups_ = false;
  bool prepared_ = false;
  std::recursive_mutex mutex_;
  pid_t process_;
  Health health_;
  WGPUDevice handle_ = nullptr;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Stream> stream_;
  struct Key {
    const Shader* shader;
    std::array<std::int64_t, kMaxConstants> values;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  std::unordered_map<Key, WGPUComputePipeline, KeyHash> pipelines_;
};

/// Whether shaders are compiled with bounds checks (SPIRALTORCH_WGPU_CHECKED=1).
[[nodiscard]] bool checked_shaders();

}  // namespace spiraltorch::wgpu
