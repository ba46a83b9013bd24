#include <algorithm>
#include <cstring>

#include "fake.hpp"

namespace fake {
namespace {

std::byte* data(const Range& range) { return range.storage->bytes.data() + range.offset; }

std::uint32_t param(const Command& command, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, data(command.ranges[0]) + command.dynamic_offset + index * 4, 4);
  return word;
}

std::uint32_t* words(const Range& range) { return reinterpret_cast<std::uint32_t*>(data(range)); }

// Parameters: first word of the source, of the target, words; a workgroup moves 1024 of them.
void copy(const Command& command) {
  const std::uint64_t from = param(command, 0);
  const std::uint64_t to = param(command, 1);
  const std::uint64_t count = std::min<std::uint64_t>(param(command, 2), command.workgroups * 1024);
  if ((from + count) * 4 > command.ranges[1].size) violation("copy reads beyond its binding");
  if ((to + count) * 4 > command.ranges[2].size) violation("copy writes beyond its binding");
  std::memmove(words(command.ranges[2]) + to, words(command.ranges[1]) + from, count * 4);
}

// Parameters: words, their bits.
void fill(const Command& command) {
  const std::uint64_t count = std::min<std::uint64_t>(param(command, 0), command.workgroups * 1024);
  if (count * 4 > command.ranges[1].size) violation("fill writes beyond its binding");
  std::fill_n(words(command.ranges[1]), count, param(command, 1));
}

void transfer(const Command& command) {
  std::memcpy(data(command.ranges[1]), data(command.ranges[0]), command.ranges[0].size);
}

}  // namespace

bool execute(const Command& command) {
  if (command.label.empty()) {
    transfer(command);
  } else if (command.label == "copy") {
    copy(command);
  } else if (command.label == "fill") {
    fill(command);
  } else if (command.label == "subgroup_size") {
    *words(command.ranges[1]) = command.ranges[1].storage->device->adapter->subgroup;
  } else {
    return false;
  }
  return true;
}

}  // namespace fake
