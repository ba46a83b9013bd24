#include "spiraltorch/nn/parameter.hpp"

#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::nn {
namespace {

// What a parameter has beside a tensor.
class State final : public detail::GradientSink {
 public:
  explicit State(const Manifold& on) : manifold(on) {}

  [[nodiscard]] bool takes() const override { return tape != nullptr; }

  // The tape's checks run on a copy, whose buffer is its own.
  [[nodiscard]] std::function<void()> prepare(const Tensor& contribution) override {
    auto next = std::make_shared<Hypergrad>(*tape);
    next->accumulate_wave(contribution);
    return [target = tape, next] { *target = *next; };
  }

  [[nodiscard]] Tensor gradient() const override { return tape->buffer(); }

  void assign(const std::optional<Tensor>& gradient) override {
    Hypergrad next = *tape;
    next.reset();
    if (gradient) next.accumulate_wave(*gradient);
    *tape = std::move(next);
  }

  Manifold manifold;
  std::shared_ptr<Hypergrad> tape;
};

// Only parameters have a sink, and theirs is a State.
State& state_of(const Tensor& x) { return static_cast<State&>(*x.impl()->sink); }

Tensor own_copy(const Tensor& tensor, const Manifold& manifold) {
  const NoGrad guard;
  const auto* ball = std::get_if<PoincareBall>(&manifold);
  return ball == nullptr ? tensor.clone() : ball->project(tensor);
}

}  // namespace

Parameter::Parameter(const Tensor& tensor, const Manifold& manifold, bool requires_grad)
    : Tensor(own_copy(tensor, manifold)) {
  impl()->sink = std::make_shared<State>(manifold);
  requires_grad_(requires_grad);
}

Parameter::Parameter(std::shared_ptr<detail::TensorImpl> impl) noexcept : Tensor(std::move(impl)) {}

std::optional<Parameter> Parameter::of(const Tensor& tensor) {
  if (tensor.impl()->sink == nullptr) return {};
  return Parameter(tensor.impl());
}

const Manifold& Parameter::manifold() const noexcept { return state_of(*this).manifold; }
const std::shared_ptr<Hypergrad>& Parameter::tape() const noexcept { return state_of(*this).tape; }

void Parameter::attach_tape(std::shared_ptr<Hypergrad> tape) {
  require(tape != nullptr, Errc::invalid_value, "attach_tape", "tape: got none, expected one");
  check_same_shape("attach_tape", "tape", tape->shape(), shape());
  const double own = curvature_of(manifold());
  if (!curvatures_match(tape->curvature(), own)) {
    fail(Errc::curvature_mismatch, "attach_tape",
         text("tape: got curvature ", tape->curvature(), ", expected the parameter's, ", own));
  }
  impl()->grad.reset();
  impl()->row_grad.reset();
  state_of(*this).tape = std::move(tape);
}

void Parameter::detach_tape() { state_of(*this).tape.reset(); }

void Parameter::move_to(DeviceId device) {
  const NoGrad guard;
  if (this->device() == device) return;
  check_inplace("move_to", *this);
  detail::make_gradient_dense(*this);
  const Tensor moved = detach().to(device);
  std::optional<Tensor> gradient;
  if (impl()->grad) gradient = impl()->grad->to(device);
  impl()->storage = moved.impl()->storage;
  impl()->grad = std::move(gradient);
}

std::string Parameter::repr() const {
  return text("Parameter(", Tensor::repr(), ", ", to_text(manifold()), ")");
}

}  // namespace spiraltorch::nn
