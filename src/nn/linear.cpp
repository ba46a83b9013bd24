#include "spiraltorch/nn/linear.hpp"

#include <cmath>
#include <utility>

#include "nn/init.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/linear.hpp"

namespace spiraltorch::nn {
namespace {

Tensor initial_weight(std::int64_t in, std::int64_t out, const LinearOptions& options) {
  check_size("Linear", "input_dim", in);
  check_size("Linear", "output_dim", out);
  check_positive("Linear", "gain", options.gain);
  if (options.init == Init::zeros) return {in, out};
  const auto fan = static_cast<double>(in);
  const double bound = options.init == Init::kaiming
                           ? options.gain / std::sqrt(fan)
                           : options.gain * std::sqrt(6.0 / (fan + static_cast<double>(out)));
  return symmetric(in, out, bound);
}

}  // namespace

Linear::Linear(std::int64_t input_dim, std::int64_t output_dim, std::string name,
               LinearOptions options)
    : name_(std::move(name)),
      options_(options),
      weight_(initial_weight(input_dim, output_dim, options)) {
  register_parameter(name_ + "::weight", weight_);
  if (!options.bias) return;
  bias_.emplace(options.init == Init::kaiming
                    ? symmetric(1, output_dim, 1.0 / std::sqrt(static_cast<double>(input_dim)))
                    : Tensor(1, output_dim));
  register_parameter(name_ + "::bias", *bias_);
}

Tensor Linear::forward(const Tensor& input) { return forward(input, false); }

Tensor Linear::forward(const Tensor& input, bool relu) const {
  check_columns("Linear", input, weight_.rows());
  return ops::linear(input, weight_, bias_ ? &*bias_ : nullptr, relu);
}

std::string Linear::repr() const {
  std::string more;
  if (!options_.bias) more += ", bias=False";
  if (options_.init != Init::kaiming) {
    more += options_.init == Init::xavier ? ", init='xavier'" : ", init='zeros'";
  }
  if (options_.gain != 1.0) more += text(", gain=", options_.gain);
  return text("Linear(", weight_.rows(), ", ", weight_.cols(), ", name='", name_, "'", more, ")");
}

}  // namespace spiraltorch::nn
