#include <algorithm>
#include <utility>

#include "embed/ancestors.hpp"
#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {
namespace {

using Ids = std::vector<std::int32_t>;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Strongly connected components (Tarjan 1972) without recursion: the lowest id of each node's.
class Components {
 public:
  Components(const NodeRows& parents, std::size_t nodes)
      : parents_(parents),
        index_(nodes, -1),
        low_(nodes, 0),
        on_stack_(nodes, false),
        leader_(nodes, 0) {
    for (std::int32_t i = 0; std::cmp_less(i, nodes); ++i) {
      if (index_[at(i)] < 0) visit(i);
    }
  }
  [[nodiscard]] const Ids& leaders() const { return leader_; }

 private:
  void enter(std::int32_t node) {
    index_[at(node)] = low_[at(node)] = next_++;
    stack_.push_back(node);
    on_stack_[at(node)] = true;
    calls_.emplace_back(node, 0);
  }

  void leave(std::int32_t node) {
    if (low_[at(node)] != index_[at(node)]) return;
    const auto above = std::find(stack_.rbegin(), stack_.rend(), node);  // near the top
    const auto first = above.base() - 1;
    const std::int32_t lowest = *std::min_element(first, stack_.end());
    for (auto member = first; member != stack_.end(); ++member) {
      leader_[at(*member)] = lowest;
      on_stack_[at(*member)] = false;
    }
    stack_.erase(first, stack_.end());
  }

  void visit(std::int32_t root) {
    enter(root);
    while (!calls_.empty()) {
      auto& [node, next] = calls_.back();
      const auto row = parents_.row(node);
      if (next < row.size()) {
        const std::int32_t parent = row[next++];
        if (index_[at(parent)] < 0) {
          enter(parent);
        } else if (on_stack_[at(parent)]) {
          low_[at(node)] = std::min(low_[at(node)], index_[at(parent)]);
        }
        continue;
      }
      const std::int32_t done = node;
      calls_.pop_back();
      leave(done);
      if (!calls_.empty()) {
        const std::int32_t caller = calls_.back().first;
        low_[at(caller)] = std::min(low_[at(caller)], low_[at(done)]);
      }
    }
  }

  const NodeRows& parents_;
  Ids index_, low_;
  std::vector<bool> on_stack_;
  Ids leader_, stack_;
  std::vector<std::pair<std::int32_t, std::size_t>> calls_;
  std::int32_t next_ = 0;
};

Hierarchy collapse(const Hierarchy& h) {
  const NodeRows parents = rows_of_parents(h);
  const Components components(parents, h.nodes().size());
  const Ids& leaders = components.leaders();
  HierarchyBuilder builder("closure");
  Ids ids(leaders.size(), -1);
  for (std::int32_t i = 0; std::cmp_less(i, leaders.size()); ++i) {
    if (leaders[at(i)] == i) ids[at(i)] = builder.node(h.nodes()[at(i)]);
  }
  for (const Edge& e : h.edges()) {
    builder.edge(ids[at(leaders[at(e.child)])], ids[at(leaders[at(e.parent)])], e.weight);
  }
  return builder.finish();
}

}  // namespace

Hierarchy Hierarchy::closure(CyclePolicy cycles) const {
  if (cycles == CyclePolicy::collapse) return collapse(*this).closure();
  const AncestorLists ancestors = ancestors_of("closure", *this);
  Hierarchy out;
  out.names_ = names_;
  out.edges_.reserve(ancestors.ids.size());
  for (std::int32_t node = 0; std::cmp_less(node, len()); ++node) {
    for (const std::int32_t ancestor : ancestors.row(node)) {
      out.edges_.push_back({node, ancestor, 1.0});
    }
  }
  out.report_.nodes = out.len();
  out.report_.edges = std::ssize(out.edges_);
  return out;
}

std::vector<std::int64_t> Hierarchy::depths() const {
  const NodeRows parents = rows_of_parents(*this);
  std::vector<std::int64_t> out(nodes().size(), 0);
  for (const std::int32_t node : topological_order("depths", *this, parents)) {
    for (const std::int32_t parent : parents.row(node)) {
      out[at(node)] = std::max(out[at(node)], out[at(parent)] + 1);
    }
  }
  return out;
}

std::int64_t Hierarchy::depth() const {
  const auto all = depths();
  return *std::max_element(all.begin(), all.end());
}

}  // namespace spiraltorch
