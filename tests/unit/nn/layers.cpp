#include "check_error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/nn/activation.hpp"
#include "spiraltorch/nn/linear.hpp"
#include "spiraltorch/nn/sequential.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

ModulePtr flat_layer(const Json& want) {
  const auto kind = want.at("layer").get<std::string>();
  const Json& config = want.at("config");
  if (kind == "Relu") return std::make_shared<Relu>();
  if (kind == "Tanh") return std::make_shared<Tanh>();
  if (kind == "Sigmoid") return std::make_shared<Sigmoid>();
  if (kind == "Softmax") return std::make_shared<Softmax>();
  if (kind == "Gelu") {
    return std::make_shared<Gelu>(config.empty() ? GeluKind::exact : GeluKind::tanh);
  }
  if (kind == "Linear") {
    return std::make_shared<Linear>(config.at("input_dim").get<int>(),
                                    config.at("output_dim").get<int>());
  }
  return nullptr;
}

LinearOptions linear_options(const Json& options) {
  LinearOptions out;
  out.bias = options.value("bias", true);
  out.gain = options.value("gain", 1.0);
  const auto init = options.value("init", std::string("kaiming"));
  out.init = init == "zeros" ? Init::zeros : init == "xavier" ? Init::xavier : Init::kaiming;
  return out;
}

}  // namespace

TEST_CASE("golden layers of flat space") {
  int count = 0;
  for (const Json& want : learning::file().at("layers")) {
    const ModulePtr layer = flat_layer(want);
    if (layer == nullptr) continue;
    check_layer(*layer, want);
    ++count;
  }
  CHECK(count >= 14);
}

TEST_CASE("golden initial values of Linear and Sequential") {
  for (const Json& want : learning::file().at("init")) {
    const auto kind = want.at("layer").get<std::string>();
    manual_seed(std::stoull(want.at("seed").get<std::string>()));
    const auto next = want.at("next_block").get<std::uint64_t>();
    if (kind == "Linear") {
      const Linear layer(want.at("input_dim").get<int>(), want.at("output_dim").get<int>(),
                         "linear", linear_options(want.at("options")));
      check_all(layer.weight(), want.at("weight"));
      CHECK(layer.bias().has_value() == !want.at("bias").is_null());
      if (layer.bias()) check_all(*layer.bias(), want.at("bias"));
      CHECK(reserve_random_words(0).block == next);
    } else if (kind == "Sequential") {
      Sequential net({std::make_shared<Linear>(2, 3, "a"), std::make_shared<Linear>(3, 1, "b")});
      for (const auto& [name, parameter] : net.named_parameters()) {
        if (want.at("values").contains(name)) check_all(parameter, want.at("values").at(name));
      }
      CHECK(reserve_random_words(0).block == next);
    }
  }
}

TEST_CASE("gradients of layers of flat space by central differences") {
  for (const std::int64_t batch : {1, 3}) {
    const Tensor x = leaf(batch, 4, 1.0, 11);
    for (const ModulePtr& layer : std::vector<ModulePtr>{
             std::make_shared<Linear>(4, 3), std::make_shared<Gelu>(),
             std::make_shared<Gelu>(GeluKind::tanh), std::make_shared<Tanh>(),
             std::make_shared<Sigmoid>(), std::make_shared<Softmax>(), std::make_shared<Relu>()}) {
      check_layer_gradient(*layer, x);
    }
  }
}

TEST_CASE("activations at the ends of the range") {
  const Tensor x(1, 4, {-100.0F, 100.0F, NAN, 0.0F});
  const auto relu = Relu().forward(x).data();
  CHECK(relu[0] == 0);
  CHECK(std::isnan(relu[2]));
  for (const GeluKind kind : {GeluKind::exact, GeluKind::tanh}) {
    const auto gelu = Gelu(kind).forward(x).data();
    CHECK(gelu[0] == doctest::Approx(0.0));
    CHECK(gelu[1] == 100.0F);
    CHECK(gelu[3] == 0.0F);
  }
  const auto sigmoid = Sigmoid().forward(x).data();
  CHECK(sigmoid[0] >= 0);
  CHECK(sigmoid[1] == 1.0F);
}

TEST_CASE("bad sizes of layers are refused") {
  check_error(Errc::invalid_value, [] { Linear(0, 2); });
  check_error(Errc::invalid_value, [] { Linear(2, 2, "l", {.gain = -1.0}); });
  check_error(Errc::non_finite, [] { Linear(2, 2, "l", {.gain = HUGE_VAL}); });
  check_error(Errc::shape_mismatch, [] { (void)Linear(2, 2).forward(Tensor(1, 3)); });
  CHECK(Linear(2, 3, "l", {.bias = false, .init = Init::xavier, .gain = 2.0}).repr() ==
        "Linear(2, 3, name='l', bias=False, init='xavier', gain=2)");
}
