#include "spiraltorch/zspace/tensor_biome.hpp"

#include <cmath>

#include "check_error.hpp"
#include "golden.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {
TensorBiome biome_of(const Json& in) {
  TensorBiome biome(OpenTopos(golden::number(in.at("curvature")), 1e-6,
                              golden::number(in.at("saturation")), 4096, 1048576));
  const auto shoots = golden::tensors(in.at("shoots"));
  for (std::size_t i = 0; i < shoots.size(); ++i) {
    biome.absorb_weighted("shoot", shoots[i], golden::number(in.at("weights").at(i)));
  }
  return biome;
}
}  // namespace

TEST_CASE("golden canopies and stacks") {
  golden::each_case("TensorBiome.canopy", [](const Json& in, const Json& one) {
    const auto mode = in.at("mode") == "gyro" ? CanopyMode::gyro : CanopyMode::mean;
    golden::compare(golden::widen(biome_of(in).canopy(mode).data()), one.at("expected"), one);
  });
  golden::each_case("TensorBiome.stack", [](const Json& in, const Json& one) {
    golden::compare(golden::widen(biome_of(in).stack().data()), one.at("expected"), one);
  });
}

TEST_CASE("a biome's members and its refusals") {
  TensorBiome biome(OpenTopos(-1.0, 1e-6, 1e6, 8, 4));
  check_error(Errc::empty_input, [&] { (void)biome.canopy(); });
  check_error(Errc::empty_input, [&] { (void)biome.stack(); });
  biome.absorb("a", Tensor(1, 2, {2, 4}));
  biome.absorb_weighted("a", Tensor(1, 2, {0, 1}), 3.0);
  check_error(Errc::shape_mismatch, [&] { biome.absorb("b", Tensor(2, 1)); });
  check_error(Errc::volume_exceeded,
              [&] { TensorBiome(biome.topos()).absorb("big", Tensor(1, 5)); });
  check_error(Errc::non_finite, [&] { biome.absorb("b", Tensor(1, 2, {NAN, 0})); });
  check_error(Errc::invalid_value, [&] { biome.absorb_weighted("b", Tensor(1, 2), 0.0); });
  check_error(Errc::non_finite, [&] { biome.absorb_weighted("b", Tensor(1, 2), INFINITY); });
  check_error(Errc::invalid_value, [&] { (void)biome.canopy(CanopyMode::gyro); });
  CHECK(biome.len() == 2);
  CHECK(biome.labels() == std::vector<std::string>{"a", "a"});
  CHECK(biome.weights() == std::vector<double>{1, 3});
  CHECK(biome.total_weight() == 4);
  CHECK(biome.canopy().data() == std::vector<float>{0.5F, 1.75F});
  biome.shoots()[0].fill_(7);
  CHECK(biome.stack().data() == std::vector<float>{2, 4, 0, 1});
  biome.clear();
  CHECK(biome.is_empty());
  biome.absorb("other shape", Tensor(2, 2));
}

TEST_CASE("extreme weights and rows next to the boundary") {
  TensorBiome biome(OpenTopos(-1.0));
  biome.absorb_weighted("a", Tensor(1, 1, {1}), 1e308);
  biome.absorb_weighted("b", Tensor(1, 1, {3}), 1e308);
  CHECK(biome.canopy().item() == 2);
  // A row whose norm is below 1, but 1 when rounded to float32.
  float x = 0.6F, y = 0.8F;
  const auto norm = [&] { return std::sqrt(double(x) * double(x) + double(y) * double(y)); };
  while (norm() >= 1) y = std::nextafter(y, 0.0F);
  while (float(norm()) < 1.0F) x = std::nextafter(x, 1.0F);
  REQUIRE(norm() < 1);
  TensorBiome edge(OpenTopos(-1.0));
  edge.absorb("edge", Tensor(1, 2, {x, y}));
  CHECK(edge.canopy(CanopyMode::gyro).norm().item() <= 1);
  for (int i = 0; i < 20000; ++i) edge.absorb("more", Tensor(1, 2));
  CHECK(edge.len() == 20001);
}
