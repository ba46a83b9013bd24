import math
import warnings

import pytest

import spiraltorch as st
from spiraltorch import Hypergrad, LanguageWaveEncoder, OpenTopos, PoincareBall, Tensor
from spiraltorch.embed import Hierarchy, HierarchyEmbedding

APART = Tensor(3, 2, [0.99, 0, 0, 0.9, -0.5, -0.6])

# Every code of docs/errors.md that a caller can reach, with class, builtin and a call.
REACHED = [
    ("invalid_shape", st.InvalidArgument, ValueError, lambda: Tensor(0, 1)),
    ("length_mismatch", st.InvalidArgument, ValueError, lambda: Tensor(1, 2, [1])),
    ("shape_mismatch", st.InvalidArgument, ValueError, lambda: Tensor(1, 2) @ Tensor(1, 2)),
    ("invalid_value", st.InvalidArgument, ValueError, lambda: st.SpiralSession(device="gpu")),
    ("curvature", st.InvalidArgument, ValueError, lambda: PoincareBall(1.0)),
    (
        "curvature_mismatch",
        st.InvalidArgument,
        ValueError,
        lambda: Hypergrad(-1.0, 0.1, 1, 1, OpenTopos(-2.0)),
    ),
    ("non_finite", st.InvalidArgument, ValueError, lambda: Hypergrad(-1.0, math.nan, 1, 1)),
    ("empty_input", st.InvalidArgument, ValueError, lambda: st.z_space_barycenter([])),
    (
        "degenerate_barycenter",
        st.InvalidArgument,
        ValueError,
        lambda: st.z_space_barycenter([Tensor.ones(1, 2)], entropy_weight=-1.0),
    ),
    (
        "volume_exceeded",
        st.InvalidArgument,
        ValueError,
        lambda: OpenTopos(-1.0, max_volume=1).guard_tensor("x", Tensor(1, 2)),
    ),
    (
        "depth_exceeded",
        st.InvalidArgument,
        ValueError,
        lambda: OpenTopos(-1.0, max_depth=1).guard_depth(1),
    ),
    ("graph", st.InvalidArgument, ValueError, lambda: Tensor(1, 1).backward()),
    ("no_copy", st.InvalidArgument, ValueError, lambda: Tensor.from_array([1.0], copy=False)),
    ("out_of_range", st.OutOfRange, IndexError, lambda: Tensor(1, 1)[1]),
    ("dtype", st.DTypeError, TypeError, lambda: Tensor(1, 1, [1j])),
    (
        "unsupported",
        st.Unsupported,
        NotImplementedError,
        lambda: HierarchyEmbedding(mode="batch", dtype="float64"),
    ),
    (
        "device",
        st.DeviceError,
        RuntimeError,
        lambda: st.SpiralSession(device="cuda:7", strict=True),
    ),
    ("out_of_memory", st.OutOfMemory, MemoryError, lambda: Tensor(1 << 20, 1 << 20)),
    ("io", st.IoError, OSError, lambda: Hierarchy.from_csv("/nonexistent/edges.csv")),
    (
        "not_converged",
        st.Error,
        Exception,
        lambda: PoincareBall().frechet_mean(APART, tol=1e-15, max_iter=1),
    ),
]


@pytest.mark.parametrize("code, kind, builtin, call", REACHED, ids=[r[0] for r in REACHED])
def test_classes_and_codes(code, kind, builtin, call):
    with pytest.raises(st.Error) as caught:
        call()
    error = caught.value
    assert type(error) is kind and isinstance(error, builtin)
    assert error.code == code
    message = str(error)
    assert message.startswith("[") and "got" in message and "expected" in message


def test_the_page_of_errors_lists_every_code(root):
    page = (root / "docs" / "errors.md").read_text(encoding="utf-8")
    for code, *_ in REACHED:
        assert f"`{code}`" in page


def test_wrong_python_types_are_type_errors():
    for call in (
        lambda: Tensor("2", 2),
        lambda: Tensor(1, 2, "ab"),
        lambda: Tensor(1, 2, (x for x in (1, 2))),
        lambda: LanguageWaveEncoder(-1.0, 0.5).encode_wave(b"bytes"),
        lambda: PoincareBall("-1"),
        lambda: st.z_space_barycenter(Tensor(1, 2)[0].data()),
    ):
        with pytest.raises(TypeError):
            call()


def test_lone_surrogates_are_invalid_unicode():
    with pytest.raises(ValueError) as caught:
        LanguageWaveEncoder(-1.0, 0.5).encode_wave("a\ud800")
    assert caught.value.code == "invalid_value"


def test_an_absent_device_warns_once_and_says_so():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = st.SpiralSession(device="cuda:9")
        second = st.SpiralSession(device="cuda:9")
    assert [w.category for w in caught] == [RuntimeWarning]
    assert "cuda:9" in str(caught[0].message)
    assert first.device == second.device == "cpu"
    assert first.requested_device == "cuda:9"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            st.SpiralSession(device="cuda:8")
        assert st.SpiralSession().device == "cpu"


def test_strict_mode():
    st.set_strict(True)
    try:
        with pytest.raises(st.DeviceError):
            Tensor(1, 1, device="hip")
        assert st.is_strict()
    finally:
        st.set_strict(False)
