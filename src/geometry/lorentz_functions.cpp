#include "spiraltorch/geometry/lorentz.hpp"

namespace spiraltorch::geometry {

Tensor project(const Tensor& x, const Lorentz& h) { return h.project(x); }
Tensor lift(const Tensor& t, const Lorentz& h) { return h.lift(t); }
Tensor drop(const Tensor& t, const Lorentz& h) { return h.drop(t); }
Tensor expmap(const Tensor& x, const Tensor& v, const Lorentz& h) { return h.expmap(x, v); }
Tensor logmap(const Tensor& x, const Tensor& y, const Lorentz& h) { return h.logmap(x, y); }
Tensor expmap0(const Tensor& v, const Lorentz& h) { return h.expmap0(v); }
Tensor logmap0(const Tensor& y, const Lorentz& h) { return h.logmap0(y); }
Tensor dist(const Tensor& x, const Tensor& y, const Lorentz& h, bool squared) {
  return h.dist(x, y, squared);
}
Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y, const Lorentz& h) {
  return h.dist_matrix(x, y);
}
Tensor parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v, const Lorentz& h) {
  return h.parallel_transport(x, y, v);
}
Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t, const Lorentz& h) {
  return h.geodesic(x, y, t);
}
Tensor egrad2rgrad(const Tensor& x, const Tensor& g, const Lorentz& h) {
  return h.egrad2rgrad(x, g);
}
Tensor conformal_factor(const Tensor& x, const Lorentz& h) { return h.conformal_factor(x); }
Tensor from_poincare(const Tensor& p, const Lorentz& h) { return h.from_poincare(p); }
Tensor to_poincare(const Tensor& x, const Lorentz& h) { return h.to_poincare(x); }
Tensor from_poincare_tangent(const Tensor& p, const Tensor& w, const Lorentz& h) {
  return h.from_poincare_tangent(p, w);
}
Tensor to_poincare_tangent(const Tensor& x, const Tensor& v, const Lorentz& h) {
  return h.to_poincare_tangent(x, v);
}
Tensor mobius_add(const Tensor& x, const Tensor& y, const Lorentz& h) { return h.mobius_add(x, y); }
Tensor mobius_scalar(const Scalars& t, const Tensor& x, const Lorentz& h) {
  return h.mobius_scalar(t, x);
}
Tensor mobius_matvec(const Tensor& m, const Tensor& x, const Lorentz& h) {
  return h.mobius_matvec(m, x);
}
Tensor gyration(const Tensor& a, const Tensor& b, const Tensor& v, const Lorentz& h) {
  return h.gyration(a, b, v);
}
Tensor gyromidpoint(const Tensor& x, const Weights& w, const Lorentz& h) {
  return h.gyromidpoint(x, w);
}
Tensor frechet_mean(const Tensor& x, const Weights& w, const Lorentz& h) {
  return h.frechet_mean(x, w);
}

}  // namespace spiraltorch::geometry
