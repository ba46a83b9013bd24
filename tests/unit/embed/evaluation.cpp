#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "check_error.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "trees.hpp"

using namespace spiraltorch;

namespace {

constexpr std::int32_t kNodes = 80;

HierarchyEmbedding trained() {
  EmbeddingOptions o;
  o.dim = 3;
  o.epochs = 6;
  o.burn_in = 2;
  HierarchyEmbedding e(o);
  e.fit(binary_tree(kNodes));
  return e;
}

struct Expected {
  double ranks = 0, precisions = 0;
  std::int64_t pairs = 0, nodes = 0;
};
using Parents = std::map<std::int32_t, std::set<std::int32_t>>;

Parents parents_of(const Hierarchy& h) {
  Parents out;
  for (const Edge& e : h.edges()) out[e.child].insert(e.parent);
  return out;
}

// Research code's way: the others sorted by distance, precision at each hit. Names are ids here.
Expected by_hand(const HierarchyEmbedding& e, std::int32_t u, const std::set<std::int32_t>& hits,
                 const std::set<std::int32_t>& left_out) {
  const auto d = PoincareBall(-1.0).dist_matrix(e.vectors()).tolist();
  std::vector<std::pair<float, bool>> order;
  for (std::int32_t v = 0; v < kNodes; ++v) {
    if (v == u || left_out.contains(v)) continue;
    order.emplace_back(d[std::size_t(u)][std::size_t(v)], hits.contains(v));
  }
  std::sort(order.begin(), order.end());
  Expected out;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!order[i].second) continue;
    ++out.pairs;
    out.precisions += double(out.pairs) / double(i + 1);
    out.ranks += double(i + 1) - double(out.pairs) + 1;
  }
  out.nodes = 1;
  out.precisions /= double(out.pairs);
  return out;
}

void check_level(const Expected& want, double mean_rank, double map, std::int64_t nodes,
                 std::int64_t pairs) {
  CHECK(nodes == want.nodes);
  CHECK(pairs == want.pairs);
  CHECK(mean_rank == doctest::Approx(want.ranks / double(want.pairs)).epsilon(1e-12));
  CHECK(map == doctest::Approx(want.precisions / double(want.nodes)).epsilon(1e-12));
}

// Each `of`-th edge of the closure, or the others.
Hierarchy part(std::size_t of, bool held_out) {
  const Hierarchy closure = binary_tree(kNodes).closure();
  std::vector<NamedEdge> edges;
  for (std::size_t i = 0; i < closure.edges().size(); ++i) {
    const Edge& e = closure.edges()[i];
    if ((i % of == 0) == held_out) {
      edges.push_back(
          {closure.nodes()[std::size_t(e.child)], closure.nodes()[std::size_t(e.parent)]});
    }
  }
  return Hierarchy::from_edges(edges);
}

}  // namespace

TEST_CASE("held-out edges are ranked among the nodes linked in neither part") {
  const HierarchyEmbedding e = trained();
  const Hierarchy train = part(4, false), test = part(4, true);
  const auto result = e.evaluate_links(train, test);
  Parents known, hits;
  const auto id = [](const Hierarchy& h, std::int32_t i) {
    return std::stoi(h.nodes()[std::size_t(i)]);
  };
  for (const Edge& x : train.edges()) known[id(train, x.child)].insert(id(train, x.parent));
  for (const Edge& x : test.edges()) hits[id(test, x.child)].insert(id(test, x.parent));
  Expected all;
  std::map<std::int64_t, Expected> levels;
  for (const auto& [u, mine] : hits) {
    const Expected one = by_hand(e, u, mine, known[u]);
    for (Expected* sum : {&all, &levels[std::int64_t(std::log2(u + 1))]}) {
      sum->ranks += one.ranks;
      sum->precisions += one.precisions;
      sum->pairs += one.pairs;
      ++sum->nodes;
    }
  }
  check_level(all, result.mean_rank, result.map, result.nodes, result.pairs);
  CHECK(result.pairs == test.report().edges);
  CHECK(!result.sampled);
  REQUIRE(result.per_depth.size() == levels.size());
  for (const auto& [depth, level] : result.per_depth) {
    CAPTURE(depth);
    check_level(levels.at(depth), level.mean_rank, level.map, level.nodes, level.pairs);
  }
}

