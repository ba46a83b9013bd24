import gc
import threading
import time
import weakref

import pytest

import spiraltorch as st
from spiraltorch import dataset

pa = pytest.importorskip("pyarrow", reason="Arrow streams need a producer: pip install pyarrow")

NUMERIC = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()]
NUMERIC += [pa.uint64(), pa.float16(), pa.float32(), pa.float64()]


def whole(loader):
    [(x, y)] = loader.batched(10000)
    return x.tolist(), y.tolist()


def listed(batches):
    return [(x.tolist(), y.tolist()) for x, y in batches]


def doubled(x, y):
    return x * 2.0, y


def counted(count, chunk=3):
    """x is the row (i, i/2), y is -i, in record batches of `chunk` rows."""
    return (
        pa.table(
            {
                "x": pa.array([[i, i / 2] for i in range(count)], pa.list_(pa.float32(), 2)),
                "other": ["text"] * count,
                "y": pa.array([-i for i in range(count)], pa.int64()),
            }
        )
        .combine_chunks()
        .to_batches(max_chunksize=chunk)
    )


@pytest.mark.parametrize("type_", NUMERIC, ids=str)
def test_types_and_offsets(type_):
    values = pa.array([9, 9, 1, 0, 100, 2, 9], pa.float32()).cast(type_).slice(2, 4)
    truth = pa.array([True, True, False, True, True, False, False, True, True, True]).slice(5, 4)
    pairs = pa.FixedSizeListArray.from_arrays(
        pa.array([7, 7, *range(10)], pa.int32()).slice(2).cast(type_), 2
    ).slice(1, 4)
    table = pa.table({"v": values, "t": truth, "p": pairs})
    for source in (table, pa.RecordBatch.from_arrays([values, truth, pairs], ["v", "t", "p"])):
        x, y = whole(dataset.from_arrow(source, ["v", 1], "p"))
        assert x == [[1, 0], [0, 0], [100, 1], [2, 1]]
        assert y == [[2, 3], [4, 5], [6, 7], [8, 9]]
        x, _ = whole(dataset.from_arrow(source.slice(2, 2), 0, 0))
        assert x == [[100], [2]]


@pytest.mark.parametrize("depth", [0, 1, 8])
def test_a_new_stream_each_epoch(depth):
    table = pa.Table.from_batches(counted(20))
    twin = dataset.from_tensors(
        st.Tensor(20, 2, [v for i in range(20) for v in (i, i / 2)]),
        st.Tensor(20, 1, [-i for i in range(20)]),
    )
    loader = dataset.from_arrow(table, "x", "y").batched(3).prefetch(depth)
    for adapt in (
        lambda d: d,
        lambda d: d.shuffle(5, window=4),
        lambda d: d.skip(3).shard(1, 3).take(4),
        lambda d: d.map(doubled),
    ):
        got, want = adapt(loader), adapt(twin.batched(3))
        assert listed(got) == listed(want)
    with pytest.raises(TypeError, match="length"):
        len(loader)
    with pytest.raises(TypeError, match="length"):
        loader.is_empty()
    assert loader.num_batches() is None and repr(loader) == "DataLoader(len=None, batch_size=3)"
    with pytest.raises(ValueError, match="window"):
        loader.shuffle(1)
    with pytest.raises(ValueError, match="length"):
        loader.split(0.5)


def test_a_reader_gives_one_epoch():
    batches = counted(7)
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    loader = dataset.from_arrow(reader, "x", "y")
    assert next(iter(loader))[1].tolist() == [[0]]
    for again in (loader, loader.take(2), loader.prefetch(1)):
        with pytest.raises(ValueError, match="one-shot"):
            next(iter(again))


def test_batches_from_a_python_generator_are_drawn_by_the_producer():
    names = set()

    def generate():
        for batch in counted(12):
            names.add(threading.get_ident())
            yield batch
        raise KeyError("torn")

    reader = pa.RecordBatchReader.from_batches(counted(1)[0].schema, generate())
    batches = iter(dataset.from_arrow(reader, "x", "y").prefetch(2))
    for i in range(12):
        assert next(batches)[1].tolist() == [[-i]]
    with pytest.raises(OSError, match="torn"):
        next(batches)
    assert list(batches) == [] and threading.get_ident() not in names


def test_errors():
    def load(values, type_=None):
        return dataset.from_arrow(pa.table({"v": pa.array(values, type_)}), "v", "v")

    batches = iter(load([1, 2, None]))
    next(batches), next(batches)
    with pytest.raises(st.FormatError, match="column 0 'v': row 2: got null"):
        next(batches)
    assert list(batches) == []
    with pytest.raises(ValueError, match="null"):
        whole(load([[1, 2], [3, None]], pa.list_(pa.int8(), 2)))
    with pytest.raises(ValueError, match="null"):
        whole(load([[1, 2], None], pa.list_(pa.int8(), 2)))
    with pytest.raises(ValueError, match="dictionary"):
        dataset.from_arrow(pa.table({"v": pa.array([1, 2]).dictionary_encode()}), "v", "v")
    for values in (["a"], [[1]], [None], [b"a"]):
        with pytest.raises(st.FormatError, match="got type"):
            load(values)
    with pytest.raises(st.FormatError, match="record batches"):
        dataset.from_arrow(pa.chunked_array([[1, 2]]), 0, 0)
    table = pa.table({"v": [1]})
    for columns in ("w", 1, -1):
        with pytest.raises(IndexError):
            dataset.from_arrow(table, columns, "v")
    with pytest.raises(ValueError, match="no column"):
        dataset.from_arrow(table, [], "v")
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        dataset.from_arrow([1, 2], 0, 0)
    assert list(dataset.from_arrow(table.slice(0, 0), "v", "v")) == []

    class Wrong:
        def __arrow_c_stream__(self):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dataset.from_arrow(Wrong(), 0, 0)


def test_sources_and_loaders_in_cycles_are_collected():
    class Source:
        def __init__(self):
            self.table = pa.Table.from_batches(counted(8))
            self.loader = dataset.from_arrow(self, "x", "y").batched(2)
            self.batches = iter(self.loader.prefetch(1))

        def __arrow_c_stream__(self, requested_schema=None):
            return self.table.__arrow_c_stream__(requested_schema)

    source = Source()
    gone = weakref.ref(source)
    assert len(list(source.loader)) == 4
    loader = source.loader
    del source
    gc.collect()
    assert gone() is not None and len(list(loader)) == 4
    del loader
    time.sleep(0.02)
    gc.collect()
    assert gone() is None


def test_memory_is_given_back():
    before = pa.total_allocated_bytes()
    table = pa.table({"v": pa.array(range(100000), pa.int64())})
    loader = dataset.from_arrow(table, "v", "v").batched(1000)
    assert sum(x.shape()[0] for x, _ in loader.prefetch(2)) == 100000
    batches = iter(loader.prefetch(2))
    next(batches)
    del table, batches, loader
    gc.collect()
    assert pa.total_allocated_bytes() == before
