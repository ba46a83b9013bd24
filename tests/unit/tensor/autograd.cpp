#include "spiraltorch/tensor/autograd.hpp"

#include <doctest/doctest.h>

#include "check_error.hpp"
#include "spiraltorch/ops/elementwise.hpp"

using namespace spiraltorch;

namespace {
Tensor leaf(std::initializer_list<float> values) {
  return {1, static_cast<std::int64_t>(values.size()), values, {.requires_grad = true}};
}
}  // namespace

TEST_CASE("a shared input receives the sum of its gradients") {
  const Tensor x = leaf({2, 3});
  const Tensor y = x * x + x;  // dy/dx = 2x + 1
  y.sum().backward();
  CHECK(x.grad()->data() == std::vector<float>{5, 7});
  const Tensor z = (x * x).sum();
  z.backward();  // accumulates
  CHECK(x.grad()->data() == std::vector<float>{9, 13});
  Tensor(x).zero_grad();
  CHECK(!x.grad());
}

TEST_CASE("diamonds are visited once") {
  const Tensor x = leaf({1.5F});
  Tensor y = x;
  for (int i = 0; i < 20; ++i) y = y + y;  // 2^20 paths
  y.backward();
  CHECK(x.grad()->item() == 1048576.0);
}

TEST_CASE("long chains neither recurse in the pass nor in the release") {
  const Tensor x = leaf({1});
  {
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = -y;
    y.backward();
  }
  CHECK(x.grad()->item() == 1.0);
}

TEST_CASE("a graph is freed by its pass unless retained") {
  const Tensor x = leaf({3});
  const Tensor y = x * x;
  CHECK(x.is_kept_by_graph());
  y.backward({}, true);
  y.backward();
  CHECK(x.grad()->item() == 12.0);
  CHECK(!x.is_kept_by_graph());
  check_error(Errc::graph, [&] { y.backward(); });
  CHECK(x.grad()->item() == 12.0);
  const Tensor z = y + x;  // on top of a freed graph
  check_error(Errc::graph, [&] { z.backward(); });
  CHECK(x.grad()->item() == 12.0);
}

TEST_CASE("a dropped graph keeps nothing") {
  const Tensor x = leaf({3});
  { const Tensor y = x * x; }
  CHECK(!x.is_kept_by_graph());
}

TEST_CASE("backward's conditions") {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * 2.0;
  check_error(Errc::shape_mismatch, [&] { y.backward(); });
  check_error(Errc::shape_mismatch, [&] { y.backward(Tensor(2, 1)); });
  check_error(Errc::graph, [] { Tensor(1, 1).backward(); });
  check_error(Errc::unsupported, [&] { y.backward(Tensor(1, 2, {.requires_grad = true})); });
  y.backward(Tensor(1, 2, {1, 10}));
  CHECK(x.grad()->data() == std::vector<float>{2, 20});
}

TEST_CASE("nothing is recorded under NoGrad, and only on this thread") {
  const Tensor x = leaf({1});
  {
    const NoGrad guard;
    CHECK(!(x * x).requires_grad());
    CHECK(!grad_enabled());
  }
  CHECK((x * x).requires_grad());
  CHECK(!x.detach().requires_grad());
  CHECK(!(x.detach() * 2.0).requires_grad());
}

TEST_CASE("in-place changes that would falsify a gradient are refused and change nothing") {
  Tensor x = leaf({1, 2});
  check_error(Errc::graph, [&] { x.fill_(0); });
  const Tensor y = x * x;
  Tensor y_handle = y;
  check_error(Errc::graph, [&] { y_handle.add_scaled_inplace(x, 1.0); });
  {
    const NoGrad guard;
    check_error(Errc::graph, [&] { x.fill_(0); });  // kept by y's graph
    Tensor alias = x.detach();
    check_error(Errc::graph, [&] { alias.fill_(0); });
  }
  CHECK(x.data() == std::vector<float>{1, 2});
  y.sum().backward();
  const NoGrad guard;
  x.fill_(4);
  CHECK(x.data() == std::vector<float>{4, 4});
}

TEST_CASE("gradients can be assigned, shape-checked") {
  Tensor x = leaf({1, 2});
  x.set_grad(Tensor(1, 2, {3, 4}));
  CHECK(x.grad()->data() == std::vector<float>{3, 4});
  check_error(Errc::shape_mismatch, [&] { x.set_grad(Tensor(2, 1)); });
  CHECK(x.grad()->data() == std::vector<float>{3, 4});
  x.set_grad({});
  CHECK(!x.grad());
}

TEST_CASE("requires_grad is a flag of leaves") {
  Tensor x(1, 1, {2});
  x.requires_grad_();
  Tensor y = x * x;
  CHECK(x.is_leaf());
  CHECK(!y.is_leaf());
  check_error(Errc::graph, [&] { y.requires_grad_(false); });
  y.requires_grad_(true);
  x.requires_grad_(false);
  CHECK(!x.requires_grad());
}
