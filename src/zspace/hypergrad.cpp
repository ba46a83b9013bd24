#include "spiraltorch/zspace/hypergrad.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "spiraltorch/base/unicode.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"
#include "zspace/checks.hpp"

namespace spiraltorch {
namespace {

OpenTopos default_topos(double curvature, std::int64_t size) {
  return OpenTopos(curvature, 1e-6, 1e6, std::max<std::int64_t>(8, 4 * size), size);
}

OpenTopos with_room(const OpenTopos& topos, Shape shape) {
  if (shape.size() > topos.max_volume()) {
    fail(Errc::volume_exceeded, "Hypergrad",
         text("tape: got ", shape.size(), " entries, expected at most the topos' ",
              topos.max_volume()));
  }
  return topos;
}

OpenTopos checked_topos(double curvature, Shape shape, const std::optional<OpenTopos>& given) {
  check_curvature("Hypergrad", curvature);
  check_shape("Hypergrad", shape.rows, shape.cols);
  if (!given) return default_topos(curvature, shape.size());
  if (!curvatures_match(given->curvature(), curvature, given->tolerance())) {
    fail(Errc::curvature_mismatch, "Hypergrad",
         text("topos: got curvature ", given->curvature(), ", expected ", curvature));
  }
  return with_room(*given, shape);
}

}  // namespace

Hypergrad::Hypergrad(double curvature, double learning_rate, std::int64_t rows, std::int64_t cols,
                     const std::optional<OpenTopos>& topos)
    : Hypergrad(curvature, learning_rate, checked_topos(curvature, {rows, cols}, topos),
                {rows, cols}) {}

Hypergrad::Hypergrad(double curvature, double learning_rate, const OpenTopos& topos, Shape shape)
    : curvature_(curvature),
      learning_rate_(learning_rate),
      topos_(topos),
      buffer_(shape.rows, shape.cols) {
  zspace::check_positive("Hypergrad", "learning_rate", learning_rate);
}

Hypergrad Hypergrad::euclidean(double learning_rate, std::int64_t rows, std::int64_t cols,
                               const std::optional<OpenTopos>& topos) {
  check_shape("Hypergrad", rows, cols);
  const Shape shape{rows, cols};
  return {0.0, learning_rate, topos ? with_room(*topos, shape) : default_topos(-1.0, shape.size()),
          shape};
}

Manifold Hypergrad::manifold() const {
  if (curvature_ == 0.0) return Euclidean();
  return PoincareBall(curvature_);
}

std::string Hypergrad::repr() const {
  return text("Hypergrad(curvature=", curvature_, ", learning_rate=", learning_rate_,
              ", rows=", shape().rows, ", cols=", shape().cols, ")");
}

// The buffer is replaced and never written, so that copies of a tape are independent.
void Hypergrad::reset() {
  buffer_ = zeros_on(buffer_.device());
  empty_ = true;
}

void Hypergrad::scale_learning_rate(double factor) {
  zspace::check_positive("scale_learning_rate", "factor", factor);
  zspace::check_positive("scale_learning_rate", "learning rate", learning_rate_ * factor);
  learning_rate_ *= factor;
}

void Hypergrad::set_learning_rate(double rate) {
  if (!(rate >= 0) || !std::isfinite(rate)) {
    fail(Errc::invalid_value, "set_learning_rate",
         text("rate: got ", rate, ", expected a finite number >= 0"));
  }
  learning_rate_ = rate;
}

Tensor Hypergrad::zeros_on(DeviceId device) const {
  return {shape().rows, shape().cols, {.requires_grad = false, .device = device}};
}

// A tape without a gradient has no home yet; later ones must be where the first was.
void Hypergrad::add(const Tensor& differential) {
  const NoGrad guard;
  const bool moves = empty_ && differential.device() != buffer_.device();
  const Tensor start = moves ? zeros_on(differential.device()) : buffer_;
  // Finite terms: a sum may overflow, which the guard cuts, but is never NaN.
  buffer_ = topos_.rewrite("gradient", start.add(zspace::constant(differential)));
  empty_ = false;
}

void Hypergrad::accumulate_wave(const Tensor& tensor) {
  check_same_shape("accumulate_wave", "wave", tensor.shape(), shape());
  topos_.guard_tensor("wave", tensor);
  add(tensor);
}

void Hypergrad::accumulate_complex_wave(const ComplexTensor& wave) {
  check_same_shape("accumulate_complex_wave", "wave as re, im columns",
                   {wave.rows(), 2 * wave.cols()}, shape());
  accumulate_wave(wave.to_tensor());
}

void Hypergrad::accumulate_pair(const Tensor& prediction, const Tensor& target) {
  const NoGrad guard;
  check_same_shape("accumulate_pair", "prediction", prediction.shape(), shape());
  if (target.shape() != shape() && target.rows() != 1) {
    fail(Errc::shape_mismatch, "accumulate_pair",
         text("target: got ", to_text(target.shape()), ", expected ", to_text(shape()),
              " or one row"));
  }
  topos_.guard_tensor("prediction", prediction);
  zspace::check_finite("accumulate_pair", "target", target);
  Tensor goal = zspace::constant(target);
  if (goal.shape() != shape()) {
    Tensor restricted(1, shape().size(), {.requires_grad = false, .device = goal.device()});
    const std::int64_t used = std::min(goal.cols(), shape().size());
    restricted.assign({}, {.start = 0, .stop = used}, goal.slice({}, {.start = 0, .stop = used}));
    goal = restricted.reshape(shape().rows, shape().cols);
  }
  add(zspace::constant(prediction).sub(goal));
}

void Hypergrad::accumulate_barycenter_path(std::span<const BarycenterIntermediate> intermediates) {
  const NoGrad guard;
  constexpr const char* kName = "accumulate_barycenter_path";
  require(!intermediates.empty(), Errc::empty_input, kName, "stages: got none, expected some");
  for (std::size_t k = 0; k < intermediates.size(); ++k) {
    const Tensor& density = intermediates[k].density;
    check_same_shape(kName, text("stage ", k), density.shape(), shape());
    topos_.guard_tensor(text("stage ", k), density);
  }
  add(intermediates.front().density.sub(intermediates.back().density));
}

void Hypergrad::absorb_text(const LanguageWaveEncoder& encoder, std::string_view text) {
  if (!curvatures_match(encoder.curvature(), curvature_, topos_.tolerance())) {
    fail(Errc::curvature_mismatch, "absorb_text",
         spiraltorch::text("encoder: got curvature ", encoder.curvature(), ", expected ",
                           curvature_));
  }
  const auto codes = decode_utf8("absorb_text", text);
  topos_.guard_depth(static_cast<std::int64_t>(codes.size()));
  const Tensor point = encoder.encode_z_space(text, shape().size());  // made on the host
  accumulate_wave(point.reshape(shape().rows, shape().cols).to(buffer_.device()));
}

void Hypergrad::apply(Tensor& weights) {
  const NoGrad guard;
  check_same_shape("apply", "weights", weights.shape(), shape());
  const Tensor gradient = empty_ ? zeros_on(weights.device()) : buffer_;
  check_same_device("apply", {&weights, &gradient});
  check_inplace("apply", weights);
  zspace::check_finite("apply", "weights", weights);
  Tensor next = Tensor::empty(weights.rows(), weights.cols(), weights.device());
  const std::array in{detail::operand_of(weights), detail::operand_of(gradient)};
  const KernelOperand out = detail::operand_of(next);
  if (curvature_ == 0.0) {
    const std::array scalars{-learning_rate_};
    launch(OpId::add_scaled, {.in = in, .out = {&out, 1}, .scalars = scalars, .ints = {}});
  } else {
    const std::array scalars{-curvature_, learning_rate_};
    launch(OpId::ball_sgd_step, {.in = in, .out = {&out, 1}, .scalars = scalars, .ints = {}});
  }
  zspace::check_finite("apply", "updated weights", next);
  Tensor zero = zeros_on(weights.device());
  weights.copy_(next);
  buffer_ = std::move(zero);
  empty_ = true;
}

}  // namespace spiraltorch
