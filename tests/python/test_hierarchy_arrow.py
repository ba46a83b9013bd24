import pytest

import spiraltorch as st
from spiraltorch.embed import Hierarchy

pa = pytest.importorskip("pyarrow", reason="Arrow streams need a producer: pip install pyarrow")

CHILDREN = ["dog", "cat", "a name of more than twelve bytes", "é"]
PARENTS = ["mammal", "mammal", "dog", "mammal"]
NAMES = ["dog", "mammal", "cat", "a name of more than twelve bytes", "é"]


def texts():
    out = [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
    out.append(pa.dictionary(pa.int32(), pa.large_string()))
    return [*out, pa.string_view()] if hasattr(pa, "string_view") else out


@pytest.mark.parametrize("type_", texts(), ids=str)
def test_strings(type_):
    children = pa.array(["x", *CHILDREN, "x"]).cast(type_) if "view" not in str(type_) else None
    if children is None:
        children = pa.array(["x", *CHILDREN, "x"], type_)
    parents = pa.array(["x", "x", *PARENTS]).slice(1, 5)
    table = pa.table({"parent": parents.slice(1), "child": children.slice(1, 4)})
    for source in (table, table.to_reader(max_chunksize=3), table.to_batches()[0]):
        h = Hierarchy.from_arrow(source)
        assert h.nodes == NAMES
        assert [e[:2] for e in h.edges] == [(0, 1), (2, 1), (3, 0), (4, 1)]


def test_columns_integers_and_weights():
    table = pa.table(
        {
            "w": pa.array([0.1, 2.0], pa.float64()),
            "up": pa.array([2**64 - 1, 1], pa.uint64()),
            "down": pa.array([-5, 7], pa.int16()),
        }
    )
    h = Hierarchy.from_arrow(table, child="down", parent=1, weight="w")
    assert h.nodes == ["-5", str(2**64 - 1), "7", "1"]
    assert h.edges == [(0, 1, 0.1), (2, 3, 2.0)]
    coded = pa.table({"child": pa.array([30, 40, 30]).dictionary_encode(), "parent": [1, 2, 3]})
    assert Hierarchy.from_arrow(coded).nodes == ["30", "1", "40", "2", "3"]
    whole = pa.table({"child": ["a"], "parent": ["b"], "n": pa.array([3], pa.int8())})
    assert Hierarchy.from_arrow(whole, weight=2).edges == [(0, 1, 3.0)]


WEIGHTS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()]
WEIGHTS += [pa.uint64(), pa.float16(), pa.float32(), pa.float64()]


@pytest.mark.parametrize("type_", WEIGHTS, ids=str)
def test_numbers_of_every_width(type_):
    numbers = pa.array([1.0, 2.0, 100.0, 3.0]).cast(pa.float32()).cast(type_)
    table = pa.table({"child": ["a", "b", "c"], "parent": ["r"] * 3, "w": numbers.slice(1)})
    edges = Hierarchy.from_arrow(table, weight="w").edges
    assert [e[2] for e in edges] == [2.0, 100.0, 3.0]
    if pa.types.is_integer(type_):
        h = Hierarchy.from_arrow(table, child="w")
        assert h.nodes == ["2", "r", "100", "3"]


def test_a_frame_of_another_library():
    class Frame:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table({"child": CHILDREN, "parent": PARENTS}).__arrow_c_stream__()

    assert Hierarchy.from_arrow(Frame()).nodes == NAMES


def test_what_does_not_fit():
    table = pa.table({"child": ["a", None], "parent": ["b", "c"], "x": [1.5, 2.5]})
    with pytest.raises(st.FormatError, match=r"child, column 0 'child': row 1: got null"):
        Hierarchy.from_arrow(table)
    with pytest.raises(st.FormatError, match=r"got type 'g', expected strings or integers"):
        Hierarchy.from_arrow(table, child="x")
    with pytest.raises(st.FormatError, match=r"weight, column 1 'parent': got type 'u'"):
        Hierarchy.from_arrow(table.slice(0, 1), weight="parent")
    with pytest.raises(IndexError, match=r"parent: got column 'up'"):
        Hierarchy.from_arrow(table, parent="up")
    with pytest.raises(IndexError, match=r"child: got column 3, expected one in \[0, 3\)"):
        Hierarchy.from_arrow(table, child=3)
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        Hierarchy.from_arrow([("a", "b")])
    with pytest.raises(ValueError, match="edges: got none"):
        Hierarchy.from_arrow(table.slice(0, 0))
    coded = pa.table({"child": pa.array([None, "a"]).dictionary_encode(), "parent": ["b", "c"]})
    with pytest.raises(st.FormatError, match="row 0: got null"):
        Hierarchy.from_arrow(coded)


def test_a_stream_that_fails_half_way():
    def batches():
        yield pa.record_batch({"child": ["a"], "parent": ["b"]})
        raise RuntimeError("the source is gone")

    schema = pa.schema([("child", pa.string()), ("parent", pa.string())])
    with pytest.raises(OSError, match="the source is gone"):
        Hierarchy.from_arrow(pa.RecordBatchReader.from_batches(schema, batches()))
