import gc
import json
import subprocess
import sys
import threading
import time
import weakref

import pytest

import spiraltorch as st
from spiraltorch import dataset


@pytest.fixture(scope="module")
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def numbered(count):
    """Sample i is the row (i, i/2) with target -i."""
    rows = [v for i in range(count) for v in (i, i / 2)]
    return dataset.from_tensors(
        st.Tensor(count, 2, rows), st.Tensor(count, 1, [-i for i in range(count)])
    )


def orders(batches):
    out = []
    for x, y in batches:
        order = [int(row[0]) for row in x.tolist()]
        assert x.tolist() == [[i, i / 2] for i in order]
        assert y.tolist() == [[-i] for i in order]
        out.append(order)
    return out


def adapted(loader, adapter):
    name, *arguments = adapter
    if name.startswith("split"):
        return loader.split(*arguments)[name == "split_second"]
    return getattr(loader, name)(*arguments)


def tasks():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


@pytest.mark.parametrize("depth", [0, 1, 2, 8])
@pytest.mark.parametrize("mapped", [False, True])
def test_golden_orders(golden, depth, mapped):
    for case in golden["loader"]:
        loader = numbered(case["count"])
        for adapter in case["adapters"]:
            loader = adapted(loader, adapter)
        if mapped:
            loader = loader.map(lambda x, y: (x, y))
        loader = loader.batched(case["batch"], case["drop_last"]).prefetch(depth)
        assert loader.prefetch_depth == depth and loader.batch_size == case["batch"]
        assert loader.num_batches() == len(case["epochs"][0])
        for epoch, want in enumerate(case["epochs"]):
            assert loader.epoch == epoch
            assert orders(loader) == want
            assert orders(loader.at_epoch(epoch)) == want


def test_golden_permutations_and_windows(golden):
    for case in golden["permutations"]:
        loader = numbered(case["count"]).shuffle(int(case["seed"])).batched(64)
        assert orders(loader.at_epoch(case["epoch"])) == [case["order"]]
    for case in golden["windows"]:
        loader = numbered(case["count"]).shuffle(int(case["seed"]), window=case["window"])
        assert orders(loader.batched(64).at_epoch(case["epoch"])) == [case["order"]]


def test_facts():
    loader = numbered(64).batched(8)
    assert repr(loader) == "DataLoader(len=64, batch_size=8)"
    assert len(loader) == loader.len() == 64
    assert loader.num_batches() == 8 and not loader.is_empty()
    assert not loader.drop_last and loader.prefetch_depth == 0 and loader.epoch == 0
    assert dataset.from_vec([]).is_empty() and list(dataset.from_vec([])) == []
    batches = iter(loader)
    assert iter(batches) is batches
    assert loader.epoch == 1 and loader.take(3).epoch == 0
    assert len(list(batches)) == 8 and list(batches) == []
    x, y = st.Tensor(2, 1, [1, 2]), st.Tensor(1, 1, [3])
    [(a, b)] = dataset.from_vec([(x, y), [y, x]]).batched(5)
    assert a.tolist() == [[1], [2], [3]] and b.tolist() == [[3], [1], [2]]


def test_errors():
    loader = numbered(4)
    for call in (
        lambda: loader.batched(0),
        lambda: loader.prefetch(-1),
        lambda: loader.take(-1),
        lambda: loader.skip(-1),
        lambda: loader.shuffle(-1),
        lambda: loader.shuffle(2**64),
        lambda: loader.shuffle(1, window=0),
        lambda: loader.split(1.5),
        lambda: loader.shuffle(1).split(0.5),
        lambda: loader.shard(2, 2),
        lambda: loader.shard(0, 0),
        lambda: loader.at_epoch(2**32),
        lambda: loader.at_epoch(-1),
        lambda: dataset.from_tensors(st.Tensor(2, 1), st.Tensor(3, 1)),
        lambda: list(
            dataset.from_vec([(st.Tensor(1, n), st.Tensor(1, 1)) for n in (1, 2)]).batched(2)
        ),
    ):
        with pytest.raises(ValueError, match=r"^\[\w+\] .*got .*expected"):
            call()
    for call in (
        lambda: loader.map(3),
        lambda: loader.shuffle("a"),
        lambda: loader.take(1.5),
        lambda: dataset.from_vec([st.Tensor(1, 1)]),
        lambda: dataset.from_vec([(1, 2)]),
        lambda: list(loader.map(lambda x, y: x)),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("depth", [0, 1, 2, 8])
def test_an_exception_keeps_its_place_and_is_raised_once(depth):
    calls = []

    def fail(x, y):
        calls.append(1)
        if len(calls) == 5:
            raise KeyError("fifth")
        return x, y

    batches = iter(numbered(100).map(fail).batched(2).prefetch(depth))
    assert next(batches)[0].shape() == (2, 2)
    next(batches)
    with pytest.raises(KeyError, match="fifth"):
        next(batches)
    assert list(batches) == []
    assert len(calls) == 5


def test_leaving_early_leaves_no_thread():
    before = tasks()
    start = time.perf_counter()

    def slow(x, y):
        time.sleep(0.001)
        return x, y

    for loader in (
        numbered(1000).prefetch(1),
        numbered(1000).map(slow).prefetch(1),
        numbered(1000).map(slow).batched(1000).prefetch(2),
    ):
        batches = iter(loader)
        if loader.batch_size == 1:
            next(batches)
        time.sleep(0.02)
        assert tasks() == before + 1
        del batches
        assert tasks() == before
    batches = iter(numbered(1000).map(slow).prefetch(1))
    batches.close()
    assert list(batches) == [] and tasks() == before
    assert time.perf_counter() - start < 1


def test_the_producer_runs_while_python_does():
    """map is called on another thread, and the consumer's wait lets other threads run."""
    names = set()

    def note(x, y):
        names.add(threading.get_ident())
        return x, y

    assert len(list(numbered(20).map(note).prefetch(2))) == 20
    assert names and threading.get_ident() not in names


@pytest.mark.parametrize("pause", ["0", "0.05"])
def test_the_interpreter_ends_with_producers_at_work(pause):
    source = f"""
import time, spiraltorch as st
def f(x, y):
    time.sleep({pause})
    return x, y
data = st.dataset.from_tensors(st.Tensor(1000, 1), st.Tensor(1000, 1))
a, b, c = iter(data.map(f).prefetch(1)), iter(data.prefetch(1)), iter(data.map(f).prefetch(500))
next(a), next(b), next(c)
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_cycles_through_map_are_collected():
    class Owner:
        def __init__(self):
            base = numbered(4).map(self.same)
            self.loaders = [base, base.batched(2), *base.split(0.5)]
            self.batches = [iter(base), iter(base.prefetch(1))]
            next(self.batches[1])

        def same(self, x, y):
            return x, y

    owner = Owner()
    gone = weakref.ref(owner)
    gc.collect()
    assert len(list(owner.loaders[1])) == 2 and len(list(owner.batches[0])) == 4
    del owner
    time.sleep(0.02)
    gc.collect()
    assert gone() is None
