import math

import pytest

import spiraltorch as st
from spiraltorch import Tensor


def test_gradients_flow_through_distances():
    ball = st.PoincareBall(-1.0)
    w = Tensor(2, 2, [0.1, 0.2, -0.3, 0.4], requires_grad=True)
    target = Tensor(1, 2, [0.5, -0.4])
    ball.dist(w, target).sum().backward()
    assert w.grad.shape() == (2, 2)
    for i in range(2):
        # Its Riemannian norm is 1: |gradient|/λ.
        norm = math.hypot(*w.grad.tolist()[i])
        factor = ball.conformal_factor(w.detach()).tolist()[i][0]
        assert norm / factor == pytest.approx(1, abs=1e-5)


def test_gradients_of_numbers_and_weights():
    ball = st.PoincareBall(-0.5)
    x, y = Tensor(1, 2, [0.1, 0.2]), Tensor(1, 2, [0.5, -0.4])
    t = Tensor(1, 1, [0.25], requires_grad=True)
    ball.dist(x, ball.geodesic(x, y, t)).backward()
    assert t.grad.item() == pytest.approx(ball.dist(x, y).item(), rel=1e-5)
    weights = Tensor(2, 1, [1.0, 2.0], requires_grad=True)
    ball.gyromidpoint(Tensor.cat_rows([x, y]), weights).sum().backward()
    # Weights count by their ratios only.
    assert weights.grad.tolist()[0][0] == pytest.approx(-2 * weights.grad.tolist()[1][0], rel=1e-4)


def test_the_mean_follows_its_points():
    ball = st.PoincareBall()
    x = Tensor(2, 2, [0.1, 0.2, -0.3, 0.4], requires_grad=True)
    mean = ball.frechet_mean(x)
    mean.sum().backward()
    # Of two points it is the middle of their geodesic.
    p, q = (x.detach()[i : i + 1].requires_grad_() for i in range(2))
    middle = ball.geodesic(p, q, 0.5)
    middle.sum().backward()
    expected = p.grad.tolist() + q.grad.tolist()
    for i in range(2):
        assert x.grad.tolist()[i] == pytest.approx(expected[i], abs=1e-5)


def test_a_number_has_no_gradient():
    x = Tensor(1, 2, [0.1, 0.2], requires_grad=True)
    with pytest.raises(st.Unsupported):
        x.hyperbolic_distance(x, curvature=-1.0)
