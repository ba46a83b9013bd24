"""The Poincaré ball and the hyperboloid: their operations also as functions, the manifold last."""

from ._core import Lorentz, PoincareBall


def project(x, ball):
    """x, or its radial projection into the ball's margin."""
    return ball.project(x)


def expmap0(v, ball):
    """Exponential map at the origin."""
    return ball.expmap0(v)


def logmap0(y, ball):
    """Logarithmic map at the origin."""
    return ball.logmap0(y)


def mobius_add(x, y, ball):
    """x ⊕ y, row by row."""
    return ball.mobius_add(x, y)


def mobius_scalar(t, x, ball):
    """t ⊗ x; t a number or an (r, 1) tensor."""
    return ball.mobius_scalar(t, x)


def mobius_matvec(m, x, ball):
    """exp_0(log_0(x)·m)."""
    return ball.mobius_matvec(m, x)


def expmap(x, v, ball):
    """Exponential map at x."""
    return ball.expmap(x, v)


def logmap(x, y, ball):
    """The tangent vector at x whose exponential is y."""
    return ball.logmap(x, y)


def gyration(a, b, v, ball):
    """The rotation gyr[a, b]v."""
    return ball.gyration(a, b, v)


def parallel_transport(x, y, v, ball):
    """v carried along the geodesic from x to y."""
    return ball.parallel_transport(x, y, v)


def dist(x, y, ball, squared=False):
    """(r, 1) geodesic distances."""
    return ball.dist(x, y, squared)


def dist_matrix(x, y, ball):
    """(r, s) distances of all pairs of rows; y=None means x."""
    return ball.dist_matrix(x, y)


def conformal_factor(x, ball):
    """(r, 1): 2/(1 - κ‖x‖²) of the ball's point."""
    return ball.conformal_factor(x)


def egrad2rgrad(x, g, ball):
    """Riemannian gradient of a Euclidean differential."""
    return ball.egrad2rgrad(x, g)


def geodesic(x, y, t, ball):
    """The point at t of the geodesic from x (0) to y (1)."""
    return ball.geodesic(x, y, t)


def gyromidpoint(x, weights, ball):
    """(1, c) normalised Lorentz centroid; of the hyperboloid (1, c + 1)."""
    return ball.gyromidpoint(x, weights)


def frechet_mean(x, weights, ball):
    """(1, c) minimiser of the weighted squared distances."""
    return ball.frechet_mean(x, weights)


def to_lorentz(x, ball):
    """(r, c + 1) points of the hyperboloid, time first."""
    return ball.to_lorentz(x)


def lift(t, manifold):
    """(r, c + 1): a column of zeros before t."""
    return manifold.lift(t)


def drop(t, manifold):
    """(r, c): t without its time column."""
    return manifold.drop(t)


def from_poincare(p, manifold):
    """Points of the ball, as points of the hyperboloid."""
    return manifold.from_poincare(p)


def to_poincare(x, manifold):
    """Its inverse."""
    return manifold.to_poincare(x)


def from_poincare_tangent(p, w, manifold):
    """Tangent vectors w at p, carried to the hyperboloid."""
    return manifold.from_poincare_tangent(p, w)


def to_poincare_tangent(x, v, manifold):
    """Tangent vectors v at x, carried to the ball."""
    return manifold.to_poincare_tangent(x, v)


__all__ = [
    "Lorentz",
    "PoincareBall",
    "conformal_factor",
    "dist",
    "dist_matrix",
    "drop",
    "egrad2rgrad",
    "expmap",
    "expmap0",
    "frechet_mean",
    "from_poincare",
    "from_poincare_tangent",
    "geodesic",
    "gyration",
    "gyromidpoint",
    "lift",
    "logmap",
    "logmap0",
    "mobius_add",
    "mobius_matvec",
    "mobius_scalar",
    "parallel_transport",
    "project",
    "to_lorentz",
    "to_poincare",
    "to_poincare_tangent",
]
