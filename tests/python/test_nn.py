"""Parameters, modules, layers and losses from Python."""

import gc
import json
import weakref

import numpy as np
import pytest

import spiraltorch as st
from spiraltorch import nn


@pytest.fixture(scope="module")
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def close(got, want, factor=1):
    np.testing.assert_allclose(
        np.asarray(got.to("cpu").tolist()), want, rtol=1e-5 * factor, atol=1e-6 * factor
    )


def rows(values):
    return st.Tensor.from_rows(values)


def fill(layer, values):
    layer.load_state_dict(
        {name: rows(values[name.split("::")[1]]) for name, _ in layer.named_parameters()}
    )


def make_layer(case):
    config = {k: v for k, v in case["config"].items() if k != "note"}
    if case["layer"] == "ZSpaceProjector":
        curvature = config["curvature"]
        topos = st.OpenTopos(curvature, saturation=config["saturation"])
        return nn.ZSpaceProjector(topos, nn.LanguageWaveEncoder(curvature, 0.5))
    return getattr(nn, case["layer"])(**config)


def check_layer(case, factor=1):
    layer = make_layer(case)
    fill(layer, case["params"])
    device = layer.parameters()[0].device if layer.parameters() else "cpu"
    x = rows(case["input"])
    g = rows(case["grad_output"])
    if factor != 1:
        x, g = x.to("wgpu"), g.to("wgpu")
    assert factor == 1 or not layer.parameters() or device.startswith("wgpu")
    close(layer(x), case["output"], factor)
    grad = layer.backward(x, g)
    if case.get("grad_input") is not None:
        close(grad, case["grad_input"], factor)
    for name, parameter in layer.named_parameters():
        close(parameter.grad, case["grad_params"][name.split("::")[1]], factor)


def check_loss(case, factor=1):
    config = {k: v for k, v in case["config"].items() if k != "note"}
    loss = getattr(nn, case["loss"])(**config)
    p, t = rows(case["prediction"]), rows(case["target"])
    if factor != 1:
        p, t = p.to("wgpu"), t.to("wgpu")
    close(loss(p, t), [[case["value"]]], factor)
    close(loss.backward(p, t), case["grad"], factor)


def test_golden_layers(golden):
    for case in golden["layers"]:
        check_layer(case)


def test_golden_losses(golden):
    for case in golden["losses"]:
        check_loss(case)


def test_golden_layers_and_losses_on_webgpu(golden, wgpu):
    with st.SpiralSession(device=wgpu):
        for case in golden["layers"]:
            check_layer(case, 20)
        for case in golden["losses"]:
            check_loss(case, 20)


def test_golden_initial_values(golden):
    for case in golden["init"]:
        if case["layer"] == "Sequential":
            continue
        config = {
            k: v
            for k, v in case.items()
            if k not in ("layer", "seed", "options", "weight", "bias", "offset", "next_block")
        }
        st.manual_seed(int(case["seed"]))
        layer = getattr(nn, case["layer"])(**config, **case.get("options", {}))
        close(layer.weight, case["weight"])
        for name in ("bias", "offset"):
            if case.get(name) is not None:
                close(getattr(layer, name), case[name])


def test_golden_dropout_and_edge_probability(golden):
    for case in golden["dropout"]:
        st.manual_seed(int(case["seed"]))
        st.Tensor.rand(1, 4 * case["first_block"])
        layer = nn.Dropout(case["p"])
        close(layer(rows(case["input"])), case["output"])
        close(layer.eval()(rows(case["input"])), case["input"])
    case = golden["edge_probability"]
    got = nn.fermi_dirac(rows([case["distance"]]), case["radius"], case["temperature"])
    close(got, [case["probability"]])


def test_embeddings_take_numbers_in_many_forms():
    layer = nn.Embedding(4, 2)
    table = layer.weight.tolist()
    want = [table[3] + table[0], table[1] + table[1]]
    for numbers in ([[3, 0], [1, 1]], st.Tensor(2, 2, [3, 0, 1, 1]), ((3, 0), (1, 1))):
        assert layer(numbers).tolist() == want
    assert layer([2, 0]).tolist() == [table[2] + table[0]]
    net = nn.Sequential([layer, nn.Linear(4, 1)])
    assert net(st.Tensor(2, 2, [3, 0, 1, 1])).shape() == (2, 1)
    with pytest.raises(IndexError):
        layer([4])
    with pytest.raises(ValueError):
        layer([[1, 2], [3]])
    with pytest.raises(ValueError):
        layer(st.Tensor(1, 1, [0.5]))
    for bad in ("ab", 3, [0.5]):
        with pytest.raises(TypeError):
            layer(bad)
    points = nn.PoincareEmbedding(3, 2, curvature=-2.0, init_radius=0.1)
    assert points.weight.manifold == st.PoincareBall(-2.0)
    assert points.distance(0, 1) > 0 == points.distance(2, 2)
    assert points([[0, 1]]).shape() == (1, 4)


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.first = nn.Linear(dim, dim)
        self.scale = nn.Parameter(st.Tensor(1, dim, [2.0] * dim))
        self.second = nn.Linear(dim, dim)
        self.note = "plain"

    def forward(self, x):
        return self.second(self.first(x).tanh()) * self.scale


NAMES = [
    "first.linear::weight",
    "first.linear::bias",
    "scale",
    "second.linear::weight",
    "second.linear::bias",
]


def test_a_python_module_names_its_parts():
    block = Block(2)
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert list(block.state_dict()) == NAMES
    assert block.children() == [block.first, block.second]
    assert block.modules() == [block, block.first, block.second]
    block.first = nn.Relu()
    assert [name for name, _ in block.named_parameters()] == NAMES[2:]
    block.scale = None
    assert [name for name, _ in block.named_parameters()] == NAMES[3:]
    del block.second
    assert block.parameters() == [] and block.children() == [block.first]
    assert repr(block) == "Block(\n  first=Relu(),\n)"


