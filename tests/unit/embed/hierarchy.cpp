#include "spiraltorch/embed/hierarchy.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "check_error.hpp"

using namespace spiraltorch;

namespace {

const Hierarchy kAnimals = Hierarchy::from_edges({{"dog", "mammal"},
                                                  {"cat", "mammal"},
                                                  {"mammal", "animal"},
                                                  {"puppy", "dog"},
                                                  {"puppy", "young"},
                                                  {"young", "animal"}});

std::set<std::pair<std::int32_t, std::int32_t>> pairs(const Hierarchy& h) {
  std::set<std::pair<std::int32_t, std::int32_t>> out;
  for (const Edge& e : h.edges()) out.emplace(e.child, e.parent);
  return out;
}

}  // namespace

TEST_CASE("ids follow first appearance; duplicates merge, self-edges drop") {
  const Hierarchy h =
      Hierarchy::from_edges({{"b", "a"}, {"c", "a", 2.0}, {"b", "a", 0.5}, {"d", "d"}, {"d", "c"}});
  CHECK(h.nodes() == std::vector<std::string>{"b", "a", "c", "d"});
  CHECK(h.len() == 4);
  CHECK(h.index("c") == 2);
  REQUIRE(h.edges().size() == 3);
  CHECK(h.edges()[0].weight == 1.5);
  CHECK(h.edges()[1].weight == 2.0);
  CHECK(h.report().duplicate_edges == 1);
  CHECK(h.report().self_edges == 1);
  CHECK(h.report().nodes == 4);
  CHECK(h.report().edges == 3);
  CHECK(h.repr() == "Hierarchy(nodes=4, edges=3)");
}

TEST_CASE("bad edges are refused") {
  check_error(Errc::empty_input, [] { (void)Hierarchy::from_edges(std::span<const NamedEdge>{}); });
  check_error(Errc::empty_input, [] { (void)Hierarchy::from_edges({{"a", "a"}}); });
  check_error(Errc::invalid_value, [] { (void)Hierarchy::from_edges({{"", "a"}}); });
  check_error(Errc::invalid_value, [] { (void)Hierarchy::from_edges({{"a", "b", 0.0}}); });
  check_error(Errc::non_finite, [] { (void)Hierarchy::from_edges({{"a", "b", NAN}}); });
  check_error(Errc::invalid_value, [] { (void)Hierarchy::from_edges({{"a", "b\xFF"}}); });
  check_error(Errc::out_of_range, [] { (void)kAnimals.index("bird"); });
  check_error(Errc::out_of_range, [] { (void)kAnimals.subtree("bird"); });
}

TEST_CASE("parents by number") {
  const std::vector<std::int64_t> parents{-1, 0, 0, 1};
  const Hierarchy h = Hierarchy::from_parents(parents);
  CHECK(h.nodes() == std::vector<std::string>{"0", "1", "2", "3"});
  CHECK(h.closure().edges().size() == 4);
  check_error(Errc::out_of_range, [] {
    (void)Hierarchy::from_parents(std::vector<std::int64_t>{-1, 5});
  });
  check_error(Errc::empty_input, [] { (void)Hierarchy::from_parents({}); });
}

TEST_CASE("roots, leaves, depth, subtree") {
  CHECK(kAnimals.roots() == std::vector<std::string>{"animal"});
  CHECK(kAnimals.leaves() == std::vector<std::string>{"cat", "puppy"});
  CHECK(kAnimals.depth() == 3);
  CHECK(kAnimals.depths()[std::size_t(kAnimals.index("puppy"))] == 3);
  const Hierarchy below = kAnimals.subtree("mammal");
  CHECK(below.nodes() == std::vector<std::string>{"dog", "mammal", "cat", "puppy"});
  CHECK(below.edges().size() == 3);
  check_error(Errc::empty_input, [] { (void)kAnimals.subtree("cat"); });
}

TEST_CASE("the closure equals a brute-force one on random graphs without cycles") {
  std::mt19937 engine(3);
  for (int trial = 0; trial < 20; ++trial) {
    const int n = 5 + trial * 2;
    std::vector<NamedEdge> edges;
    for (int i = 1; i < n; ++i) {
      for (int j = 0; j < i; ++j) {
        if (engine() % 4 == 0 || j == i - 1)
          edges.push_back({std::to_string(i), std::to_string(j)});
      }
    }
    std::shuffle(edges.begin(), edges.end(), engine);
    const Hierarchy h = Hierarchy::from_edges(edges);
    auto reach = pairs(h);  // Warshall
    for (std::int32_t k = 0; k < n; ++k)
      for (std::int32_t i = 0; i < n; ++i)
        for (std::int32_t j = 0; j < n; ++j)
          if (reach.count({i, k}) != 0 && reach.count({k, j}) != 0) reach.emplace(i, j);
    const Hierarchy closed = h.closure();
    CHECK(pairs(closed) == reach);
    CHECK(closed.nodes() == h.nodes());
    CHECK(pairs(closed.closure()) == reach);
  }
}

TEST_CASE("a cycle is named, or its nodes merge") {
  const Hierarchy h = Hierarchy::from_edges(
      {{"leaf", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}, {"c", "root"}, {"x", "y"}, {"y", "x"}});
  try {
    (void)h.closure();
    FAIL("closed");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::invalid_value);
    const std::string what = e.what();
    CAPTURE(what);
    const bool first = what.find("'a' -> 'b' -> 'c' -> 'a'") != std::string::npos;
    CHECK((first || what.find("'x' -> 'y' -> 'x'") != std::string::npos));
  }
  check_error(Errc::invalid_value, [&] { (void)h.depth(); });
  const Hierarchy merged = h.closure(CyclePolicy::collapse);
  CHECK(merged.nodes() == std::vector<std::string>{"leaf", "a", "root", "x"});
  CHECK(merged.edges().size() == 3);
  check_error(Errc::empty_input, [] {
    (void)Hierarchy::from_edges({{"x", "y"}, {"y", "x"}}).closure(CyclePolicy::collapse);
  });
}

TEST_CASE("a path of many nodes is closed without recursion") {
  std::vector<std::int64_t> parents(2000);
  for (std::size_t i = 0; i < parents.size(); ++i) parents[i] = std::int64_t(i) - 1;
  const Hierarchy h = Hierarchy::from_parents(parents);
  CHECK(h.closure().edges().size() == 2000 * 1999 / 2);
  CHECK(h.depth() == 1999);
}
