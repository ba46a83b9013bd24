#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <functional>
#include <spiraltorch/geometry/poincare_ball.hpp>

#include "arrays.hpp"
#include "scalars.hpp"

using namespace nb::literals;
using st::PoincareBall;
using st::Tensor;

namespace {

void bind_maps(nb::class_<PoincareBall>& c) {
  c.def("project", &PoincareBall::project, "x"_a, Unlocked(),
        "x, or its radial projection into the ball's margin.");
  c.def("expmap0", &PoincareBall::expmap0, "v"_a, Unlocked(),
        "Exponential map at the origin: tanh(√κ‖v‖)/(√κ‖v‖)·v.");
  c.def("logmap0", &PoincareBall::logmap0, "y"_a, Unlocked(), "Its inverse.");
  c.def("mobius_add", &PoincareBall::mobius_add, "x"_a, "y"_a, Unlocked(), "x ⊕ y.");
  c.def(
      "mobius_scalar",
      [](const PoincareBall& b, nb::handle t, const Tensor& x) {
        const st::Scalars factor = scalars_of("mobius_scalar", t);
        const nb::gil_scoped_release unlock;
        return b.mobius_scalar(factor, x);
      },
      "t"_a, "x"_a, "t ⊗ x; t a number or an (r, 1) tensor.");
  c.def("mobius_matvec", &PoincareBall::mobius_matvec, "m"_a, "x"_a, Unlocked(),
        "exp_0(log_0(x)·m), m of shape (c, q).");
  c.def("expmap", &PoincareBall::expmap, "x"_a, "v"_a, Unlocked(), "Exponential map at x.");
  c.def("logmap", &PoincareBall::logmap, "x"_a, "y"_a, Unlocked(),
        "The tangent vector at x whose exponential is y.");
  c.def("gyration", &PoincareBall::gyration, "a"_a, "b"_a, "v"_a, Unlocked(),
        "The rotation gyr[a, b]v.");
  c.def("parallel_transport", &PoincareBall::parallel_transport, "x"_a, "y"_a, "v"_a, Unlocked(),
        "v carried along the geodesic from x to y.");
  c.def(
      "geodesic",
      [](const PoincareBall& b, const Tensor& x, const Tensor& y, nb::handle t) {
        const st::Scalars at = scalars_of("geodesic", t);
        const nb::gil_scoped_release unlock;
        return b.geodesic(x, y, at);
      },
      "x"_a, "y"_a, "t"_a, "The point at t of the geodesic from x (0) to y (1).");
}

void bind_measures(nb::class_<PoincareBall>& c) {
  c.def("dist", &PoincareBall::dist, "x"_a, "y"_a, "squared"_a = false, Unlocked(),
        "(r, 1) geodesic distances.");
  c.def("dist_matrix", &PoincareBall::dist_matrix, "x"_a, "y"_a = nb::none(), Unlocked(),
        "(r, s) distances of all pairs of rows; without y of x to itself.");
  c.def("conformal_factor", &PoincareBall::conformal_factor, "x"_a, Unlocked(),
        "(r, 1): 2/(1 - κ‖x‖²).");
  c.def("egrad2rgrad", &PoincareBall::egrad2rgrad, "x"_a, "g"_a, Unlocked(),
        "Riemannian gradient of a Euclidean differential.");
  c.def(
      "gyromidpoint",
      [](const PoincareBall& b, const Tensor& x, nb::handle w) {
        const auto weights = weights_of(w);
        const nb::gil_scoped_release unlock;
        return b.gyromidpoint(x, weights);
      },
      "x"_a, "weights"_a = nb::none(), "(1, c) normalised Lorentz centroid.");
  c.def(
      "frechet_mean",
      [](const PoincareBall& b, const Tensor& x, nb::handle w, double tol, std::int64_t most) {
        const auto weights = weights_of(w);
        const nb::gil_scoped_release unlock;
        return b.frechet_mean(x, weights, tol, most);
      },
      "x"_a, "weights"_a = nb::none(), "tol"_a = 1e-9, "max_iter"_a = 1000,
      "(1, c) minimiser of the weighted squared distances.");
  c.def("to_lorentz", &PoincareBall::to_lorentz, "x"_a, Unlocked(),
        "(r, c + 1) points of the hyperboloid, time first.");
}

}  // namespace

void bind_geometry(nb::module_& m) {
  auto c = nb::class_<PoincareBall>(
      m, "PoincareBall",
      "The Poincaré ball of a negative curvature; operations work row by row.\n\n"
      ">>> PoincareBall(-1.0).radius()\n1.0");
  c.def(nb::init<double>(), "curvature"_a = -1.0);
  c.def("curvature", &PoincareBall::curvature, "The curvature.");
  c.def("radius", &PoincareBall::radius, "1/√κ.");
  c.def("__repr__", &PoincareBall::repr);
  c.def(
      "__eq__", [](const PoincareBall& a, const PoincareBall& b) { return a == b; },
      nb::is_operator());
  c.def("__hash__", [](const PoincareBall& b) { return std::hash<double>()(b.curvature()); });
  c.def("__reduce__", [](const PoincareBall& b) {
    return nb::make_tuple(nb::type<PoincareBall>(), nb::make_tuple(b.curvature()));
  });
  bind_maps(c);
  bind_measures(c);
}
