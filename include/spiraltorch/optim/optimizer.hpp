#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/parameter.hpp"

namespace spiraltorch::optim {

/// Parameters with settings of their own. What a rule does not use is ignored.
struct ParamGroup {
  std::vector<nn::Parameter> params;
  double lr = 1e-3;           ///< > 0, finite
  double momentum = 0.0;      ///< in [0, 1)
  double weight_decay = 0.0;  ///< >= 0
  bool nesterov = false;      ///< needs momentum
  double beta1 = 0.9;         ///< in [0, 1)
  double beta2 = 0.999;       ///< in [0, 1)
  double eps = 1e-8;          ///< > 0
  bool amsgrad = false;
  bool lazy = false;
};

/// What a checkpoint holds of an optimiser.
struct OptimizerState {
  std::int64_t step = 0;               ///< steps done
  std::vector<double> learning_rates;  ///< of each group
  /// Of each parameter, in the order of `parameters()`: "momentum", or "first", "second" and
  /// "second_max". On the ball "second" is (r,1). Absent while zero.
  std::vector<std::map<std::string, Tensor>> slots;
};

struct SgdOptions {
  double lr = 0.01;
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  bool amsgrad = false;
  bool lazy = false;  ///< rows whose gradient is zero are skipped altogether
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;
  bool lazy = false;
};

/// The rules of optimisers; each parameter's manifold decides whether it acts elementwise or, on
/// the ball, row by row with exponential map and parallel transport.
enum class Rule : std::uint8_t { sgd, adam, adamw };

/// Changes parameters by their accumulated gradients, in place, one fused pass a parameter. Rows on
/// the ball and elements are evaluated in double and rounded once; state is float32.
///
/// A parameter without a gradient, or that does not require one, is left alone. A row whose
/// gradient and momentum are zero keeps its bits unless it decays.
///
/// Errors: `empty_input` (no parameter), `invalid_value` (a parameter twice; a setting out of its
/// range), `non_finite`; of `step` also `graph` where a live graph keeps a parameter, and `device`.
class SPIRALTORCH_API Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step of every group. `non_finite` for a gradient that is not finite: nothing changes.
  void step();
  /// The same where the caller knows the gradients finite, for instance by their norm: no scan of
  /// them, and no waiting for a device.
  void step_finite();
  void zero_grad();
  [[nodiscard]] const std::vector<ParamGroup>& param_groups() const noexcept { return groups_; }
  [[nodiscard]] Rule rule() const noexcept { return rule_; }
  /// Of all groups, in order.
  [[nodiscard]] std::vector<nn::Parameter> parameters() const;
  /// `out_of_range`.
  [[nodiscard]] double learning_rate(std::size_t group) const;
  /// Finite, >= 0: a schedule may reach 0.
  void set_learning_rate(std::size_t group, double lr);
  /// Copies.
  [[nodiscard]] OptimizerState state() const;
  /// Checks everything, then writes. `length_mismatch`, `shape_mismatch`, `invalid_value` (an
  /// unknown slot), `non_finite`.
  void load_state(const OptimizerState& state);
  [[nodiscard]] std::string repr() const;

 protected:
  Optimizer(std::string name, Rule rule, std::vector<ParamGroup> groups);

 private:
  using Slots = std::map<std::string, Tensor>;
  struct Work;
  [[nodiscard]] std::vector<Work> prepare(bool trusted) const;
  void run(bool trusted);

  std::string name_;
  Rule rule_;
  std::vector<ParamGroup> groups_;
  std::vector<Slots> slots_;  // in the order of parameters()
  std::int64_t steps_ = 0;
};

/// h = ∇ + weight_decay·w; m ← momentum·m + h; w ← w − lr·(m, or h + momentum·m with nesterov).
/// On the ball (Bonnabel 2013): h = ∇/λ² − weight_decay·log_x(0); x' = Π exp_x(−lr·d), and m is
/// carried to x' by parallel transport.
///
/// @code
///   SGD optimizer(module.parameters(), {.lr = 0.1, .momentum = 0.9});
/// @endcode
class SPIRALTORCH_API SGD : public Optimizer {
 public:
  explicit SGD(std::vector<nn::Parameter> params, const SgdOptions& options = {});
  explicit SGD(std::vector<ParamGroup> groups);

 protected:
  SGD(std::string name, std::vector<ParamGroup> groups);
};

/// Kingma & Ba 2015, with amsgrad Reddi et al. 2018; on the ball Bécigneul & Ganea 2019, one second
/// moment a row. Weight decay joins the gradient.
class SPIRALTORCH_API Adam : public Optimizer {
 public:
  explicit Adam(std::vector<nn::Parameter> params, const AdamOptions& options = {});
  explicit Adam(std::vector<ParamGroup> groups);

 protected:
  Adam(std::string name, std::vector<ParamGroup> groups);
};

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019): w ← (1 − lr·weight_decay)·w first,
/// on the ball (1 − lr·weight_decay) ⊗ x.
class SPIRALTORCH_API AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<nn::Parameter> params, const AdamWOptions& options = {});
  explicit AdamW(std::vector<ParamGroup> groups);
};

/// SGD under the literature's name.
class SPIRALTORCH_API RiemannianSGD : public SGD {
 public:
  explicit RiemannianSGD(std::vector<nn::Parameter> params, const SgdOptions& options = {});
  explicit RiemannianSGD(std::vector<ParamGroup> groups);
};

/// Adam under the literature's name.
class SPIRALTORCH_API RiemannianAdam : public Adam {
 public:
  explicit RiemannianAdam(std::vector<nn::Parameter> params, const AdamOptions& options = {});
  explicit RiemannianAdam(std::vector<ParamGroup> groups);
};

}  // namespace spiraltorch::optim
