import pytest

import spiraltorch as st
from spiraltorch import Tensor


def index_tensor(order, device="cpu"):
    """An IndexTensor of a permutation: where rank selection finds n - 1, n - 2, …, 0."""
    n = len(order)
    values = [0.0] * n
    for place, column in enumerate(order):
        values[column] = n - place
    return st.topk(Tensor(1, n, values), n).indices.to(device)


def test_rows_by_number(device):
    x = Tensor(3, 2, [1, 2, 3, 4, 5, 6], device=device)
    assert x.index_select([2, 0, 2]).tolist() == [[5, 6], [1, 2], [5, 6]]
    assert x.index_select((1,)).tolist() == [[3, 4]]
    rows = index_tensor([1, 2, 0], device)
    assert x.index_select(rows).tolist() == [[3, 4], [5, 6], [1, 2]]
    source = Tensor(3, 2, [10, 20, 30, 40, 50, 60], device=device)
    y = x.index_add([2, 0, 2], source)
    assert y.device == x.device == device
    assert y.tolist() == [[31, 42], [3, 4], [65, 86]]
    assert x.index_add(rows, source).tolist() == [[51, 62], [13, 24], [35, 46]]
    assert x.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_gradients(device):
    x = Tensor(3, 2, range(6), requires_grad=True, device=device)
    weights = Tensor(4, 2, range(1, 9), device=device)
    (x.index_select([2, 0, 2, 2]) * weights).sum().backward()
    assert x.grad.tolist() == [[3, 4], [0, 0], [13, 16]]
    source = Tensor(2, 2, requires_grad=True, device=device)
    (x.index_add([1, 1], source) * weights[:3]).sum().backward()
    assert source.grad.tolist() == [[3, 4], [3, 4]]
    assert x.grad.tolist() == [[4, 6], [3, 4], [18, 22]]


def test_repeats_are_equal(device):
    x = Tensor.zeros(7, 4, device=device)
    source = Tensor.randn(5000, 4, seed=1, device=device)
    rows = [i * i % 7 for i in range(5000)]
    first = x.index_add(rows, source)
    assert x.index_add(rows, source).data() == first.data()
    host = x.to("cpu").index_add(rows, source.to("cpu"))
    assert first.to("cpu").allclose(host, rtol=1e-5, atol=1e-5)


def test_numpy_integers():
    np = pytest.importorskip("numpy")
    x = Tensor(3, 1, [1, 2, 3])
    assert x.index_select(np.array([2, 2, 0])).data() == [3, 3, 1]


def test_errors(device):
    x = Tensor(3, 2, device=device)
    one = Tensor(1, 2, device=device)
    for bad in (3, -1, 2**40):
        with pytest.raises(IndexError, match=rf"position 1: got {bad}, expected one in \[0, 3\)"):
            x.index_select([0, bad])
    with pytest.raises(IndexError):
        x.index_add([3], one)
    with pytest.raises(st.Error) as caught:
        x.index_select([])
    assert caught.value.code == "invalid_shape"
    with pytest.raises(st.Error) as caught:
        x.index_add([0, 1], one)
    assert caught.value.code == "shape_mismatch"
    for bad in ("01", 1, [0.5], ["a"], None):
        with pytest.raises(TypeError):
            x.index_select(bad)


def test_devices_must_agree(wgpu):
    x = Tensor(3, 2, device=wgpu)
    for call in (
        lambda: x.index_select(index_tensor([0, 1])),
        lambda: x.to("cpu").index_select(index_tensor([0, 1], wgpu)),
        lambda: x.index_add([0, 1, 2], x.to("cpu")),
    ):
        with pytest.raises(st.Error) as caught:
            call()
        assert caught.value.code == "device"
