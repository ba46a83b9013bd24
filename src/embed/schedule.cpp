#include "embed/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "HierarchyEmbedding";
constexpr std::int64_t kLargeHierarchy = 5000;  // nodes; below it the mammals' settings hold

void check_count(std::string_view what, std::optional<std::int64_t> value, std::int64_t least) {
  if (!value || *value >= least) return;
  fail(Errc::invalid_value, kName, text(what, ": got ", *value, ", expected >= ", least));
}

void check_positive(std::string_view what, std::optional<double> value) {
  if (!value) return;
  if (!std::isfinite(*value)) {
    fail(Errc::non_finite, kName, text(what, ": got ", *value, ", expected a finite number"));
  }
  if (!(*value > 0)) {
    fail(Errc::invalid_value, kName, text(what, ": got ", *value, ", expected > 0"));
  }
}

// Random turns of the layout: a stream of its own, far from the negatives' blocks.
class Directions {
 public:
  Directions(std::uint64_t seed, std::int64_t dim) : seed_(seed), dim_(dim) {}

  std::vector<double> next(std::int64_t node) const {
    std::vector<double> v(static_cast<std::size_t>(dim_));
    for (std::int64_t j = 0; j < dim_; j += 2) {
      const auto words =
          philox_block(seed_, (std::uint64_t{1} << 63) + static_cast<std::uint64_t>(j / 2),
                       static_cast<std::uint32_t>(node), PhiloxDomain::embedding);
      const auto pair = normals_from_words(words[0], words[1]);
      v[static_cast<std::size_t>(j)] = pair[0];
      if (j + 1 < dim_) v[static_cast<std::size_t>(j + 1)] = pair[1];
    }
    return v;
  }

 private:
  std::uint64_t seed_;
  std::int64_t dim_;
};

void normalise(std::vector<double>& v) {
  const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
  for (double& x : v) x = norm > 0 ? x / norm : 0.0;
}

// A spanning forest of the closure: each node below its ancestor with the most ancestors.
struct Forest {
  std::vector<std::int32_t> parent;  // -1: root
  std::vector<std::int32_t> order;   // parents before children
  std::vector<double> size;          // nodes in the subtree

  explicit Forest(const Hierarchy& closure)
      : parent(closure.nodes().size(), -1),
        order(closure.nodes().size()),
        size(closure.nodes().size(), 1.0) {
    std::vector<std::int64_t> ancestors(parent.size(), 0);
    for (const Edge& e : closure.edges()) ++ancestors[static_cast<std::size_t>(e.child)];
    const auto count = [&](std::int32_t i) { return ancestors[static_cast<std::size_t>(i)]; };
    for (const Edge& e : closure.edges()) {
      std::int32_t& best = parent[static_cast<std::size_t>(e.child)];
      if (best < 0 || count(e.parent) > count(best)) best = e.parent;
    }
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return count(a) < count(b); });
    for (auto node = order.rbegin(); node != order.rend(); ++node) {
      const std::int32_t p = parent[static_cast<std::size_t>(*node)];
      if (p >= 0) size[static_cast<std::size_t>(p)] += size[static_cast<std::size_t>(*node)];
    }
  }
};

// Radius grows from 0 for a subtree of all nodes to `radius` for a leaf; a child's direction is its
// parent's plus a random turn that narrows with the parent's subtree (after Sarkar 2011).
Tensor tree_points(const Hierarchy& closure, std::int64_t dim, double radius, std::uint64_t seed) {
  const Forest forest(closure);
  const auto nodes = static_cast<double>(closure.len());
  const Directions directions(seed, dim);
  std::vector<std::vector<double>> direction(forest.parent.size());
  std::vector<float> out(forest.parent.size() * static_cast<std::size_t>(dim));
  for (const std::int32_t node : forest.order) {
    const auto i = static_cast<std::size_t>(node);
    std::vector<double> d = directions.next(node);
    normalise(d);
    const std::int32_t p = forest.parent[i];
    if (p >= 0) {
      const double share = forest.size[static_cast<std::size_t>(p)] / nodes;
      const double turn =
          std::pow(share, 1.0 / static_cast<double>(std::max<std::int64_t>(1, dim - 1)));
      const auto& from = direction[static_cast<std::size_t>(p)];
      for (std::size_t j = 0; j < d.size(); ++j) d[j] = from[j] + turn * d[j];
      normalise(d);
    }
    const double r = nodes > 1 ? radius * (1.0 - std::log(forest.size[i]) / std::log(nodes)) : 0.0;
    for (std::size_t j = 0; j < d.size(); ++j) {
      out[i * d.size() + j] = static_cast<float>(std::max(r, 1e-4) * d[j]);
    }
    direction[i] = std::move(d);
  }
  return {closure.len(), dim, std::span<const float>(out)};
}

}  // namespace

