"""The trainer from Python: snippets, callables, callbacks, interrupts, checkpoints."""

import gc
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest

import spiraltorch as st
from spiraltorch import nn, optim


@pytest.fixture
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def samples():
    x = st.Tensor.randn(20, 4, seed=5)
    t = st.Tensor(20, 1, [float(i % 3) for i in range(20)])
    return st.dataset.from_tensors(x, t).shuffle(11).batched(6).prefetch(2)


def model():
    st.manual_seed(3)
    return nn.Sequential(
        [nn.Linear(4, 6, name="a"), nn.Tanh(), nn.Dropout(0.25), nn.Linear(6, 3, name="b")]
    )


def plain():
    st.manual_seed(3)
    return nn.Sequential([nn.Linear(4, 6, name="a"), nn.Tanh(), nn.Linear(6, 3, name="b")])


def bits(module):
    return [p.data() for p in module.parameters()]


@pytest.mark.parametrize(
    ("variant", "kwargs"),
    [
        ("with_tapes", {}),
        ("without_prepare", {"prepared": False}),
        ("batched_1", {"batch": 1}),
        ("above_weight_half", {"schedule_weights": (0.5, 1, 1)}),
    ],
)
def test_block_3_and_its_variants(golden, variant, kwargs, device):
    want = golden["readme_block_3"][variant]
    st.manual_seed(0)
    session = st.SpiralSession(device=device, curvature=-1.0, strict=True)
    layer = nn.Sequential([nn.Linear(2, 2, name="layer")])
    if kwargs.get("prepared", True):
        session.prepare_module(layer)
    points = [st.Tensor(1, 2, [0.0, 1.0]), st.Tensor(1, 2, [1.0, 0.0])]
    loader = st.dataset.from_vec([(p, p) for p in points]).shuffle(0xC0FFEE)
    loader = loader.batched(kwargs.get("batch", 2)).prefetch(2)
    schedule = session.roundtable(rows=1, cols=2).with_weights(
        *kwargs.get("schedule_weights", (1, 1, 1))
    )
    trainer = session.trainer()
    for epoch in want["history"]:
        stats = session.train_epoch(trainer, layer, nn.MeanSquaredError(), loader, schedule)
        for name in ("total_loss", "average_loss", "mean_loss", "grad_norm"):
            assert getattr(stats, name) == pytest.approx(epoch[name], rel=1e-5, abs=2e-6)
        assert (stats.batches, stats.samples) == (epoch["batches"], epoch["samples"])
        assert list(stats.band_energy) == pytest.approx(epoch["band_energy"], rel=1e-5, abs=2e-6)
    for parameter, value in zip(layer.parameters(), want["final"], strict=True):
        flat = [x for row in value for x in row]
        assert parameter.data() == pytest.approx(flat, rel=1e-5, abs=2e-6)


def make_rule(rule, parameters):
    kind = rule["kind"]
    options = {k: v for k, v in rule.items() if k != "kind"}
    return {
        "adamw": optim.AdamW,
        "sgd": optim.SGD,
        "riemannian_sgd": optim.RiemannianSGD,
        "riemannian_adam": optim.RiemannianAdam,
    }[kind](parameters, **options)


