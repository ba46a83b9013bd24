import array
import ctypes
import importlib.util

import numpy as np
import pytest

import spiraltorch as st
from spiraltorch import ComplexTensor, Tensor

F16 = np.float16


def address(tensor):
    return tensor.__array_interface__["data"][0]


def test_numpy_arrays_are_shared():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    t = Tensor.from_array(a)
    assert address(t) == a.ctypes.data
    t.fill_(2)
    assert a.tolist() == [[2, 2, 2]] * 2
    del a
    assert t.data() == [2] * 6
    for back in (np.asarray(t), np.from_dlpack(t), np.array(t, copy=False)):
        assert back.dtype == np.float32 and back.shape == (2, 3)
        assert back.ctypes.data == address(t)
    back = np.asarray(t)
    back[0, 0] = 9
    del t
    assert back[0, 0] == 9


def test_other_arrays_are_converted():
    for dtype in (np.float64, F16, np.int8, np.int32, np.int64, np.uint8, np.uint16, bool):
        a = np.array([[0, 1], [1, 0]], dtype=dtype)
        assert Tensor.from_array(a).tolist() == [[0, 1], [1, 0]]
    assert Tensor.from_array(np.array([1e-7, 65504, -np.inf], F16)).data() == [
        float(F16(1e-7)),
        65504,
        -np.inf,
    ]
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert Tensor.from_array(a[::2, ::-1]).tolist() == a[::2, ::-1].tolist()
    assert Tensor.from_array(a.T).tolist() == a.T.tolist()
    assert Tensor.from_array(np.float32(3)).shape() == (1, 1)
    assert Tensor.from_array(a[0]).shape() == (1, 4)
    assert Tensor(3, 4, a).tolist() == a.tolist()


def test_copy_policy():
    a = np.ones((2, 2), np.float32)
    assert address(Tensor.from_array(a, copy=True)) != a.ctypes.data
    assert address(Tensor.from_array(a, copy=False)) == a.ctypes.data
    frozen = a.copy()
    frozen.flags.writeable = False
    assert address(Tensor.from_array(frozen)) != frozen.ctypes.data
    for bad in (frozen, a.astype(np.float64), a[:, ::2][:, :1].T[::-1], [[1.0]]):
        with pytest.raises(ValueError) as caught:
            Tensor.from_array(bad, copy=False)
        assert caught.value.code == "no_copy"


def test_refused_arrays():
    with pytest.raises(TypeError) as caught:
        Tensor.from_array(np.ones((2, 2), np.complex64))
    assert caught.value.code == "dtype"
    with pytest.raises(TypeError):
        Tensor.from_array(np.array(["a", "b"]))
    with pytest.raises(ValueError):
        Tensor.from_array(np.ones((2, 2, 2), np.float32))
    with pytest.raises(ValueError):
        Tensor.from_array(np.ones((0, 2), np.float32))
    for bad in ("abc", object(), {1: 2}, (x for x in [1])):
        with pytest.raises(TypeError):
            Tensor.from_array(bad)
    with pytest.raises(TypeError):
        Tensor.from_dlpack([1.0])


def test_buffers_without_numpy():
    a = array.array("f", [1, 2, 3])
    t = Tensor.from_array(a)
    t[0, 0] = 7
    assert a[0] == 7
    assert Tensor.from_array(array.array("d", [1, 2])).data() == [1, 2]
    view = memoryview(Tensor(2, 2, [1, 2, 3, 4]))
    assert (view.format, view.shape, view.c_contiguous, view.readonly) == ("f", (2, 2), True, False)
    assert view.tolist() == [[1, 2], [3, 4]]
    assert Tensor(1, 3, a).data() == [7, 2, 3]


class Interface:
    """Offers the array interface alone."""

    def __init__(self, source):
        self.source = source
        self.__array_interface__ = source.__array_interface__


def test_array_interface():
    a = np.arange(4, dtype=np.float32).reshape(2, 2)
    t = Tensor.from_array(Interface(a))
    assert address(t) == a.ctypes.data
    del a
    assert t.tolist() == [[0, 1], [2, 3]]
    assert Tensor.from_array(Interface(np.arange(4)[::2])).data() == [0, 2]


def test_tracked_tensors_export_read_only():
    x = Tensor(1, 2, [1, 2], requires_grad=True)
    assert memoryview(x).readonly
    assert not np.asarray(x).flags.writeable
    assert not np.from_dlpack(x).flags.writeable
    with pytest.raises(ValueError) as caught:
        x.__dlpack__()
    assert caught.value.code == "graph"
    y = Tensor(1, 2, [3, 4])
    z = x * y
    assert memoryview(y).readonly
    z.sum().backward()
    assert not memoryview(y).readonly
    with pytest.raises((BufferError, TypeError)):
        ctypes.c_float.from_buffer(x)


def test_dlpack_keywords():
    t = Tensor(1, 2, [1, 2])
    assert t.__dlpack_device__() == (1, 0)
    assert "dltensor_versioned" in repr(t.__dlpack__(max_version=(1, 0)))
    assert "dltensor" in repr(t.__dlpack__())
    copied = np.from_dlpack(t, copy=True)
    copied[0, 0] = 9
    assert t[0, 0] == 1


def test_complex_arrays():
    z = ComplexTensor(1, 2, [1 + 2j, 3])
    a = np.asarray(z)
    assert a.dtype == np.complex64 and a.tolist() == [[1 + 2j, 3]]
    assert np.from_dlpack(z).tolist() == a.tolist()
    assert ComplexTensor(2, 2, np.arange(4).reshape(2, 2) * 1j).data() == [0, 1j, 2j, 3j]


def test_complex_arrays_are_shared():
    a = np.array([[1 + 2j, 3]], np.complex64)
    z = ComplexTensor.from_array(a)
    z[0, 0] = 5
    assert a[0, 0] == 5
    assert memoryview(z).format == "Zf" and memoryview(z).shape == (1, 2)
    copied = ComplexTensor.from_array(a, copy=True)
    a[0, 0] = 7
    assert copied[0, 0] == 5
    assert ComplexTensor.from_array(a.astype(np.complex128)).data() == [7, 3]
    assert ComplexTensor.from_array([[1j], [2]]).shape() == (2, 1)
    assert ComplexTensor.from_array([1j, 2]).shape() == (1, 2)
    with pytest.raises(ValueError) as caught:
        ComplexTensor.from_array([1j], copy=False)
    assert caught.value.code == "no_copy"


def test_other_byte_orders_and_widths():
    for dtype in (">f4", ">f8", ">i4", np.longdouble):
        a = np.array([[1, 2], [3, 4]], dtype)
        assert Tensor.from_array(a).tolist() == [[1, 2], [3, 4]]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_torch_round_trip():
    import torch

    a = torch.ones(2, 2)
    t = Tensor.from_array(a)
    assert address(t) == a.data_ptr()
    assert torch.from_dlpack(t).data_ptr() == a.data_ptr()
    assert Tensor.from_array(a.to(torch.bfloat16)).data() == [1] * 4


def test_an_import_outlives_its_thread():
    import threading

    keep = []
    thread = threading.Thread(
        target=lambda: keep.append(Tensor.from_array(np.ones((2, 2), np.float32)))
    )
    thread.start()
    thread.join()
    assert keep[0].sum().item() == 4
    assert st.num_threads() >= 1
