#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch::geometry {

Tensor project(const Tensor& x, const PoincareBall& b) { return b.project(x); }
Tensor expmap0(const Tensor& v, const PoincareBall& b) { return b.expmap0(v); }
Tensor logmap0(const Tensor& y, const PoincareBall& b) { return b.logmap0(y); }
Tensor mobius_add(const Tensor& x, const Tensor& y, const PoincareBall& b) {
  return b.mobius_add(x, y);
}
Tensor mobius_scalar(const Scalars& t, const Tensor& x, const PoincareBall& b) {
  return b.mobius_scalar(t, x);
}
Tensor mobius_matvec(const Tensor& m, const Tensor& x, const PoincareBall& b) {
  return b.mobius_matvec(m, x);
}
Tensor expmap(const Tensor& x, const Tensor& v, const PoincareBall& b) { return b.expmap(x, v); }
Tensor logmap(const Tensor& x, const Tensor& y, const PoincareBall& b) { return b.logmap(x, y); }
Tensor gyration(const Tensor& a, const Tensor& c, const Tensor& v, const PoincareBall& b) {
  return b.gyration(a, c, v);
}
Tensor parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v,
                          const PoincareBall& b) {
  return b.parallel_transport(x, y, v);
}
Tensor dist(const Tensor& x, const Tensor& y, const PoincareBall& b, bool squared) {
  return b.dist(x, y, squared);
}
Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y, const PoincareBall& b) {
  return b.dist_matrix(x, y);
}
Tensor conformal_factor(const Tensor& x, const PoincareBall& b) { return b.conformal_factor(x); }
Tensor egrad2rgrad(const Tensor& x, const Tensor& g, const PoincareBall& b) {
  return b.egrad2rgrad(x, g);
}
Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t, const PoincareBall& b) {
  return b.geodesic(x, y, t);
}
Tensor gyromidpoint(const Tensor& x, const Weights& w, const PoincareBall& b) {
  return b.gyromidpoint(x, w);
}
Tensor frechet_mean(const Tensor& x, const Weights& w, const PoincareBall& b) {
  return b.frechet_mean(x, w);
}
Tensor to_lorentz(const Tensor& x, const PoincareBall& b) { return b.to_lorentz(x); }

}  // namespace spiraltorch::geometry