def test_golden_training(golden, device):
    for case in golden["training"]:
        spec = case["spec"]
        st.manual_seed(spec["seed"])
        layers = []
        for i, (a, b) in enumerate(zip(spec["sizes"], spec["sizes"][1:], strict=False)):
            layers.append(nn.Linear(a, b))
            layers += {"gelu": [nn.Gelu()], "tanh": [nn.Tanh()], "none": []}[spec["acts"][i]]
        net = nn.Sequential(layers)
        kind, rate = spec["rule"]["kind"], spec["rule"]["lr"]
        session = st.SpiralSession(device=device, hyper_learning_rate=0.05, strict=True)
        session.prepare_module(net)  # brings it to the device
        if kind == "tape":
            session = st.SpiralSession(device=device, hyper_learning_rate=rate)
            session.prepare_module(net)
        else:
            for parameter in net.parameters():
                parameter.detach_tape()
        optimizer = (
            None if kind in ("tape", "fallback") else make_rule(spec["rule"], net.parameters())
        )
        trainer = st.ModuleTrainer(
            fallback_learning_rate=rate if kind == "fallback" else 0.01,
            optimizer=optimizer,
            clip_norm=spec.get("clip"),
        )
        loader = st.dataset.from_tensors(
            st.Tensor.from_rows(spec["inputs"]), st.Tensor.from_rows(spec["targets"])
        )
        if spec["shuffle"] is not None:
            loader = loader.shuffle(spec["shuffle"])
        loader = loader.batched(spec["batch"])
        loss = nn.CrossEntropy() if spec["loss"] == "cross_entropy" else nn.MeanSquaredError()
        schedule = None
        if spec.get("schedule"):
            s = spec["schedule"]
            schedule = session.roundtable(
                1,
                1,
                top_k=s["top_k"],
                bottom_k=s["bottom_k"],
                here_tolerance=s["here_tolerance"],
                weights=s["weights"],
            )
        for epoch in case["history"]:
            stats = trainer.train_epoch(net, loss, loader, schedule)
            assert stats.total_loss == pytest.approx(epoch["total_loss"], rel=1e-5, abs=2e-6)
            assert stats.mean_loss == pytest.approx(epoch["mean_loss"], rel=1e-5, abs=2e-6)
            assert stats.grad_norm == pytest.approx(epoch["grad_norm"], rel=1e-5, abs=2e-6)
            if epoch["band_energy"]:
                assert list(stats.band_energy) == pytest.approx(
                    epoch["band_energy"], rel=1e-5, abs=2e-6
                )
        for parameter, value in zip(net.parameters(), case["final"], strict=True):
            flat = [x for row in value for x in row]
            assert parameter.data() == pytest.approx(flat, rel=1e-5, abs=2e-6)


def test_golden_hyperbolic_training(golden, device):
    """-distances of Embedding rows under the ranking loss, burn-in and Riemannian rules."""
    for case in golden["hyperbolic_training"]:
        spec = case["spec"]
        ball = st.PoincareBall(spec["curvature"])
        table = nn.Parameter(st.Tensor.from_rows(spec["table"]).to(device), ball)
        optimizer = make_rule(spec["rule"], [table])
        s = spec["scheduler"]
        scheduler = optim.BurnInLR(s["steps"], s["factor"], optimizer=optimizer)
        count = len(spec["candidates"][0])
        us = [u for u in spec["u"] for _ in range(count)]
        vs = [v for row in spec["candidates"] for v in row]
        target = st.Tensor(len(spec["u"]), 1, [0.0] * len(spec["u"]), device=device)

        def loss(ball=ball, table=table, us=us, vs=vs, target=target, count=count):
            d = ball.dist(table.index_select(us), table.index_select(vs))
            return nn.CrossEntropy()(d.reshape(target.rows, count).scale(-1.0), target)

        for want in case["losses"][:-1]:
            value = loss()
            assert value.item() == pytest.approx(want, rel=5e-5, abs=5e-6)
            value.backward()
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
        assert loss().item() == pytest.approx(case["losses"][-1], rel=5e-5, abs=5e-6)
        flat = [x for row in case["final"] for x in row]
        assert table.data() == pytest.approx(flat, rel=5e-5, abs=5e-6)


def test_any_callable_is_a_loss_and_any_iterable_gives_batches():
    net, twin = plain(), plain()
    mse = nn.MeanSquaredError()
    batches = [(st.Tensor.randn(3, 4, seed=i), st.Tensor.randn(3, 3, seed=i + 9)) for i in range(4)]
    first = st.ModuleTrainer()
    a = first.train_epoch(net, lambda p, t: ((p - t) * (p - t)).mean(), batches)
    assert a.batches == 4 and a.samples == 12
    b = st.ModuleTrainer().train_epoch(twin, mse, iter(batches))
    assert a.average_loss == pytest.approx(b.average_loss, rel=1e-6)
    assert bits(net)[0] == pytest.approx(bits(twin)[0], rel=1e-5, abs=1e-7)
    with pytest.raises(TypeError):
        first.train_epoch(net, 3, batches)
    with pytest.raises(TypeError):
        first.train_epoch(net, mse, 3)
    with pytest.raises(TypeError):
        first.train_epoch(net, mse, [1, 2])
    with pytest.raises(TypeError):
        first.train_epoch(net, lambda p, t: 1.0, batches)
    with pytest.raises(TypeError):
        st.SpiralSession(device="cpu").prepare_module("no module")


