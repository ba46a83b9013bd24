#include "embed/training.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "embed/device_copy.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kRounds = 2;  // an epoch's meetings of the pools

// The epoch's order of items: Fisher-Yates on words of a stream of the epoch's own.
std::vector<std::int32_t> shuffled(std::vector<std::int32_t> items, std::uint64_t seed,
                                   std::int64_t epoch) {
  for (std::size_t i = items.size(); i > 1; --i) {
    const auto words = philox_block(seed, (std::uint64_t{3} << 62) + i,
                                    static_cast<std::uint32_t>(epoch), PhiloxDomain::embedding);
    const auto j = static_cast<std::size_t>((std::uint64_t{words[0]} * i) >> 32);
    std::swap(items[i - 1], items[j]);
  }
  return items;
}

// Degree^power: the burn-in distribution of negatives.
std::vector<double> degree_weights(const NodeRows& links, double power) {
  std::vector<double> out(links.offsets.size() - 1, 0.0);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] += static_cast<double>(links.size(static_cast<std::int32_t>(i)));
  }
  for (const std::int32_t a : links.ids) out[static_cast<std::size_t>(a)] += 1;
  for (double& v : out) v = std::pow(v, power);
  return out;
}

std::vector<std::int32_t> items_of(const NodeRows& links, bool grouped) {
  std::vector<std::int32_t> items;
  if (!grouped) {
    items.resize(links.ids.size());
    std::iota(items.begin(), items.end(), 0);
    return items;
  }
  for (std::int32_t i = 0; std::cmp_less(i + 1, links.offsets.size()); ++i) {
    if (links.size(i) > 0) items.push_back(i);
  }
  return items;
}

}  // namespace

EmbeddingTraining::EmbeddingTraining(const TrainingLinks& links, const EmbeddingOptions& options,
                                     const Schedule& schedule)
    : links_(links),
      options_(options),
      schedule_(schedule),
      weighted_(options.sampling_power > 0),
      device_(resolve_device("HierarchyEmbedding", options.device)),
      offsets_(to_buffer(device_, links.links.offsets)),
      linked_(to_buffer(device_, links.links.ids)) {
  std::vector<double> weights;
  if (weighted_) weights = degree_weights(links.links, options.sampling_power);
  if (schedule.mode == EmbeddingMode::batch) {
    weights.resize(static_cast<std::size_t>(links.nodes()));
    std::partial_sum(weights.begin(), weights.end(), weights.begin());
    items_ = items_of(links.links, options.grouped);
  } else {
    preorder_ = to_buffer(device_, links.forest.preorder);
    sizes_ = to_buffer(device_, links.forest.sizes);
  }
  weights_ = to_buffer(device_, weights);
}

EmbeddingTable EmbeddingTraining::table_of(const std::vector<double>& points) const {
  std::vector<float> narrow(points.size());
  std::transform(points.begin(), points.end(), narrow.begin(),
                 [](double x) { return static_cast<float>(x); });
  const Tensor table(links_.nodes(), options_.dim, std::span<const float>(narrow));
  return {table.to(device_), options_.dtype == "float64" ? points : std::vector<double>()};
}

double EmbeddingTraining::scale() const {
  return options_.manifold == "euclidean" ? 1.0 : 1.0 / std::sqrt(-options_.curvature);
}

double EmbeddingTraining::epoch(EmbeddingTable& table, std::int64_t epoch) const {
  const double sum =
      schedule_.mode == EmbeddingMode::batch ? batch_epoch(table, epoch) : pool_epoch(table, epoch);
  return sum / static_cast<double>(pairs());
}

double EmbeddingTraining::batch_epoch(EmbeddingTable& table, std::int64_t epoch) const {
  const auto order = to_buffer(device_, shuffled(items_, options_.seed, epoch));
  const auto loss = Buffer::allocate(device_, sizeof(double));
  const auto count = std::ssize(items_);
  const std::array in{operand(*offsets_, {1, links_.nodes() + 1}, ElementType::i64),
                      operand(*linked_, {1, pairs()}, ElementType::i32),
                      operand(*order, {1, count}, ElementType::i32),
                      operand(*weights_, {1, links_.nodes()}, ElementType::f64)};
  const std::array out{detail::operand_of(table.narrow), operand(*loss, {1, 1}, ElementType::f64)};
  const std::array scalars{schedule_.rate(epoch), scale()};
  const bool burning = epoch < schedule_.burn_in;
  const std::array<std::int64_t, 6> ints{static_cast<std::int64_t>(options_.seed),
                                         epoch,
                                         schedule_.batch,
                                         schedule_.negatives,
                                         options_.grouped ? 1 : 0,
                                         weighted_ && burning ? 1 : 0};
  launch(OpId::embed_train, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  double sum = 0.0;
  download(*loss, 0, &sum, sizeof sum);
  return sum;
}

double EmbeddingTraining::pool_epoch(EmbeddingTable& table, std::int64_t epoch) const {
  const bool wide = !table.wide.empty();
  const auto nodes = links_.nodes();
  const auto loss = Buffer::allocate(device_, sizeof(double));
  const auto doubles = wide ? to_buffer(device_, table.wide) : nullptr;
  const std::array in{operand(*offsets_, {1, nodes + 1}, ElementType::i64),
                      operand(*linked_, {1, pairs()}, ElementType::i32),
                      operand(*preorder_, {1, nodes}, ElementType::i32),
                      operand(*sizes_, {1, nodes}, ElementType::i32),
                      operand(*weights_, {1, weighted_ ? nodes : 0}, ElementType::f64)};
  const std::array out{wide ? operand(*doubles, table.narrow.shape(), ElementType::f64)
                            : detail::operand_of(table.narrow),
                       operand(*loss, {1, 1}, ElementType::f64)};
  const bool euclidean = options_.manifold == "euclidean";
  const std::array scalars{schedule_.rate(epoch), scale(), schedule_.loss_power,
                           euclidean ? 1.0 / kEuclideanUnit : 1.0};
  const bool burning = epoch < schedule_.burn_in;
  const std::array<std::int64_t, 10> ints{static_cast<std::int64_t>(options_.seed),
                                          epoch,
                                          schedule_.negatives,
                                          schedule_.local(epoch),
                                          schedule_.pools,
                                          kRounds,
                                          options_.grouped ? 1 : 0,
                                          weighted_ && burning ? 1 : 0,
                                          schedule_.mode == EmbeddingMode::hogwild ? 1 : 0,
                                          euclidean ? 1 : 0};
  launch(OpId::embed_pools, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  if (wide) {
    download(*doubles, 0, table.wide.data(), table.wide.size() * sizeof(double));
    std::vector<double> points = std::move(table.wide);
    table = table_of(points);
  }
  double sum = 0.0;
  download(*loss, 0, &sum, sizeof sum);
  return sum;
}

}  // namespace spiraltorch
