#include "embed/name_table.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace spiraltorch {
namespace {

constexpr std::size_t kFewestSlots = 16;

// High bits of a product: fine for linear probing whatever std::hash leaves in the low ones.
std::uint32_t hash_of(std::string_view name) noexcept {
  const std::uint64_t h = std::hash<std::string_view>{}(name);
  return static_cast<std::uint32_t>((h * 0x9E3779B97F4A7C15U) >> 32);
}

}  // namespace

void NameTable::reserve(std::size_t count) {
  names_.reserve(count);
  const std::size_t slots = std::bit_ceil(std::max(kFewestSlots, count + count / 3 + 1));
  if (slots > slots_.size()) grow(slots);
}

std::size_t NameTable::probe(std::string_view name, std::uint32_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].id >= 0 &&
         (slots_[i].hash != hash || names_[static_cast<std::size_t>(slots_[i].id)] != name)) {
    i = (i + 1) & mask;
  }
  return i;
}

std::int32_t NameTable::find(std::string_view name) const noexcept {
  return slots_.empty() ? -1 : slots_[probe(name, hash_of(name))].id;
}

std::int32_t NameTable::add(std::string_view name) {
  if (names_.size() + 1 > slots_.size() / 4 * 3) grow(std::max(kFewestSlots, 2 * slots_.size()));
  const std::uint32_t hash = hash_of(name);
  const auto id = static_cast<std::int32_t>(names_.size());
  names_.emplace_back(name);
  slots_[probe(name, hash)] = {hash, id};
  return id;
}

void NameTable::grow(std::size_t slots) {
  std::vector<Slot> bigger(slots);
  const std::size_t mask = slots - 1;
  for (const Slot& slot : slots_) {
    if (slot.id < 0) continue;
    std::size_t i = slot.hash & mask;
    while (bigger[i].id >= 0) i = (i + 1) & mask;
    bigger[i] = slot;
  }
  slots_ = std::move(bigger);
}

}  // namespace spiraltorch
