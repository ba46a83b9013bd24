#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include "spiraltorch/embed/hierarchy.hpp"
#include "spiraltorch/runtime/buffer.hpp"

// What training and evaluation share: the links of nodes as kernels read them.
namespace spiraltorch {

/// A copy of host values on a device.
template <class T>
[[nodiscard]] std::shared_ptr<Buffer> to_buffer(DeviceId device, const std::vector<T>& values) {
  const std::size_t bytes = std::max<std::size_t>(1, values.size()) * sizeof(T);
  auto buffer = Buffer::allocate(device, bytes);
  if (!values.empty()) upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

/// Ancestors of each node in compressed rows, sorted within a node.
struct Links {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> linked;

  /// Edges of a hierarchy whose node i is our node ids[i].
  Links(const Hierarchy& closure, const std::vector<std::int64_t>& ids, std::int64_t nodes)
      : offsets(static_cast<std::size_t>(nodes) + 1, 0), linked(closure.edges().size()) {
    const auto id = [&](std::int32_t i) {
      return static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    };
    for (const Edge& e : closure.edges()) ++offsets[id(e.child) + 1];
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
    for (const Edge& e : closure.edges()) {
      linked[static_cast<std::size_t>(next[id(e.child)]++)] =
          static_cast<std::int32_t>(id(e.parent));
    }
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      std::sort(linked.begin() + offsets[i], linked.begin() + offsets[i + 1]);
    }
  }
};

}  // namespace spiraltorch
