#include "spiraltorch/embed/hierarchy.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/unicode.hpp"

namespace spiraltorch {

std::int32_t HierarchyBuilder::node(std::string_view name) {
  const auto [found, fresh] = out_.ids_.try_emplace(std::string(name), std::ssize(out_.names_));
  if (fresh) {
    if (const auto bad = find_invalid_utf8(name)) {
      fail(Errc::invalid_value, op_,
           text("name of node ", out_.len(), ": got invalid UTF-8 at byte ", *bad,
                ", expected UTF-8 text"));
    }
    if (out_.len() == std::numeric_limits<std::int32_t>::max()) {
      fail(Errc::invalid_value, op_, text("nodes: got more than ", out_.len(), ", expected fewer"));
    }
    out_.names_.emplace_back(name);
  }
  return found->second;
}

void HierarchyBuilder::edge(std::string_view child, std::string_view parent, double weight,
                            const std::string& where) {
  if (child.empty() || parent.empty()) {
    fail(Errc::invalid_value, op_, text(where, ": got an empty name, expected child and parent"));
  }
  if (!std::isfinite(weight)) {
    fail(Errc::non_finite, op_, text(where, ": got weight ", weight, ", expected a finite one"));
  }
  if (!(weight > 0)) {
    fail(Errc::invalid_value, op_, text(where, ": got weight ", weight, ", expected > 0"));
  }
  const std::int32_t c = node(child);
  edge(c, node(parent), weight);
}

void HierarchyBuilder::edge(std::int32_t child, std::int32_t parent, double weight) {
  if (child == parent) {
    ++out_.report_.self_edges;
    return;
  }
  const auto key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(child)) << 32 |
                   static_cast<std::uint32_t>(parent);
  const auto [found, fresh] = seen_.try_emplace(key, out_.edges_.size());
  if (fresh) {
    out_.edges_.push_back({child, parent, weight});
  } else {
    ++out_.report_.duplicate_edges;
    out_.edges_[found->second].weight += weight;
  }
}

Hierarchy HierarchyBuilder::finish() {
  require(!out_.edges_.empty(), Errc::empty_input, op_,
          "edges: got none, expected at least one between two nodes");
  out_.report_.nodes = out_.len();
  out_.report_.edges = std::ssize(out_.edges_);
  return std::move(out_);
}

Hierarchy Hierarchy::from_edges(std::span<const NamedEdge> edges) {
  HierarchyBuilder builder("from_edges");
  for (std::size_t i = 0; i < edges.size(); ++i) {
    builder.edge(edges[i].child, edges[i].parent, edges[i].weight, text("edge ", i));
  }
  return builder.finish();
}

Hierarchy Hierarchy::from_edges(std::initializer_list<NamedEdge> edges) {
  return from_edges(std::span<const NamedEdge>(edges.begin(), edges.size()));
}

Hierarchy Hierarchy::from_parents(std::span<const std::int64_t> parents) {
  HierarchyBuilder builder("from_parents");
  const auto count = std::ssize(parents);
  for (std::int64_t i = 0; i < count; ++i) builder.node(to_text(static_cast<long long>(i)));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t parent = parents[static_cast<std::size_t>(i)];
    if (parent == -1) continue;
    if (parent < 0 || parent >= count) {
      fail(Errc::out_of_range, "from_parents",
           text("parent of node ", i, ": got ", parent, ", expected -1 to ", count - 1));
    }
    builder.edge(static_cast<std::int32_t>(i), static_cast<std::int32_t>(parent));
  }
  return builder.finish();
}

std::string Hierarchy::repr() const {
  return text("Hierarchy(nodes=", len(), ", edges=", edges_.size(), ")");
}

std::int32_t Hierarchy::index(std::string_view name) const {
  const auto found = ids_.find(std::string(name));
  if (found == ids_.end()) {
    fail(Errc::out_of_range, "index",
         text("name: got '", name, "', expected one of the ", len(), " nodes"));
  }
  return found->second;
}

std::vector<std::string> Hierarchy::roots() const {
  std::vector<bool> has(names_.size(), false);
  for (const Edge& e : edges_) has[static_cast<std::size_t>(e.child)] = true;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!has[i]) out.push_back(names_[i]);
  }
  return out;
}

std::vector<std::string> Hierarchy::leaves() const {
  std::vector<bool> has(names_.size(), false);
  for (const Edge& e : edges_) has[static_cast<std::size_t>(e.parent)] = true;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!has[i]) out.push_back(names_[i]);
  }
  return out;
}

Hierarchy Hierarchy::subtree(std::string_view root) const {
  std::vector<std::vector<std::int32_t>> children(names_.size());
  for (const Edge& e : edges_) children[static_cast<std::size_t>(e.parent)].push_back(e.child);
  std::vector<bool> inside(names_.size(), false);
  std::vector<std::int32_t> pending{index(root)};
  inside[static_cast<std::size_t>(pending[0])] = true;
  while (!pending.empty()) {
    const std::int32_t node = pending.back();
    pending.pop_back();
    for (const std::int32_t child : children[static_cast<std::size_t>(node)]) {
      if (inside[static_cast<std::size_t>(child)]) continue;
      inside[static_cast<std::size_t>(child)] = true;
      pending.push_back(child);
    }
  }
  HierarchyBuilder builder("subtree");
  for (const Edge& e : edges_) {
    const auto child = static_cast<std::size_t>(e.child);
    const auto parent = static_cast<std::size_t>(e.parent);
    if (!inside[child] || !inside[parent]) continue;
    const std::int32_t c = builder.node(names_[child]);
    builder.edge(c, builder.node(names_[parent]), e.weight);
  }
  return builder.finish();
}

void Hierarchy::write_tsv(const std::string& path) const {
  const bool weighted =
      std::any_of(edges_.begin(), edges_.end(), [](const Edge& e) { return e.weight != 1.0; });
  for (const std::string& name : names_) {
    if (name.find_first_of("\t\r\n") == std::string::npos) continue;
    fail(Errc::invalid_value, "write_tsv",
         text("name: got '", name, "', expected one without tabs and line ends"));
  }
  std::ofstream out(path, std::ios::binary);
  for (const Edge& e : edges_) {
    out << names_[static_cast<std::size_t>(e.child)] << '\t'
        << names_[static_cast<std::size_t>(e.parent)];
    if (weighted) out << '\t' << to_text(e.weight);
    out << '\n';
  }
  out.flush();
  if (!out)
    fail(Errc::io, "write_tsv", text("file: got no way to write '", path, "', expected one"));
}

}  // namespace spiraltorch
