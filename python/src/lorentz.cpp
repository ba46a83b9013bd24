#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <functional>
#include <spiraltorch/geometry/lorentz.hpp>

#include "scalars.hpp"

using namespace nb::literals;
using st::Lorentz;
using st::Tensor;

namespace {

void bind_maps(nb::class_<Lorentz>& c) {
  c.def("project", &Lorentz::project, "x"_a, Unlocked(),
        "X with its time recomputed; beyond radius 40/√κ scaled back.");
  c.def("lift", &Lorentz::lift, "t"_a, Unlocked(), "A column of zeros before t.");
  c.def("drop", &Lorentz::drop, "t"_a, Unlocked(), "t without its time column.");
  c.def("expmap0", &Lorentz::expmap0, "v"_a, Unlocked(), "Exponential map at the origin.");
  c.def("logmap0", &Lorentz::logmap0, "y"_a, Unlocked(), "Its inverse.");
  c.def("expmap", &Lorentz::expmap, "x"_a, "v"_a, Unlocked(), "Exponential map at x.");
  c.def("logmap", &Lorentz::logmap, "x"_a, "y"_a, Unlocked(),
        "The tangent vector at x whose exponential is y.");
  c.def("parallel_transport", &Lorentz::parallel_transport, "x"_a, "y"_a, "v"_a, Unlocked(),
        "v carried along the geodesic from x to y.");
  c.def(
      "geodesic",
      [](const Lorentz& h, const Tensor& x, const Tensor& y, nb::handle t) {
        const st::Scalars at = scalars_of("geodesic", t);
        const nb::gil_scoped_release unlock;
        return h.geodesic(x, y, at);
      },
      "x"_a, "y"_a, "t"_a, "The point at t of the geodesic from x (0) to y (1).");
  c.def("from_poincare", &Lorentz::from_poincare, "p"_a, Unlocked(),
        "Points of the ball, as points of the hyperboloid.");
  c.def("to_poincare", &Lorentz::to_poincare, "x"_a, Unlocked(), "Its inverse.");
  c.def("from_poincare_tangent", &Lorentz::from_poincare_tangent, "p"_a, "w"_a, Unlocked(),
        "Tangent vectors w at points p of the ball, carried to the hyperboloid.");
  c.def("to_poincare_tangent", &Lorentz::to_poincare_tangent, "x"_a, "v"_a, Unlocked(),
        "Tangent vectors v at x, carried to the ball.");
}

void bind_gyro(nb::class_<Lorentz>& c) {
  c.def("mobius_add", &Lorentz::mobius_add, "x"_a, "y"_a, Unlocked(),
        "x ⊕ y of the ball's points.");
  c.def(
      "mobius_scalar",
      [](const Lorentz& h, nb::handle t, const Tensor& x) {
        const st::Scalars factor = scalars_of("mobius_scalar", t);
        const nb::gil_scoped_release unlock;
        return h.mobius_scalar(factor, x);
      },
      "t"_a, "x"_a, "t ⊗ x of the ball's points; t a number or an (r, 1) tensor.");
  c.def("mobius_matvec", &Lorentz::mobius_matvec, "m"_a, "x"_a, Unlocked(),
        "exp_0(log_0(x)·m) of the ball's points, m of shape (c, q).");
  c.def("gyration", &Lorentz::gyration, "a"_a, "b"_a, "v"_a, Unlocked(),
        "The rotation gyr[a, b]v of the ball's points.");
}

void bind_measures(nb::class_<Lorentz>& c) {
  c.def("dist", &Lorentz::dist, "x"_a, "y"_a, "squared"_a = false, Unlocked(),
        "(r, 1) geodesic distances.");
  c.def("dist_matrix", &Lorentz::dist_matrix, "x"_a, "y"_a = nb::none(), Unlocked(),
        "(r, s) distances of all pairs of rows; without y of x to itself.");
  c.def("conformal_factor", &Lorentz::conformal_factor, "x"_a, Unlocked(),
        "(r, 1): 1 + √κx₀, that of the ball's point.");
  c.def("egrad2rgrad", &Lorentz::egrad2rgrad, "x"_a, "g"_a, Unlocked(),
        "Riemannian gradient of a Euclidean differential.");
  c.def(
      "gyromidpoint",
      [](const Lorentz& h, const Tensor& x, nb::handle w) {
        const auto weights = weights_of(w);
        const nb::gil_scoped_release unlock;
        return h.gyromidpoint(x, weights);
      },
      "x"_a, "weights"_a = nb::none(), "(1, c + 1) normalised centroid.");
  c.def(
      "frechet_mean",
      [](const Lorentz& h, const Tensor& x, nb::handle w, double tol, std::int64_t most) {
        const auto weights = weights_of(w);
        const nb::gil_scoped_release unlock;
        return h.frechet_mean(x, weights, tol, most);
      },
      "x"_a, "weights"_a = nb::none(), "tol"_a = 1e-9, "max_iter"_a = 1000,
      "(1, c + 1) minimiser of the weighted squared distances.");
}

}  // namespace

void bind_lorentz(nb::module_& m) {
  auto c = nb::class_<Lorentz>(
      m, "Lorentz",
      "The hyperboloid of a negative curvature, time first; operations work row by row.\n\n"
      ">>> Lorentz(-1.0).expmap0(Tensor(1, 2)).tolist()\n[[1.0, 0.0]]");
  c.def(nb::init<double>(), "curvature"_a = -1.0);
  c.def("curvature", &Lorentz::curvature, "The curvature.");
  c.def("radius", &Lorentz::radius, "1/√κ.");
  c.def("__repr__", &Lorentz::repr);
  c.def(
      "__eq__", [](const Lorentz& a, const Lorentz& b) { return a == b; }, nb::is_operator());
  c.def("__hash__", [](const Lorentz& h) { return std::hash<double>()(h.curvature()); });
  c.def("__reduce__", [](const Lorentz& h) {
    return nb::make_tuple(nb::type<Lorentz>(), nb::make_tuple(h.curvature()));
  });
  bind_maps(c);
  bind_gyro(c);
  bind_measures(c);
}
