#include "embed/ancestors.hpp"

#include <algorithm>
#include <utility>

#include "embed/line_reader.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

using Ids = std::vector<std::int32_t>;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// A stable counting sort of the edges by one end.
NodeRows rows_by(const Hierarchy& h, std::int32_t Edge::*key, std::int32_t Edge::*value) {
  NodeRows out;
  out.offsets.assign(h.nodes().size() + 2, 0);
  out.ids.resize(h.edges().size());
  for (const Edge& e : h.edges()) ++out.offsets[at(e.*key) + 2];
  for (std::size_t i = 2; i < out.offsets.size(); ++i) out.offsets[i] += out.offsets[i - 1];
  for (const Edge& e : h.edges()) {
    out.ids[static_cast<std::size_t>(out.offsets[at(e.*key) + 1]++)] = e.*value;
  }
  out.offsets.pop_back();
  return out;
}

// One cycle among nodes that a topological sweep could not place: each has a parent among them.
[[noreturn]] void fail_cycle(std::string_view op, const Hierarchy& h, const NodeRows& parents,
                             const Ids& waiting) {
  constexpr std::size_t kMostNamed = 20;
  std::int32_t node = 0;
  while (waiting[at(node)] == 0) ++node;
  Ids visited(h.nodes().size(), -1);
  Ids path;
  while (visited[at(node)] < 0) {
    visited[at(node)] = static_cast<std::int32_t>(path.size());
    path.push_back(node);
    const auto row = parents.row(node);
    node =
        *std::find_if(row.begin(), row.end(), [&](std::int32_t p) { return waiting[at(p)] > 0; });
  }
  const std::size_t first = at(visited[at(node)]);
  const std::size_t named = std::min(path.size() - first, kMostNamed);
  std::string names;
  for (std::size_t i = first; i < first + named; ++i) {
    names += text("'", shown(h.nodes()[at(path[i])]), "' -> ");
  }
  if (named < path.size() - first) names += text("(", path.size() - first - named, " more) -> ");
  fail(Errc::invalid_value, op,
       text("edges: got the cycle ", names, "'", shown(h.nodes()[at(node)]),
            "', expected none (collapse merges cycles)"));
}

[[noreturn]] void fail_pairs(std::string_view op, const std::string& got, std::int64_t most) {
  fail(Errc::out_of_memory, op,
       text("closure: got ", got, ", expected at most ", most, " pairs of a node and an ancestor"));
}

// Where no node has two parents, counts are known beforehand and a row is the parent's plus the
// parent.
AncestorLists forest_ancestors(std::string_view op, const NodeRows& parents, const Ids& order,
                               std::int64_t most) {
  AncestorLists out;
  out.offsets.assign(parents.offsets.size(), 0);
  std::int64_t total = 0;
  for (const std::int32_t node : order) {
    if (parents.size(node) == 0) continue;
    const std::int64_t depth = out.offsets[at(parents.row(node)[0]) + 1] + 1;
    out.offsets[at(node) + 1] = depth;
    total += depth;
  }
  if (total > most) fail_pairs(op, text(total), most);
  for (std::size_t i = 1; i < out.offsets.size(); ++i) out.offsets[i] += out.offsets[i - 1];
  out.ids.resize(static_cast<std::size_t>(total));
  for (const std::int32_t node : order) {
    if (parents.size(node) == 0) continue;
    const std::int32_t parent = parents.row(node)[0];
    const auto above = out.row(parent);
    const auto split = std::lower_bound(above.begin(), above.end(), parent);
    auto to = std::copy(above.begin(), split, out.ids.begin() + out.begin(node));
    *to++ = parent;
    std::copy(split, above.end(), to);
  }
  return out;
}

// Rows of a graph whose nodes may have many parents, written one after the other in topological
// order. A parent that is an ancestor of a nearer one adds nothing, so nearest come first.
class Union {
 public:
  Union(const NodeRows& parents, const Ids& order)
      : parents_(parents), rank_(order.size()), rows_(order.size()), mark_(order.size(), -1) {
    for (std::size_t i = 0; i < order.size(); ++i)
      rank_[at(order[i])] = static_cast<std::int32_t>(i);
  }

