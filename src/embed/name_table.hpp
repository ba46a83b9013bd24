#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spiraltorch {

/// Distinct names numbered by first appearance. Open addressing with linear probing: beside the
/// string itself a name costs 11 to 21 bytes, where a node-based map would cost another string and
/// its links.
class NameTable {
 public:
  /// Makes room for `count` names in one step.
  void reserve(std::size_t count);
  /// Id of a name, or -1.
  [[nodiscard]] std::int32_t find(std::string_view name) const noexcept;
  /// Id of a name that `find` did not find.
  std::int32_t add(std::string_view name);
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(names_); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t id = -1;
  };
  // The slot of a name, or the free one where it would go. There is always a free one.
  [[nodiscard]] std::size_t probe(std::string_view name, std::uint32_t hash) const noexcept;
  void grow(std::size_t slots);

  std::vector<std::string> names_;
  std::vector<Slot> slots_;  // none, or a power of two
};

}  // namespace spiraltorch
