#include <algorithm>
#include <cmath>
#include <set>

#include "check_error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/hierarchy.hpp"
#include "trees.hpp"

using namespace spiraltorch;

namespace {

using Pairs = std::set<std::pair<std::int32_t, std::int32_t>>;

Pairs pairs(const Hierarchy& h) {
  Pairs out;
  for (const Edge& e : h.edges()) out.emplace(e.child, e.parent);
  return out;
}

}  // namespace

TEST_CASE("a split divides the closure's edges and leaves each end of a held-out one another") {
  const Hierarchy h = binary_tree(200);
  const Pairs all = pairs(h.closure());
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    const auto [train, test] = h.split(0.2, seed);
    CHECK(train.nodes() == h.nodes());
    CHECK(test.nodes() == h.nodes());
    CHECK(test.index("7") == 7);
    CHECK(std::cmp_equal(test.edges().size(), std::llround(0.2 * double(all.size()))));
    CHECK(test.report().edges == std::ssize(test.edges()));
    CHECK(train.edges().size() + test.edges().size() == all.size());
    Pairs both = pairs(train);
    both.merge(pairs(test));
    CHECK(both == all);
    std::set<std::int32_t> trained;
    for (const Edge& e : train.edges()) trained.insert({e.child, e.parent});
    CHECK(trained.size() == 200);
  }
}

TEST_CASE("a split of inferred edges keeps the hierarchy's own in training") {
  const Hierarchy h = binary_tree(200);
  const Pairs own = pairs(h);
  const auto [train, test] = h.split(0.2, 1, SplitPairs::inferred);
  Pairs both = pairs(train);
  both.merge(pairs(test));
  CHECK(both == pairs(h.closure()));
  CHECK(!test.edges().empty());
  const Pairs kept = pairs(train);
  CHECK(std::includes(kept.begin(), kept.end(), own.begin(), own.end()));
  check_error(Errc::invalid_value, [&] { (void)h.closure().split(0.2, 1, SplitPairs::inferred); });
}

TEST_CASE("a split of inner edges holds out none with a root or a leaf, a share of the rest") {
  const Hierarchy h = binary_tree(200);
  Pairs inner;
  for (const auto& [child, parent] : pairs(h.closure())) {
    if (child < 100 && parent > 0) inner.emplace(child, parent);  // 100 leaves, root 0
  }
  const auto [train, test] = h.split(0.3, 1, SplitPairs::inner);
  const Pairs held = pairs(test);
  CHECK(std::cmp_equal(held.size(), std::llround(0.3 * double(inner.size()))));
  CHECK(std::includes(inner.begin(), inner.end(), held.begin(), held.end()));
  Pairs both = pairs(train);
  both.merge(pairs(test));
  CHECK(both == pairs(h.closure()));
  const Hierarchy shallow = Hierarchy::from_edges({{"a", "r"}, {"b", "a"}, {"c", "a"}});
  check_error(Errc::invalid_value, [&] { (void)shallow.split(0.2, 1, SplitPairs::inner); });
}

TEST_CASE("a split follows from its seed alone") {
  const Hierarchy h = binary_tree(100);
  CHECK(pairs(h.split(0.1, 5).test) == pairs(h.split(0.1, 5).test));
  CHECK(pairs(h.split(0.1, 5).test) == pairs(h.closure().split(0.1, 5).test));
  CHECK(pairs(h.split(0.1, 5).test) != pairs(h.split(0.1, 6).test));
}

TEST_CASE("every pair is about as likely to be held out") {
  // A chain's closure is the complete graph: 10 pairs of 5 nodes, each end in 4.
  const Hierarchy h = Hierarchy::from_parents(std::vector<std::int64_t>{-1, 0, 1, 2, 3});
  std::vector<int> counts(25, 0);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Hierarchy test = h.split(0.1, seed).test;
    REQUIRE(test.edges().size() == 1);
    ++counts[static_cast<std::size_t>(test.edges()[0].child * 5 + test.edges()[0].parent)];
  }
  // 300 expected a pair, with a standard deviation of 16.4
  for (std::int32_t child = 1; child < 5; ++child) {
    for (std::int32_t parent = 0; parent < child; ++parent) {
      const int count = counts[static_cast<std::size_t>(child * 5 + parent)];
      CAPTURE(count);
      CHECK(std::abs(count - 300) < 5 * 16.4);
    }
  }
}

TEST_CASE("a split takes what can be held out, and needs something") {
  // a-b, a-c, b-c: of a triangle one edge can go, whatever is asked for.
  const auto [train, test] = Hierarchy::from_edges({{"a", "b"}, {"b", "c"}}).split(0.9, 1);
  CHECK(test.edges().size() == 1);
  CHECK(train.edges().size() == 2);
  const Hierarchy star = Hierarchy::from_edges({{"a", "r"}, {"b", "r"}, {"c", "r"}});
  check_error(Errc::invalid_value, [&] { (void)star.split(); });
  for (const double share : {0.0, 1.0, -0.1, 2.0}) {
    check_error(Errc::invalid_value, [&] { (void)binary_tree(20).split(share); });
  }
  check_error(Errc::non_finite, [] { (void)binary_tree(20).split(std::nan("")); });
  check_error(Errc::invalid_value, [] {
    (void)Hierarchy::from_edges({{"a", "b"}, {"b", "a"}}).split();
  });
}
