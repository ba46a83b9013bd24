#include "spiraltorch/embed/hierarchy.hpp"

#include <algorithm>
#include <fstream>

#include "embed/ancestors.hpp"
#include "embed/hierarchy_builder.hpp"
#include "embed/line_reader.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {

const std::vector<std::string>& Hierarchy::nodes() const noexcept {
  static const std::vector<std::string> kNone;  // what a moved-from hierarchy has
  return names_ ? names_->names() : kNone;
}

Hierarchy Hierarchy::from_edges(std::span<const NamedEdge> edges) {
  HierarchyBuilder builder("from_edges");
  for (std::size_t i = 0; i < edges.size(); ++i) {
    builder.edge(edges[i].child, edges[i].parent, edges[i].weight, "edge",
                 static_cast<std::int64_t>(i));
  }
  return builder.finish();
}

Hierarchy Hierarchy::read(const std::string& path) {
  const std::string_view name = path;
  const std::string_view plain = name.substr(0, name.size() - (name.ends_with(".gz") ? 3 : 0));
  if (plain.ends_with(".jsonl") || plain.ends_with(".ndjson")) return from_jsonl(path);
  return from_csv(path);
}

Hierarchy Hierarchy::from_edges(std::initializer_list<NamedEdge> edges) {
  return from_edges(std::span<const NamedEdge>(edges.begin(), edges.size()));
}

Hierarchy Hierarchy::from_parents(std::span<const std::int64_t> parents) {
  HierarchyBuilder builder("from_parents");
  const auto count = std::ssize(parents);
  builder.reserve(parents.size(), parents.size());
  for (std::int64_t i = 0; i < count; ++i) builder.node(to_text(static_cast<long long>(i)));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t parent = parents[static_cast<std::size_t>(i)];
    if (parent == -1) continue;
    if (parent < 0 || parent >= count) {
      fail(Errc::out_of_range, "from_parents",
           text("parent of node ", i, ": got ", parent, ", expected -1 to ", count - 1));
    }
    builder.distinct_edge(static_cast<std::int32_t>(i), static_cast<std::int32_t>(parent));
  }
  return builder.finish();
}

std::string Hierarchy::repr() const {
  return text("Hierarchy(nodes=", len(), ", edges=", edges_.size(), ")");
}

std::int32_t Hierarchy::index(std::string_view name) const {
  const std::int32_t found = names_ ? names_->find(name) : -1;
  if (found < 0) {
    fail(Errc::out_of_range, "index",
         text("name: got '", name, "', expected one of the ", len(), " nodes"));
  }
  return found;
}

namespace {

// Names of the nodes that are `end` of no edge.
std::vector<std::string> names_without(const Hierarchy& h, std::int32_t Edge::*end) {
  std::vector<bool> has(h.nodes().size(), false);
  for (const Edge& e : h.edges()) has[static_cast<std::size_t>(e.*end)] = true;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < has.size(); ++i) {
    if (!has[i]) out.push_back(h.nodes()[i]);
  }
  return out;
}

}  // namespace

std::vector<std::string> Hierarchy::roots() const { return names_without(*this, &Edge::child); }

std::vector<std::string> Hierarchy::leaves() const { return names_without(*this, &Edge::parent); }

Hierarchy Hierarchy::subtree(std::string_view root) const {
  const auto at = [](std::int32_t i) { return static_cast<std::size_t>(i); };
  const NodeRows children = rows_of_children(*this);
  std::vector<bool> inside(nodes().size(), false);
  std::vector<std::int32_t> pending{index(root)};
  inside[at(pending[0])] = true;
  while (!pending.empty()) {
    const std::int32_t node = pending.back();
    pending.pop_back();
    for (const std::int32_t child : children.row(node)) {
      if (inside[at(child)]) continue;
      inside[at(child)] = true;
      pending.push_back(child);
    }
  }
  HierarchyBuilder builder("subtree");
  std::vector<std::int32_t> ids(nodes().size(), -1);
  const auto id = [&](std::int32_t i) {
    if (ids[at(i)] < 0) ids[at(i)] = builder.node(nodes()[at(i)]);
    return ids[at(i)];
  };
  for (const Edge& e : edges_) {
    if (!inside[at(e.child)] || !inside[at(e.parent)]) continue;
    const std::int32_t child = id(e.child);
    builder.distinct_edge(child, id(e.parent), e.weight);
  }
  return builder.finish();
}

void Hierarchy::write_tsv(const std::string& path) const {
  const bool weighted =
      std::any_of(edges_.begin(), edges_.end(), [](const Edge& e) { return e.weight != 1.0; });
  constexpr std::string_view kBreaking{"\t\r\n\0", 4};
  for (const std::string& name : nodes()) {
    if (name.find_first_of(kBreaking) == std::string::npos && name[0] != '#') continue;
    fail(Errc::invalid_value, "write_tsv",
         text("name: got '", shown(name),
              "', expected one without tabs, line ends and NULs that does not begin with '#'"));
  }
  std::ofstream out(path, std::ios::binary);
  for (const Edge& e : edges_) {
    out << nodes()[static_cast<std::size_t>(e.child)] << '\t'
        << nodes()[static_cast<std::size_t>(e.parent)];
    if (weighted) out << '\t' << to_text(e.weight);
    out << '\n';
  }
  out.flush();
  if (!out)
    fail(Errc::io, "write_tsv", text("file: got no way to write '", path, "', expected one"));
}

}  // namespace spiraltorch
