"""The hyperboloid from Python: its value semantics, free functions, gradients and errors."""

import pickle

import pytest

import spiraltorch as st
from spiraltorch import geometry


def point(values, h):
    return h.expmap0(h.lift(st.Tensor(1, len(values), values)))


def test_it_is_a_value():
    h = st.Lorentz(-2.0)
    assert pickle.loads(pickle.dumps(h)) == h and hash(h) == hash(st.Lorentz(-2.0))
    assert h != st.Lorentz(-1.0) and repr(h) == "Lorentz(curvature=-2)"
    assert st.Lorentz().curvature() == -1.0 and st.Lorentz(-4.0).radius() == 0.5
    with pytest.raises(st.InvalidArgument):
        st.Lorentz(1.0)


def test_functions_take_either_manifold():
    h, ball = st.Lorentz(-0.5), st.PoincareBall(-0.5)
    x, y = point([0.5, -0.25], h), point([1.0, 2.0], h)
    p, q = geometry.to_poincare(x, h), geometry.to_poincare(y, h)
    assert geometry.dist(x, y, h).allclose(geometry.dist(p, q, ball), 1e-5, 1e-6)
    assert geometry.from_poincare(p, h).allclose(x, 1e-5, 1e-6)
    v = geometry.logmap(x, y, h)
    assert geometry.expmap(x, v, h).allclose(y, 1e-5, 1e-5)
    w = geometry.to_poincare_tangent(x, v, h)
    assert w.allclose(geometry.logmap(p, q, ball), 1e-4, 1e-5)
    assert geometry.from_poincare_tangent(p, w, h).allclose(v, 1e-4, 1e-5)
    assert geometry.drop(geometry.lift(p, h), h).tolist() == p.tolist()
    assert h.mobius_scalar(2.0, x).shape() == (1, 3)
    assert h.geodesic(x, y, st.Tensor(4, 1)).shape() == (4, 3)
    assert h.gyromidpoint(x, [2.0]).allclose(x, 1e-5, 1e-5)


def test_gradients_arrive_in_the_columns_of_space():
    h = st.Lorentz()
    x, y = point([0.5, -0.25], h), point([1.0, 2.0], h)
    x.requires_grad = True
    h.dist(x, y, squared=True).backward()
    assert x.grad[0, 0] == 0.0 and x.grad[0, 1] != 0.0
    step = h.egrad2rgrad(x.detach(), x.grad)
    assert (step * -0.5).allclose(h.logmap(x.detach(), y), 1e-4, 1e-5)


def test_shapes():
    h = st.Lorentz()
    with pytest.raises(ValueError, match="dist"):
        h.dist(st.Tensor(2, 3), st.Tensor(3, 3))
    with pytest.raises(ValueError, match="time"):
        h.project(st.Tensor(2, 1))
