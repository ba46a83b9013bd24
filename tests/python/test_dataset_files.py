import base64
import json
import os
import resource
import subprocess
import sys

import pytest

import spiraltorch as st
from spiraltorch import dataset


@pytest.fixture(scope="module")
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def whole(loader):
    [(x, y)] = loader.batched(1000)
    return x.tolist(), y.tolist()


@pytest.mark.parametrize("depth", [0, 2])
def test_golden_files(golden, tmp_path, depth):
    case = golden["csv"]
    path = tmp_path / "a.csv"
    path.write_bytes(case["text"].encode())
    loader = dataset.from_csv(path, case["inputs"], case["targets"], case["delimiter"])
    assert whole(loader.prefetch(depth)) == (case["input"], case["target"])
    assert whole(dataset.from_csv(str(path), 2, "label")) == (
        [row[1:] for row in case["input"]],
        case["target"],
    )
    case = golden["jsonl"]
    path = tmp_path / "a.jsonl"
    path.write_bytes(case["text"].encode())
    assert whole(dataset.from_jsonl(path).prefetch(depth)) == (case["input"], case["target"])
    for case in golden["npy"]:
        path = tmp_path / "a.npy"
        path.write_bytes(base64.b64decode(case["base64"]))
        assert whole(dataset.from_npy(path, path).prefetch(depth)) == (case["rows"], case["rows"])


def test_npy_types(tmp_path):
    np = pytest.importorskip("numpy")
    for name in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f16"]:
        if not hasattr(np, "float128") and name == "f16":
            continue
        for order in "<>":
            for version in ((1, 0), (2, 0), (3, 0)):
                values = np.array([[0, 1, 100], [2, 3, 0.5]]).astype(order + name)
                with open(tmp_path / "a.npy", "wb") as file:
                    np.lib.format.write_array(file, values, version=version)
                x, _ = whole(dataset.from_npy(tmp_path / "a.npy", tmp_path / "a.npy"))
                assert x == values.astype("f4").tolist(), values.dtype
    halves = np.arange(65536, dtype="u2").view("f2")
    np.save(tmp_path / "half.npy", halves)
    [(x, _)] = dataset.from_npy(tmp_path / "half.npy", tmp_path / "half.npy").batched(65536)
    assert np.array_equal(np.asarray(x)[:, 0], halves.astype("f4"), equal_nan=True)
    np.save(tmp_path / "f.npy", np.asfortranarray(np.ones((2, 3))))
    np.save(tmp_path / "c.npy", np.ones((2, 3), "c8"))
    np.save(tmp_path / "empty.npy", np.ones((0, 3)))
    for bad in ("f", "c"):
        with pytest.raises(st.FormatError, match=rf"{bad}\.npy"):
            dataset.from_npy(tmp_path / f"{bad}.npy", tmp_path / "c.npy")
    assert dataset.from_npy(tmp_path / "empty.npy", tmp_path / "empty.npy").is_empty()


def test_format_errors(tmp_path):
    assert issubclass(st.FormatError, st.IoError) and issubclass(st.FormatError, ValueError)
    path = tmp_path / "bad.csv"
    path.write_text("x,y\n1,2\n3,four\n")
    for depth in (0, 1, 4):
        batches = iter(dataset.from_csv(path, ["x"], ["y"]).prefetch(depth))
        assert next(batches)[1].item() == 2
        with pytest.raises(st.FormatError, match=r"bad\.csv, line 3, column 2: got 'four'") as e:
            next(batches)
        assert e.value.code == "io" and list(batches) == []
    with pytest.raises(IndexError, match="'z'"):
        dataset.from_csv(path, ["z"], ["y"])
    with pytest.raises(ValueError, match="delimiter"):
        dataset.from_csv(path, ["x"], ["y"], delimiter="::")
    with pytest.raises(OSError, match="absent"):
        dataset.from_jsonl(tmp_path / "absent")
    with pytest.raises(OSError):
        dataset.from_csv(tmp_path, ["x"], ["y"])


def test_texts(tmp_path):
    encoder = st.LanguageWaveEncoder(-1.0, 0.5)
    [(x, y)] = dataset.from_text(["spiral", "wave"], encoder).batched(2)
    assert x.shape() == (2, 12) and x.tolist() == y.tolist()
    path = tmp_path / "a.txt"
    path.write_text("spiral\nwave\n")
    for source in (str(path), path):
        loader = dataset.from_text(source, encoder, [1, st.Tensor(1, 1, [2])], width=12)
        assert len(loader) == 2
        [(z, y)] = loader.batched(2)
        assert z.tolist() == x.tolist() and y.tolist() == [[1], [2]]
    with pytest.raises(ValueError, match="width"):
        dataset.from_text(path, encoder)
    with pytest.raises(ValueError, match="surrogate"):
        dataset.from_text(["\udc00"], encoder)
    with pytest.raises(TypeError):
        dataset.from_text([3], encoder)


def test_a_large_file_needs_little_memory(tmp_path):
    path = tmp_path / "large.csv"
    line = b"1.5,2.5," + b"0" * 1000 + b"\n"
    with open(path, "wb") as file:
        file.write(b"x,y,z\n")
        for _ in range(100):
            file.write(line * 1000)
    assert os.path.getsize(path) > 1e8
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loader = dataset.from_csv(path, ["x"], ["y"]).batched(1000)
    assert sum(x.shape()[0] for x, _ in loader.take(20000).prefetch(2)) == 20000
    assert len(loader) == 100000
    assert sum(x.shape()[0] for x, _ in loader.shuffle(1).take(2000)) == 2000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20000  # KiB


@pytest.mark.parametrize("order", ["loader", "loader.shuffle(1)"])
def test_a_large_array_needs_little_memory(tmp_path, order):
    path = tmp_path / "large.npy"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 1000), }"
    with open(path, "wb") as file:  # sparse
        file.write(b"\x93NUMPY\x01\x00" + bytes([119, 0]) + header.ljust(118) + b"\n")
        file.truncate(129 + 4 * 10**8)
    source = f"""
import spiraltorch as st
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
loader = st.dataset.from_npy({str(path)!r}, {str(path)!r}).batched(100)
next(iter(loader))
before = peak()
print(sum(x.shape()[0] for x, _ in {order}), peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    rows, growth = map(int, done.stdout.split())
    assert rows == 100000
    assert growth < 160000  # KiB: two maps of 64 MiB and batches
