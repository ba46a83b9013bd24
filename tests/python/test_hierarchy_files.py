import array
import gzip
import json
import random
import resource
import zlib

import pytest

import spiraltorch as st
from spiraltorch.embed import Hierarchy

EDGES = [(f"node {i}", f"node {i // 3}") for i in range(1, 400)]
TSV = "".join(f"{c}\t{p}\n" for c, p in EDGES).encode()
JSONL = "".join(json.dumps({"child": c, "parent": p}) + "\n" for c, p in EDGES).encode()
EXPECTED = Hierarchy.from_edges(EDGES)


def same(h):
    return h.nodes == EXPECTED.nodes and h.edges == EXPECTED.edges


def test_the_name_chooses_the_reader(tmp_path):
    csv = "".join(f"{c},{p}\n" for c, p in EDGES).encode()
    files = {"e.tsv": TSV, "e.txt": TSV, "e.csv": csv, "e.jsonl": JSONL, "e.ndjson": JSONL}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert same(Hierarchy.read(tmp_path / name))
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        assert same(Hierarchy.read(tmp_path / f"{name}.gz"))
    assert same(Hierarchy.from_csv(str(tmp_path / "e.csv.gz"), delimiter=",", header=False))
    with pytest.raises(TypeError):
        Hierarchy.read(7)


STRATEGIES = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE]
STRATEGIES += [zlib.Z_FIXED]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_gzip_as_zlib_writes_it(tmp_path, level, strategy):
    # Words, noise and repetitions: short and long codes, near and far copies.
    rng = random.Random(level)
    words = ["x" * rng.randrange(1, 300) for _ in range(20)] + [
        "".join(chr(rng.randrange(33, 0x2FF)) for _ in range(40)) for _ in range(400)
    ]
    edges = [(rng.choice(words), rng.choice(words)) for _ in range(6000)]
    content = "".join(f"{c}\t{p}\n" for c, p in edges).encode()
    packer = zlib.compressobj(level, zlib.DEFLATED, 31, 9, strategy)
    path = tmp_path / "e.tsv.gz"
    path.write_bytes(packer.compress(content) + packer.flush())
    options = {"header": False, "comment": None}
    got = Hierarchy.from_csv(path, **options)
    plain = tmp_path / "e.tsv"
    plain.write_bytes(content)
    expected = Hierarchy.from_csv(plain, **options)
    assert got.nodes == expected.nodes and got.edges == expected.edges
    assert got.nodes == list(dict.fromkeys(w for edge in edges for w in edge))


def test_members_and_padding(tmp_path):
    path = tmp_path / "e.tsv.gz"
    cut = len(TSV) // 2 + 1  # within a line
    parts = [TSV[:cut], b"", TSV[cut:]]
    path.write_bytes(b"".join(map(gzip.compress, parts)) + bytes(512))
    assert same(Hierarchy.read(path))


def test_damaged_gzip(tmp_path):
    path = tmp_path / "e.tsv.gz"
    whole = gzip.compress(TSV)
    bad = {
        "truncated": whole[:-20],
        "no trailer": whole[:-8],
        "garbage": whole + b"garbage",
        "checksum": whole[:-8] + bytes(8),
        "plain": TSV,
        "empty": b"",
    }
    for name, content in bad.items():
        path.write_bytes(content)
        with pytest.raises(st.FormatError, match=r"\[from_csv\] file: got .*expected gzip data"):
            Hierarchy.read(path)
            pytest.fail(name)


def test_jsonl(tmp_path):
    path = tmp_path / "e.jsonl"
    path.write_text('{"a": "x", "b": 7, "n": 2.5}\n\n{"b": "x", "a": "é", "n": 1, "more": [1]}\n')
    h = Hierarchy.from_jsonl(path, child="a", parent="b", weight="n")
    assert h.nodes == ["x", "7", "é"]
    assert h.edges == [(0, 1, 2.5), (2, 0, 1.0)]
    with pytest.raises(ValueError, match=r"line 1, '\{\"a\": \"x\".*got no key 'child'"):
        Hierarchy.from_jsonl(path)
    path.write_text('{"child": "a", "parent": "b"}\n{"child": "a", parent: "b"}\n')
    with pytest.raises(ValueError, match=r"line 2, .*got a syntax error at byte 16"):
        Hierarchy.from_jsonl(path)