def test_native_containers_treat_python_modules_as_their_own():
    net = nn.Sequential([nn.Linear(3, 2, name="in"), Block(2)])
    gc.collect()
    assert type(net[1]) is Block and net[1].note == "plain"
    assert [name for name, _ in net.named_parameters()] == ["in::weight", "in::bias", *NAMES]
    net.eval()
    assert not net[1].training and not net[1].second.training
    assert net.train() is net and net[1].first.training
    x = st.Tensor.randn(4, 3, 1)
    gradient = net.backward(x, st.Tensor.ones(4, 2))
    assert gradient.shape() == (4, 3)
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    other = nn.Sequential([nn.Linear(3, 2, name="in"), Block(2)])
    other.load_state_dict(net.state_dict())
    assert other(x).tolist() == net(x).tolist()
    assert repr(net).startswith("Sequential([\n  Linear(3, 2, name='in'),\n  Block(\n    first=")


def test_modules_are_collected():
    net = nn.Sequential([Block(2), nn.Relu()])
    alive = weakref.ref(net[0])
    net[0].note = [net]  # a cycle through Python
    del net
    gc.collect()
    assert alive() is None


def test_cycles_and_late_init_are_refused():
    class Bad(nn.Module):
        def __init__(self):
            self.layer = nn.Relu()

    with pytest.raises(TypeError, match="super"):
        Bad()
    outer, inner = nn.Sequential(), nn.Sequential()
    outer.append(inner)
    with pytest.raises(ValueError, match="cycle"):
        inner.append(outer)
    block = Block(2)
    with pytest.raises(ValueError, match="cycle"):
        block.again = nn.Sequential([block])
    assert not hasattr(block, "again")
    with pytest.raises(NotImplementedError):
        nn.Module()(st.Tensor(1, 1))

    class Wrong(nn.Module):
        def forward(self, x):
            return 1.0

    with pytest.raises(TypeError, match="Tensor"):
        nn.Sequential([Wrong()])(st.Tensor(1, 1))

    class Raises(nn.Module):
        def forward(self, x):
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        nn.Sequential([Raises()])(st.Tensor(1, 1))


def test_sequential_is_a_sequence():
    layers = [nn.Linear(2, 2, name="a"), nn.Relu(), nn.Linear(2, 2, name="b")]
    net = nn.Sequential(layers)
    assert len(net) == 3 and list(net) == layers and net[-1] is layers[2]
    assert list(net[::2]) == [layers[0], layers[2]]
    with pytest.raises(IndexError):
        net[3]
    with pytest.raises(TypeError):
        nn.Sequential([1])
    x = st.Tensor(1, 2, [1, 2])
    assert nn.Sequential()(x).tolist() == x.tolist()


def test_parameters_have_manifolds_and_tapes():
    ball = st.PoincareBall(-1.0)
    p = nn.Parameter(st.Tensor(1, 2, [3.0, 4.0]), ball)
    assert isinstance(p, st.Tensor) and p.requires_grad and p.is_leaf
    assert p.manifold == ball and p.tape is None
    assert abs(p.norm().item() - 1) < 2e-5
    assert nn.Parameter(st.Tensor(1, 1)).manifold == nn.Euclidean()
    tape = st.Hypergrad(-1.0, 0.05, 1, 2)
    p.attach_tape(tape)
    assert p.tape is tape
    (p * 2).sum().backward()
    assert tape.gradient() == [2.0, 2.0] == p.grad.data()
    with pytest.raises(ValueError, match="curvature"):
        nn.Parameter(st.Tensor(1, 2)).attach_tape(tape)
    p.detach_tape()
    assert p.grad is None


def test_loading_is_strict():
    layer = nn.Linear(2, 1)
    state = layer.state_dict()
    with pytest.raises(ValueError, match="linear::bias"):
        layer.load_state_dict({"linear::weight": state["linear::weight"]})
    layer.load_state_dict({"linear::weight": st.Tensor(2, 1), "x": st.Tensor(1, 1)}, strict=False)
    assert layer.weight.data() == [0, 0] and layer.bias.data() == state["linear::bias"].data()
    with pytest.raises(TypeError):
        layer.load_state_dict({"linear::weight": 1})


def test_bad_options_are_refused():
    for make in (
        lambda: nn.Linear(2, 2, init="normal"),
        lambda: nn.Linear(2, 2, gain=0.0),
        lambda: nn.Gelu("fast"),
    ):
        with pytest.raises(ValueError):
            make()
    with pytest.raises(TypeError):
        nn.Linear(2, 2, "name", False)
    with pytest.raises(TypeError):
        type("Sub", (nn.Linear,), {})


def test_poincare_mlr_at_the_origin_is_linear_in_any_offset():
    layer = nn.PoincareMLR(2, 4, curvature=-0.5)
    offsets = [-300.0, 50.0, 300.0, 0.25]
    layer.load_state_dict(
        {
            "poincare_mlr::weight": rows([[3.0, 0.6, 0.0, 1.0], [4.0, -0.8, 0.0, 0.0]]),
            "poincare_mlr::offset": rows([offsets]),
        }
    )
    lengths = np.array([5.0, 1.0, 0.0, 1.0])
    x = st.Tensor(1, 2)
    np.testing.assert_allclose(layer(x).tolist()[0], -4 * lengths * offsets, rtol=1e-6)
    layer.backward(x, st.Tensor.ones(1, 4))
    np.testing.assert_allclose(layer.parameters()[1].grad.tolist()[0], -4 * lengths, rtol=1e-6)
