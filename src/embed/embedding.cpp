#include "spiraltorch/embed/embedding.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>

#include "embed/schedule.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "HierarchyEmbedding";

template <class T>
std::shared_ptr<Buffer> to_buffer(DeviceId device, const std::vector<T>& values) {
  const std::size_t bytes = std::max<std::size_t>(1, values.size()) * sizeof(T);
  auto buffer = Buffer::allocate(device, bytes);
  if (!values.empty()) upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

// Ancestors of each node in compressed rows, sorted within a node.
struct Links {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> linked;

  // Edges of a hierarchy whose node i is our node ids[i].
  Links(const Hierarchy& closure, const std::vector<std::int64_t>& ids, std::int64_t nodes)
      : offsets(static_cast<std::size_t>(nodes) + 1, 0), linked(closure.edges().size()) {
    const auto id = [&](std::int32_t i) {
      return static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    };
    for (const Edge& e : closure.edges()) ++offsets[id(e.child) + 1];
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
    for (const Edge& e : closure.edges()) {
      linked[static_cast<std::size_t>(next[id(e.child)]++)] =
          static_cast<std::int32_t>(id(e.parent));
    }
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      std::sort(linked.begin() + offsets[i], linked.begin() + offsets[i + 1]);
    }
  }
};

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

class ThreadGuard {
 public:
  explicit ThreadGuard(std::optional<int> threads) : before_(thread_count()) {
    if (threads) set_thread_count(*threads);
  }
  ~ThreadGuard() { set_thread_count(before_); }
  ThreadGuard(const ThreadGuard&) = delete;
  ThreadGuard& operator=(const ThreadGuard&) = delete;

 private:
  int before_;
};

// Degree^power, summed up: the burn-in distribution of negatives.
std::vector<double> cumulative_degrees(const Hierarchy& closure, double power) {
  std::vector<double> out(closure.nodes().size(), 0.0);
  for (const Edge& e : closure.edges()) {
    out[static_cast<std::size_t>(e.child)] += 1;
    out[static_cast<std::size_t>(e.parent)] += 1;
  }
  for (double& v : out) v = std::pow(v, power);
  std::partial_sum(out.begin(), out.end(), out.begin());
  return out;
}

std::vector<std::int32_t> items_of(const Links& links, bool grouped) {
  std::vector<std::int32_t> items;
  if (!grouped) {
    items.resize(links.linked.size());
    std::iota(items.begin(), items.end(), 0);
    return items;
  }
  for (std::size_t i = 0; i + 1 < links.offsets.size(); ++i) {
    if (links.offsets[i] < links.offsets[i + 1]) items.push_back(static_cast<std::int32_t>(i));
  }
  return items;
}

// The device side of a training: what stays there between epochs.
class Trainer {
 public:
  Trainer(const Hierarchy& closure, const EmbeddingOptions& options, const Schedule& schedule)
      : options_(options),
        schedule_(schedule),
        links_(closure, identity(closure.len()), closure.len()),
        items_(items_of(links_, options.grouped)),
        weighted_(options.sampling_power > 0),
        device_(resolve_device(kName, options.device)),
        offsets_(to_buffer(device_, links_.offsets)),
        linked_(to_buffer(device_, links_.linked)),
        cumulative_(to_buffer(device_, cumulative_degrees(closure, options.sampling_power))) {}

  // One epoch on the table; returns the mean loss of a pair.
  double epoch(Tensor& table, std::int64_t epoch) const {
    const auto order = to_buffer(device_, shuffled(items_, options_.seed, epoch));
    const auto loss = Buffer::allocate(device_, sizeof(double));
    const auto count = static_cast<std::int64_t>(items_.size());
    const std::array in{operand(*offsets_, {1, table.rows() + 1}, ElementType::i64),
                        operand(*linked_, {1, pairs()}, ElementType::i32),
                        operand(*order, {1, count}, ElementType::i32),
                        operand(*cumulative_, {1, table.rows()}, ElementType::f64)};
    const std::array out{detail::operand_of(table), operand(*loss, {1, 1}, ElementType::f64)};
    const std::array scalars{schedule_.rate(epoch), 1.0 / std::sqrt(-options_.curvature)};
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
    return sum / static_cast<double>(pairs());
  }

  [[nodiscard]] std::int64_t pairs() const { return std::ssize(links_.linked); }
  [[nodiscard]] DeviceId device() const noexcept { return device_; }

