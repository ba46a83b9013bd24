#include "spiraltorch/nn/embedding.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "nn/init.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/reduce.hpp"

namespace spiraltorch::nn {
namespace {

constexpr std::int64_t kExactIntegers = std::int64_t{1} << 24;  // of float32
constexpr double kInitRadius = 1e-3;                            // what a repr shows without one

Tensor normal_table(std::int64_t count, std::int64_t dim) {
  check_size("Embedding", "count", count);
  check_size("Embedding", "dim", dim);
  return Tensor::randn(count, dim);
}

Tensor point_table(std::int64_t count, std::int64_t dim, const PoincareBall& ball, double radius) {
  check_size("PoincareEmbedding", "count", count);
  check_size("PoincareEmbedding", "dim", dim);
  check_positive("PoincareEmbedding", "init_radius", radius);
  return symmetric(count, dim, radius / std::sqrt(-ball.curvature()));
}

IndexTensor integers(std::string_view op, const Tensor& x) {
  const auto data = x.data();
  std::vector<std::int64_t> numbers(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const double value = data[i];
    if (value != std::floor(value) || std::abs(value) > static_cast<double>(kExactIntegers)) {
      fail(Errc::invalid_value, op,
           text("input, position ", i, ": got ", value, ", expected an integer of at most 2^24"));
    }
    numbers[i] = static_cast<std::int64_t>(value);
  }
  return IndexTensor::from_values(x.rows(), x.cols(), numbers);
}

Tensor look_up(const Parameter& table, const IndexTensor& input) {
  const IndexTensor flat =
      input.rows() == 1
          ? input
          : IndexTensor::from_values(1, input.size(), input.data(), input.type(), input.device());
  const Tensor found = ops::index_select(table, flat.to(table.device()));
  if (input.cols() == 1) return found;
  return ops::reshape(found, input.rows(), input.cols() * table.cols());
}

}  // namespace

Embedding::Embedding(std::int64_t count, std::int64_t dim, std::string name)
    : name_(std::move(name)), weight_(normal_table(count, dim)) {
  register_parameter(name_ + "::weight", weight_);
}

Tensor Embedding::forward(const Tensor& input) { return forward(integers("Embedding", input)); }
Tensor Embedding::forward(const IndexTensor& input) { return look_up(weight_, input); }

std::string Embedding::repr() const {
  return text("Embedding(", weight_.rows(), ", ", weight_.cols(), ", name='", name_, "')");
}

PoincareEmbedding::PoincareEmbedding(std::int64_t count, std::int64_t dim, double curvature,
                                     double init_radius, std::string name)
    : ball_(curvature),
      init_radius_(init_radius),
      name_(std::move(name)),
      weight_(point_table(count, dim, ball_, init_radius), ball_) {
  register_parameter(name_ + "::weight", weight_);
}

PoincareEmbedding::PoincareEmbedding(const Tensor& points, const PoincareBall& ball,
                                     std::string name)
    : ball_(ball), init_radius_(kInitRadius), name_(std::move(name)), weight_(points, ball_) {
  register_parameter(name_ + "::weight", weight_);
}

std::shared_ptr<PoincareEmbedding> PoincareEmbedding::from_pretrained(const Tensor& points,
                                                                      double curvature,
                                                                      std::string name) {
  const PoincareBall ball(curvature);
  if (const std::int64_t bad = ops::first_non_finite(points); bad >= 0) {
    const std::int64_t row = bad / points.cols();
    fail(Errc::non_finite, "from_pretrained",
         text("points, row ", row, ": got ", points.at(row, bad % points.cols()),
              ", expected finite coordinates"));
  }
  return std::shared_ptr<PoincareEmbedding>(
      new PoincareEmbedding(points.detach(), ball, std::move(name)));
}

Tensor PoincareEmbedding::forward(const Tensor& input) {
  return forward(integers("PoincareEmbedding", input));
}
Tensor PoincareEmbedding::forward(const IndexTensor& input) { return look_up(weight_, input); }

double PoincareEmbedding::distance(std::int64_t i, std::int64_t j) const {
  for (const std::int64_t k : {i, j}) {
    if (k >= 0 && k < weight_.rows()) continue;
    fail(Errc::out_of_range, "distance",
         text("point: got ", k, ", expected one in [0, ", weight_.rows(), ")"));
  }
  const Tensor table = weight_.detach();
  return table.row(i).hyperbolic_distance(table.row(j), ball_.curvature());
}

std::string PoincareEmbedding::repr() const {
  return text("PoincareEmbedding(", weight_.rows(), ", ", weight_.cols(), ", ", curvature(), ", ",
              init_radius_, ", name='", name_, "')");
}

}  // namespace spiraltorch::nn
