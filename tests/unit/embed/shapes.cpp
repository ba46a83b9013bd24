// Large and extreme shapes: what must be linear, and what must be refused.
#include <algorithm>
#include <numeric>
#include <random>

#include "check_error.hpp"
#include "embed/ancestors.hpp"
#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/text.hpp"
#include "trees.hpp"

using namespace spiraltorch;

namespace {

constexpr std::int32_t kLong = 100'000;

// "got X" of an error's message, and its code.
template <class F>
std::pair<Errc, std::string> error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return {e.code(), e.what()};
  }
  return {Errc::internal, "nothing thrown"};
}

bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a chain of 100,000 has its depth, and a closure that is refused before it is built") {
  const Hierarchy h = chain(kLong);
  CHECK(h.depth() == kLong - 1);
  CHECK(h.roots() == std::vector<std::string>{"0"});
  CHECK(h.leaves() == std::vector<std::string>{"99999"});
  CHECK(h.subtree("50000").len() == kLong / 2);
  const auto [code, what] = error_of([&] { (void)h.closure(); });
  CHECK(code == Errc::out_of_memory);
  CHECK(has(what, "got 4999950000, expected at most 500000000 pairs"));  // n (n - 1) / 2
}

TEST_CASE("a graph with two parents a node is refused while it is counted") {
  HierarchyBuilder builder("test");
  for (std::int32_t i = 0; i < 3000; ++i) builder.node(std::to_string(i));
  for (std::int32_t i = 1; i < 3000; ++i) builder.edge(i, i - 1);
  for (std::int32_t i = 2; i < 3000; ++i) builder.edge(i, i - 2);
  const Hierarchy h = builder.finish();
  const auto [code, what] = error_of([&] { (void)ancestors_of("test", h, 1000); });
  CHECK(code == Errc::out_of_memory);
  CHECK(has(what, "[test] closure: got 1035 for the first 46 of 3000 nodes"));  // 45 * 46 / 2
  CHECK(ancestors_of("test", h, 3000 * 2999 / 2).ids.size() == 3000 * 2999 / 2);
}

TEST_CASE("a star") {
  std::vector<std::int64_t> parents(kLong, 0);
  parents[0] = -1;
  const Hierarchy h = Hierarchy::from_parents(parents);
  CHECK(h.depth() == 1);
  CHECK(h.closure().edges().size() == kLong - 1);
  CHECK(h.leaves().size() == kLong - 1);
  CHECK(h.subtree("0").len() == kLong);
  CHECK(h.closure(CyclePolicy::collapse).len() == kLong);
}

TEST_CASE("one large cycle is named in part and collapses") {
  HierarchyBuilder builder("test");
  for (std::int32_t i = 0; i < kLong; ++i) builder.node(text("n", i));
  for (std::int32_t i = 0; i < kLong; ++i) builder.edge(i, (i + 1) % kLong);
  builder.edge(builder.node("below"), 7);
  const Hierarchy h = builder.finish();
  const auto [code, what] = error_of([&] { (void)h.closure(); });
  CHECK(code == Errc::invalid_value);
  CHECK(has(what, "(99980 more)"));
  CHECK(what.size() < 500);
  const Hierarchy merged = h.closure(CyclePolicy::collapse);
  CHECK(merged.nodes() == std::vector<std::string>{"n0", "below"});
  CHECK(merged.report().self_edges == 0);  // of the closure
  CHECK(merged.edges().size() == 1);
}

TEST_CASE("long names are shown in part") {
  const std::string name(5000, 'x');
  const auto [code, what] = error_of([&] {
    (void)Hierarchy::from_edges({{name, "b"}, {"b", name}}).closure();
  });
  CHECK(code == Errc::invalid_value);
  CHECK(what.size() < 400);
}

TEST_CASE("a chain collapses to itself in linear time") {
  HierarchyBuilder builder("test");
  for (std::int32_t i = 0; i < kLong; ++i) builder.node(std::to_string(i));
  for (std::int32_t i = 1; i < kLong; ++i) builder.edge(i, i - 1);
  const Hierarchy h = builder.finish();
  const auto [code, what] = error_of([&] { (void)h.closure(CyclePolicy::collapse); });
  CHECK(code == Errc::out_of_memory);  // it came as far as the closure
}

TEST_CASE("a node without edges keeps its place") {
  const std::vector<std::int64_t> parents{-1, 2, -1, 2};
  const Hierarchy h = Hierarchy::from_parents(parents);
  CHECK(h.closure().nodes() == h.nodes());
  CHECK(h.closure(CyclePolicy::collapse).nodes() == h.nodes());
  CHECK(h.roots() == std::vector<std::string>{"0", "2"});
}

TEST_CASE("ancestors of a random forest are those found by walking up") {
  std::mt19937 engine(5);
  std::vector<std::int64_t> parents(2000);
  std::vector<std::int64_t> order(parents.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), engine);  // ids in no order of depth
  for (std::size_t i = 0; i < order.size(); ++i) {
    parents[static_cast<std::size_t>(order[i])] = i < 3 ? -1 : order[engine() % i];
  }
  const AncestorLists lists = ancestors_of("test", Hierarchy::from_parents(parents));
  for (std::size_t i = 0; i < parents.size(); ++i) {
    std::vector<std::int32_t> expected;
    for (auto p = parents[i]; p >= 0; p = parents[static_cast<std::size_t>(p)]) {
      expected.push_back(static_cast<std::int32_t>(p));
    }
    std::sort(expected.begin(), expected.end());
    const auto row = lists.row(static_cast<std::int32_t>(i));
    REQUIRE(std::vector<std::int32_t>(row.begin(), row.end()) == expected);
  }
}

TEST_CASE("names and edges stay distinct through many growths of their tables") {
  HierarchyBuilder builder("test");
  for (int round = 0; round < 2; ++round) {
    for (std::int32_t i = 1; i < 50'000; ++i) {
      builder.edge(text("node ", i), text("node ", i / 2), 1.0, "edge", i);
    }
  }
  const Hierarchy h = builder.finish();
  CHECK(h.len() == 50'000);
  CHECK(h.edges().size() == 49'999);
  CHECK(h.report().duplicate_edges == 49'999);
  for (const Edge& e : h.edges()) REQUIRE(e.weight == 2.0);
  for (std::int32_t i = 0; i < h.len(); ++i) {
    REQUIRE(h.index(h.nodes()[static_cast<std::size_t>(i)]) == i);
  }
}

TEST_CASE("weights that add up beyond double are refused") {
  check_error(Errc::non_finite, [] {
    (void)Hierarchy::from_edges({{"a", "b", 1e308}, {"a", "b", 1e308}});
  });
}

TEST_CASE("what has the same nodes shares them, and a moved-from hierarchy is empty") {
  Hierarchy h = Hierarchy::from_edges({{"a", "b"}});
  const Hierarchy closed = h.closure();
  CHECK(&closed.nodes() == &h.nodes());
  const Hierarchy moved = std::move(h);
  CHECK(h.len() == 0);  // NOLINT: defined here
  CHECK(moved.index("b") == 1);
  check_error(Errc::out_of_range, [&] { (void)h.index("b"); });
}
