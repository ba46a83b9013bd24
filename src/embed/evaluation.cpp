#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

#include "embed/ancestors.hpp"
#include "embed/device_copy.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/detail.hpp"

// Reconstruction and link prediction: ranks by kernel, figures from them.
namespace spiraltorch {
namespace {

std::int64_t count_of(const NodeRows& links, std::size_t node) {
  return links.offsets[node + 1] - links.offsets[node];
}

// The rows of a hierarchy's nodes under the ids that they have here, sorted.
NodeRows renamed(const NodeRows& rows, const std::vector<std::int64_t>& ids, std::int64_t nodes) {
  const auto id = [&](std::int32_t i) { return ids[static_cast<std::size_t>(i)]; };
  NodeRows out{std::vector<std::int64_t>(static_cast<std::size_t>(nodes) + 1, 0),
               std::vector<std::int32_t>(rows.ids.size())};
  const auto count = static_cast<std::int32_t>(ids.size());
  for (std::int32_t i = 0; i < count; ++i) {
    out.offsets[static_cast<std::size_t>(id(i)) + 1] = rows.size(i);
  }
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  for (std::int32_t i = 0; i < count; ++i) {
    const auto row = rows.row(i);
    const auto to = out.ids.begin() + out.offsets[static_cast<std::size_t>(id(i))];
    std::ranges::transform(row, to,
                           [&](std::int32_t k) { return static_cast<std::int32_t>(id(k)); });
    std::sort(to, to + std::ssize(row));
  }
  return out;
}

// Sum of ranks and average precision of each node.
struct Ranked {
  std::vector<std::int64_t> sums;
  std::vector<double> precisions;
};

// `known` nodes are left out of a node's ranking. The kernel reads both lists from one array, their
// offsets as two rows.
Ranked rank(const Tensor& table, const std::vector<double>& wide, const NodeRows& links,
            const NodeRows* known) {
  const DeviceId device = table.device();
  const auto nodes = static_cast<std::size_t>(table.rows());
  std::vector<std::int64_t> offsets = links.offsets;
  std::vector<std::int32_t> linked = links.ids;
  if (known != nullptr) {
    for (const std::int64_t o : known->offsets) offsets.push_back(o + std::ssize(links.ids));
    linked.insert(linked.end(), known->ids.begin(), known->ids.end());
  }
  const auto offsets_there = to_buffer(device, offsets);
  const auto linked_there = to_buffer(device, linked);
  const auto sums = Buffer::allocate(device, nodes * sizeof(std::int64_t));
  const auto precisions = Buffer::allocate(device, nodes * sizeof(double));
  const Shape line{1, table.rows()};
  const Shape offset_rows{known == nullptr ? 1 : 2, table.rows() + 1};
  const auto doubles = wide.empty() ? nullptr : to_buffer(device, wide);
  const std::array in{
      doubles ? operand(*doubles, table.shape(), ElementType::f64) : detail::operand_of(table),
      operand(*offsets_there, offset_rows, ElementType::i64),
      operand(*linked_there, {1, std::ssize(linked)}, ElementType::i32)};
  const std::array out{operand(*sums, line, ElementType::i64),
                       operand(*precisions, line, ElementType::f64)};
  launch(OpId::embed_ranks, {.in = in, .out = out, .scalars = {}, .ints = {}});
  Ranked ranked{std::vector<std::int64_t>(nodes), std::vector<double>(nodes)};
  download(*sums, 0, ranked.sums.data(), nodes * sizeof(std::int64_t));
  download(*precisions, 0, ranked.precisions.data(), nodes * sizeof(double));
  return ranked;
}

// Means over pairs and over nodes, whole and by depth.
EmbeddingEvaluation summarise(const Ranked& ranked, const NodeRows& links,
                              const std::vector<std::int64_t>& depths) {
  EmbeddingEvaluation result;
  const auto add = [&](EmbeddingEvaluation::Level& level, std::size_t node) {
    level.mean_rank += static_cast<double>(ranked.sums[node]);
    level.map += ranked.precisions[node];
    level.pairs += count_of(links, node);
    ++level.nodes;
  };
  const auto divide = [](EmbeddingEvaluation::Level& level) {
    level.mean_rank /= static_cast<double>(level.pairs);
    level.map /= static_cast<double>(level.nodes);
  };
  EmbeddingEvaluation::Level all;
  for (std::size_t node = 0; node < depths.size(); ++node) {
    if (count_of(links, node) == 0) continue;
    add(all, node);
    add(result.per_depth[depths[node]], node);
  }
  divide(all);
  for (auto& [depth, level] : result.per_depth) divide(level);
  result.mean_rank = all.mean_rank;
  result.map = all.map;
  result.nodes = all.nodes;
  result.pairs = all.pairs;
  return result;
}

// Keeps the links of `sample` nodes that have any: the first places of a shuffle by seed.
void keep_sample(NodeRows& links, std::int64_t sample, std::uint64_t seed) {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i + 1 < links.offsets.size(); ++i) {
    if (count_of(links, i) > 0) nodes.push_back(i);
  }
  std::vector<char> kept(links.offsets.size() - 1, 0);
  for (std::size_t i = 0; std::cmp_less(i, sample); ++i) {
    const auto words = philox_block(seed, (std::uint64_t{1} << 61) + i, 0, PhiloxDomain::embedding);
    const std::uint64_t left = nodes.size() - i;
    const std::uint64_t word = (std::uint64_t{words[0]} << 32) | words[1];
    std::swap(nodes[i], nodes[i + static_cast<std::size_t>(word % left)]);
    kept[nodes[i]] = 1;
  }
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> linked;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != 0) {
      linked.insert(linked.end(), links.ids.begin() + links.offsets[i],
                    links.ids.begin() + links.offsets[i + 1]);
    }
    offsets.push_back(std::ssize(linked));
  }
  links.offsets = std::move(offsets);
  links.ids = std::move(linked);
}