def test_an_exception_of_the_source_surfaces_once_and_gradients_are_empty():
    net = model()
    before = bits(net)

    def source():
        raise RuntimeError("line 7 of the file")
        yield

    trainer = st.ModuleTrainer()
    with pytest.raises(RuntimeError, match="line 7"):
        trainer.train_epoch(net, nn.CrossEntropy(), source())
    assert bits(net) == before

    def broken(p, t):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trainer.train_epoch(net, broken, samples())
    assert bits(net) == before
    assert all(p.grad is None for p in net.parameters())


def test_a_python_module_trains_among_native_ones(tmp_path):
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 4, name="inner")
            self.gate = nn.Parameter(st.Tensor(1, 4, [0.5] * 4))

        def forward(self, x):
            return x + self.inner(x) * self.gate

    st.manual_seed(1)
    net = nn.Sequential([Residual(), nn.Linear(4, 3, name="head")])
    assert [n for n, _ in net.named_parameters()] == [
        "inner.inner::weight",
        "inner.inner::bias",
        "gate",
        "head::weight",
        "head::bias",
    ]
    trainer = st.ModuleTrainer(optimizer=optim.Adam(net.parameters(), lr=0.05))
    history = trainer.fit(net, nn.CrossEntropy(), samples(), 30, progress=False)
    assert history[-1][0].average_loss < 0.8 * history[0][0].average_loss
    path = tmp_path / "net.safetensors"
    net.save(path)
    residual = Residual()
    other = nn.Sequential([residual, nn.Linear(4, 3, name="head")])
    other.load(path)
    assert bits(other) == bits(net)
    gone = weakref.ref(residual)
    del other, residual
    gc.collect()
    assert gone() is None


