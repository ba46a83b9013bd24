"""Optimisers, clipping and schedules from Python, against the golden vectors."""

import json
import math
import re

import pytest

import spiraltorch as st
from spiraltorch import nn, optim

SCHEDULES = {
    "constant": optim.ConstantLR,
    "step": optim.StepLR,
    "cosine": optim.CosineLR,
    "warmup": optim.WarmupLR,
    "burn_in": optim.BurnInLR,
}


def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="module")
def cases(root):
    return golden(root)


def check_near(got, want, slack=1.0):
    got = got.tolist()
    if isinstance(want[0], float):
        want = [[w] for w in want]
    for row, wanted in zip(got, want, strict=True):
        for x, w in zip(row, wanted, strict=True):
            assert abs(x - w) <= slack * (1e-6 + 1e-5 * abs(w)), (x, w)


def manifold_of(case):
    return nn.Euclidean() if case["manifold"] == "Euclidean" else st.PoincareBall(case["curvature"])


def run_case(case, rule, device, slack):
    start = st.Tensor.from_rows(case["start"]).to(device)
    p = nn.Parameter(start, manifold_of(case))
    optimizer = rule([p], **case["options"])
    for gradient, want in zip(case["gradients"], case["path"], strict=True):
        p.grad = st.Tensor.from_rows(gradient).to(device)
        optimizer.step()
        check_near(p.to("cpu"), want, slack)
    slots = optimizer.state_dict()["slots"][0]
    name = "momentum" if isinstance(optimizer, optim.SGD) else "first"
    check_near(slots[name].to("cpu"), case["moment"], slack)
    if "second_moment" in case:
        check_near(slots["second"].to("cpu"), case["second_moment"], slack)


def test_golden_paths(cases):
    tested = 0
    for case in cases["optimizers"]:
        if case["rule"] == "tape":
            continue
        run_case(case, getattr(optim, case["rule"]), "cpu", 1.0)
        other = {"SGD": optim.RiemannianSGD, "Adam": optim.RiemannianAdam}.get(case["rule"])
        if other is not None:
            run_case(case, other, "cpu", 1.0)
        tested += 1
    assert tested == 24


def test_golden_clipping(cases):
    want = cases["clip_grad_norm"]
    flat = nn.Parameter(st.Tensor.from_rows(want["euclidean"]["value"]))
    ball = nn.Parameter(
        st.Tensor.from_rows(want["ball"]["value"]), st.PoincareBall(want["ball"]["curvature"])
    )
    flat.grad = st.Tensor.from_rows(want["euclidean"]["grad"])
    ball.grad = st.Tensor.from_rows(want["ball"]["grad"])
    assert optim.gradient_norm([flat, ball]) == pytest.approx(want["norm"], rel=1e-6)
    norm = optim.clip_grad_norm_([flat, ball], want["max_norm"])
    assert norm == pytest.approx(want["norm"], rel=1e-6)
    check_near(flat.grad, want["euclidean"]["clipped"])
    check_near(ball.grad, want["ball"]["clipped"])


def make_schedule(spec):
    options = {k: v for k, v in spec.items() if k != "kind"}
    if "then" in options:
        options["then"] = make_schedule(options["then"])
    return SCHEDULES[spec["kind"]](**options)


def test_golden_schedules(cases):
    for case in cases["schedulers"]:
        schedule = make_schedule(case["spec"])
        for want in case["factors"]:
            assert schedule.factor == pytest.approx(want, rel=1e-12, abs=1e-15)
            schedule.step()


def test_golden_plateau(cases):
    case = cases["plateau"]
    schedule = optim.PlateauLR(**case["spec"])
    for metric, want in zip(case["metrics"], case["factors"], strict=True):
        schedule.step(metric)
        assert schedule.factor == pytest.approx(want)


def parameter(value=1.0):
    p = nn.Parameter(st.Tensor(1, 2, [value, value]))
    p.grad = st.Tensor.ones(1, 2)
    return p


def test_groups_are_mappings_whose_rate_is_written():
    p, q = parameter(), parameter()
    optimizer = optim.SGD([{"params": [p]}, {"params": q, "lr": 0.5}], lr=0.1, momentum=0.5)
    first, second = optimizer.param_groups
    assert first["lr"] == 0.1 and second["lr"] == 0.5 and second["momentum"] == 0.5
    assert set(dict(first)) == {"params", "lr", "momentum", "weight_decay", "nesterov"}
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    assert first["lr"] == 0.05
    optimizer.set_learning_rate(0, 0.25)
    assert first["lr"] == 0.25
    optimizer.step()
    assert p.tolist() == [[0.75, 0.75]] and q.tolist() == [[0.75, 0.75]]
    optimizer.zero_grad()
    assert p.grad is None
    with pytest.raises(ValueError):
        first["momentum"] = 0.1
    with pytest.raises(KeyError):
        first["betas"]


