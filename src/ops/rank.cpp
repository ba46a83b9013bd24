#include "spiraltorch/ops/rank.hpp"

#include <array>

#include "ops/launch.hpp"
#include "ops/rank_device.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/rank/call.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kNarrowColumns = std::int64_t{1} << 31;

Tensor placed(std::string_view op, const Tensor& x, const std::optional<std::string>& device) {
  if (!device) return x;
  return x.to(resolve_device(op, *device));
}

void check_k(std::string_view op, const Tensor& x, std::int64_t k) {
  if (k >= 0 && k <= x.cols()) return;
  fail(Errc::invalid_value, op, text("k: got ", k, ", expected 0 to ", x.cols(), ", the columns"));
}

[[noreturn]] void fail_plan(std::string_view op, std::string_view what, const std::string& got,
                            const std::string& expected) {
  fail(Errc::invalid_value, op, text("plan's ", what, ": got ", got, ", expected ", expected));
}

void check_shape_of(std::string_view op, const RankPlanFields& p, const Tensor& x) {
  const Shape planned{p.problem.rows, p.problem.cols};
  if (planned == x.shape()) return;
  fail_plan(op, "shape", to_text(planned), text(to_text(x.shape()), ", the tensor's"));
}

// A plan serves only the device and the capabilities it was made for.
void check_device(std::string_view op, const RankPlanFields& p, const Tensor& x,
                  const DeviceCaps& caps) {
  const auto refuse = [&](const std::string& got, const std::string& expected) {
    throw PlanDeviceMismatch(Errc::device,
                             text("[", op, "] plan: got ", got, ", expected ", expected));
  };
  if (p.simulated) {
    refuse(text("a simulated one for ", to_text(p.device)), "one for a device that is present");
  }
  if (p.device != x.device()) {
    refuse(text("one for ", to_text(p.device)), text("one for the tensor's ", to_text(x.device())));
  }
  if (p.fingerprint != fingerprint(caps)) {
    refuse(text("one made for capabilities ", p.fingerprint),
           text("the device's present ones, ", fingerprint(caps)));
  }
}

void check_first_nan(std::string_view op, const Tensor& x, std::int64_t at) {
  if (at < 0) return;
  fail(Errc::non_finite, op,
       text("element (", at / x.cols(), ", ", at % x.cols(),
            "): got NaN, expected numbers (nan=\"raise\")"));
}

// A selected element's gradient goes to the column it came from.
Tensor recorded(std::string_view op, const Tensor& x, Tensor values, const IndexTensor& indices) {
  if (values.size() == 0 || !is_recorded({&x})) return values;
  return record(std::move(values), op, {x}, {}, [shape = x.shape(), indices](auto& context) {
    Tensor out = Tensor::empty(shape.rows, shape.cols, context.gradient.device());
    ops::run(OpId::rank_grad, {detail::operand_of(context.gradient), indices.operand()},
             detail::operand_of(out));
    return std::vector<std::optional<Tensor>>{out};
  });
}

RankResult execute(std::string_view op, SharedPlan plan, const Tensor& x, bool sorted,
                   NanPolicy nan) {
  const RankPlanFields& p = **plan;
  const Shape shape{p.problem.rows, p.problem.k};
  const ElementType type = x.cols() < kNarrowColumns ? ElementType::i32 : ElementType::i64;
  RankResult result{detail::empty_result(shape, x.device()),
                    IndexTensor::empty(shape.rows, shape.cols, type, x.device()), plan};
  if (p.algorithm == RankAlgorithm::none) {
    if (nan == NanPolicy::raise && x.size() > 0) {
      check_first_nan(op, x, ops::first_non_finite(x, true));
    }
    return result;
  }
  std::shared_ptr<Buffer> workspace;
  std::vector<KernelOperand> out{detail::operand_of(result.values), result.indices.operand()};
  if (p.workspace_bytes > 0) {
    workspace = Buffer::allocate(x.device(), static_cast<std::size_t>(p.workspace_bytes));
    out.push_back(operand(*workspace, {1, p.workspace_bytes / 4}, ElementType::i32));
  }
  const std::array in{detail::operand_of(x)};
  RankCall call{plan.get(), sorted, nan};
  launch(OpId::rank_select, {.in = in, .out = out, .scalars = {}, .ints = {}, .rank = &call});
  check_first_nan(op, x, call.first_nan);
  result.trace = std::move(call.trace);
  result.values = recorded(op, x, std::move(result.values), result.indices);
  return result;
}

RankResult select(std::string_view op, RankKind kind, const Tensor& tensor, std::int64_t k,
                  const RankOptions& options) {
  check_k(op, tensor, k);
  const Tensor x = placed(op, tensor, options.device);
  const DeviceCaps caps = ranking::caps_of(x.device());
  if (options.plan == nullptr) {
    const RankProblem problem{kind, x.rows(), x.cols(), k};
    return execute(op, ranking::memo_plan(problem, caps, to_text(x.device())), x, options.sorted,
                   options.nan);
  }
  const RankPlanFields& p = **options.plan;
  check_device(op, p, x, caps);
  check_shape_of(op, p, x);
  if (p.problem.kind != kind) {
    fail_plan(op, "kind", std::string(to_text(p.problem.kind)), std::string(to_text(kind)));
  }
  if (p.problem.k != k) fail_plan(op, "k", text(p.problem.k), text(k));
  return execute(op, options.plan, x, options.sorted, options.nan);
}

}  // namespace

RankResult topk(const Tensor& x, std::int64_t k, const RankOptions& options) {
  return select("topk", RankKind::topk, x, k, options);
}
RankResult midk(const Tensor& x, std::int64_t k, const RankOptions& options) {
  return select("midk", RankKind::midk, x, k, options);
}
RankResult bottomk(const Tensor& x, std::int64_t k, const RankOptions& options) {
  return select("bottomk", RankKind::bottomk, x, k, options);
}

RankResult rank(const SharedPlan& plan, const Tensor& x, bool sorted, NanPolicy nan) {
  require(plan != nullptr, Errc::invalid_value, "rank", "plan: got none, expected a plan");
  const RankPlanFields& p = **plan;
  check_device("rank", p, x, ranking::caps_of(x.device()));
  check_shape_of("rank", p, x);
  check_k("rank", x, p.problem.k);
  return execute("rank", plan, x, sorted, nan);
}

}  // namespace spiraltorch
