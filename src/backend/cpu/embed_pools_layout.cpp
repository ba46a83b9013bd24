#include <algorithm>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/embed_pools.hpp"

namespace spiraltorch::cpu {
namespace {

template <class T>
std::span<const T> view(const KernelOperand& x) {
  return {data<const T>(x), static_cast<std::size_t>(x.size())};
}

}  // namespace

PoolEpoch::PoolEpoch(const KernelArgs& args)
    : offsets(view<std::int64_t>(args.in[0])),
      linked(view<std::int32_t>(args.in[1])),
      preorder(view<std::int32_t>(args.in[2])),
      sizes(view<std::int32_t>(args.in[3])),
      weights(view<double>(args.in[4])),
      nodes(args.out[0].rows),
      dim(args.out[0].cols),
      rate(args.scalars[0]),
      scale(args.scalars[1]),
      power(args.scalars[2]),
      unit(args.scalars[3]),
      seed(static_cast<std::uint64_t>(args.ints[0])),
      epoch(static_cast<std::uint32_t>(args.ints[1])),
      negatives(args.ints[2]),
      local(std::min(args.ints[3], args.ints[2])),
      pools(std::clamp<std::int64_t>(args.ints[4], 1, std::max<std::int64_t>(1, nodes))),
      rounds(std::max<std::int64_t>(1, args.ints[5])),
      grouped(args.ints[6] != 0),
      weighted(args.ints[7] != 0),
      racing(args.ints[8] != 0),
      space(args.ints[9] != 0 ? EmbedSpace::euclidean : EmbedSpace::ball) {}

PoolLayout::PoolLayout(const PoolEpoch& e)
    : epoch_(e),
      begins_(at(e.pools) + 1, 0),
      places_(at(e.nodes)),
      nodes_(at(e.nodes)),
      ranks_(at(e.nodes)),
      inner_(at(e.nodes), -1) {
  std::vector<std::int32_t> pool_of(at(e.nodes));
  PoolWords words(e, kPoolWords, 0);
  for (std::int32_t& pool : pool_of) {
    pool = e.pools > 1 ? words.below(e.pools) : 0;
    ++begins_[at(pool) + 1];
  }
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
  std::vector<std::int32_t> next(begins_.begin(), begins_.end() - 1);
  for (std::int32_t rank = 0; rank < e.nodes; ++rank) {
    const std::int32_t node = e.preorder[at(rank)];
    const std::int32_t position = next[at(pool_of[at(rank)])]++;
    places_[at(node)] = position;
    nodes_[at(position)] = node;
    ranks_[at(position)] = rank;
  }
  for (const std::int32_t a : e.linked) inner_[at(a)] = 0;
  for (const std::int32_t node : e.preorder) {
    if (inner_[at(node)] < 0) continue;
    inner_[at(node)] = static_cast<std::int32_t>(inner_nodes_.size());
    inner_nodes_.push_back(node);
  }
}

std::vector<std::pair<std::int32_t, std::int32_t>> PoolLayout::subtrees(std::int64_t pool) const {
  const std::int32_t begin = this->begin(pool), end = this->end(pool);
  // The pool's nodes before each rank of the preorder.
  std::vector<std::int32_t> before(at(epoch_.nodes) + 1, 0);
  for (std::int32_t p = begin; p < end; ++p) before[at(ranks_[at(p)]) + 1] = 1;
  for (std::size_t i = 1; i < before.size(); ++i) before[i] += before[i - 1];
  std::vector<std::pair<std::int32_t, std::int32_t>> out;
  out.reserve(inner_nodes_.size());
  for (std::int64_t rank = 0; rank < epoch_.nodes; ++rank) {  // inner nodes are in this order
    if (inner_[at(epoch_.preorder[at(rank)])] < 0) continue;
    out.emplace_back(before[at(rank)], before[at(rank + epoch_.sizes[at(rank)])]);
  }
  return out;
}

}  // namespace spiraltorch::cpu