def test_bad_arguments():
    p = parameter()
    for wrong in ([p, p], [{"params": [p]}, {"params": [p]}], [{"lr": 0.1}], []):
        with pytest.raises(ValueError):
            optim.SGD(wrong)
    with pytest.raises(ValueError):
        optim.SGD([{"params": [p], "betas": (0.9, 0.9)}])
    with pytest.raises(ValueError):
        optim.Adam([p], betas=(0.9, 1.0))
    for wrong in ([st.Tensor(1, 1)], p, 3, [p, {"params": [parameter()]}]):
        with pytest.raises(TypeError):
            optim.Adam(wrong)
    with pytest.raises(ValueError):
        optim.StepLR(3, interval="batch")
    with pytest.raises(ValueError):
        optim.clip_grad_norm_([p], math.nan)


def test_a_gradient_that_is_not_finite_changes_nothing():
    p, q = parameter(), parameter()
    q.grad = st.Tensor(1, 2, [1.0, math.nan])
    optimizer = optim.SGD([p, q], lr=0.5)
    with pytest.raises(ValueError, match=r"parameter 1: got nan at \(0, 1\)"):
        optimizer.step()
    assert p.tolist() == q.tolist() == [[1.0, 1.0]]
    q.grad = st.Tensor(1, 2, [math.inf, 0.0])
    with pytest.raises(ValueError):
        optim.clip_grad_norm_([p, q], 1.0)


def test_states_continue_where_they_were():
    p = parameter()
    optimizer = optim.Adam([p], lr=0.1)
    schedule = optim.CosineLR(10, optimizer=optimizer, interval="step")
    assert schedule.interval == "step"
    optimizer.step()
    schedule.step()
    other = optim.Adam([nn.Parameter(p)], lr=0.1)
    again = optim.CosineLR(10, optimizer=other)
    other.load_state_dict(optimizer.state_dict())
    again.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    r = other.param_groups[0]["params"][0]
    r.grad = p.grad
    for each in (optimizer, other):
        each.step()
    for each in (schedule, again):
        each.step()
    assert p.tolist() == r.tolist()
    assert optimizer.param_groups[0]["lr"] == other.param_groups[0]["lr"] < 0.1
    with pytest.raises(ValueError):
        other.load_state_dict({"step": 1})
    with pytest.raises(TypeError):
        other.load_state_dict({"step": "1", "learning_rates": [], "slots": []})


def test_training_an_embedding_brings_neighbours_together():
    st.manual_seed(0)
    table = nn.PoincareEmbedding(6, 2, init_radius=0.5)
    optimizer = optim.RiemannianAdam(table.parameters(), lr=0.05)
    ball = st.PoincareBall()
    pairs = [(0, 1), (2, 3), (4, 5)]

    def loss():
        left = table(st.Tensor.from_rows([[float(i)] for i, _ in pairs]))
        right = table(st.Tensor.from_rows([[float(j)] for _, j in pairs]))
        return ball.dist(left, right, squared=True).sum()

    before = loss().item()
    for _ in range(60):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.2 * before


def test_golden_paths_on_a_device_without_double(cases, wgpu):
    for case in cases["optimizers"]:
        if case["rule"] != "tape":
            run_case(case, getattr(optim, case["rule"]), wgpu, 20.0)


def test_norm_and_checks_on_a_device(wgpu):
    ball = nn.Parameter(st.Tensor(2, 2, [0.1, 0.2, -0.3, 0.4]).to(wgpu), st.PoincareBall())
    flat = nn.Parameter(st.Tensor(1, 3, [1.0, 2.0, 3.0]).to(wgpu))
    ball.grad = st.Tensor.ones(2, 2, device=wgpu)
    flat.grad = st.Tensor(1, 3, [3.0, 0.0, 4.0]).to(wgpu)
    gaps = [1 - 0.05, 1 - 0.25]
    want = math.sqrt(25.0 + sum(2 * (gap / 2) ** 2 for gap in gaps))
    assert optim.clip_grad_norm_([ball, flat], 1.0) == pytest.approx(want, rel=1e-6)
    assert optim.gradient_norm([ball, flat]) == pytest.approx(1.0, rel=1e-6)
    flat.grad = st.Tensor(1, 3, [3.0, math.nan, 4.0]).to(wgpu)
    before = ball.tolist()
    with pytest.raises(ValueError, match=r"parameter 1: got nan at \(0, 1\)"):
        optim.SGD([ball, flat]).step()
    assert ball.tolist() == before


def test_a_table_on_a_device_learns_by_look_ups(wgpu):
    results = []
    for device in ("cpu", wgpu):
        table = nn.Parameter(
            st.Tensor.randn(40, 3, seed=3).scale(0.2).to(device), st.PoincareBall()
        )
        optimizer = optim.RiemannianAdam([table], lr=0.1, lazy=True)
        for _ in range(3):
            optimizer.zero_grad()
            table[3:5].sum().backward()
            optimizer.step()
        results.append(table.to("cpu"))
    assert results[1].allclose(results[0], rtol=1e-4, atol=1e-5)
    assert results[1].tolist()[10] == results[0].tolist()[10]


def test_the_documentation_s_example_runs(root):
    text = (root / "docs" / "optim.md").read_text(encoding="utf-8")
    scope = {}
    for source in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(source, "optim.md", "exec"), scope)  # noqa: S102
    assert scope["optimizer"].state_dict()["step"] == 3
