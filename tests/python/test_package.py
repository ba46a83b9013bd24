import ast
import doctest
import importlib.metadata
import os
import pathlib
import subprocess
import sys

import pytest

import spiraltorch as st

SNIPPET = """
import sys
before = set(sys.modules)
import spiraltorch as st
z = st.Tensor(1, 2, [0.1, 0.2])
tape = st.Hypergrad(-1.0, 0.05, *z.shape())
tape.accumulate_pair(z, st.Tensor(1, 2, [0.3, 0.1]))
tape.apply(z)
assert z.data()[0] > 0.1
loaded = {m.split(".")[0] for m in set(sys.modules) - before}
assert not loaded & {"numpy", "torch", "jax", "argparse"}, loaded
print("fine")
"""


def test_imports_with_empty_site_packages(tmp_path):
    """Nothing but the standard library and the package itself is on the path."""
    package = pathlib.Path(st.__file__).parent
    (tmp_path / "spiraltorch").symlink_to(package)
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-E",
            "-s",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{SNIPPET}",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout.strip() == "fine", done.stderr


def test_the_wheel_declares_no_dependency_and_its_version(root):
    metadata = importlib.metadata.metadata("spiraltorch")
    for wanted in metadata.get_all("Requires-Dist") or []:
        extra = wanted.replace("'", '"')
        assert 'extra == "examples"' in extra or 'extra == "compare"' in extra, wanted
    assert metadata["Version"] == st.__version__
    assert f"project(spiraltorch VERSION {st.__version__} " in (root / "CMakeLists.txt").read_text()


def test_the_wheel_is_small(root):
    for wheel in (root / "build" / "dist").glob("spiraltorch-*.whl"):
        assert wheel.stat().st_size < 20 * 2**20


def test_no_leaks_at_exit():
    """nanobind reports instances, types and functions that outlive the interpreter."""
    source = SNIPPET + "e = st.embed.HierarchyEmbedding(dim=2, epochs=1)\n"
    source += "e.fit(st.embed.Hierarchy.from_edges([('a', 'b'), ('c', 'b')]), lambda p: True)\n"
    source += "x = st.Tensor(2, 2, requires_grad=True); (x @ x).sum().backward()\n"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "leak" not in done.stderr, done.stderr


def test_stubs_are_current(root, tmp_path):
    """The committed stub is what the generator makes of the built module."""
    stubgen = pytest.importorskip("nanobind.stubgen", reason="nanobind is not installed")
    del stubgen
    out = tmp_path / "_core.pyi"
    subprocess.run(
        [sys.executable, "-m", "nanobind.stubgen", "-m", "spiraltorch._core", "-o", str(out)],
        check=True,
    )
    committed = (root / "python" / "spiraltorch" / "_core.pyi").read_text(encoding="utf-8")
    assert out.read_text(encoding="utf-8") == committed, "run tools/make_stubs.sh"
    assert (pathlib.Path(st.__file__).parent / "py.typed").exists()
    assert (pathlib.Path(st.__file__).parent / "_core.pyi").exists()


def test_everything_public_is_documented():
    undocumented = []
    for name in st.__all__:
        thing = getattr(st, name)
        if isinstance(thing, type):
            for member, value in vars(thing).items():
                documented = getattr(value, "__doc__", None)
                if not member.startswith("_") and callable(value) and not documented:
                    undocumented.append(f"{name}.{member}")
        elif callable(thing) and not thing.__doc__:
            undocumented.append(name)
    builder = {n for n in undocumented if n.startswith("SpiralSessionBuilder.")}
    assert set(undocumented) == builder, undocumented


def test_examples_in_docstrings():
    failed = 0
    scope = {name: getattr(st, name) for name in st.__all__} | vars(st.embed)
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner()
    found = 0
    for thing in (st.Tensor, st.PoincareBall, st.embed.Hierarchy, st.no_grad):
        for test in finder.find(thing, globs=dict(scope), name=thing.__name__):
            found += len(test.examples)
            failed += runner.run(test).failed
    assert found >= 5 and failed == 0


def test_the_modules_parse_on_the_oldest_python(root):
    for path in (root / "python" / "spiraltorch").glob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
