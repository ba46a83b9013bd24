#include "spiraltorch/nn/module.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "check_error.hpp"
#include "spiraltorch/nn/activation.hpp"
#include "spiraltorch/nn/linear.hpp"
#include "spiraltorch/nn/sequential.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

// Parts by attribute, the first child's output passed through the others.
class User final : public Module {
 public:
  Tensor forward(const Tensor& input) override {
    Tensor x = input;
    for (const auto& child : children()) x = child->forward(x);
    return x;
  }
};

ModulePtr build(const Json& tree, std::map<std::string, ModulePtr>& shared) {
  const auto kind = tree[0].get<std::string>();
  if (kind == "act") return std::make_shared<Relu>();
  if (kind == "linear") return std::make_shared<Linear>(2, 2, tree[1].get<std::string>());
  if (kind == "ref") {
    ModulePtr& module = shared[tree[1].get<std::string>()];
    if (module == nullptr) module = build(tree[2], shared);
    return module;
  }
  if (kind == "user") {
    auto module = std::make_shared<User>();
    for (std::size_t i = 1; i < tree.size(); ++i) {
      module->register_module(tree[i][0].get<std::string>(), build(tree[i][1], shared));
    }
    return module;
  }
  auto module = std::make_shared<Sequential>();
  for (std::size_t i = 1; i < tree.size(); ++i) module->append(build(tree[i], shared));
  return module;
}

