#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "check_error.hpp"
#include "spiraltorch/geometry/layers.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;

TEST_CASE("curvatures outside the range are refused") {
  for (const double bad : {0.0, 1.0, -1e-13, -1e13, -HUGE_VAL, double(NAN)}) {
    check_error(Errc::curvature, [&] { (void)PoincareBall(bad); });
    check_error(Errc::curvature, [&] { (void)Tensor(1, 2).project_to_poincare(bad); });
    check_error(Errc::curvature,
                [&] { (void)Tensor(1, 2).hyperbolic_distance(Tensor(1, 2), bad); });
  }
  CHECK(PoincareBall(-4.0).radius() == 0.5);
  CHECK(PoincareBall(-4.0) == PoincareBall(-4.0));
  CHECK(!(PoincareBall(-4.0) == PoincareBall(-1.0)));
  CHECK(PoincareBall(-0.5).repr() == "PoincareBall(curvature=-0.5)");
}

TEST_CASE("shapes that do not fit are refused") {
  const PoincareBall ball;
  const Tensor a(3, 2), b(2, 2), c(3, 3), row(1, 2);
  check_error(Errc::shape_mismatch, [&] { (void)ball.dist(a, b); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.mobius_add(a, c); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.gyration(a, row, c); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.mobius_matvec(Tensor(3, 3), a); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.dist_matrix(a, c); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.mobius_scalar(Tensor(2, 1), a); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.geodesic(a, a, Tensor(3, 2)); });
  check_error(Errc::shape_mismatch, [&] { (void)a.hyperbolic_distance(row, -1.0); });
  CHECK(ball.dist(a, row).shape() == Shape{3, 1});
  CHECK(ball.mobius_scalar(Tensor(3, 1), row).shape() == Shape{3, 2});
  CHECK(ball.geodesic(row, row, Tensor(3, 1)).shape() == Shape{3, 2});
}

TEST_CASE("weights are checked") {
  const PoincareBall ball;
  const Tensor x(2, 2);
  using Numbers = std::vector<double>;
  check_error(Errc::length_mismatch, [&] { (void)ball.gyromidpoint(x, Numbers{1}); });
  check_error(Errc::non_finite, [&] { (void)ball.frechet_mean(x, Numbers{1, NAN}); });
  check_error(Errc::invalid_value, [&] { (void)ball.gyromidpoint(x, Numbers{1, -1}); });
  check_error(Errc::invalid_value, [&] { (void)ball.gyromidpoint(x, Numbers{0, 0}); });
  check_error(Errc::shape_mismatch, [&] { (void)ball.gyromidpoint(x, Tensor(1, 2)); });
  check_error(Errc::invalid_value, [&] { (void)ball.frechet_mean(x, {}, 0.0); });
  check_error(Errc::non_finite, [&] { (void)ball.frechet_mean(x, {}, NAN); });
  check_error(Errc::invalid_value, [&] { (void)ball.frechet_mean(x, {}, 1e-9, 0); });
  const Tensor apart(3, 2, {0.99F, 0, 0, 0.9F, -0.5F, -0.6F});
  check_error(Errc::not_converged, [&] { (void)ball.frechet_mean(apart, {}, 1e-15, 1); });
}

TEST_CASE("a tracked operand is refused where the result is a number") {
  const Tensor x(1, 2, {0.1F, 0.2F}, {.requires_grad = true});
  check_error(Errc::unsupported, [&] { (void)x.hyperbolic_distance(x, -1.0); });
  const NoGrad guard;
  CHECK(x.hyperbolic_distance(x, -1.0) == 0);
}

TEST_CASE("operands of layers must fit") {
  using namespace spiraltorch::geometry;
  const PoincareBall ball;
  const Tensor x(3, 2);
  const Tensor w(2, 4);
  const Tensor row(1, 4);
  CHECK(hyperplane_logits(ball, x, w, row).shape() == Shape{3, 4});
  CHECK(mobius_affine(ball, x, w, &row).shape() == Shape{3, 4});
  CHECK(mobius_affine(ball, x, w, nullptr).shape() == Shape{3, 4});
  check_error(Errc::shape_mismatch, [&] { (void)hyperplane_logits(ball, x, row, row); });
  check_error(Errc::shape_mismatch, [&] { (void)hyperplane_logits(ball, x, w, Tensor(1, 3)); });
  check_error(Errc::shape_mismatch, [&] { (void)mobius_affine(ball, x, row, nullptr); });
  check_error(Errc::shape_mismatch, [&] { (void)mobius_affine(ball, x, w, &x); });
}