def test_fit_history_callbacks_and_progress(capfd):
    net = model()
    events = []

    class Watch:
        def on_epoch_end(self, state):
            events.append((state.epoch, state.batch, state.stats.samples))
            assert state.module is net
            assert state.trainer is trainer
            if state.epoch == 2:
                state.stop = True

    trainer = st.ModuleTrainer()
    loader = samples()
    seen = []
    history = trainer.fit(
        net, nn.CrossEntropy(), loader, 9, loader, progress=seen.append, callbacks=[Watch()]
    )
    assert events == [(0, 4, 20), (1, 4, 20), (2, 4, 20)]
    assert history.stopped == "callback" and len(history) == 3
    assert [e.epoch_ended for e in seen].count(True) == 3
    assert seen[0].batches == 4 and seen[0].epochs == 9
    train, check = history[0]
    assert isinstance(train, st.EpochStats) and isinstance(check, st.EvalStats)
    assert min(range(3), key=lambda i: history[i][1].average_loss) == history.best_epoch
    capfd.readouterr()
    trainer.fit(net, nn.CrossEntropy(), loader, 2)
    err = capfd.readouterr().err
    assert err.count("\n") == 2 and "epoch 2/2" in err and "samples/s" in err
    trainer.fit(net, nn.CrossEntropy(), loader, 1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_early_stopping_and_plateau():
    net = model()
    scheduler = optim.PlateauLR(factor=0.5, patience=0)
    trainer = st.ModuleTrainer(optimizer=optim.SGD(net.parameters(), lr=1e-9), scheduler=scheduler)
    history = trainer.fit(
        net.eval(),
        nn.CrossEntropy(),
        samples(),
        20,
        samples(),
        progress=False,
        early_stopping=st.EarlyStopping(patience=3, min_delta=0.01),
    )
    assert history.stopped == "early" and len(history) == 4
    assert scheduler.factor < 1


def test_weights_may_be_a_function_of_the_energies():
    seen = []

    def weights(energy):
        seen.append((energy.above, energy.here, energy.beneath))
        return 0.0, 0.0, 0.0

    net = model()
    before = bits(net)
    schedule = st.RoundtableSchedule(6, 3, top_k=4, bottom_k=4, weights=weights)
    stats = st.ModuleTrainer().train_epoch(net, nn.CrossEntropy(), samples(), schedule)
    assert len(seen) == 4 and all(a > 0 for a, _, _ in seen)
    assert stats.grad_norm == 0 and bits(net) == before
    with pytest.raises(ValueError, match="weights"):
        schedule.with_weights(1, -1, 1)


@pytest.fixture
def interruptible():
    """Python's own handler: a job in the background of a shell starts with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_takes_effect_after_the_batch_and_training_resumes(tmp_path, interruptible):
    path = tmp_path / "run.safetensors"

    def build():
        net = model()
        return net, st.ModuleTrainer(optimizer=optim.Adam(net.parameters(), lr=0.02))

    net, trainer = build()
    trainer.fit(net, nn.CrossEntropy(), samples(), 3, progress=False)
    want = bits(net)

    class Interrupter:
        def on_batch_end(self, state):
            if state.epoch == 1 and state.batch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    net, trainer = build()
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(net, nn.CrossEntropy(), samples(), 3, progress=False, callbacks=[Interrupter()])
    assert threading.active_count() == threads
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert trainer.last_stats.batches == 2 and trainer.step == 6
    trainer.checkpoint(path)
    net, trainer = build()
    trainer.resume(path, net)
    trainer.fit(net, nn.CrossEntropy(), samples(), 3, progress=False)
    assert bits(net) == want


KILLED = """
import os, signal, sys
import spiraltorch as st
from spiraltorch import nn
net = nn.Linear(512, 512, init="zeros")
trainer = st.ModuleTrainer()
trainer.train_epoch(net, nn.MeanSquaredError(), [(st.Tensor(1, 512), st.Tensor(1, 512))])
trainer.checkpoint(sys.argv[1])
print("ready", flush=True)
while True:
    trainer.checkpoint(sys.argv[1])
"""


def test_a_kill_during_a_checkpoint_leaves_a_readable_one(tmp_path):
    path = tmp_path / "run.safetensors"
    for delay in (0.0, 0.003, 0.011, 0.02):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout.readline() == "ready\n"
        threading.Event().wait(delay)
        child.kill()
        child.wait()
        child.stdout.close()
        net = nn.Linear(512, 512)
        trainer = st.ModuleTrainer()
        trainer.resume(path, net)
        assert trainer.step == 1
        assert all(x == 0 for x in net.parameters()[0].data())


def test_a_sessions_device_tells_what_was_asked_for():
    session = st.SpiralSession(device="cpu")
    assert session.device == "cpu" and isinstance(session.device, str)
    assert session.device.effective == "cpu"
    assert session.device.requested == session.requested_device == "cpu"
    assert st.SpiralSession(device="auto", strict=True).device.requested == "auto"


def test_the_trainer_checks_its_arguments(tmp_path):
    with pytest.raises(ValueError, match="clip_norm"):
        st.ModuleTrainer(clip_norm=math.nan)
    with pytest.raises(ValueError):
        st.ModuleTrainer(device="abacus")
    trainer = st.ModuleTrainer()
    assert repr(trainer) == "ModuleTrainer(curvature=-1, hyper_lr=0.05, fallback_lr=0.01)"
    with pytest.raises(ValueError, match="module"):
        trainer.checkpoint(tmp_path / "x")
    net = model()
    with pytest.raises(ValueError, match="epochs"):
        trainer.fit(net, nn.CrossEntropy(), samples(), -1)
    with pytest.raises(OSError):
        trainer.resume(tmp_path / "absent", net)
    session = st.SpiralSession(device="cpu", curvature=-2.0)
    with pytest.raises(ValueError, match="curvature"):
        session.prepare_module(nn.PoincareLinear(2, 2, curvature=-1.0))
    small = st.OpenTopos(-2.0, max_volume=3)
    with pytest.raises(ValueError, match="volume|entries"):
        st.SpiralSession(device="cpu", curvature=-2.0, topos=small).prepare_module(nn.Linear(2, 2))
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.trainer()
