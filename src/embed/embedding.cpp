#include "spiraltorch/embed/embedding.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>

#include "embed/links.hpp"
#include "embed/schedule.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "HierarchyEmbedding";

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

}  // namespace spiraltorch
