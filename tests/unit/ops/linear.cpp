#include "spiraltorch/ops/linear.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "check_error.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;

namespace {

void check_bits(const Tensor& got, const Tensor& want) {
  REQUIRE(got.shape() == want.shape());
  const auto a = got.data();
  const auto b = want.data();
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    REQUIRE(std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i]));
  }
}

struct Leaves {
  Tensor x, w, b;
  Leaves(std::int64_t rows, std::int64_t in, std::int64_t out)
      : x(Tensor::randn(rows, in, 1, {.requires_grad = true})),
        w(Tensor::randn(in, out, 2, {.requires_grad = true})),
        b(Tensor::randn(1, out, 3, {.requires_grad = true})) {}
  [[nodiscard]] std::vector<Tensor> gradients() const { return {*x.grad(), *w.grad(), *b.grad()}; }
};

}  // namespace

TEST_CASE("linear and its gradients have the bits of its parts") {
  for (const auto& [rows, in, out] :
       {std::array{1L, 1L, 1L}, std::array{5L, 3L, 10L}, std::array{64L, 64L, 64L},
        std::array{64L, 64L, 10L}, std::array{33L, 500L, 1L}, std::array{130L, 90L, 150L}}) {
    for (const bool relu : {false, true}) {
      CAPTURE(out);
      CAPTURE(relu);
      const Leaves parts(rows, in, out);
      const Leaves whole(rows, in, out);
      const Tensor g = Tensor::randn(rows, out, 4);
      const Tensor sum = parts.x.matmul(parts.w) + parts.b;
      const Tensor y = relu ? sum.relu() : sum;
      y.backward(g);
      const Tensor z = ops::linear(whole.x, whole.w, &whole.b, relu);
      check_bits(z, y);
      z.backward(g);
      for (std::size_t i = 0; i < 3; ++i) check_bits(whole.gradients()[i], parts.gradients()[i]);
    }
  }
}

TEST_CASE("linear keeps NaN, works without bias and gives only what is wanted") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x(1, 2, {nan, 1});
  Tensor w(2, 3, {1, 2, 3, 4, 5, -6});
  CHECK(std::isnan(ops::linear(x, w, nullptr, true).at(0, 0)));
  w.requires_grad_();
  const Tensor y = ops::linear(Tensor(1, 2, {1, 1}), w, nullptr, true);
  CHECK(y.data() == std::vector<float>{5, 7, 0});
  y.backward(Tensor(1, 3, {1, 1, 1}));
  CHECK(w.grad()->data() == std::vector<float>{1, 1, 0, 1, 1, 0});
}

TEST_CASE("linear refuses shapes that do not fit") {
  const Tensor row(1, 2);
  check_error(Errc::shape_mismatch, [&] { (void)ops::linear(Tensor(1, 3), row, nullptr); });
  check_error(Errc::shape_mismatch, [&] { (void)ops::linear(Tensor(1, 3), Tensor(3, 4), &row); });
}

TEST_CASE("contributions that share storage stay apart") {
  Tensor a(1, 2, {1, 2}, {.requires_grad = true});
  Tensor b(1, 2, {3, 4}, {.requires_grad = true});
  const Tensor g(1, 2, {1, 1});
  a.add(b).backward(g);
  a.set_grad(a.grad()->scale(5));
  CHECK(b.grad()->data() == std::vector<float>{1, 1});
  Tensor changed = *b.grad();
  changed.fill_(9);
  CHECK(g.data() == std::vector<float>{1, 1});
  CHECK(a.grad()->data() == std::vector<float>{5, 5});
}

TEST_CASE("a tensor used many times gathers all contributions") {
  Tensor x(1, 1, {2}, {.requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < 100; ++i) y = y + x;  // more nodes than the short list holds
  y.backward();
  CHECK(x.grad()->item() == 101);
}