def test_csv_options(tmp_path):
    path = tmp_path / "e.txt"
    path.write_text("% a note\nweight|up|down\n0.5|mammal|dog\n2|mammal|cat\n")
    options = {"delimiter": "|", "header": True, "columns": (2, 1), "weight": 0, "comment": "%"}
    h = Hierarchy.from_csv(path, **options)
    assert h.nodes == ["dog", "mammal", "cat"] and h.edges == [(0, 1, 0.5), (2, 1, 2.0)]
    for bad in ({"delimiter": "||"}, {"header": "no"}, {"columns": (1, 1)}, {"weight": -1}):
        with pytest.raises(ValueError):
            Hierarchy.from_csv(path, **(options | bad))


HOSTILE = {
    "empty": (b"", "edges: got none"),
    "only comments": (b"# a\n# b\n", "edges: got none"),
    "NUL": (b"a\tb\nc\0\tb\n", "line 2: got a NUL at byte 5"),
    "UTF-16": ("a\tb\n".encode("utf-16"), "line 1: got invalid UTF-8 at byte 0"),
    "not UTF-8": (b"a\tb\nc\t\xe9\n", "line 2: got invalid UTF-8 at byte 6"),
    "columns": (b"a\tb\na\tb\tc\n", "line 2, 'a\tb\tc': got 3 columns, expected 2"),
    "one column": (b"a\nb\n", "line 1, 'a': got 1 columns, expected 2"),
    "empty name": (b"a\tb\n\tb\n", "line 2: got an empty name"),
    "a self-edge": (b"a\ta\n", "edges: got none"),
    "a long line": (b"a\tb\n" + b"x" * 2_000_000, "got more than 1048576 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    content, message = HOSTILE[name]
    for path in (tmp_path / "e.tsv", tmp_path / "e.tsv.gz"):
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        with pytest.raises(ValueError) as caught:
            Hierarchy.read(path)
        assert message in str(caught.value) and len(str(caught.value)) < 300


def test_harmless_files(tmp_path):
    path = tmp_path / "e.tsv"
    for content in (b"\xef\xbb\xbfa\tb\r\nc\tb", b"a\tb\n\n# x\na\tb\nb\tb\nc\tb\n"):
        path.write_bytes(content)
        assert Hierarchy.read(path).nodes == ["a", "b", "c"]
    with pytest.raises(OSError):
        Hierarchy.read(tmp_path)
    with pytest.raises(OSError):
        Hierarchy.read(tmp_path / "absent.tsv.gz")


def test_a_line_of_a_gigabyte_is_not_held(tmp_path):
    """A gigabyte of one line in a megabyte of gzip: it is refused after its first MiB."""
    path = tmp_path / "e.tsv.gz"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(path, "wb") as file:
        file.write(packer.compress(b"a\tb\n"))
        for _ in range(1024):
            file.write(packer.compress(b"x" * 2**20))
        file.write(packer.flush())
    before = peak_rss()
    with pytest.raises(ValueError, match="line 2, 'xxxx.*got more than 1048576 bytes"):
        Hierarchy.read(path)
    assert peak_rss() - before < 64 * 2**20


def peak_rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_extreme_shapes():
    chain = Hierarchy.from_parents(list(range(-1, 99_999)))
    assert chain.depth() == 99_999 and chain.leaves() == ["99999"]
    with pytest.raises(MemoryError, match="got 4999950000, expected at most 500000000 pairs"):
        chain.closure()
    star = Hierarchy.from_parents([-1] + [0] * 99_999)
    assert star.depth() == 1 and len(star.closure().edges) == 99_999
    with pytest.raises(ValueError):
        star.split()
    ring = Hierarchy.from_edges([(str(i), str((i + 1) % 5000)) for i in range(5000)] + [("a", "0")])
    with pytest.raises(ValueError, match="got the cycle '.*more"):
        ring.closure()
    assert ring.closure("collapse").nodes == ["0", "a"]


def test_parents_of_an_array():
    np = pytest.importorskip("numpy")
    parents = [-1, 0, 0, 1, 1, 2]
    expected = Hierarchy.from_parents(parents).edges
    assert Hierarchy.from_parents(array.array("i", parents)).edges == expected
    for type_ in (np.int64, np.int32):
        assert Hierarchy.from_parents(np.array(parents, type_)).edges == expected
    assert Hierarchy.from_parents(np.array([-1, 9, 0, 9, 0, 9])[::2]).edges == expected[:2]
    for bad in (np.array([[0, 1]]), np.array([-1.0, 0.0]), "12", 3):
        with pytest.raises(TypeError):
            Hierarchy.from_parents(bad)
    with pytest.raises(IndexError, match="parent of node 1: got 7, expected -1 to 1"):
        Hierarchy.from_parents(np.array([-1, 7]))