  void add(std::int32_t node) {
    const auto parents = parents_.row(node);
    nearest_.assign(parents.begin(), parents.end());
    std::sort(nearest_.begin(), nearest_.end(),
              [&](std::int32_t a, std::int32_t b) { return rank_[at(a)] > rank_[at(b)]; });
    const std::size_t begin = ids_.size();
    for (const std::int32_t parent : nearest_) {
      if (mark_[at(parent)] == node) continue;
      take(parent, node);
      const auto [first, count] = rows_[at(parent)];
      for (std::int64_t i = first; i < first + count; ++i) {
        take(ids_[static_cast<std::size_t>(i)], node);
      }
    }
    std::sort(ids_.begin() + static_cast<std::int64_t>(begin), ids_.end());
    rows_[at(node)] = {static_cast<std::int64_t>(begin),
                       std::ssize(ids_) - static_cast<std::int64_t>(begin)};
  }

  [[nodiscard]] std::int64_t pairs() const noexcept { return std::ssize(ids_); }

  // The same rows in the order of nodes.
  [[nodiscard]] AncestorLists lists() const {
    AncestorLists out;
    out.offsets.reserve(rows_.size() + 1);
    out.offsets.push_back(0);
    out.ids.reserve(ids_.size());
    for (const auto& [first, count] : rows_) {
      out.ids.insert(out.ids.end(), ids_.begin() + first, ids_.begin() + first + count);
      out.offsets.push_back(std::ssize(out.ids));
    }
    return out;
  }

 private:
  void take(std::int32_t ancestor, std::int32_t node) {
    if (std::exchange(mark_[at(ancestor)], node) != node) ids_.push_back(ancestor);
  }

  const NodeRows& parents_;
  Ids rank_;
  std::vector<std::pair<std::int64_t, std::int64_t>> rows_;  // begin and size
  Ids mark_;                                                 // last node that took this one
  Ids nearest_;
  Ids ids_;
};

}  // namespace

NodeRows rows_of_parents(const Hierarchy& hierarchy) {
  return rows_by(hierarchy, &Edge::child, &Edge::parent);
}

NodeRows rows_of_children(const Hierarchy& hierarchy) {
  return rows_by(hierarchy, &Edge::parent, &Edge::child);
}

std::vector<std::int32_t> topological_order(std::string_view op, const Hierarchy& hierarchy,
                                            const NodeRows& parents) {
  const NodeRows children = rows_of_children(hierarchy);
  const auto nodes = static_cast<std::int32_t>(hierarchy.len());
  Ids waiting(at(nodes));  // parents that are not placed yet
  Ids order;
  order.reserve(at(nodes));
  for (std::int32_t i = 0; i < nodes; ++i) {
    waiting[at(i)] = static_cast<std::int32_t>(parents.size(i));
    if (waiting[at(i)] == 0) order.push_back(i);
  }
  for (std::size_t k = 0; k < order.size(); ++k) {
    for (const std::int32_t child : children.row(order[k])) {
      if (--waiting[at(child)] == 0) order.push_back(child);
    }
  }
  if (order.size() != at(nodes)) fail_cycle(op, hierarchy, parents, waiting);
  return order;
}

AncestorLists ancestors_of(std::string_view op, const Hierarchy& hierarchy, std::int64_t most) {
  const NodeRows parents = rows_of_parents(hierarchy);
  const Ids order = topological_order(op, hierarchy, parents);
  const bool forest = std::all_of(order.begin(), order.end(),
                                  [&](std::int32_t node) { return parents.size(node) <= 1; });
  if (forest) return forest_ancestors(op, parents, order, most);
  Union rows(parents, order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows.add(order[i]);
    if (rows.pairs() <= most) continue;
    fail_pairs(op, text(rows.pairs(), " for the first ", i + 1, " of ", order.size(), " nodes"),
               most);
  }
  return rows.lists();
}

}  // namespace spiraltorch