std::vector<std::string> names(const Module& module) {
  std::vector<std::string> out;
  for (const auto& [name, parameter] : module.named_parameters()) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("golden names") {
  for (const Json& want : learning::file().at("names")) {
    CAPTURE(want.dump());
    std::map<std::string, ModulePtr> shared;
    CHECK(names(*build(want.at("tree"), shared)) ==
          want.at("names").get<std::vector<std::string>>());
  }
}

TEST_CASE("a module refuses cycles and null children") {
  auto outer = std::make_shared<Sequential>();
  auto inner = std::make_shared<Sequential>();
  outer->append(inner);
  check_error(Errc::invalid_value, [&] { inner->append(outer); });
  check_error(Errc::invalid_value, [&] { outer->append(outer); });
  check_error(Errc::invalid_value, [&] { outer->append(nullptr); });
  CHECK(outer->size() == 1);
  CHECK(inner->size() == 0);
}

TEST_CASE("modes, descendants, gradients and texts reach what is nested") {
  auto shared = std::make_shared<Linear>(2, 2, "a");
  auto inner =
      std::make_shared<Sequential>(std::vector<ModulePtr>{shared, std::make_shared<Tanh>()});
  Sequential net({inner, shared});
  CHECK(net.children().size() == 2);
  CHECK(net.descendants().size() == 3);
  CHECK(names(net) == std::vector<std::string>{"a::weight", "a::bias"});
  net.eval();
  CHECK_FALSE(shared->training());
  net.train();
  CHECK(inner->training());
  (void)net.backward(Tensor(1, 2, {1, 2}), Tensor(1, 2, {1, 1}));
  CHECK(shared->weight().grad());
  net.zero_grad();
  CHECK_FALSE(shared->weight().grad());
  CHECK(net.repr() ==
        "Sequential([\n  Sequential([\n    Linear(2, 2, name='a'),\n    Tanh(),\n  ]),\n  "
        "Linear(2, 2, name='a'),\n])");
  CHECK(Sequential().repr() == "Sequential()");
  const Tensor x(1, 1, {2.5F});
  CHECK(Sequential().backward(x, x).item() == 2.5);
}

TEST_CASE("loading checks everything before it writes") {
  Sequential net({std::make_shared<Linear>(2, 2, "a"), std::make_shared<Linear>(2, 1, "b")});
  const StateDict saved = net.state_dict();
  const auto refused = [&](Errc code, const StateDict& state, bool strict = true) {
    check_error(code, [&] { net.load_state_dict(state, strict); });
    for (const auto& [name, value] : net.state_dict()) {
      const auto at = std::find_if(saved.begin(), saved.end(),
                                   [&, n = name](const auto& entry) { return entry.first == n; });
      CHECK(value.data() == at->second.data());
    }
  };
  StateDict state;
  for (const auto& [name, value] : saved) state.emplace_back(name, value + 1.0);
  StateDict bad = state;
  bad.pop_back();
  refused(Errc::invalid_value, bad);
  bad = state;
  bad.emplace_back("c::weight", Tensor(1, 1));
  refused(Errc::invalid_value, bad);
  bad = state;
  bad.back().second = Tensor(1, 2);
  refused(Errc::shape_mismatch, bad);
  refused(Errc::shape_mismatch, bad, false);
  bad.back().second = Tensor::full(1, 1, std::numeric_limits<double>::quiet_NaN());
  refused(Errc::non_finite, bad);
  bad = state;
  bad.push_back(state.front());
  refused(Errc::invalid_value, bad);
  {
    Tensor input(1, 2, {1, 1});
    input.requires_grad_();
    const Tensor live = net.forward(input);  // its graph reads the weights
    refused(Errc::graph, state);
  }
  net.load_state_dict({state.front(), {"other", Tensor(1, 1)}}, false);
  CHECK(net.parameters()[0].data() == state[0].second.data());
  CHECK(net.parameters()[1].data() == saved[1].second.data());
  net.load_state_dict(state);
  CHECK(net.parameters()[3].data() == state[3].second.data());
}

TEST_CASE("a parameter on a ball is projected, when made and when loaded") {
  const PoincareBall ball(-4.0);
  const Tensor outside(2, 2, {3, 4, 0.1F, 0.2F});
  Parameter p(outside, ball);
  CHECK(p.data() == ball.project(outside).data());
  CHECK(outside.data()[0] == 3);
  CHECK(p.is_leaf());
  CHECK(p.requires_grad());
  CHECK(std::get<PoincareBall>(p.manifold()) == ball);
  CHECK_FALSE(Parameter(outside, Euclidean(), false).requires_grad());
  CHECK(Parameter::of(p)->is_same(p));
  CHECK_FALSE(Parameter::of(outside));
  User module;
  module.register_parameter("p", p);
  module.load_state_dict({{"p", outside.scale(7.0)}});
  CHECK(p.data() == ball.project(outside.scale(7.0)).data());
}

TEST_CASE("a tape takes the summed contribution once") {
  Parameter p(Tensor(1, 2, {0.1F, 0.2F}), PoincareBall(-1.0));
  const auto both = [&] { return (p * 2.0 + p).sum(); };
  both().backward();
  CHECK(p.grad()->data() == std::vector<float>{3, 3});
  check_error(Errc::shape_mismatch,
              [&] { p.attach_tape(std::make_shared<Hypergrad>(-1.0, 0.1, 2, 1)); });
  check_error(Errc::curvature_mismatch,
              [&] { p.attach_tape(std::make_shared<Hypergrad>(-2.0, 0.1, 1, 2)); });
  check_error(Errc::invalid_value, [&] { p.attach_tape(nullptr); });
  CHECK(p.grad()->data() == std::vector<float>{3, 3});
  // Saturation at 4 shows that 3 + 3 arrive as sums of passes.
  const auto tape = std::make_shared<Hypergrad>(-1.0, 0.1, 1, 2, OpenTopos(-1.0, 1e-6, 4.0));
  p.attach_tape(tape);
  CHECK(p.grad()->data() == std::vector<float>{0, 0});
  both().backward();
  CHECK(tape->gradient() == std::vector<float>{3, 3});
  both().backward();
  CHECK(p.grad()->data() == std::vector<float>{4, 4});
  check_error(Errc::non_finite, [&] { (p * HUGE_VAL).sum().backward(); });
  CHECK(p.grad()->data() == std::vector<float>{4, 4});
  p.set_grad(Tensor(1, 2, {1, 2}));
  CHECK(tape->gradient() == std::vector<float>{1, 2});
  p.zero_grad();
  CHECK(tape->gradient() == std::vector<float>{0, 0});
  p.detach_tape();
  CHECK_FALSE(p.grad());
}

TEST_CASE("a tape's refusal leaves every leaf as it was") {
  Parameter taped(Tensor(1, 1, {0.1F}), PoincareBall(-1.0));
  taped.attach_tape(std::make_shared<Hypergrad>(-1.0, 0.1, 1, 1));
  Parameter plain(Tensor(1, 1, {1.0F}));
  check_error(Errc::non_finite, [&] { (taped * HUGE_VAL + plain).backward(); });
  CHECK_FALSE(plain.grad());
  CHECK(taped.grad()->item() == 0);
}
