#include <algorithm>
#include <cmath>
#include <numeric>

#include "embed/schedule.hpp"
#include "spiraltorch/base/philox.hpp"

// The spanning forest of a hierarchy, and starting points laid out along it.
namespace spiraltorch {
namespace {

constexpr double kTurn = 0.7;  // of a root's grandchildren's directions, and so on down

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Random turns of the layout: a stream of its own, far from the negatives' blocks.
void next_direction(std::uint64_t seed, std::int32_t node, std::span<double> v) {
  for (std::size_t j = 0; j < v.size(); j += 2) {
    const auto words = philox_block(seed, (std::uint64_t{1} << 63) + j / 2,
                                    static_cast<std::uint32_t>(node), PhiloxDomain::embedding);
    const auto pair = normals_from_words(words[0], words[1]);
    v[j] = pair[0];
    if (j + 1 < v.size()) v[j + 1] = pair[1];
  }
}

void normalise(std::span<double> v) {
  const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
  for (double& x : v) x = norm > 0 ? x / norm : 0.0;
}

NodeRows sorted_parents(const Hierarchy& hierarchy) {
  NodeRows rows = rows_of_parents(hierarchy);
  for (std::int32_t node = 0; node < hierarchy.len(); ++node) {
    const auto first = rows.ids.begin() + rows.begin(node);
    std::sort(first, first + rows.size(node));
  }
  return rows;
}

// Radius grows from 0 for a subtree of all nodes to `radius` for a leaf; a child's direction is its
// parent's plus a random turn that narrows with the parent's subtree (after Sarkar 2011).
std::vector<double> tree_points(const Forest& forest, std::int64_t dim, double radius,
                                std::uint64_t seed) {
  const auto count = std::ssize(forest.preorder);
  const auto nodes = static_cast<double>(count);
  std::vector<double> directions(at(count * dim)), radii(at(count));
  std::vector<double> sizes(at(count));
  for (std::int64_t i = 0; i < count; ++i) {
    sizes[at(forest.preorder[at(i)])] = static_cast<double>(forest.sizes[at(i)]);
  }
  for (const std::int32_t node : forest.preorder) {
    const std::span d(directions.data() + node * dim, at(dim));
    next_direction(seed, node, d);
    normalise(d);
    // A root's children go anywhere: its own direction would press them into half of the space.
    const std::int32_t p = forest.parent[at(node)];
    if (p >= 0 && forest.parent[at(p)] >= 0) {
      const double turn =
          kTurn * std::pow(sizes[at(p)] / nodes,
                           1.0 / static_cast<double>(std::max<std::int64_t>(1, dim - 1)));
      const double* from = directions.data() + p * dim;
      for (std::size_t j = 0; j < d.size(); ++j) d[j] = from[j] + turn * d[j];
      normalise(d);
    }
    const double r = nodes > 1 ? 1.0 - std::log(sizes[at(node)]) / std::log(nodes) : 0.0;
    radii[at(node)] = std::max(radius * r, 1e-4);
  }
  for (std::int64_t i = 0; i < count * dim; ++i) directions[at(i)] *= radii[at(i / dim)];
  return directions;
}

std::vector<double> uniform_points(std::int64_t nodes, const EmbeddingOptions& o) {
  const Tensor unit = Tensor::rand(nodes, o.dim, o.seed);
  const double side = o.init_scale / std::sqrt(static_cast<double>(o.dim));
  std::vector<double> out;
  out.reserve(at(unit.size()));
  for (const float x : unit.data()) out.push_back((2.0 * static_cast<double>(x) - 1.0) * side);
  return out;
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

std::vector<double> initial_points(const TrainingLinks& links, const EmbeddingOptions& o,
                                   const Schedule& schedule) {
  std::vector<double> out = o.init == "tree"
                                ? tree_points(links.forest, o.dim, schedule.init_radius, o.seed)
                                : uniform_points(links.nodes(), o);
  if (o.manifold == "euclidean") {
    for (double& x : out) x *= kEuclideanUnit;
  }
  return out;
}

}  // namespace spiraltorch
