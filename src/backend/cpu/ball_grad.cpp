#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/cpu/ball_stage.hpp"
#include "backend/cpu/cpu.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Gradients of the row-wise operations of the ball: each is one stage, some followed by a ⊕.
namespace spiraltorch::cpu {
namespace {

enum Role : std::size_t { kA, kB, kV, kT, kNone };
enum class Result : std::uint8_t { row, number, both };

// How an operation is made of stages.
struct Plan {
  std::array<Role, 3> roles{kNone, kNone, kNone};  // of the operands, in order
  Coefficients f = nullptr;
  std::array<bool, 3> is_point{};  // of rows a, b, v
  bool negates_b = false;
  bool adds = false;    // the result is a ⊕ (what the stage gives)
  bool clamps = false;  // and is brought into the ball
  Result result = Result::row;
};

constexpr std::array<bool, 3> kFirst{true, false, false};
constexpr std::array<bool, 3> kBoth{true, true, false};

Plan unary(Coefficients f, std::array<bool, 3> is_point, bool clamps) {
  return {.roles = {kA, kNone, kNone}, .f = f, .is_point = is_point, .clamps = clamps};
}

Plan pair(Coefficients f, bool negates_b, Result result = Result::row) {
  return {.roles = {kA, kB, kNone},
          .f = f,
          .is_point = kBoth,
          .negates_b = negates_b,
          .result = result};
}

Plan with_vector(Coefficients f, bool adds) {
  return {.roles = {kA, kV, kNone}, .f = f, .is_point = kFirst, .adds = adds, .clamps = adds};
}

Plan plan_of(OpId op, bool squared) {
  namespace c = coefficients;
  Plan plan;
  switch (op) {
    case OpId::ball_expmap0:
      return unary(c::expmap0, {}, true);
    case OpId::ball_logmap0:
      return unary(c::logmap0, kFirst, false);
    case OpId::ball_mobius_add:
      plan = pair(c::mobius_sum, false);
      plan.clamps = true;
      return plan;
    case OpId::ball_mobius_scalar:
      plan = unary(c::mobius_scalar, kFirst, true);
      plan.roles = {kT, kA, kNone};
      return plan;
    case OpId::ball_expmap:
      return with_vector(c::expmap_step, true);
    case OpId::ball_logmap:
      return pair(c::logmap, true);
    case OpId::ball_gyration:
      plan = pair(c::gyration, false);
      plan.roles = {kA, kB, kV};
      return plan;
    case OpId::ball_parallel_transport:  // gyr[y, −x]: the target is a
      plan = pair(c::transport, true);
      plan.roles = {kB, kA, kV};
      return plan;
    case OpId::ball_dist:
      return pair(squared ? c::squared_dist : c::dist, true, Result::number);
    case OpId::ball_conformal_factor:
      plan = unary(c::conformal_factor, kFirst, false);
      plan.result = Result::number;
      return plan;
    case OpId::ball_egrad2rgrad:
      return with_vector(c::egrad2rgrad, false);
    case OpId::ball_geodesic:
      plan = pair(c::geodesic_step, true);
      plan.roles = {kA, kB, kT};
      plan.adds = plan.clamps = true;
      return plan;
    case OpId::ball_to_lorentz:
      plan = unary(c::lorentz, kFirst, false);
      plan.result = Result::both;
      return plan;
    default:  // project
      return unary(c::identity, kFirst, false);
  }
}

struct Input {
  const float* data = nullptr;
  std::int64_t stride = 0;
  float* gradient = nullptr;  // null where it is not wanted
};

// Works through rows of one operation; one object a thread.
class RowGradient {
 public:
  RowGradient(const Plan& plan, std::int64_t cols, double kappa)
      : plan_(plan), cols_(cols), kappa_(kappa), stage_(cols), sum_(cols) {
    for (auto* row : {&g_, &out_, &step_, &step_gradient_}) row->resize(width());
    for (std::size_t k = 0; k < 3; ++k) {
      rows_[k].resize(width());
      gradients_[k].resize(width());
    }
  }

  void run(std::int64_t i, const std::array<Input, 3>& inputs, const float* g) {
    const bool finite = load(i, inputs);
    std::fill(factors_.begin(), factors_.end(), 1.0);
    for (std::size_t k = 0; k < 3; ++k) {
      if (plan_.is_point[k]) factors_[k] = clamp_row(rows_[k].data(), cols_, kappa_);
      std::fill(gradients_[k].begin(), gradients_[k].end(), 0.0);
    }
    differentiate(g);
    for (std::size_t k = 0; k < 3; ++k) {
      clamp_gradient(rows_[k].data(), factors_[k], cols_, gradients_[k].data());
    }
    store(i, inputs, finite);
  }

 private:
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(cols_); }

  bool load(std::int64_t i, const std::array<Input, 3>& inputs) {
    double squares = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
      if (plan_.roles[k] == kNone) continue;
      const float* from = inputs[k].data + i * inputs[k].stride;
      if (plan_.roles[k] == kT) {
        t_ = *from;
        continue;
      }
      double* row = rows_[plan_.roles[k]].data();
      const double sign = plan_.roles[k] == kB && plan_.negates_b ? -1.0 : 1.0;
      for (std::int64_t j = 0; j < cols_; ++j) {
        row[j] = sign * from[j];
        squares += row[j] * row[j];
      }
    }
    return std::isfinite(squares);
  }

