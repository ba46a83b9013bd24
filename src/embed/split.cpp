#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "embed/ancestors.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

// The domain is shared with trainings, whose substreams are epochs: this one is none of theirs.
constexpr std::uint32_t kSubstream = 0xFFFFFFFFU;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

void check_share(double test) {
  if (!std::isfinite(test)) {
    fail(Errc::non_finite, "split", text("test: got ", test, ", expected a finite number"));
  }
  if (test > 0 && test < 1) return;
  fail(Errc::invalid_value, "split",
       text("test: got ", test, ", expected more than 0, less than 1"));
}

std::int32_t child_of(const AncestorLists& ancestors, std::int64_t pair) {
  const auto after = std::upper_bound(ancestors.offsets.begin(), ancestors.offsets.end(), pair);
  return static_cast<std::int32_t>(after - ancestors.offsets.begin() - 1);
}

// Pairs that are edges of the hierarchy itself stay in training.
std::vector<bool> own_edges(const Hierarchy& h, const AncestorLists& ancestors) {
  std::vector<bool> out(ancestors.ids.size(), false);
  for (const Edge& e : h.edges()) {
    const auto row = ancestors.row(e.child);
    const auto found = std::lower_bound(row.begin(), row.end(), e.parent);
    out[static_cast<std::size_t>(ancestors.begin(e.child) + (found - row.begin()))] = true;
  }
  return out;
}

// Pairs with a root or a leaf at an end do.
std::vector<bool> outer_pairs(const AncestorLists& ancestors) {
  const auto nodes = static_cast<std::int32_t>(ancestors.offsets.size() - 1);
  std::vector<bool> leaf(at(nodes), true);
  for (const std::int32_t ancestor : ancestors.ids) leaf[at(ancestor)] = false;
  std::vector<bool> out;
  out.reserve(ancestors.ids.size());
  for (std::int32_t node = 0; node < nodes; ++node) {
    for (const std::int32_t ancestor : ancestors.row(node)) {
      out.push_back(leaf[at(node)] || ancestors.size(ancestor) == 0);
    }
  }
  return out;
}

std::vector<bool> staying(const Hierarchy& h, const AncestorLists& ancestors, SplitPairs pairs) {
  switch (pairs) {
    case SplitPairs::any:
      break;
    case SplitPairs::inferred:
      return own_edges(h, ancestors);
    case SplitPairs::inner:
      return outer_pairs(ancestors);
  }
  return std::vector<bool>(ancestors.ids.size(), false);
}

// Which pairs are held out: pairs in random order, each taken if both its ends keep another one and
// it is not one of those that stay (if any are named).
std::vector<bool> held_out(const AncestorLists& ancestors, std::int64_t wanted, std::uint64_t seed,
                           const std::vector<bool>& stay) {
  const auto nodes = static_cast<std::int32_t>(ancestors.offsets.size() - 1);
  const std::size_t pairs = ancestors.ids.size();
  std::vector<std::int32_t> degree(at(nodes), 0);
  for (std::int32_t node = 0; node < nodes; ++node) {
    degree[at(node)] += static_cast<std::int32_t>(ancestors.size(node));
  }
  for (const std::int32_t ancestor : ancestors.ids) ++degree[at(ancestor)];
  std::vector<std::int32_t> order(pairs);  // Fisher-Yates, as far as it is needed
  std::iota(order.begin(), order.end(), 0);
  std::vector<bool> out(pairs, false);
  for (std::size_t i = 0; i < pairs && wanted > 0; ++i) {
    const auto words = philox_block(seed, i, kSubstream, PhiloxDomain::split);
    const std::uint64_t word = std::uint64_t{words[1]} << 32 | words[0];
    std::swap(order[i], order[i + static_cast<std::size_t>(word % (pairs - i))]);
    const std::size_t pair = at(order[i]);
    std::int32_t& low = degree[at(child_of(ancestors, order[i]))];
    std::int32_t& high = degree[at(ancestors.ids[pair])];
    if (low < 2 || high < 2 || stay[pair]) continue;
    --low;
    --high;
    --wanted;
    out[pair] = true;
  }
  return out;
}

}  // namespace

HierarchySplit Hierarchy::split(double test, std::uint64_t seed, SplitPairs pairs) const {
  check_share(test);
  const AncestorLists ancestors = ancestors_of("split", *this);
  const std::vector<bool> stay = staying(*this, ancestors, pairs);
  const auto free = static_cast<double>(std::ranges::count(stay, false));
  const auto wanted = std::max<std::int64_t>(1, std::llround(test * free));
  const std::vector<bool> held = held_out(ancestors, wanted, seed, stay);
  HierarchySplit out{Hierarchy{}, Hierarchy{}};
  for (std::int32_t node = 0; std::cmp_less(node, len()); ++node) {
    for (std::int64_t i = ancestors.begin(node); i < ancestors.begin(node + 1); ++i) {
      const auto pair = static_cast<std::size_t>(i);
      Hierarchy& side = held[pair] ? out.test : out.train;
      side.edges_.push_back({node, ancestors.ids[pair], 1.0});
    }
  }
  require(!out.test.edges_.empty(), Errc::invalid_value, "split",
          "hierarchy: got no closure edge that may be held out, expected at least one whose ends "
          "both have another (and that `pairs` allows)");
  for (Hierarchy* side : {&out.train, &out.test}) {
    side->names_ = names_;
    side->report_.nodes = len();
    side->report_.edges = std::ssize(side->edges_);
  }
  return out;
}

}  // namespace spiraltorch
