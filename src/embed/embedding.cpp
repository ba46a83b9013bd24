#include "spiraltorch/embed/embedding.hpp"

#include <chrono>

#include "embed/training.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch {
namespace {

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
  return train("fit", hierarchy, true, progress);
}

bool HierarchyEmbedding::resume(const Hierarchy& hierarchy, const ProgressCallback& progress) {
  check_fitted("resume");
  if (hierarchy.nodes() != names_) {
    fail(Errc::invalid_value, "resume",
         text("hierarchy: got ", hierarchy.len(), " nodes that differ from the embedding's ",
              names_.size(), ", expected the hierarchy that was trained on"));
  }
  return train("resume", hierarchy, false, progress);
}

// What could fail before the first epoch does so before the former state goes.
void HierarchyEmbedding::start(const Hierarchy& hierarchy, EmbeddingTable table) {
  std::vector<std::string> names = hierarchy.nodes();
  std::unordered_map<std::string, std::int64_t> ids;
  ids.reserve(names.size());
  for (const std::string& name : names) ids.emplace(name, std::ssize(ids));
  names_ = std::move(names);
  ids_ = std::move(ids);
  epochs_done_ = 0;
  unit_ = std::move(table.narrow);
  wide_ = std::move(table.wide);
}

bool HierarchyEmbedding::train(std::string_view op, const Hierarchy& hierarchy, bool afresh,
                               const ProgressCallback& progress) {
  const NoGrad guard;
  const ThreadGuard threads(options_.threads);
  const TrainingLinks links(op, hierarchy, options_.closure);
  const Schedule schedule(options_, hierarchy.len());
  const EmbeddingTraining training(links, options_, schedule);
  if (afresh) {
    start(hierarchy, training.table_of(initial_points(links, options_, schedule)));
  } else {
    unit_ = unit_->to(training.device());
  }
  const auto began = std::chrono::steady_clock::now();
  const std::int64_t first = epochs_done_;
  while (epochs_done_ < schedule.total()) {
    // The last good table stays until this epoch is known to be good.
    EmbeddingTable next{unit_->clone(), wide_};
    EmbeddingProgress report;
    report.loss = training.epoch(next, epochs_done_);
    check_epoch(next.narrow);
    unit_ = std::move(next.narrow);
    wide_ = std::move(next.wide);
    ++epochs_done_;
    if (!progress) continue;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    const auto done = static_cast<double>(epochs_done_ - first);
    report.epoch = epochs_done_;
    report.epochs = schedule.total();
    report.pairs_per_second = done * static_cast<double>(training.pairs()) / spent.count();
    report.seconds_left =
        spent.count() / done * static_cast<double>(schedule.total() - epochs_done_);
    if (!progress(report)) return epochs_done_ == schedule.total();
  }
  return true;
}

void HierarchyEmbedding::check_epoch(const Tensor& table) const {
  const std::int64_t bad = ops::first_non_finite(table);
  if (bad < 0) return;
  fail(Errc::non_finite, "fit",
       text("coordinates of '", names_[static_cast<std::size_t>(bad / options_.dim)], "' in epoch ",
            epochs_done_ + 1, ": got ", table.at(bad / options_.dim, bad % options_.dim),
            ", expected finite numbers (a smaller lr may help)"));
}

bool HierarchyEmbedding::is_euclidean() const noexcept { return options_.manifold == "euclidean"; }

double HierarchyEmbedding::radius() const {
  return is_euclidean() ? 1.0 / kEuclideanUnit : PoincareBall(options_.curvature).radius();
}

// Near the origin the ball's distance is twice the Euclidean one.
double HierarchyEmbedding::distance_unit() const {
  return is_euclidean() ? radius() / 2 : radius();
}

void HierarchyEmbedding::check_hyperbolic(std::string_view op) const {
  if (!is_euclidean()) return;
  fail(Errc::unsupported, op,
       "manifold: got 'euclidean', expected a hyperbolic embedding ('poincare' or 'lorentz')");
}

Tensor HierarchyEmbedding::vectors() const {
  check_fitted("vectors");
  if (options_.manifold == "lorentz") return to_lorentz();
  return radius() == 1.0 ? unit_->clone() : unit_->scale(radius());
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
