#include "spiraltorch/nn/hyperbolic.hpp"

#include <cmath>
#include <utility>

#include "nn/init.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/layers.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::nn {
namespace {

Tensor initial(std::string_view op, std::int64_t in, std::int64_t out, double gain) {
  check_size(op, "input size", in);
  check_size(op, "output size", out);
  check_positive(op, "gain", gain);
  return symmetric(in, out, gain / std::sqrt(static_cast<double>(in)));
}

}  // namespace

PoincareLinear::PoincareLinear(std::int64_t input_dim, std::int64_t output_dim, double curvature,
                               std::string name, PoincareLinearOptions options)
    : ball_(curvature),
      name_(std::move(name)),
      options_(options),
      weight_(initial("PoincareLinear", input_dim, output_dim, options.gain)) {
  register_parameter(name_ + "::weight", weight_);
  if (!options.bias) return;
  bias_.emplace(Tensor(1, output_dim), ball_);
  register_parameter(name_ + "::bias", *bias_);
}

Tensor PoincareLinear::forward(const Tensor& input) {
  check_columns("PoincareLinear", input, weight_.rows());
  check_same_device("PoincareLinear", {&input, &weight_});
  return geometry::mobius_affine(ball_, input, weight_, bias_ ? &*bias_ : nullptr);
}

std::string PoincareLinear::repr() const {
  return text("PoincareLinear(", weight_.rows(), ", ", weight_.cols(), ", ", curvature(),
              ", name='", name_, "'", bias_ ? "" : ", bias=False",
              options_.gain == 1.0 ? "" : text(", gain=", options_.gain), ")");
}

PoincareMLR::PoincareMLR(std::int64_t dim, std::int64_t classes, double curvature, std::string name,
                         PoincareMLROptions options)
    : ball_(curvature),
      name_(std::move(name)),
      options_(options),
      weight_(initial("PoincareMLR", dim, classes, options.gain)),
      offset_(Tensor(1, classes)) {
  register_parameter(name_ + "::weight", weight_);
  register_parameter(name_ + "::offset", offset_);
}

Tensor PoincareMLR::forward(const Tensor& input) {
  check_columns("PoincareMLR", input, weight_.rows());
  check_same_device("PoincareMLR", {&input, &weight_});
  return geometry::hyperplane_logits(ball_, input, weight_, offset_);
}

std::string PoincareMLR::repr() const {
  return text("PoincareMLR(", weight_.rows(), ", ", weight_.cols(), ", ", curvature(), ", name='",
              name_, "'", options_.gain == 1.0 ? "" : text(", gain=", options_.gain), ")");
}

}  // namespace spiraltorch::nn
