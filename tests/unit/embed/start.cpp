#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <set>
#include <vector>

#include "embed/schedule.hpp"
#include "trees.hpp"

using namespace spiraltorch;

// Where a training starts: `initial_points` of a tree.
namespace {

std::vector<double> start_of(const Hierarchy& h, const EmbeddingOptions& o) {
  const TrainingLinks links("test", h, true);
  return initial_points(links, o, Schedule(o, h.len()));
}

double norm(const double* x, std::int64_t dim) {
  double sum = 0;
  for (std::int64_t j = 0; j < dim; ++j) sum += x[j] * x[j];
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("start: a star's leaves are spread evenly over the sphere, for every number of axes") {
  const std::int64_t leaves = 20000;
  for (const std::int64_t dim : {2, 3, 4, 5, 7, 8, 10}) {
    CAPTURE(dim);
    const auto points = start_of(star(leaves + 1), {.dim = dim, .init_radius = 0.5});
    std::vector<double> mean(static_cast<std::size_t>(dim), 0.0), square(mean);
    for (std::int64_t i = 1; i <= leaves; ++i) {
      const double* x = points.data() + i * dim;
      CHECK(norm(x, dim) == doctest::Approx(0.5));
      for (std::int64_t j = 0; j < dim; ++j) {
        mean[static_cast<std::size_t>(j)] += x[j] / 0.5 / double(leaves);
        square[static_cast<std::size_t>(j)] += x[j] * x[j] / 0.25 / double(leaves);
      }
    }
    for (std::size_t j = 0; j < mean.size(); ++j) {
      CHECK(std::abs(mean[j]) < 0.02);
      CHECK(square[j] == doctest::Approx(1.0 / double(dim)).epsilon(0.03));
    }
  }
}

TEST_CASE("start: in the plane each subtree has an arc of its own, as long as its share") {
  const Hierarchy h = random_tree(3000);
  const TrainingLinks links("test", h, true);
  const auto points = start_of(h, {.dim = 2});
  const auto angle = [&](std::int32_t node) {
    return std::atan2(points[static_cast<std::size_t>(2 * node + 1)],
                      points[static_cast<std::size_t>(2 * node)]);
  };
  std::vector<double> arcs(static_cast<std::size_t>(h.len()), 2 * std::numbers::pi);
  std::vector<double> sizes(arcs.size());
  for (std::size_t i = 0; i < links.forest.preorder.size(); ++i) {
    const auto node = static_cast<std::size_t>(links.forest.preorder[i]);
    sizes[node] = links.forest.sizes[i];
    if (i == 0) continue;
    const auto parent = static_cast<std::size_t>(links.forest.parent[node]);
    const double arc = arcs[parent] * sizes[node] / (sizes[parent] - 1);
    arcs[node] = arc;
    for (std::size_t k = i; std::cmp_less(k, i + static_cast<std::size_t>(links.forest.sizes[i]));
         ++k) {
      const double apart = std::remainder(
          angle(links.forest.preorder[k]) - angle(links.forest.preorder[i]), 2 * std::numbers::pi);
      // Half an arc, and the random part of the node's own direction.
      CHECK(std::abs(apart) <= 0.55 * arc);
    }
  }
}

TEST_CASE(
    "start: from 8 dimensions a subtree is as wide as its share of the sphere, of 10 at most") {
  const Hierarchy h = random_tree(3000);
  const TrainingLinks links("test", h, true);
  std::vector<double> shares(static_cast<std::size_t>(h.len()));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[static_cast<std::size_t>(links.forest.preorder[i])] = links.forest.sizes[i] / 3000.0;
  }
  for (const std::int64_t dim : {8, 10, 20, 50}) {
    CAPTURE(dim);
    const auto points = start_of(h, {.dim = dim});
    double widest = 0;  // of the angles from a parent to its child, by the most it may be
    for (const std::int32_t node : links.forest.preorder) {
      const std::int32_t p = links.forest.parent[static_cast<std::size_t>(node)];
      if (p < 0 || links.forest.parent[static_cast<std::size_t>(p)] < 0) continue;
      const double *x = points.data() + node * dim, *y = points.data() + p * dim;
      const double cosine = std::inner_product(x, x + dim, y, 0.0) / (norm(x, dim) * norm(y, dim));
      const double share = shares[static_cast<std::size_t>(p)];
      const double turn = 0.7 * std::pow(share, 1.0 / double(std::min<std::int64_t>(dim, 10) - 1));
      widest = std::max(widest, std::acos(std::min(1.0, cosine)) / std::asin(turn));
    }
    CHECK(widest <= 1.0 + 1e-6);
    CHECK(widest > 0.9);
  }
}

TEST_CASE("start: the hyperbolic radius is the logarithm of the share, to that of a leaf") {
  const Hierarchy h = random_tree(500);
  const TrainingLinks links("test", h, true);
  for (const std::int64_t dim : {1, 2, 3, 6, 8}) {
    const auto points = start_of(h, {.dim = dim});
    const double leaf = dim == 2 ? std::log(500.0) : 2 * std::atanh(0.2);
    for (std::size_t i = 0; i < links.forest.preorder.size(); ++i) {
      const double share = std::log(links.forest.sizes[i]) / std::log(500.0);
      const double r = norm(points.data() + links.forest.preorder[i] * dim, dim);
      CHECK(r == doctest::Approx(std::max(1e-4, std::tanh(leaf * (1 - share) / 2))));
    }
  }
}

TEST_CASE("start: chains, stars, forests and few nodes have different points inside the ball") {
  const std::vector<Hierarchy> all{
      chain(5000), star(5000), random_tree(2000), star(2),
      Hierarchy::from_parents(std::vector<std::int64_t>{-1, -1, 0, 1, -1, 4, 4, 5})};
  for (const Hierarchy& h : all) {
    for (const std::int64_t dim : {2, 3, 5, 9}) {
      CAPTURE(h.len());
      CAPTURE(dim);
      const auto points = start_of(h, {.dim = dim});
      std::set<std::vector<double>> seen;
      for (std::int64_t i = 0; i < h.len(); ++i) {
        const double r = norm(points.data() + i * dim, dim);
        CHECK(r > 0);
        CHECK(r < 1);
        seen.emplace(points.begin() + i * dim, points.begin() + (i + 1) * dim);
      }
      CHECK(std::ssize(seen) == h.len());
    }
  }
}

TEST_CASE("start: equal seeds give equal points, others others") {
  const Hierarchy h = random_tree(300);
  for (const std::int64_t dim : {2, 3, 5, 10}) {
    CHECK(start_of(h, {.dim = dim, .seed = 4}) == start_of(h, {.dim = dim, .seed = 4}));
    CHECK(start_of(h, {.dim = dim, .seed = 4}) != start_of(h, {.dim = dim, .seed = 5}));
  }
}
