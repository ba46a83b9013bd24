"""Safetensors files: canonical bytes, strict reading, nothing half done."""

import base64
import json
import os
import struct

import pytest

import spiraltorch as st
from spiraltorch import nn


@pytest.fixture
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def values_of(case, name):
    dtype, shape, flat = case["tensors"][name]
    assert dtype == "F32"
    return st.Tensor(shape[0], shape[1], flat)


def test_golden_files_are_written_to_the_byte(golden, tmp_path):
    linear, ball = golden["state_files"][0], golden["state_files"][1]
    layer = nn.Linear(2, 2, name="layer")
    layer.load_state_dict({n: values_of(linear, n) for n in linear["tensors"]})
    layer.save(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == base64.b64decode(linear["base64"])
    table = nn.PoincareEmbedding(3, 2, curvature=-0.5)
    table.load_state_dict({n: values_of(ball, n) for n in ball["tensors"]})
    table.save(str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == base64.b64decode(ball["base64"])
    other = nn.PoincareEmbedding(3, 2, curvature=-0.5)
    other.load(tmp_path / "b")
    assert other.parameters()[0].data() == table.parameters()[0].data()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_golden_malformed_files_are_rejected(golden, tmp_path):
    for case in golden["malformed_files"]:
        path = tmp_path / case["name"]
        path.write_bytes(base64.b64decode(case["base64"]))
        with pytest.raises(st.FormatError) as caught:
            nn.Linear(2, 2).load(path)
        assert isinstance(caught.value, (ValueError, OSError))
        words = {"missing data_offsets": "missing", "JSON": "JSON"}.get(case["reason"])
        message = str(caught.value)
        assert str(path) in message
        for word in (words or case["reason"]).split():
            assert word in message, (case["name"], message)


def build(tree, shared):
    kind, *rest = tree
    if kind == "linear":
        return nn.Linear(2, 2, name=rest[0])
    if kind == "act":
        return nn.Tanh()
    if kind == "seq":
        return nn.Sequential([build(part, shared) for part in rest])
    if kind == "ref":
        return shared.setdefault(rest[0], build(rest[1], shared))

    class User(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in rest:
                setattr(self, name, build(part, shared))

        def forward(self, x):
            for name, _ in rest:
                x = getattr(self, name)(x)
            return x

    return User()


def test_golden_names_survive_nesting_and_files(golden, tmp_path):
    for i, case in enumerate(golden["names"]):
        module = build(case["tree"], {})
        assert [n for n, _ in module.named_parameters()] == case["names"]
        module.save(tmp_path / str(i))
        twin = build(case["tree"], {})
        twin.load(tmp_path / str(i))
        for a, b in zip(module.parameters(), twin.parameters(), strict=True):
            assert a.data() == b.data()


def write(path, entries, metadata=None):
    """A file by another hand: entries are (name, dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, dtype, shape, raw in entries:
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def test_foreign_files_with_the_right_names_are_read(tmp_path):
    layer = nn.Linear(2, 2, name="l")
    path = tmp_path / "f"
    write(
        path,
        [("l::bias", "F32", [2], floats(5, 6)), ("l::weight", "F32", [2, 2], floats(1, 2, 3, 4))],
    )
    layer.load(path)
    assert layer.parameters()[0].data() == [1, 2, 3, 4]
    assert layer.parameters()[1].data() == [5, 6]


def test_other_float_types_need_cast_and_round_to_even(tmp_path):
    layer = nn.Linear(1, 4, name="l", bias=False)
    path = tmp_path / "f"
    tie = 1 + 2**-24  # between two float32 numbers, the even one is 1
    cases = {
        "F64": (struct.pack("<4d", tie, 1 + 3 * 2**-24, -0.1, 3.0), [1.0, 1 + 2**-22, -0.1, 3.0]),
        "F16": (struct.pack("<4e", 0.5, -2.0, 65504.0, 2**-24), [0.5, -2.0, 65504.0, 2**-24]),
        "BF16": (struct.pack("<4H", 0x3F80, 0xC000, 0x0001, 0x7F7F), [1.0, -2.0, None, None]),
    }
    before = layer.parameters()[0].data()
    for dtype, (raw, want) in cases.items():
        write(path, [("l::weight", dtype, [1, 4], raw)])
        with pytest.raises(TypeError, match=dtype):
            layer.load(path)
        assert layer.parameters()[0].data() == before
        layer.load(path, cast=True)
        for got, value in zip(layer.parameters()[0].data(), want, strict=True):
            if value is not None:
                assert got == pytest.approx(value, rel=6e-8)
        before = layer.parameters()[0].data()
    assert before[0] == 1.0
    write(path, [("l::weight", "I32", [1, 4], bytes(16))])
    with pytest.raises(TypeError, match="I32"):
        layer.load(path, cast=True)


def test_what_does_not_fit_changes_nothing(tmp_path):
    layer = nn.Linear(2, 2, name="l")
    before = [p.data() for p in layer.parameters()]
    good = ("l::weight", "F32", [2, 2], floats(1, 2, 3, 4))
    path = tmp_path / "f"
    nan = floats(1, float("nan"))
    for entries, error in (
        ([good], ValueError),  # a name is missing
        ([good, ("l::bias", "F32", [1, 2], nan)], ValueError),
        ([good, ("l::bias", "F32", [1, 3], floats(1, 2, 3))], ValueError),
        ([good, ("l::bias", "F32", [1, 1, 2], floats(1, 2))], ValueError),
        (
            [good, ("l::bias", "F32", [1, 2], floats(1, 2)), ("x", "F32", [1], floats(1))],
            ValueError,
        ),
    ):
        write(path, entries)
        with pytest.raises(error):
            layer.load(path)
        assert [p.data() for p in layer.parameters()] == before
    layer.load(path, strict=False)  # the last one: 'x' is passed over
    assert layer.parameters()[1].data() == [1, 2]
    with pytest.raises(OSError):
        layer.load(tmp_path / "absent")
    with pytest.raises(OSError):
        layer.load(tmp_path)
    with pytest.raises(OSError):
        layer.save(tmp_path / "no" / "folder")
    target = tmp_path / "kept"
    target.mkdir()
    (target / "inside").write_text("x")
    with pytest.raises(OSError):
        layer.save(target)  # cannot be renamed over
    assert sorted(os.listdir(tmp_path)) == ["f", "kept"]


def test_recorded_curvatures_must_match(tmp_path):
    path = tmp_path / "f"
    nn.PoincareEmbedding(3, 2, curvature=-2.0).save(path)
    with pytest.raises(ValueError, match="curvature"):
        nn.PoincareEmbedding(3, 2, curvature=-1.0).load(path)
    nn.PoincareEmbedding(3, 2, curvature=-2.0).load(path)
    with pytest.raises(ValueError, match="curvature"):
        nn.Embedding(3, 2, name="poincare_embedding").load(path)


def test_the_public_package_reads_ours_and_we_read_its(tmp_path):
    numpy = pytest.importorskip("numpy")
    public = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    layer = nn.Linear(3, 2, name="l")
    layer.save(tmp_path / "ours")
    read = public.load_file(tmp_path / "ours")
    assert read["l::weight"].ravel().tolist() == layer.parameters()[0].data()
    theirs = {
        "l::weight": numpy.arange(6, dtype=numpy.float32).reshape(3, 2),
        "l::bias": numpy.ones(2, dtype=numpy.float32),
    }
    public.save_file(theirs, tmp_path / "theirs")
    layer.load(tmp_path / "theirs")
    assert layer.parameters()[0].data() == [0, 1, 2, 3, 4, 5]


def test_random_state_comes_back():
    st.manual_seed(7)
    assert st.rng_state() == (7, 0)
    st.Tensor.rand(1, 5)
    state = st.rng_state()
    assert state == (7, 2)
    first = st.Tensor.randn(2, 3).data()
    st.set_rng_state(state)
    assert st.Tensor.randn(2, 3).data() == first
    for bad, error in (((1,), TypeError), ((1, "a"), TypeError), ((-1, 0), ValueError)):
        with pytest.raises(error):
            st.set_rng_state(bad)
    with pytest.raises(ValueError):
        st.set_rng_state((2**64, 0))
    st.set_rng_state((2**64 - 1, 3))
    assert st.rng_state() == (2**64 - 1, 3)