// Longest path from a node without ancestors to each node, along the links of both; a node of a
// cycle, or below one, is never reached and stays -1.
std::vector<std::int64_t> depths_along(const NodeRows& a, const NodeRows& b) {
  const std::size_t nodes = a.offsets.size() - 1;
  std::vector<std::int64_t> waiting(nodes, 0), depths(nodes, -1), longest(nodes, 0);
  std::vector<std::int64_t> first(nodes + 1, 0);  // of each node's children
  std::vector<std::int32_t> children(a.ids.size() + b.ids.size());
  for (const NodeRows* links : {&a, &b}) {
    for (const std::int32_t parent : links->ids) ++first[static_cast<std::size_t>(parent) + 1];
    for (std::size_t u = 0; u < nodes; ++u) waiting[u] += count_of(*links, u);
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<std::int64_t> next(first.begin(), first.end() - 1);
  for (const NodeRows* links : {&a, &b}) {
    for (std::size_t u = 0; u < nodes; ++u) {
      for (std::int64_t k = links->offsets[u]; k < links->offsets[u + 1]; ++k) {
        const auto parent = static_cast<std::size_t>(links->ids[static_cast<std::size_t>(k)]);
        children[static_cast<std::size_t>(next[parent]++)] = static_cast<std::int32_t>(u);
      }
    }
  }
  std::vector<std::size_t> ready;
  for (std::size_t u = 0; u < nodes; ++u) {
    if (waiting[u] == 0) ready.push_back(u);
  }
  while (!ready.empty()) {
    const std::size_t u = ready.back();
    ready.pop_back();
    depths[u] = longest[u];
    for (std::int64_t k = first[u]; k < first[u + 1]; ++k) {
      const auto child = static_cast<std::size_t>(children[static_cast<std::size_t>(k)]);
      longest[child] = std::max(longest[child], depths[u] + 1);
      if (--waiting[child] == 0) ready.push_back(child);
    }
  }
  return depths;
}

// A node linked to the same one in both, or -1.
std::int64_t node_in_both(const NodeRows& a, const NodeRows& b, std::int32_t& linked) {
  for (std::size_t u = 0; u + 1 < a.offsets.size(); ++u) {
    const auto first = b.ids.begin() + b.offsets[u], last = b.ids.begin() + b.offsets[u + 1];
    for (std::int64_t k = a.offsets[u]; k < a.offsets[u + 1]; ++k) {
      linked = a.ids[static_cast<std::size_t>(k)];
      if (std::binary_search(first, last, linked)) return static_cast<std::int64_t>(u);
    }
  }
  return -1;
}

}  // namespace

std::vector<std::int64_t> HierarchyEmbedding::rows_of(const Hierarchy& hierarchy) const {
  std::vector<std::int64_t> rows;
  rows.reserve(hierarchy.nodes().size());
  for (const std::string& name : hierarchy.nodes()) rows.push_back(index(name));
  return rows;
}

EmbeddingEvaluation HierarchyEmbedding::evaluate(const Hierarchy& hierarchy,
                                                 std::optional<std::int64_t> sample,
                                                 std::uint64_t seed) const {
  check_fitted("evaluate");
  check_finite("evaluate");
  if (sample && *sample < 1) {
    fail(Errc::invalid_value, "evaluate", text("sample: got ", *sample, ", expected at least 1"));
  }
  const std::vector<std::int64_t> rows = rows_of(hierarchy);
  NodeRows links = renamed(ancestors_of("evaluate", hierarchy), rows, unit_->rows());
  std::int64_t ranked_nodes = 0;
  for (std::size_t i = 0; i + 1 < links.offsets.size(); ++i) {
    ranked_nodes += count_of(links, i) > 0 ? 1 : 0;
  }
  const bool sampled = sample && *sample < ranked_nodes;
  if (sampled) keep_sample(links, *sample, seed);
  std::vector<std::int64_t> depths(names_.size(), 0);
  const std::vector<std::int64_t> theirs = hierarchy.depths();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    depths[static_cast<std::size_t>(rows[i])] = theirs[i];
  }
  EmbeddingEvaluation result = summarise(rank(*unit_, wide_, links, nullptr), links, depths);
  result.sampled = sampled;
  return result;
}

EmbeddingEvaluation HierarchyEmbedding::evaluate_links(const Hierarchy& train,
                                                       const Hierarchy& test) const {
  check_fitted("evaluate_links");
  check_finite("evaluate_links");
  const NodeRows known = renamed(rows_of_parents(train), rows_of(train), unit_->rows());
  const NodeRows held_out = renamed(rows_of_parents(test), rows_of(test), unit_->rows());
  const auto name = [this](std::int64_t row) { return names_[static_cast<std::size_t>(row)]; };
  std::int32_t parent = 0;
  if (const std::int64_t u = node_in_both(held_out, known, parent); u >= 0) {
    fail(Errc::invalid_value, "evaluate_links",
         text("test: got the edge '", name(u), "', '", name(parent),
              "', which train has as well, expected held-out edges"));
  }
  const std::vector<std::int64_t> depths = depths_along(known, held_out);
  for (std::size_t u = 0; u < depths.size(); ++u) {
    if (depths[u] >= 0) continue;
    fail(Errc::invalid_value, "evaluate_links",
         text("edges of train and test: got a cycle in or above '", names_[u], "', expected none"));
  }
  return summarise(rank(*unit_, wide_, held_out, &known), held_out, depths);
}

}  // namespace spiraltorch