 private:
  static std::vector<std::int64_t> identity(std::int64_t n) {
    std::vector<std::int64_t> out(static_cast<std::size_t>(n));
    std::iota(out.begin(), out.end(), 0);
    return out;
  }

  const EmbeddingOptions& options_;
  const Schedule& schedule_;
  Links links_;
  std::vector<std::int32_t> items_;
  bool weighted_;
  DeviceId device_;
  std::shared_ptr<Buffer> offsets_, linked_, cumulative_;
};

}  // namespace

HierarchyEmbedding::HierarchyEmbedding(EmbeddingOptions options) : options_(std::move(options)) {
  check_embedding_options(options_);
}

void HierarchyEmbedding::check_fitted(std::string_view op) const {
  require(is_fitted(), Errc::empty_input, op,
          "embedding: got one without vectors, expected a fitted or loaded one");
}

// A loaded table may hold what a training would have refused.
void HierarchyEmbedding::check_finite(std::string_view op) const {
  const std::int64_t bad = ops::first_non_finite(*unit_);
  if (bad < 0) return;
  fail(Errc::non_finite, op,
       text("coordinates of '", names_[static_cast<std::size_t>(bad / options_.dim)], "': got ",
            unit_->at(bad / options_.dim, bad % options_.dim), ", expected finite numbers"));
}

std::string HierarchyEmbedding::repr() const {
  return text("HierarchyEmbedding(dim=", options_.dim, ", manifold='", options_.manifold,
              "', curvature=", options_.curvature, ", nodes=", names_.size(), ")");
}

bool HierarchyEmbedding::fit(const Hierarchy& hierarchy, const ProgressCallback& progress) {
  const NoGrad guard;
  const Hierarchy closure = hierarchy.closure();
  const Schedule schedule(options_, closure.len());
  Tensor points = initial_points(closure, options_, schedule);
  return train(closure, std::move(points), progress);
}

bool HierarchyEmbedding::resume(const Hierarchy& hierarchy, const ProgressCallback& progress) {
  const NoGrad guard;
  check_fitted("resume");
  const Hierarchy closure = hierarchy.closure();
  if (closure.nodes() != names_) {
    fail(Errc::invalid_value, "resume",
         text("hierarchy: got ", closure.len(), " nodes that differ from the embedding's ",
              names_.size(), ", expected the hierarchy that was trained on"));
  }
  return train(closure, {}, progress);
}

bool HierarchyEmbedding::train(const Hierarchy& closure, std::optional<Tensor> start_points,
                               const ProgressCallback& progress) {
  const ThreadGuard threads(options_.threads);
  const Schedule schedule(options_, closure.len());
  const Trainer trainer(closure, options_, schedule);
  Tensor table = (start_points ? *start_points : *unit_).to(trainer.device());
  if (start_points) {  // what could fail has passed: replace the state
    std::vector<std::string> names = closure.nodes();
    std::unordered_map<std::string, std::int64_t> ids;
    for (const std::string& name : names) ids.emplace(name, std::ssize(ids));
    names_ = std::move(names);
    ids_ = std::move(ids);
    epochs_done_ = 0;
  }
  unit_ = std::move(table);
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t first = epochs_done_;
  while (epochs_done_ < schedule.total()) {
    Tensor next = unit_->clone();  // the last good table stays until this epoch is known to be good
    EmbeddingProgress report;
    report.loss = trainer.epoch(next, epochs_done_);
    const std::int64_t bad = ops::first_non_finite(next);
    if (bad >= 0) {
      fail(Errc::non_finite, "fit",
           text("coordinates of '", names_[static_cast<std::size_t>(bad / options_.dim)],
                "' in epoch ", epochs_done_ + 1, ": got ",
                next.at(bad / options_.dim, bad % options_.dim),
                ", expected finite numbers (a smaller lr may help)"));
    }
    unit_ = std::move(next);
    ++epochs_done_;
    if (!progress) continue;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const auto done = static_cast<double>(epochs_done_ - first);
    report.epoch = epochs_done_;
    report.epochs = schedule.total();
    report.pairs_per_second = done * static_cast<double>(trainer.pairs()) / spent.count();
    report.seconds_left =
        spent.count() / done * static_cast<double>(schedule.total() - epochs_done_);
    if (!progress(report)) return epochs_done_ == schedule.total();
  }
  return true;
}

Tensor HierarchyEmbedding::vectors() const {
  check_fitted("vectors");
  if (options_.curvature == -1.0) return unit_->clone();
  return unit_->scale(PoincareBall(options_.curvature).radius());
}

