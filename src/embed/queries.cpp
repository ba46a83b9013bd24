#include <algorithm>
#include <cmath>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/tensor/autograd.hpp"

// What is asked of a trained embedding.
namespace spiraltorch {
namespace {

constexpr std::int64_t kBlock = std::int64_t{1} << 24;  // distances held at once

// Squared norms of a host table's rows.
std::vector<double> squares_of(const Tensor& table) {
  const float* x = table.host().get();
  std::vector<double> out(static_cast<std::size_t>(table.rows()), 0.0);
  for (double& square : out) {
    for (std::int64_t j = 0; j < table.cols(); ++j, ++x) square += static_cast<double>(*x) * *x;
  }
  return out;
}

double square_of(const Tensor& row) { return squares_of(row.to({})).front(); }

}  // namespace

void HierarchyEmbedding::check_neighbours(std::string_view op, std::int64_t k) const {
  check_fitted(op);
  check_finite(op);
  if (k >= 1 && k < unit_->rows()) return;
  fail(Errc::invalid_value, op, text("k: got ", k, ", expected 1 to ", unit_->rows() - 1));
}

double HierarchyEmbedding::distance(std::string_view a, std::string_view b) const {
  check_fitted("distance");
  check_finite("distance");
  const double unit = unit_->row(index(a)).hyperbolic_distance(unit_->row(index(b)), -1.0);
  return unit * distance_unit();
}

std::vector<std::pair<std::string, double>> HierarchyEmbedding::nearest(std::string_view name,
                                                                        std::int64_t k) const {
  check_neighbours("nearest", k);
  const std::string one(name);
  const EmbeddingNeighbours found = nearest_many({&one, 1}, k);
  const auto rows = found.indices.data();
  const auto distances = found.distances.data();
  std::vector<std::pair<std::string, double>> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.emplace_back(names_[static_cast<std::size_t>(rows[i])], distances[i]);
  }
  return out;
}

EmbeddingNeighbours HierarchyEmbedding::nearest_many(std::span<const std::string> names,
                                                     std::int64_t k) const {
  const NoGrad guard;
  check_neighbours("nearest_many", k);
  require(!names.empty(), Errc::empty_input, "nearest_many",
          "names: got none, expected at least one");
  std::vector<std::int64_t> queries;
  for (const std::string& name : names) queries.push_back(index(name));
  const double radius = distance_unit();
  const std::int64_t block = std::max<std::int64_t>(1, kBlock / unit_->rows());
  std::vector<std::int64_t> nodes;
  std::vector<float> distances;
  for (std::int64_t first = 0; first < std::ssize(queries); first += block) {
    const std::int64_t count = std::min(block, std::ssize(queries) - first);
    const std::vector<std::int64_t> mine(queries.begin() + first, queries.begin() + first + count);
    const auto rows = IndexTensor::from_values(1, count, mine, ElementType::i64, unit_->device());
    const Tensor d = PoincareBall(-1.0).dist_matrix(ops::index_select(*unit_, rows), *unit_);
    const RankResult best = bottomk(d, k + 1);  // the node itself, at distance 0, is one of them
    const auto near = best.indices.data();
    const auto far = best.values.data();
    for (std::size_t q = 0; q < mine.size(); ++q) {
      std::int64_t kept = 0;
      for (std::size_t i = q * static_cast<std::size_t>(k + 1); kept < k; ++i) {
        if (near[i] == mine[q]) continue;
        nodes.push_back(near[i]);
        distances.push_back(static_cast<float>(static_cast<double>(far[i]) * radius));
        ++kept;
      }
    }
  }
  const auto asked = std::ssize(queries);
  return {IndexTensor::from_values(asked, k, nodes, ElementType::i32, unit_->device()),
          Tensor(asked, k, std::span<const float>(distances)).to(unit_->device())};
}

std::vector<std::pair<std::string, double>> HierarchyEmbedding::ancestors_guess(
    std::string_view name, std::int64_t k) const {
  const NoGrad guard;
  check_neighbours("ancestors_guess", k);
  check_hyperbolic("ancestors_guess");
  const std::int64_t self = index(name);
  const std::vector<double> squares = squares_of(unit_->to({}));
  const auto distances = PoincareBall(-1.0).dist(*unit_, unit_->row(self)).data();
  std::vector<std::size_t> nodes;
  for (std::size_t v = 0; v < squares.size(); ++v) {
    if (squares[v] < squares[static_cast<std::size_t>(self)]) nodes.push_back(v);
  }
  const auto count = std::min(k, std::ssize(nodes));
  std::partial_sort(nodes.begin(), nodes.begin() + count, nodes.end(),
                    [&](std::size_t a, std::size_t b) {
                      return std::pair(distances[a], a) < std::pair(distances[b], b);
                    });
  const double radius = distance_unit();
  std::vector<std::pair<std::string, double>> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t v = nodes[static_cast<std::size_t>(i)];
    out.emplace_back(names_[v], distances[v] * radius);
  }
  return out;
}

double HierarchyEmbedding::score(std::string_view child, std::string_view parent,
                                 double alpha) const {
  require(std::isfinite(alpha), Errc::non_finite, "score",
          "alpha: got a number that is not finite, expected a finite one");
  check_hyperbolic("score");
  const double d = distance(child, parent);
  const double below = std::sqrt(square_of(unit_->row(index(child))));
  const double above = std::sqrt(square_of(unit_->row(index(parent))));
  return -(1.0 + alpha * (above - below)) * d;
}

Tensor HierarchyEmbedding::to_poincare() const {
  check_fitted("to_poincare");
  check_hyperbolic("to_poincare");
  return radius() == 1.0 ? unit_->clone() : unit_->scale(radius());
}

Tensor HierarchyEmbedding::to_lorentz() const {
  check_fitted("to_lorentz");
  check_finite("to_lorentz");
  check_hyperbolic("to_lorentz");
  const Tensor unit = unit_->to({});
  const std::vector<double> squares = squares_of(unit);
  const double radius = this->radius();
  const float* x = unit.host().get();
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(unit.rows() * (unit.cols() + 1)));
  for (const double square : squares) {
    const double scale = radius / (1.0 - square);
    out.push_back(static_cast<float>((1.0 + square) * scale));
    for (std::int64_t j = 0; j < unit.cols(); ++j, ++x) {
      out.push_back(static_cast<float>(2.0 * static_cast<double>(*x) * scale));
    }
  }
  return Tensor(unit.rows(), unit.cols() + 1, std::span<const float>(out)).to(unit_->device());
}

std::shared_ptr<nn::PoincareEmbedding> HierarchyEmbedding::to_module(std::string name) const {
  check_fitted("to_module");
  check_finite("to_module");
  return nn::PoincareEmbedding::from_pretrained(to_poincare(), options_.curvature, std::move(name));
}

}  // namespace spiraltorch