TEST_CASE("a split's parts in one are the reconstruction") {
  const HierarchyEmbedding e = trained();
  const auto whole = e.evaluate(binary_tree(kNodes));
  // One edge of train, from a node that has no other.
  const auto rest = e.evaluate_links(Hierarchy::from_edges({{"1", "0"}}), [] {
    const Hierarchy closure = binary_tree(kNodes).closure();
    std::vector<NamedEdge> edges;
    for (const Edge& x : closure.edges()) {
      if (x.child != 1) edges.push_back({std::to_string(x.child), std::to_string(x.parent)});
    }
    return Hierarchy::from_edges(edges);
  }());
  const Expected one = by_hand(e, 1, {0}, {});
  CHECK(whole.pairs == rest.pairs + 1);
  CHECK(whole.mean_rank * double(whole.pairs) ==
        doctest::Approx(rest.mean_rank * double(rest.pairs) + one.ranks));
  CHECK(whole.map * double(whole.nodes) ==
        doctest::Approx(rest.map * double(rest.nodes) + one.precisions));
}

TEST_CASE("a sample: nodes without replacement by seed, exact figures of those") {
  const HierarchyEmbedding e = trained();
  const Hierarchy tree = binary_tree(kNodes);
  const auto whole = e.evaluate(tree);
  CHECK(whole.nodes == kNodes - 1);
  CHECK(!whole.sampled);
  for (const std::int64_t most : {kNodes - 1, kNodes, 1000}) {
    const auto same = e.evaluate(tree, most);
    CHECK(!same.sampled);
    CHECK(same.map == whole.map);
  }
  std::vector<double> precisions;
  const Parents above = parents_of(tree.closure());
  for (const auto& [u, mine] : above) precisions.push_back(by_hand(e, u, mine, {}).precisions);
  const auto is_one = [&](double map) {
    return std::any_of(precisions.begin(), precisions.end(),
                       [&](double p) { return std::abs(p - map) < 1e-12; });
  };
  std::set<double> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto one = e.evaluate(tree, 1, seed);
    CHECK(one.sampled);
    CHECK(one.nodes == 1);
    CHECK(is_one(one.map));
    seen.insert(one.map);
    const auto most = e.evaluate(tree, kNodes - 2, seed);
    CHECK(most.nodes == kNodes - 2);
    CHECK(is_one(whole.map * (kNodes - 1) - most.map * (kNodes - 2)));
  }
  CHECK(seen.size() > 8);
  CHECK(e.evaluate(tree, 20, 3).map == e.evaluate(tree, 20, 3).map);
  check_error(Errc::invalid_value, [&] { (void)e.evaluate(tree, 0); });
}

TEST_CASE("edges that cannot be evaluated") {
  const HierarchyEmbedding e = trained();
  const auto links = [&](std::initializer_list<NamedEdge> train,
                         std::initializer_list<NamedEdge> test) {
    return [&e, a = Hierarchy::from_edges(train), b = Hierarchy::from_edges(test)] {
      (void)e.evaluate_links(a, b);
    };
  };
  check_error(Errc::invalid_value, links({{"3", "1"}, {"3", "0"}}, {{"3", "0"}}));
  check_error(Errc::invalid_value, links({{"3", "1"}}, {{"1", "3"}}));
  check_error(Errc::invalid_value, links({{"3", "1"}, {"1", "3"}}, {{"5", "0"}}));
  check_error(Errc::out_of_range, links({{"x", "1"}}, {{"3", "1"}}));
  check_error(Errc::out_of_range, links({{"3", "1"}}, {{"3", "x"}}));
  check_error(Errc::empty_input, [] {
    const Hierarchy h = Hierarchy::from_edges({{"a", "b"}});
    (void)HierarchyEmbedding().evaluate_links(h, h);
  });
}