Schedule::Schedule(const EmbeddingOptions& o, std::int64_t nodes) {
  const bool large = nodes > kLargeHierarchy;
  epochs = o.epochs.value_or(large ? 100 : 300);
  burn_in = o.burn_in.value_or(large ? 50 : 20);
  batch = o.batch.value_or(large ? 64 : 32);
  negatives = o.negatives.value_or(o.grouped ? 200 : 50);
  lr = o.lr.value_or(large || !o.grouped ? 0.1 : 0.05);
  burn_in_factor = o.burn_in_factor.value_or(large ? 0.02 : 0.1);
  init_radius = o.init_radius.value_or(large ? 0.3 : 0.1);
  decay = large;
}

double Schedule::rate(std::int64_t epoch) const {
  if (epoch < burn_in) return lr * burn_in_factor;
  if (!decay) return lr;
  return lr * (1.0 - static_cast<double>(epoch - burn_in) / static_cast<double>(epochs));
}

void check_embedding_options(const EmbeddingOptions& o) {
  check_curvature(kName, o.curvature);
  check_count("dim", o.dim, 1);
  check_count("epochs", o.epochs, 1);
  check_count("batch", o.batch, 1);
  check_count("negatives", o.negatives, 1);
  check_count("burn_in", o.burn_in, 0);
  check_positive("lr", o.lr);
  check_positive("burn_in_factor", o.burn_in_factor);
  check_positive("init_radius", o.init_radius);
  check_positive("init_scale", o.init_scale);
  if (!std::isfinite(o.sampling_power) || o.sampling_power < 0) {
    fail(Errc::invalid_value, kName,
         text("sampling_power: got ", o.sampling_power, ", expected a finite number >= 0"));
  }
  if (o.init_radius.value_or(0.1) >= 1 || o.init_scale >= 1) {
    fail(Errc::invalid_value, kName,
         text("start: got radius ", o.init_radius.value_or(0.1), " and scale ", o.init_scale,
              ", expected less than 1"));
  }
  if (o.manifold == "lorentz" || o.dtype == "float64") {
    fail(Errc::unsupported, kName,
         text("model: got manifold '", o.manifold, "' in ", o.dtype,
              ", expected 'poincare' in float32"));
  }
  const auto choice = [](std::string_view what, const std::string& got, const std::string& valid) {
    fail(Errc::invalid_value, kName, text(what, ": got '", got, "', expected ", valid));
  };
  if (o.manifold != "poincare") choice("manifold", o.manifold, "'poincare'");
  if (o.dtype != "float32") choice("dtype", o.dtype, "'float32'");
  if (o.init != "tree" && o.init != "uniform") choice("init", o.init, "'tree' or 'uniform'");
  constexpr int kMostThreads = 1024;  // set_thread_count's own limit
  if (o.threads.value_or(1) < 1 || o.threads.value_or(1) > kMostThreads) {
    fail(Errc::invalid_value, kName,
         text("threads: got ", *o.threads, ", expected 1 to ", kMostThreads));
  }
}

Tensor initial_points(const Hierarchy& closure, const EmbeddingOptions& o,
                      const Schedule& schedule) {
  if (o.init == "tree") return tree_points(closure, o.dim, schedule.init_radius, o.seed);
  const double side = o.init_scale / std::sqrt(static_cast<double>(o.dim));
  return (Tensor::rand(closure.len(), o.dim, o.seed) * 2.0 - 1.0) * side;
}

}  // namespace spiraltorch
