#include <doctest/doctest.h>

#include <memory>

#include "learning.hpp"
#include "spiraltorch/optim/clip.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;
using learning::Json;

namespace {

Tensor tensor(const Json& rows) {
  return Tensor::from_rows(rows.get<std::vector<std::vector<double>>>());
}

void check_all(const Tensor& got, const Json& want) {
  REQUIRE(got.rows() == std::ssize(want));
  for (std::int64_t i = 0; i < got.rows(); ++i) {
    const Json& row = want[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < got.cols(); ++j) {
      const Json& value = row.is_array() ? row[static_cast<std::size_t>(j)] : row;
      learning::check_near(got.at(i, j), value.get<double>());
    }
  }
}

Manifold manifold_of(const Json& test) {
  if (test.at("manifold") == "Euclidean") return Euclidean();
  return PoincareBall(test.at("curvature").get<double>());
}

optim::ParamGroup group_of(const Json& options) {
  optim::ParamGroup group{.params = {}, .lr = options.at("lr")};
  group.momentum = options.value("momentum", 0.0);
  group.weight_decay = options.value("weight_decay", 0.0);
  group.nesterov = options.value("nesterov", false);
  group.amsgrad = options.value("amsgrad", false);
  group.eps = options.value("eps", 1e-8);
  if (options.contains("betas")) {
    group.beta1 = options.at("betas")[0];
    group.beta2 = options.at("betas")[1];
  }
  return group;
}

std::unique_ptr<optim::Optimizer> make(const std::string& rule, optim::ParamGroup group) {
  std::vector<optim::ParamGroup> groups{std::move(group)};
  if (rule == "SGD") return std::make_unique<optim::SGD>(groups);
  if (rule == "Adam") return std::make_unique<optim::Adam>(groups);
  REQUIRE(rule == "AdamW");
  return std::make_unique<optim::AdamW>(groups);
}

std::shared_ptr<optim::Scheduler> scheduler_of(const Json& spec) {
  const std::string kind = spec.at("kind");
  if (kind == "constant") return std::make_shared<optim::ConstantLR>();
  if (kind == "step") return std::make_shared<optim::StepLR>(spec["step_size"], spec["gamma"]);
  if (kind == "cosine") return std::make_shared<optim::CosineLR>(spec["total"], spec["floor"]);
  if (kind == "burn_in") return std::make_shared<optim::BurnInLR>(spec["steps"], spec["factor"]);
  REQUIRE(kind == "warmup");
  return std::make_shared<optim::WarmupLR>(
      spec["steps"], spec["start"], spec.contains("then") ? scheduler_of(spec["then"]) : nullptr);
}

}  // namespace

TEST_CASE("golden paths of every rule on every manifold") {
  int tested = 0;
  for (const Json& test : learning::file().at("optimizers")) {
    const std::string rule = test.at("rule");
    if (rule == "tape") continue;
    CAPTURE(test.at("options").dump());
    CAPTURE(test.at("manifold").dump());
    CAPTURE(test.at("curvature").dump());
    nn::Parameter p(tensor(test.at("start")), manifold_of(test));
    optim::ParamGroup group = group_of(test.at("options"));
    group.params = {p};
    const auto optimizer = make(rule, group);
    for (std::size_t i = 0; i < test.at("gradients").size(); ++i) {
      CAPTURE(i);
      p.set_grad(tensor(test.at("gradients")[i]));
      optimizer->step();
      check_all(p, test.at("path")[i]);
    }
    const auto state = optimizer->state();
    CHECK(state.step == 5);
    check_all(state.slots[0].at(rule == "SGD" ? "momentum" : "first"), test.at("moment"));
    if (test.contains("second_moment")) {
      check_all(state.slots[0].at("second"), test.at("second_moment"));
    }
    ++tested;
  }
  CHECK(tested == 24);
}

TEST_CASE("golden clipping of a flat and a ball parameter together") {
  const Json& want = learning::file().at("clip_grad_norm");
  nn::Parameter flat(tensor(want.at("euclidean").at("value")));
  nn::Parameter ball(tensor(want.at("ball").at("value")),
                     PoincareBall(want.at("ball").at("curvature")));
  flat.set_grad(tensor(want.at("euclidean").at("grad")));
  ball.set_grad(tensor(want.at("ball").at("grad")));
  std::vector<nn::Parameter> both{flat, ball};
  learning::check_near(optim::gradient_norm(both), want.at("norm"));
  learning::check_near(optim::clip_grad_norm_(both, want.at("max_norm")), want.at("norm"));
  check_all(*flat.grad(), want.at("euclidean").at("clipped"));
  check_all(*ball.grad(), want.at("ball").at("clipped"));
  learning::check_near(optim::gradient_norm(both), want.at("max_norm"));
}

TEST_CASE("golden factors of every schedule") {
  for (const Json& test : learning::file().at("schedulers")) {
    CAPTURE(test.at("spec").dump());
    const auto scheduler = scheduler_of(test.at("spec"));
    for (const Json& want : test.at("factors")) {
      CHECK(scheduler->factor() == doctest::Approx(want.get<double>()).epsilon(1e-12));
      scheduler->step();
    }
  }
}

TEST_CASE("golden factors on a plateau") {
  const Json& test = learning::file().at("plateau");
  const Json& spec = test.at("spec");
  optim::PlateauLR scheduler({.factor = spec["factor"],
                              .patience = spec["patience"],
                              .threshold = spec["threshold"],
                              .cooldown = spec["cooldown"],
                              .floor = spec["floor"]});
  for (std::size_t i = 0; i < test.at("metrics").size(); ++i) {
    CAPTURE(i);
    scheduler.step(test.at("metrics")[i].get<double>());
    CHECK(scheduler.factor() == doctest::Approx(test.at("factors")[i].get<double>()));
  }
}
