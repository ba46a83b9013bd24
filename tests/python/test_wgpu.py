"""The WebGPU back end from Python: tensors, gradients, geometry, sessions. Failures have a file of
their own, operations are compared one by one in C++."""

import os
import subprocess
import sys

import pytest

import spiraltorch as st

SNIPPETS = ("hypergrad", "barycenter", "trace")


def program(root, name):
    return (root / "tests" / "golden" / f"readme_{name}.py").read_text(encoding="utf-8")


@pytest.fixture
def execute(tmp_path):
    """Runs a program; software Vulkan wants a folder of its own."""
    tmp_path.chmod(0o700)
    return lambda source, **env: run(source, XDG_RUNTIME_DIR=str(tmp_path), **env)


def run(source, **env):
    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return done


def numbers(text):
    cleaned = "".join(c if c in "0123456789.-e" else " " for c in text)
    return [float(x) for x in cleaned.split()]


def close(a, b, tolerance):
    flat_a = [x for row in a.tolist() for x in row]
    flat_b = [x for row in b.tolist() for x in row]
    assert flat_a == pytest.approx(flat_b, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("name", SNIPPETS)
def test_contract_programs_with_an_adapter_and_without(root, wgpu, execute, name):
    source = program(root, name) + "\nimport sys\n"
    if name != "hypergrad":
        source += "print(session.device, session.requested_device, file=sys.stderr)\n"
    here = execute(source)
    there = execute(source, SPIRALTORCH_LIB_WGPU_NATIVE="/nonexistent/libwgpu.so")
    assert numbers(here.stdout) == pytest.approx(numbers(there.stdout), rel=1e-5, abs=5e-6)
    if name == "hypergrad":  # asks for no device
        assert here.stderr == there.stderr == ""
        return
    assert here.stderr == "wgpu wgpu\n"
    assert there.stderr.count("RuntimeWarning") == 1
    assert there.stderr.endswith("cpu wgpu\n")


def test_the_description_has_real_limits(wgpu):
    caps = st.describe_device(wgpu)
    assert caps["backend"] == caps["device"] == "wgpu"
    assert caps["source"] == "queried" and caps["error"] is None
    assert caps["max_workgroup"] >= 128 and caps["shared_mem_per_workgroup"] >= 16384
    assert caps["subgroup"] is (caps["lane_width"] > 1)
    assert "wgpu-native 29" in caps["driver"]
    assert caps["arch"] in ("discrete", "integrated", "software")
    assert caps["libraries"]["libwgpu_native"].startswith("29.")
    assert wgpu in [d["device"] for d in st.devices()]


def test_software_adapters_count_only_on_demand(wgpu, monkeypatch):
    if st.describe_device(wgpu)["arch"] != "software":
        pytest.skip("a hardware adapter is here")
    monkeypatch.setenv("SPIRALTORCH_WGPU_SOFTWARE", "0")
    caps = st.describe_device(wgpu)
    assert caps["available"] is False and "SPIRALTORCH_WGPU_SOFTWARE=1" in caps["error"]
    assert st.describe_device("auto")["device"] == "cpu"


def test_tensors_move_only_on_demand(wgpu):
    x = st.Tensor(2, 3, [1, 2, 3, 4, 5, 6])
    y = x.to(wgpu)
    assert y.device == wgpu and y.to(wgpu) is not None and y.to("cpu").device == "cpu"
    assert y.tolist() == x.tolist() and y.data() == x.data()
    for mixed in (lambda: x + y, lambda: y @ x.transpose(), lambda: y.add_scaled_inplace(x, 0.5)):
        with pytest.raises(st.DeviceError, match="wgpu and cpu|cpu and wgpu"):
            mixed()
    assert y.tolist() == x.tolist()
    with pytest.raises(BufferError, match="host memory"):
        memoryview(y)


def test_constructors_fill_the_device(wgpu):
    for make in (
        lambda d: st.Tensor.rand(5, 7, seed=3, device=d),
        lambda d: st.Tensor.randn(5, 7, seed=3, device=d),
        lambda d: st.Tensor.eye(4, device=d),
        lambda d: st.Tensor.full(2, 3, -1.5, device=d),
        lambda d: st.Tensor.ones(2, 3, device=d),
    ):
        assert make(wgpu).device == wgpu
        assert make(wgpu).tolist() == make("cpu").tolist()  # to the bit


def test_slices_and_assignments(wgpu):
    x = st.Tensor.rand(6, 9, seed=1)
    y = x.to(wgpu)
    assert y[1:5:2, ::-3].tolist() == x[1:5:2, ::-3].tolist()
    x[2:4, 1:3] = st.Tensor.ones(2, 2)
    y[2:4, 1:3] = st.Tensor.ones(2, 2, device=wgpu)
    assert y.tolist() == x.tolist()
    assert st.Tensor.cat_rows([y, y]).tolist() == st.Tensor.cat_rows([x, x]).tolist()
    assert y.reshape(9, 6).transpose().tolist() == x.reshape(9, 6).transpose().tolist()


def loss_of(device):
    x = st.Tensor.randn(16, 5, seed=1, device=device)
    w = st.Tensor.randn(5, 8, seed=2, device=device).requires_grad_()
    v = st.Tensor.randn(8, 3, seed=3, device=device).requires_grad_()
    hidden = (x @ w).tanh()
    loss = -((hidden @ v).log_softmax() * st.Tensor.rand(16, 3, seed=4, device=device)).mean()
    loss = loss + (w**2).sum() * 0.01 + v.abs().max() + (v.sigmoid() / 2).norm()
    loss.backward()
    return loss, w.grad, v.grad


def test_gradients_agree_with_the_cpu(wgpu):
    for got, expected in zip(loss_of(wgpu), loss_of("cpu"), strict=True):
        assert got.device == wgpu
        close(got, expected, 2e-5)


def test_training_falls_as_on_the_cpu(wgpu):
    losses = {}
    for device in ("cpu", wgpu):
        x = st.Tensor.randn(64, 4, seed=1, device=device)
        target = (x @ st.Tensor(4, 1, [1, -2, 0.5, 3], device=device)) + 0.25
        w = st.Tensor.zeros(4, 1, device=device).requires_grad_()
        for _ in range(50):
            w.zero_grad()
            loss = ((x @ w - target) ** 2).mean()
            loss.backward()
            with st.no_grad():
                w.add_scaled_inplace(w.grad, -0.1)
        losses[device] = loss.item()
    assert losses[wgpu] == pytest.approx(losses["cpu"], rel=1e-4)
    assert losses[wgpu] < 0.1


def test_geometry_and_its_gradient(wgpu):
    ball = st.PoincareBall(-1.0)
    results = {}
    for device in ("cpu", wgpu):
        x = ball.expmap0(st.Tensor.randn(40, 6, seed=1, device=device) * 0.4)
        y = ball.expmap0(st.Tensor.randn(40, 6, seed=2, device=device) * 0.4)
        x = x.detach().requires_grad_()
        loss = ball.dist(x, y, squared=True).mean() + ball.mobius_add(x, y).norm()
        loss.backward()
        results[device] = (loss, x.grad)
    for got, expected in zip(results[wgpu], results["cpu"], strict=True):
        close(got, expected, 2e-5)


def test_rank_selection_is_the_same_to_the_byte(wgpu):
    x = st.Tensor.randn(7, 3000, seed=5)
    for select in (st.topk, st.midk, st.bottomk):
        here, there = select(x, 17), select(x, 17, device=wgpu)
        assert there.values.device == wgpu
        assert there.values.tolist() == here.values.tolist()
        assert there.indices.tolist() == here.indices.tolist()
        assert there.plan.device == wgpu


def test_a_session_on_the_device(wgpu):
    session = st.SpiralSession(device=wgpu, curvature=-1.0, hyper_learning_rate=0.05)
    assert session.device == wgpu == session.device_caps()["device"]
    assert session.plan("topk", 4, 5000, 8).device == wgpu
    results = {}
    for device in ("cpu", wgpu):
        densities = [
            st.Tensor(1, 3, [0.7, 0.2, 0.1], device=device),
            st.Tensor(1, 3, [0.2, 0.5, 0.3], device=device),
        ]
        barycenter = session.barycenter(densities)
        tape = session.hypergrad(1, 3)
        session.align_hypergrad(tape, barycenter)
        weights = st.Tensor(1, 3, [0.1, 0.2, 0.3], device=device)
        tape.apply(weights)
        assert barycenter.density.device == weights.device == device
        results[device] = (barycenter.objective, barycenter.density, weights)
    assert results[wgpu][0] == pytest.approx(results["cpu"][0], abs=2e-6)
    close(results[wgpu][1], results["cpu"][1], 1e-6)
    close(results[wgpu][2], results["cpu"][2], 1e-6)


def test_a_tape_stays_where_its_gradient_is(wgpu):
    tape = st.Hypergrad(-1.0, 0.1, 1, 2)
    tape.accumulate_wave(st.Tensor(1, 2, [0.1, 0.2], device=wgpu))
    before = tape.gradient()
    with pytest.raises(st.DeviceError):
        tape.accumulate_wave(st.Tensor(1, 2, [0.1, 0.2]))
    with pytest.raises(st.DeviceError):
        tape.apply(st.Tensor(1, 2, [0.1, 0.2]))
    assert tape.gradient() == before
    tape.reset()
    tape.accumulate_wave(st.Tensor(1, 2, [0.1, 0.2]))
    weights = st.Tensor(1, 2, [0.3, 0.2])
    tape.apply(weights)
    assert weights.device == "cpu"


def test_a_guard_on_the_device(wgpu):
    topos = st.OpenTopos(-1.0)
    with pytest.raises(st.InvalidArgument, match="wave"):
        topos.guard_tensor("wave", st.Tensor(1, 2, [1.0, float("nan")], device=wgpu))


def test_a_session_is_the_default_of_new_tensors(wgpu):
    session, other = st.SpiralSession(device=wgpu), st.SpiralSession(device="cpu")
    with session as same:
        assert same is session
        assert st.Tensor(1, 1).device == st.Tensor.rand(1, 1).device == wgpu
        assert st.ComplexTensor(1, 1).device == wgpu
        with other:
            assert st.Tensor(1, 1).device == "cpu"
        assert st.Tensor(1, 1).device == wgpu
        assert st.Tensor(1, 1, device="cpu").device == "cpu"
    with pytest.raises(ZeroDivisionError), session:
        raise ZeroDivisionError
    assert st.Tensor(1, 1).device == "cpu"