  [[nodiscard]] bool has(Role role) const {
    return std::find(plan_.roles.begin(), plan_.roles.end(), role) != plan_.roles.end();
  }

  // Gradients by the rows as they stand, clamped.
  void differentiate(const float* g) {
    const auto row = [&](Role k) { return has(k) ? rows_[k].data() : nullptr; };
    const auto gradient = [&](Role k) { return has(k) ? gradients_[k].data() : nullptr; };
    stage_.evaluate(plan_.f, {row(kA), row(kB), row(kV), t_}, kappa_);
    StageGradients into{gradient(kA), gradient(kB), gradient(kV), 0.0};
    const double g_number = plan_.result == Result::row ? 0.0 : *g++;
    if (plan_.result == Result::number) {
      stage_.pull_back(nullptr, g_number, into);
    } else {
      for (std::size_t j = 0; j < width(); ++j) g_[j] = g[j];
      pull_back_row(g_number, into);
    }
    t_gradient_ = into.t;
  }

  void pull_back_row(double g_number, StageGradients& into) {
    if (plan_.adds) {
      stage_.value(step_.data());
      sum_.evaluate(coefficients::mobius_sum, {rows_[kA].data(), step_.data()}, kappa_);
    }
    Stage& last = plan_.adds ? sum_ : stage_;
    if (plan_.clamps) {
      last.value(out_.data());
      const double factor = clamp_row(out_.data(), cols_, kappa_);
      clamp_gradient(out_.data(), factor, cols_, g_.data());
    }
    if (!plan_.adds) return stage_.pull_back(g_.data(), g_number, into);
    std::fill(step_gradient_.begin(), step_gradient_.end(), 0.0);
    StageGradients outer{into.a, step_gradient_.data()};
    sum_.pull_back(g_.data(), 0.0, outer);
    stage_.pull_back(step_gradient_.data(), g_number, into);
  }

  void store(std::int64_t i, const std::array<Input, 3>& inputs, bool finite) const {
    const double scale = finite ? 1.0 : std::numeric_limits<double>::quiet_NaN();
    for (std::size_t k = 0; k < 3; ++k) {
      const Role role = plan_.roles[k];
      if (role == kNone || inputs[k].gradient == nullptr) continue;
      if (role == kT) {
        inputs[k].gradient[i] = static_cast<float>(scale * t_gradient_);
        continue;
      }
      const double sign = role == kB && plan_.negates_b ? -scale : scale;
      float* to = inputs[k].gradient + i * cols_;
      for (std::size_t j = 0; j < width(); ++j) {
        to[j] = static_cast<float>(sign * gradients_[role][j]);
      }
    }
  }

  Plan plan_;
  std::int64_t cols_;
  double kappa_;
  Stage stage_, sum_;
  std::array<std::vector<double>, 3> rows_, gradients_;
  std::array<double, 3> factors_{};
  std::vector<double> g_, out_, step_, step_gradient_;
  double t_ = 0.0;
  double t_gradient_ = 0.0;
};

// `import` is exp at the origin for a row far outside, else `project`.
bool is_far(const Input& x, std::int64_t i, std::int64_t cols, double kappa) {
  double squares = 0.0;
  const float* row = x.data + i * x.stride;
  for (std::int64_t j = 0; j < cols; ++j) squares += static_cast<double>(row[j]) * row[j];
  return std::sqrt(kappa * squares) >= kImportRadius;
}

void ball_grad(const KernelArgs& args) {
  const auto op = static_cast<OpId>(args.ints[0]);
  const std::int64_t wanted = args.ints[2];
  const std::size_t operands = args.in.size() - 1;
  const KernelOperand& g = args.in[operands];
  std::array<Input, 3> inputs;
  std::int64_t cols = 0;
  const Plan plan = plan_of(op, args.ints[1] != 0);
  for (std::size_t k = 0, next = 0; k < operands; ++k) {
    inputs[k] = {data<const float>(args.in[k]), args.in[k].row_stride};
    if (plan.roles[k] != kT) cols = args.in[k].cols;
    if ((wanted >> k & 1) != 0) inputs[k].gradient = data<float>(args.out[next++]);
  }
  const double kappa = args.scalars[0];
  const auto grain = std::max<std::int64_t>(1, 8192 / (cols + 32));
  parallel_for(g.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    RowGradient rows(plan, cols, kappa);
    RowGradient far(plan_of(OpId::ball_expmap0, false), cols, kappa);
    for (std::int64_t i = begin; i < end; ++i) {
      const bool import = op == OpId::ball_import && is_far(inputs[0], i, cols, kappa);
      (import ? far : rows).run(i, inputs, data<const float>(g) + i * g.row_stride);
    }
  });
}

}  // namespace

void register_ball_grad(KernelTable& table) { set_kernel(table, OpId::ball_grad, ball_grad); }

}  // namespace spiraltorch::cpu
