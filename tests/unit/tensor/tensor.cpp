#include "spiraltorch/tensor/tensor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "check_error.hpp"
#include "spiraltorch/base/philox.hpp"

using namespace spiraltorch;

TEST_CASE("construction") {
  CHECK(Tensor(2, 2).data() == std::vector<float>{0, 0, 0, 0});
  CHECK(Tensor(1, 2, {1.5F, -2.0F}).data() == std::vector<float>{1.5F, -2.0F});
  CHECK(Tensor::ones(1, 2).data() == std::vector<float>{1, 1});
  CHECK(Tensor::full(1, 2, 0.1).data() == std::vector<float>{0.1F, 0.1F});
  CHECK(Tensor::eye(2, 3).data() == std::vector<float>{1, 0, 0, 0, 1, 0});
  CHECK(Tensor::eye(3, 2).data() == std::vector<float>{1, 0, 0, 1, 0, 0});
  CHECK(Tensor::from_fn(2, 2, [](auto i, auto j) { return 10.0 * double(i) + double(j); }).data() ==
        std::vector<float>{0, 1, 10, 11});
  const std::vector<std::vector<double>> rows{{1, 2}, {3, 4}};
  CHECK(Tensor::from_rows(rows).tolist() == rows);
  CHECK(Tensor(2, 3, {.requires_grad = true}).requires_grad());
}

TEST_CASE("numbers beyond float32 round as IEEE says, non-finite ones are kept") {
  const std::vector<double> values{1e300, -1e300, std::nan(""), 0.1};
  const auto data = Tensor(1, 4, std::span<const double>(values)).data();
  CHECK(data[0] == std::numeric_limits<float>::infinity());
  CHECK(data[1] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(data[2]));
  CHECK(data[3] == 0.1F);
}

TEST_CASE("construction errors") {
  check_error(Errc::invalid_shape, [] { (void)Tensor(0, 2); });
  check_error(Errc::invalid_shape, [] { (void)Tensor(2, -1); });
  check_error(Errc::invalid_shape, [] { (void)Tensor(std::int64_t{1} << 40, 2); });
  check_error(Errc::out_of_memory, [] { (void)Tensor(1 << 20, 1 << 20); });
  check_error(Errc::length_mismatch, [] { (void)Tensor(2, 2, {1.0F}); });
  check_error(Errc::empty_input,
              [] { (void)Tensor::from_rows(std::span<const std::vector<double>>{}); });
  check_error(Errc::length_mismatch, [] {
    const std::vector<std::vector<double>> ragged{{1, 2}, {3}};
    (void)Tensor::from_rows(ragged);
  });
  check_error(Errc::invalid_shape, [] { (void)Tensor::rand(0, 1); });
  check_error(Errc::invalid_shape, [] { (void)Tensor::eye(0); });
  check_error(Errc::device, [] { (void)Tensor::empty(1, 1, {DeviceType::hip, 0}); });
}

TEST_CASE("random tensors follow the generator's definition") {
  const auto uniform = Tensor::rand(2, 3, 5).data();
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(uniform[i] == uniform_from_word(philox_block(5, i / 4)[i % 4]));
  }
  const auto normal = Tensor::randn(1, 7, 9).data();
  for (std::size_t i = 0; i < 7; ++i) {
    const auto w = philox_block(9, i / 4);
    const auto pair = i % 4 < 2 ? normals_from_words(w[0], w[1]) : normals_from_words(w[2], w[3]);
    CHECK(normal[i] == static_cast<float>(pair[i % 2]));
  }
  manual_seed(5);
  CHECK(Tensor::rand(2, 3).data() == uniform);
  CHECK(Tensor::rand(1, 1).item() == uniform_from_word(philox_block(5, 2)[0]));
  manual_seed(0);
}

TEST_CASE("standard normals have mean 0 and variance 1") {
  const auto x = Tensor::randn(100, 100, 1).data();
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / 1e4;
  double variance = 0;
  for (const float v : x) variance += (v - mean) * (v - mean) / 1e4;
  CHECK(std::abs(mean) < 0.04);  // 4 standard errors
  CHECK(std::abs(variance - 1) < 0.06);
}

TEST_CASE("handles share, clones do not, detached tensors share storage only") {
  Tensor a(1, 2, {1, 2});
  const Tensor handle = a;
  const Tensor copy = a.clone();
  const Tensor detached = a.detach();
  a.fill_(7);
  CHECK(handle.data() == std::vector<float>{7, 7});
  CHECK(detached.data() == std::vector<float>{7, 7});
  CHECK(copy.data() == std::vector<float>{1, 2});
  CHECK(handle.is_same(a));
  CHECK(!detached.is_same(a));
  CHECK(handle.identity() == a.identity());
}

TEST_CASE("adopted memory is shared and kept alive") {
  auto values = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  Tensor x = Tensor::adopt(values->data(), 2, 2, values);
  (*values)[3] = 9;
  CHECK(x.at(1, 1) == 9);
  x.fill_(5);
  CHECK((*values)[0] == 5);
  CHECK(values.use_count() == 2);
}

TEST_CASE("elements by index") {
  const Tensor x(2, 2, {1, 2, 3, 4});
  CHECK(x.at(1, 0) == 3);
  CHECK(x.at(-1, -1) == 4);
  check_error(Errc::out_of_range, [&] { (void)x.at(2, 0); });
  check_error(Errc::out_of_range, [&] { (void)x.at(0, -3); });
  CHECK(Tensor(1, 1, {2.5F}).item() == 2.5);
  check_error(Errc::shape_mismatch, [&] { (void)x.item(); });
}
