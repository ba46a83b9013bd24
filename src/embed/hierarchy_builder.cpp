#include "embed/hierarchy_builder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "embed/line_reader.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/unicode.hpp"

namespace spiraltorch {
namespace {

constexpr std::size_t kFewestSlots = 16;

std::size_t hash_of(std::int32_t child, std::int32_t parent) noexcept {
  const auto key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(child)) << 32 |
                   static_cast<std::uint32_t>(parent);
  const std::uint64_t mixed = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15U;
  return static_cast<std::size_t>((mixed ^ (key * 0xD6E8FEB86659FD93U)) >> 20);
}

}  // namespace

std::size_t EdgeTable::probe(const std::vector<Edge>& edges, std::int32_t child,
                             std::int32_t parent) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash_of(child, parent) & mask;
  while (slots_[i] != 0) {
    const Edge& e = edges[slots_[i] - 1];
    if (e.child == child && e.parent == parent) break;
    i = (i + 1) & mask;
  }
  return i;
}

std::int64_t EdgeTable::find(const std::vector<Edge>& edges, std::int32_t child,
                             std::int32_t parent) const noexcept {
  return slots_.empty() ? -1 : std::int64_t{slots_[probe(edges, child, parent)]} - 1;
}

void EdgeTable::add_last(const std::vector<Edge>& edges) {
  const auto place = [&](std::size_t i) {
    slots_[probe(edges, edges[i].child, edges[i].parent)] = static_cast<std::uint32_t>(i + 1);
  };
  if (edges.size() > slots_.size() / 4 * 3) {
    slots_.assign(std::max(kFewestSlots, 2 * slots_.size()), 0);
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) place(i);
  }
  place(edges.size() - 1);
}

void HierarchyBuilder::reserve(std::size_t nodes, std::size_t edges) {
  names_->reserve(nodes);
  out_.edges_.reserve(edges);
}

std::int32_t HierarchyBuilder::node(std::string_view name) {
  const std::int32_t known = names_->find(name);
  if (known >= 0) return known;
  if (const auto bad = find_invalid_utf8(name)) {
    fail(Errc::invalid_value, op_,
         text("name of node ", names_->size(), ": got invalid UTF-8 at byte ", *bad,
              ", expected UTF-8 text"));
  }
  if (names_->size() == std::numeric_limits<std::int32_t>::max()) {
    fail(Errc::invalid_value, op_,
         text("nodes: got more than ", names_->size(), ", expected fewer"));
  }
  return names_->add(name);
}

void HierarchyBuilder::edge(std::string_view child, std::string_view parent, double weight,
                            std::string_view where, std::int64_t number) {
  if (child.empty() || parent.empty()) {
    fail(Errc::invalid_value, op_,
         text(where, " ", number, ": got an empty name, expected child and parent"));
  }
  if (!std::isfinite(weight)) {
    fail(Errc::non_finite, op_,
         text(where, " ", number, ": got weight ", weight, ", expected a finite one"));
  }
  if (!(weight > 0)) {
    fail(Errc::invalid_value, op_,
         text(where, " ", number, ": got weight ", weight, ", expected > 0"));
  }
  const std::int32_t c = node(child);
  edge(c, node(parent), weight);
}

void HierarchyBuilder::edge(std::int32_t child, std::int32_t parent, double weight) {
  if (child == parent) {
    ++out_.report_.self_edges;
    return;
  }
  const std::int64_t found = seen_.find(out_.edges_, child, parent);
  if (found >= 0) {
    ++out_.report_.duplicate_edges;
    double& sum = out_.edges_[static_cast<std::size_t>(found)].weight;
    sum += weight;
    if (std::isfinite(sum)) return;
    fail(Errc::non_finite, op_,
         text("weight of the edge '", shown(names_->names()[static_cast<std::size_t>(child)]),
              "' -> '", shown(names_->names()[static_cast<std::size_t>(parent)]),
              "': got a sum beyond double, expected a finite one"));
  }
  distinct_edge(child, parent, weight);
  seen_.add_last(out_.edges_);
}

void HierarchyBuilder::distinct_edge(std::int32_t child, std::int32_t parent, double weight) {
  if (child == parent) {
    ++out_.report_.self_edges;
    return;
  }
  if (out_.edges_.size() == std::numeric_limits<std::uint32_t>::max()) {
    fail(Errc::invalid_value, op_,
         text("edges: got more than ", out_.edges_.size(), ", expected fewer"));
  }
  out_.edges_.push_back({child, parent, weight});
}

Hierarchy HierarchyBuilder::finish() {
  require(!out_.edges_.empty(), Errc::empty_input, op_,
          "edges: got none, expected at least one between two nodes");
  out_.names_ = std::move(names_);
  out_.report_.nodes = out_.len();
  out_.report_.edges = std::ssize(out_.edges_);
  return std::move(out_);
}

}  // namespace spiraltorch
