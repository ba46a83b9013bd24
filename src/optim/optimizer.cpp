#include "spiraltorch/optim/optimizer.hpp"

#include <unordered_set>
#include <utility>

#include "optim/checks.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::optim {
namespace {

void check_group(std::string_view op, Rule rule, const ParamGroup& group) {
  const auto in_unit = [op](std::string_view name, double value) {
    check_setting(op, name, value, value >= 0.0 && value < 1.0, "a number in [0, 1)");
  };
  check_setting(op, "lr", group.lr, group.lr > 0.0, "> 0");
  check_setting(op, "weight_decay", group.weight_decay, group.weight_decay >= 0.0, ">= 0");
  if (rule == Rule::sgd) {
    in_unit("momentum", group.momentum);
    if (group.nesterov && group.momentum == 0.0) {
      fail(Errc::invalid_value, op, "nesterov: got true with momentum 0, expected momentum > 0");
    }
    return;
  }
  in_unit("betas", group.beta1);
  in_unit("betas", group.beta2);
  check_setting(op, "eps", group.eps, group.eps > 0.0, "> 0");
}

ParamGroup group_of(std::vector<nn::Parameter> params, const SgdOptions& o) {
  ParamGroup group{.params = std::move(params), .lr = o.lr};
  group.momentum = o.momentum;
  group.weight_decay = o.weight_decay;
  group.nesterov = o.nesterov;
  return group;
}

template <class Options>
ParamGroup group_of(std::vector<nn::Parameter> params, const Options& o) {
  ParamGroup group{.params = std::move(params), .lr = o.lr};
  group.weight_decay = o.weight_decay;
  group.beta1 = o.beta1;
  group.beta2 = o.beta2;
  group.eps = o.eps;
  group.amsgrad = o.amsgrad;
  group.lazy = o.lazy;
  return group;
}

template <class Options>
std::vector<ParamGroup> one_group(std::vector<nn::Parameter> params, const Options& options) {
  std::vector<ParamGroup> groups;
  groups.push_back(group_of(std::move(params), options));
  return groups;
}

const char* as_bool(bool value) { return value ? "True" : "False"; }

}  // namespace

Optimizer::Optimizer(std::string name, Rule rule, std::vector<ParamGroup> groups)
    : name_(std::move(name)), rule_(rule), groups_(std::move(groups)) {
  std::unordered_set<const detail::TensorImpl*> seen;
  for (const ParamGroup& group : groups_) {
    check_group(name_, rule_, group);
    for (const nn::Parameter& p : group.params) {
      if (seen.insert(p.impl().get()).second) continue;
      fail(Errc::invalid_value, name_,
           text("parameter ", seen.size(), ": got one given before, expected each once"));
    }
  }
  require(!seen.empty(), Errc::empty_input, name_, "parameters: got none, expected at least one");
  slots_.resize(seen.size());
}

std::vector<nn::Parameter> Optimizer::parameters() const {
  std::vector<nn::Parameter> all;
  for (const ParamGroup& group : groups_) {
    all.insert(all.end(), group.params.begin(), group.params.end());
  }
  return all;
}

void Optimizer::zero_grad() {
  for (ParamGroup& group : groups_) {
    for (nn::Parameter& p : group.params) p.zero_grad();
  }
}

double Optimizer::learning_rate(std::size_t group) const {
  if (group >= groups_.size()) {
    fail(Errc::out_of_range, "learning_rate",
         text("group: got ", group, ", expected one below ", groups_.size()));
  }
  return groups_[group].lr;
}

void Optimizer::set_learning_rate(std::size_t group, double lr) {
  (void)learning_rate(group);
  check_setting("set_learning_rate", "lr", lr, lr >= 0.0, ">= 0");
  groups_[group].lr = lr;
}

std::string Optimizer::repr() const {
  const ParamGroup& g = groups_.front();
  std::string out = text(name_, "(lr=", g.lr);
  if (rule_ == Rule::sgd) {
    out += text(", momentum=", g.momentum, ", weight_decay=", g.weight_decay,
                ", nesterov=", as_bool(g.nesterov));
  } else {
    out += text(", betas=(", g.beta1, ", ", g.beta2, "), eps=", g.eps,
                ", weight_decay=", g.weight_decay, ", amsgrad=", as_bool(g.amsgrad),
                ", lazy=", as_bool(g.lazy));
  }
  if (groups_.size() > 1) out += text(", groups=", groups_.size());
  return out + ")";
}

SGD::SGD(std::vector<nn::Parameter> params, const SgdOptions& options)
    : SGD("SGD", one_group(std::move(params), options)) {}
SGD::SGD(std::vector<ParamGroup> groups) : SGD("SGD", std::move(groups)) {}
SGD::SGD(std::string name, std::vector<ParamGroup> groups)
    : Optimizer(std::move(name), Rule::sgd, std::move(groups)) {}

Adam::Adam(std::vector<nn::Parameter> params, const AdamOptions& options)
    : Adam("Adam", one_group(std::move(params), options)) {}
Adam::Adam(std::vector<ParamGroup> groups) : Adam("Adam", std::move(groups)) {}
Adam::Adam(std::string name, std::vector<ParamGroup> groups)
    : Optimizer(std::move(name), Rule::adam, std::move(groups)) {}

AdamW::AdamW(std::vector<nn::Parameter> params, const AdamWOptions& options)
    : Optimizer("AdamW", Rule::adamw, one_group(std::move(params), options)) {}
AdamW::AdamW(std::vector<ParamGroup> groups) : Optimizer("AdamW", Rule::adamw, std::move(groups)) {}

RiemannianSGD::RiemannianSGD(std::vector<nn::Parameter> params, const SgdOptions& options)
    : SGD("RiemannianSGD", one_group(std::move(params), options)) {}
RiemannianSGD::RiemannianSGD(std::vector<ParamGroup> groups)
    : SGD("RiemannianSGD", std::move(groups)) {}

RiemannianAdam::RiemannianAdam(std::vector<nn::Parameter> params, const AdamOptions& options)
    : Adam("RiemannianAdam", one_group(std::move(params), options)) {}
RiemannianAdam::RiemannianAdam(std::vector<ParamGroup> groups)
    : Adam("RiemannianAdam", std::move(groups)) {}

}  // namespace spiraltorch::optim