std::int64_t HierarchyEmbedding::index(std::string_view name) const {
  const auto found = ids_.find(std::string(name));
  if (found == ids_.end()) {
    fail(Errc::out_of_range, "index",
         text("name: got '", name, "', expected one of the ", names_.size(), " nodes"));
  }
  return found->second;
}

double HierarchyEmbedding::distance(std::string_view a, std::string_view b) const {
  check_fitted("distance");
  check_finite("distance");
  const double unit = unit_->row(index(a)).hyperbolic_distance(unit_->row(index(b)), -1.0);
  return unit * PoincareBall(options_.curvature).radius();
}

std::vector<std::pair<std::string, double>> HierarchyEmbedding::nearest(std::string_view name,
                                                                        std::int64_t k) const {
  check_fitted("nearest");
  check_finite("nearest");
  const std::int64_t self = index(name);
  if (k < 1 || k >= unit_->rows()) {
    fail(Errc::invalid_value, "nearest", text("k: got ", k, ", expected 1 to ", unit_->rows() - 1));
  }
  const Tensor d = PoincareBall(-1.0).dist(*unit_, unit_->row(self)).reshape(1, unit_->rows());
  const RankResult best = bottomk(d, k + 1);  // the node itself, at distance 0, is one of them
  const auto nodes = best.indices.data();
  const auto distances = best.values.data();
  std::vector<std::pair<std::string, double>> out;
  const double radius = PoincareBall(options_.curvature).radius();
  for (std::size_t i = 0; i < nodes.size() && std::ssize(out) < k; ++i) {
    if (nodes[i] == self) continue;
    out.emplace_back(names_[static_cast<std::size_t>(nodes[i])], distances[i] * radius);
  }
  return out;
}

EmbeddingEvaluation HierarchyEmbedding::evaluate(const Hierarchy& hierarchy) const {
  check_fitted("evaluate");
  check_finite("evaluate");
  const Hierarchy closure = hierarchy.closure();
  std::vector<std::int64_t> ids;
  for (const std::string& name : closure.nodes()) ids.push_back(index(name));
  const Links links(closure, ids, unit_->rows());
  const DeviceId device = unit_->device();
  const auto nodes = static_cast<std::size_t>(unit_->rows());
  const auto offsets = to_buffer(device, links.offsets);
  const auto linked = to_buffer(device, links.linked);
  const auto sums = Buffer::allocate(device, nodes * sizeof(std::int64_t));
  const auto precisions = Buffer::allocate(device, nodes * sizeof(double));
  const Shape line{1, unit_->rows()};
  const std::array in{detail::operand_of(*unit_),
                      operand(*offsets, {1, unit_->rows() + 1}, ElementType::i64),
                      operand(*linked, {1, std::ssize(links.linked)}, ElementType::i32)};
  const std::array out{operand(*sums, line, ElementType::i64),
                       operand(*precisions, line, ElementType::f64)};
  launch(OpId::embed_ranks, {.in = in, .out = out, .scalars = {}, .ints = {}});
  std::vector<std::int64_t> rank_sums(nodes);
  std::vector<double> precision(nodes);
  download(*sums, 0, rank_sums.data(), nodes * sizeof(std::int64_t));
  download(*precisions, 0, precision.data(), nodes * sizeof(double));

  EmbeddingEvaluation result;
  const auto depths = hierarchy.depths();
  std::map<std::int64_t, std::int64_t> pairs_at;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto node = static_cast<std::size_t>(ids[i]);
    const std::int64_t pairs = links.offsets[node + 1] - links.offsets[node];
    if (pairs == 0) continue;
    auto& level = result.per_depth[depths[i]];
    const auto ranks = static_cast<double>(rank_sums[node]);
    result.mean_rank += ranks;
    level.mean_rank += ranks;
    result.map += precision[node];
    level.map += precision[node];
    result.pairs += pairs;
    pairs_at[depths[i]] += pairs;
    ++result.nodes;
    ++level.nodes;
  }
  result.mean_rank /= static_cast<double>(result.pairs);
  result.map /= static_cast<double>(result.nodes);
  for (auto& [depth, level] : result.per_depth) {
    level.mean_rank /= static_cast<double>(pairs_at[depth]);
    level.map /= static_cast<double>(level.nodes);
  }
  return result;
}

}  // namespace spiraltorch
