import copy
import gc
import math
import pickle
import threading
import time

import pytest

import spiraltorch as st
from spiraltorch import ComplexTensor, Tensor


def test_construction_and_members():
    t = Tensor(2, 2, [1, 2, 3, 4])
    assert (t.rows, t.cols, t.device, t.shape()) == (2, 2, "cpu", (2, 2))
    assert t.data() == [1, 2, 3, 4]
    assert t.tolist() == [[1, 2], [3, 4]]
    assert Tensor(1, 2).data() == [0, 0]
    assert Tensor(1, 3, (1.0, True, 2)).data() == [1, 1, 2]
    assert Tensor.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert Tensor.from_rows([[1, 2], [3, 4]]).tolist() == t.tolist()
    assert Tensor.full(1, 2, 0.5, requires_grad=True).requires_grad
    assert Tensor.cat_rows([t, t]).shape() == (4, 2)
    assert Tensor.cat_cols([t, t]).shape() == (2, 4)
    assert Tensor(1, 1, [10**400]).item() == math.inf
    assert t.T.tolist() == t.transpose().tolist() == [[1, 3], [2, 4]]


def test_operators_with_tensors_and_numbers():
    t = Tensor(1, 2, [1, 2])
    assert (t + 1).data() == [2, 3]
    assert (1 - t).data() == [0, -1]
    assert (2 / t).data() == [2, 1]
    assert (t**2).data() == [1, 4]
    assert (-t).data() == [-1, -2]
    assert (t @ t.T).item() == 5
    assert (t * t).data() == t.hadamard(t).data() == [1, 4]
    assert t.add(t).data() == t.scale(2).data() == [2, 4]
    assert (
        t.add(1).data() == [2, 3] and t.sub(1).data() == [0, 1] and t.hadamard(3).data() == [3, 6]
    )
    with pytest.raises(TypeError):
        t.add("1")
    with pytest.raises(TypeError):
        t + "1"
    with pytest.raises(TypeError):
        t + 1j


def test_reductions_take_none_or_an_axis():
    t = Tensor(2, 2, [1, 2, 3, 4])
    assert t.sum().item() == 10
    assert t.sum(axis=0).tolist() == [[4, 6]]
    assert t.mean(1).tolist() == [[1.5], [3.5]]
    assert t.max().item() == 4 and t.min(0).data() == [1, 2]
    assert t.norm(1).shape() == (2, 1)
    assert t.sum_axis0() == [4, 6]
    assert t.squared_l2_norm() == 30
    with pytest.raises(IndexError):
        t.sum(2)
    with pytest.raises(TypeError):
        t.sum("rows")


def test_indexing_copies():
    t = Tensor(3, 3, range(9))
    assert t[1].tolist() == [[3, 4, 5]]
    assert t[-1, -1] == 8
    assert t[::2, 1:].tolist() == [[1, 2], [7, 8]]
    assert t[1, :2].tolist() == [[3, 4]]
    assert t[:, 0].shape() == (3, 1)
    t[0] = 7
    t[1:, :1] = Tensor(2, 1, [8, 9])
    t[2, 2] = [[5]]
    assert t.tolist() == [[7, 7, 7], [8, 4, 5], [9, 7, 5]]
    assert len(t) == 3
    assert [row.data() for row in t] == t.tolist()
    for bad in (3, (0, 3), (-4, 0)):
        with pytest.raises(IndexError):
            t[bad]
    with pytest.raises(ValueError):
        t[1:1]
    with pytest.raises(TypeError):
        t["a"]
    with pytest.raises(TypeError):
        t[0, 0, 0]


def test_truth_identity_and_repr():
    t = Tensor(1, 1, [0.1])
    assert float(t) == pytest.approx(0.1)
    assert bool(t) and not Tensor(1, 1)
    with pytest.raises(ValueError):
        bool(Tensor(1, 2))
    assert t == t and t != Tensor(1, 1, [0.1])
    assert len({t, t.clone()}) == 2
    assert repr(Tensor(2, 2, [0.1, 0.2, 0.3, 0.4])) == "Tensor([[0.1, 0.2], [0.3, 0.4]])"


