#include <algorithm>
#include <numeric>

#include "embed/schedule.hpp"

// The spanning forest of a hierarchy.
namespace spiraltorch {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

NodeRows sorted_parents(const Hierarchy& hierarchy) {
  NodeRows rows = rows_of_parents(hierarchy);
  for (std::int32_t node = 0; node < hierarchy.len(); ++node) {
    const auto first = rows.ids.begin() + rows.begin(node);
    std::sort(first, first + rows.size(node));
  }
  return rows;
}

}  // namespace

Forest::Forest(const NodeRows& links, const std::vector<std::int32_t>& order)
    : parent(order.size(), -1) {
  std::vector<std::int64_t> first(order.size() + 1, 0);  // of each node's children
  for (const std::int32_t node : order) {
    std::int32_t& best = parent[at(node)];
    for (const std::int32_t a : links.row(node)) {
      if (best < 0 || links.size(a) > links.size(best)) best = a;
    }
    if (best >= 0) ++first[at(best) + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<std::int64_t> next(first.begin(), first.end() - 1);
  std::vector<std::int32_t> children(at(first.back()));
  std::vector<std::int32_t> pending;
  std::vector<std::int32_t> below(order.size(), 1);
  for (auto node = order.rbegin(); node != order.rend();
       ++node) {  // from the end: first child last
    const std::int32_t p = parent[at(*node)];
    if (p < 0) {
      pending.push_back(*node);
      continue;
    }
    children[at(next[at(p)]++)] = *node;
    below[at(p)] += below[at(*node)];
  }
  while (!pending.empty()) {
    const std::int32_t node = pending.back();
    pending.pop_back();
    preorder.push_back(node);
    sizes.push_back(below[at(node)]);
    pending.insert(pending.end(), children.begin() + first[at(node)],
                   children.begin() + first[at(node) + 1]);
  }
}

TrainingLinks::TrainingLinks(std::string_view op, const Hierarchy& hierarchy, bool closure)
    : links(closure ? ancestors_of(op, hierarchy) : sorted_parents(hierarchy)),
      forest(links, topological_order(op, hierarchy, rows_of_parents(hierarchy))) {}

}  // namespace spiraltorch
