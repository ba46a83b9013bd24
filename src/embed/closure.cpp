#include <algorithm>
#include <limits>

#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {
namespace {

using Ids = std::vector<std::int32_t>;
using Lists = std::vector<Ids>;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

Lists parents_of(const Hierarchy& h) {
  Lists out(h.nodes().size());
  for (const Edge& e : h.edges()) out[at(e.child)].push_back(e.parent);
  return out;
}

// One cycle among nodes that a topological sweep could not place: each has a parent among them.
[[noreturn]] void fail_cycle(std::string_view op, const Hierarchy& h, const Lists& parents,
                             const std::vector<std::int64_t>& waiting) {
  std::int32_t node = 0;
  while (waiting[at(node)] == 0) ++node;
  std::vector<std::int64_t> visited(h.nodes().size(), -1);
  Ids path;
  while (visited[at(node)] < 0) {
    visited[at(node)] = std::ssize(path);
    path.push_back(node);
    node = *std::find_if(parents[at(node)].begin(), parents[at(node)].end(),
                         [&](std::int32_t p) { return waiting[at(p)] > 0; });
  }
  std::string names;
  for (auto i = static_cast<std::size_t>(visited[at(node)]); i < path.size(); ++i) {
    names += "'" + h.nodes()[at(path[i])] + "' -> ";
  }
  fail(Errc::invalid_value, op,
       text("edges: got the cycle ", names, "'", h.nodes()[at(node)],
            "', expected none (collapse merges cycles)"));
}

// Parents before children (Kahn); throws on a cycle.
Ids topological_order(std::string_view op, const Hierarchy& h, const Lists& parents) {
  Lists children(h.nodes().size());
  std::vector<std::int64_t> waiting(h.nodes().size(), 0);
  for (const Edge& e : h.edges()) {
    children[at(e.parent)].push_back(e.child);
    ++waiting[at(e.child)];
  }
  Ids order;
  for (std::int32_t i = 0; std::cmp_less(i, waiting.size()); ++i) {
    if (waiting[at(i)] == 0) order.push_back(i);
  }
  for (std::size_t k = 0; k < order.size(); ++k) {
    for (const std::int32_t child : children[at(order[k])]) {
      if (--waiting[at(child)] == 0) order.push_back(child);
    }
  }
  if (order.size() != h.nodes().size()) fail_cycle(op, h, parents, waiting);
  return order;
}

// Strongly connected components (Tarjan 1972) without recursion: the lowest id of each node's.
class Components {
 public:
  explicit Components(const Lists& parents)
      : parents_(parents),
        index_(parents.size(), -1),
        low_(parents.size(), 0),
        on_stack_(parents.size(), false),
        leader_(parents.size(), 0) {
    for (std::int32_t i = 0; std::cmp_less(i, parents.size()); ++i) {
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
    const auto first = std::find(stack_.begin(), stack_.end(), node);
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
      if (next < parents_[at(node)].size()) {
        const std::int32_t parent = parents_[at(node)][next++];
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

  const Lists& parents_;
  Ids index_, low_;
  std::vector<bool> on_stack_;
  Ids leader_, stack_;
  std::vector<std::pair<std::int32_t, std::size_t>> calls_;
  std::int32_t next_ = 0;
};

Hierarchy collapse(const Hierarchy& h) {
  const Components components(parents_of(h));
  HierarchyBuilder builder("closure");
  for (const Edge& e : h.edges()) {
    const std::int32_t child = components.leaders()[at(e.child)];
    const std::int32_t parent = components.leaders()[at(e.parent)];
    const std::int32_t c = builder.node(h.nodes()[at(child)]);
    builder.edge(c, builder.node(h.nodes()[at(parent)]), e.weight);
  }
  return builder.finish();
}

}  // namespace

Hierarchy Hierarchy::closure(CyclePolicy cycles) const {
  if (cycles == CyclePolicy::collapse) return collapse(*this).closure();
  const Lists parents = parents_of(*this);
  Lists ancestors(names_.size());
  for (const std::int32_t node : topological_order("closure", *this, parents)) {
    Ids& mine = ancestors[at(node)];
    for (const std::int32_t parent : parents[at(node)]) {
      mine.push_back(parent);
      mine.insert(mine.end(), ancestors[at(parent)].begin(), ancestors[at(parent)].end());
    }
    std::sort(mine.begin(), mine.end());
    mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
  }
  Hierarchy out;
  out.names_ = names_;
  out.ids_ = ids_;
  for (std::int32_t node = 0; std::cmp_less(node, names_.size()); ++node) {
    for (const std::int32_t ancestor : ancestors[at(node)]) {
      out.edges_.push_back({node, ancestor, 1.0});
    }
  }
  out.report_.nodes = out.len();
  out.report_.edges = std::ssize(out.edges_);
  return out;
}

std::vector<std::int64_t> Hierarchy::depths() const {
  const Lists parents = parents_of(*this);
  std::vector<std::int64_t> out(names_.size(), 0);
  for (const std::int32_t node : topological_order("depths", *this, parents)) {
    for (const std::int32_t parent : parents[at(node)]) {
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