def test_copies_and_pickles():
    t = Tensor(1, 2, [1, 2], requires_grad=True)
    shared, deep = copy.copy(t), copy.deepcopy(t)
    back = pickle.loads(pickle.dumps(t))
    with st.no_grad():
        t.fill_(5)
    assert shared.data() == [5, 5]
    assert deep.data() == back.data() == [1, 2]
    assert deep.requires_grad and back.requires_grad
    z = ComplexTensor(1, 2, [1 + 2j, 3])
    assert pickle.loads(pickle.dumps(z)).data() == z.data()
    ball = st.PoincareBall(-2.0)
    assert pickle.loads(pickle.dumps(ball)) == ball and hash(ball) == hash(st.PoincareBall(-2.0))


def test_gradients_and_no_grad():
    x = Tensor(1, 2, [2, 3], requires_grad=True)
    y = (x * x).sum()
    assert not y.is_leaf and x.is_leaf
    y.backward()
    assert x.grad.data() == [4, 6]
    x.zero_grad()
    assert x.grad is None
    x.grad = Tensor(1, 2, [1, 1])
    with pytest.raises(ValueError):
        x.grad = Tensor(2, 2)
    assert x.grad.data() == [1, 1]
    x.grad = None
    with st.no_grad():
        assert not (x * x).requires_grad

    @st.no_grad()
    def double(v):
        return v * 2

    assert not double(x).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(ValueError) as caught:
        y.backward()
    assert caught.value.code == "graph"
    with pytest.raises(NotImplementedError):
        (x * 2).backward(Tensor(1, 2, requires_grad=True))


def test_the_random_generator():
    st.manual_seed(3)
    a = Tensor.rand(2, 2)
    assert Tensor.rand(2, 2).data() != a.data()
    assert Tensor.rand(2, 2, seed=3).data() == a.data()
    st.manual_seed(3)
    assert Tensor.rand(2, 2).data() == a.data()
    for bad in (-1, 2**64):
        with pytest.raises(ValueError) as caught:
            st.manual_seed(bad)
        assert caught.value.code == "invalid_value"
    with pytest.raises(TypeError):
        st.manual_seed("1")


def test_complex_tensors():
    z = ComplexTensor(1, 2, [1 + 2j, (3, -1)])
    assert z.data() == [1 + 2j, 3 - 1j]
    assert z.conj().data() == [1 - 2j, 3 + 1j]
    assert (z + 1).data() == [2 + 2j, 4 - 1j]
    assert (2j * z).data() == [-4 + 2j, 2 + 6j]
    assert (z * Tensor(1, 2, [2, 3])).data() == [2 + 4j, 9 - 3j]
    assert z.to_tensor().data() == [1, 2, 3, -1]
    assert ComplexTensor.from_tensor(z.to_tensor()).data() == z.data()
    assert z[0, 1] == 3 - 1j and z[:, :1].data() == [1 + 2j]
    z[0, 0] = 5j
    assert z.data() == [5j, 3 - 1j]
    assert z.abs().data()[0] == 5 and z.real().data() == [0, 3]
    with pytest.raises(TypeError):
        ComplexTensor(1, 1, ["a"])
    with pytest.raises(ValueError):
        ComplexTensor(1, 2, [1j])


def test_long_operations_release_the_interpreter_lock():
    a = Tensor.rand(1200, 1200, seed=1)
    ticks = []
    done = threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    for _ in range(6):
        a @ a
    end = time.perf_counter()
    done.set()
    thread.join()
    # A held lock would let the other thread in between the products only.
    assert sum(start < t < end for t in ticks) > 12


def test_tensors_are_freed():
    def alive():
        gc.collect()
        return sum(isinstance(o, Tensor) for o in gc.get_objects())

    before = alive()
    x = Tensor(4, 4, requires_grad=True)
    y = (x @ x).sum()
    y.backward()
    del x, y
    assert alive() == before
