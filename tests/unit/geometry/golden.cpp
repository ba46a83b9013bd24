#include "golden.hpp"

#include <functional>

#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

Weights weights_of(const Json& in) {
  return in.contains("w") ? Weights(golden::flat(in.at("w"))) : Weights();
}

using Function = std::function<Tensor(const PoincareBall&, const Json&)>;
const std::vector<std::pair<std::string, Function>>& functions() {
  using golden::tensor;
  static const std::vector<std::pair<std::string, Function>> list{
      {"project", [](auto& b, auto& in) { return b.project(tensor(in.at("x"))); }},
      {"expmap0", [](auto& b, auto& in) { return b.expmap0(tensor(in.at("v"))); }},
      {"logmap0", [](auto& b, auto& in) { return b.logmap0(tensor(in.at("y"))); }},
      {"mobius_add",
       [](auto& b, auto& in) { return b.mobius_add(tensor(in.at("x")), tensor(in.at("y"))); }},
      {"mobius_scalar",
       [](auto& b, auto& in) {
         return b.mobius_scalar(in.at("r").template get<double>(), tensor(in.at("x")));
       }},
      {"mobius_matvec",
       [](auto& b, auto& in) { return b.mobius_matvec(tensor(in.at("m")), tensor(in.at("x"))); }},
      {"expmap",
       [](auto& b, auto& in) { return b.expmap(tensor(in.at("x")), tensor(in.at("v"))); }},
      {"logmap",
       [](auto& b, auto& in) { return b.logmap(tensor(in.at("x")), tensor(in.at("y"))); }},
      {"gyration",
       [](auto& b, auto& in) {
         return b.gyration(tensor(in.at("u")), tensor(in.at("v")), tensor(in.at("w")));
       }},
      {"parallel_transport",
       [](auto& b, auto& in) {
         return b.parallel_transport(tensor(in.at("x")), tensor(in.at("y")), tensor(in.at("v")));
       }},
      {"dist", [](auto& b, auto& in) { return b.dist(tensor(in.at("x")), tensor(in.at("y"))); }},
      {"dist_matrix",
       [](auto& b, auto& in) {
         return in.contains("y") ? b.dist_matrix(tensor(in.at("x")), tensor(in.at("y")))
                                 : b.dist_matrix(tensor(in.at("x")));
       }},
      {"conformal_factor",
       [](auto& b, auto& in) { return b.conformal_factor(tensor(in.at("x"))); }},
      {"egrad2rgrad",
       [](auto& b, auto& in) { return b.egrad2rgrad(tensor(in.at("x")), tensor(in.at("g"))); }},
      {"geodesic",
       [](auto& b, auto& in) {
         return b.geodesic(tensor(in.at("x")), tensor(in.at("y")),
                           in.at("t").template get<double>());
       }},
      {"gyromidpoint",
       [](auto& b, auto& in) { return b.gyromidpoint(tensor(in.at("x")), weights_of(in)); }},
      {"frechet_mean",
       [](auto& b, auto& in) { return b.frechet_mean(tensor(in.at("x")), weights_of(in)); }},
  };
  return list;
}

}  // namespace

TEST_CASE("golden vectors of the ball, on every instruction set") {
  const cpu::SimdLevel best = cpu::simd_level();
  for (const auto level : {cpu::SimdLevel::baseline, cpu::SimdLevel::sse4, cpu::SimdLevel::neon,
                           cpu::SimdLevel::avx2, cpu::SimdLevel::avx512}) {
    if (level > best) break;
    cpu::set_simd_level(level);
    for (const auto& [name, function] : functions()) {
      golden::each_case("PoincareBall." + name, [&](const Json& in, const Json& one) {
        const PoincareBall ball(golden::number(in.at("curvature")));
        golden::compare(golden::widen(function(ball, in).data()), one.at("expected"), one);
      });
    }
  }
  cpu::set_simd_level(best);
}

TEST_CASE("golden vectors of the tensor's own geometry") {
  golden::each_case("project_to_poincare", [](const Json& in, const Json& one) {
    const Tensor y =
        golden::tensor(in.at("x")).project_to_poincare(golden::number(in.at("curvature")));
    golden::compare(golden::widen(y.data()), one.at("expected"), one);
  });
  golden::each_case("hyperbolic_distance", [](const Json& in, const Json& one) {
    const double d =
        golden::tensor(in.at("a"))
            .hyperbolic_distance(golden::tensor(in.at("b")), golden::number(in.at("curvature")));
    golden::compare({d}, one.at("expected"), one);
  });
}

TEST_CASE("golden points on the hyperboloid") {
  golden::each_case("Lorentz.from_poincare", [](const Json& in, const Json& one) {
    const PoincareBall ball(golden::number(in.at("curvature")));
    golden::compare(golden::widen(ball.to_lorentz(golden::tensor(in.at("y"))).data()),
                    one.at("expected"), one);
  });
}
