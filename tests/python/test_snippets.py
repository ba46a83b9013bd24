"""The README's own programs, read from its text, and the values they must print."""

import json
import re
import shutil
import subprocess
import warnings

import pytest
from conftest import load_cases

import spiraltorch as st

GOLDEN = {c["fn"]: c for c in load_cases() if c["fn"].startswith("README.")}


def programs(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def run(source):
    scope = {"__name__": "snippet"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(source, "README.md", "exec"), scope)  # noqa: S102
    return scope, caught


def close(got, expected, tolerance=5e-6):
    flat = [x for row in expected for x in row] if isinstance(expected[0], list) else expected
    assert got == pytest.approx(flat, abs=tolerance)


def find(root, marker):
    found = [p for p in programs(root) if marker in p]
    assert len(found) == 1, f"README programs with {marker!r}: {len(found)}"
    return found[0]


def test_hypergrad(root, capsys):
    scope, _ = run(find(root, "SpiralTorch in Rust"))
    want = GOLDEN["README.block1"]["expected"]
    assert scope["wave"].shape() == (1, 38)
    close(scope["z"].data(), want["z"])
    close(scope["wave"].data()[:4], [0.465213, 0, -0.092345, 0.382475])
    assert "0.1022" in capsys.readouterr().out


def test_spiral(root, capsys):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        want = json.load(file)["readme_block_5"]
    scope, _ = run(find(root, "project_spiral"))
    assert capsys.readouterr().out.splitlines() == want["printed"]
    for name, rows in (
        ("spiral_tensor", "spiral_rows"),
        ("canvas", "canvas_rows"),
        ("meaning", "meaning_rows"),
    ):
        values = scope[name].tolist()
        for index, row in want[rows].items():
            close(values[int(index)], row, tolerance=2e-5 * max(1.0, max(map(abs, row))))
    assert scope["biome"].total_weight() == pytest.approx(want["biome_weight_after"])


def test_training(root, capsys):
    st.manual_seed(0)
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        want = json.load(file)["readme_block_3"]
    scope, _ = run(find(root, "roundtable avg loss"))
    assert capsys.readouterr().out.splitlines() == [want["printed"]]
    energy = scope["stats"].band_energy
    assert list(energy) == pytest.approx([1.43254054, 0, 0], abs=2e-6)
    assert scope["stats"].grad_norm == pytest.approx(0.89586837, rel=1e-5)


def test_hello_session(root, capsys):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        want = json.load(file)["hello_session"]["lines"]
    run((root / "examples" / "hello_session.py").read_text(encoding="utf-8"))
    assert capsys.readouterr().out.splitlines() == want


def test_rank_selection(root, capsys):
    scope, caught = run(find(root, "plan_topk"))
    assert not caught
    out = capsys.readouterr().out
    assert "[[3.0, 3.0]] [[1, 2]] 2.0" in out
    assert f"algorithm {scope['plan'].algorithm}" in out


def test_barycenter(root, capsys):
    scope, _ = run(find(root, "session.align_hypergrad(hyper, bary)"))
    bary = scope["bary"]
    want = GOLDEN["README.block2"]["expected"]
    assert bary.objective == pytest.approx(want["objective"], abs=2e-6)
    close(scope["hyper"].gradient(), want["gradient"])
    close(bary.density.data(), want["density"])
    objectives = [s.objective for s in bary.intermediates()]
    close(objectives, [0.224573, 0.224218, 0.223964, 0.223811, 0.223760])
    assert bary.kl_energy == pytest.approx(0.292258, abs=5e-6)
    assert bary.entropy == pytest.approx(0.684980, abs=5e-6)
    assert bary.effective_weight == pytest.approx(2.1, abs=1e-12)
    assert "0.2237" in capsys.readouterr().out


def test_trace(root, capsys):
    scope, _ = run(find(root, "trace.resonate()"))
    r = scope["resonance"]
    want = GOLDEN["README.block4"]["expected"]
    close(r.homotopy_flow().data(), want["homotopy_flow"])
    close(r.functor_linearisation().data(), want["functor_linearisation"])
    close(r.recursive_objective().data(), want["recursive_objective"])
    close(r.infinity_projection().data(), want["infinity_projection"])
    close(r.infinity_energy().data(), want["infinity_energy"])
    assert "0.405" in capsys.readouterr().out


def test_every_program_of_the_readme_runs(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    sources = programs(root)
    assert len(sources) >= 4
    for source in sources:
        run(source)


def test_contract_programs_stand_verbatim(root):
    """The programs of the contract, character by character."""
    text = (root / "README.md").read_text(encoding="utf-8")
    for name in ("hypergrad", "barycenter", "training", "trace", "spiral"):
        expected = (root / "tests" / "golden" / f"readme_{name}.py").read_text(encoding="utf-8")
        assert f"```python\n{expected}```" in text


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler on the path")
def test_the_cpp_side_of_the_tour_compiles(root, tmp_path):
    text = (root / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```cpp\n(.*?)```", text, flags=re.DOTALL)
    assert len(snippets) >= 4
    includes, bodies = {}, []  # all in one file, each in a function of its own
    for i, snippet in enumerate(snippets):
        lines = snippet.splitlines()
        includes |= {line: None for line in lines if line.startswith("#include")}
        body = [line for line in lines if not line.startswith("#include")]
        bodies += [f"void snippet{i}() {{", *body, "}"]
    source = ["#include <vector>", *includes, *bodies]
    (tmp_path / "snippet.cpp").write_text("\n".join(source), encoding="utf-8")
    subprocess.run(
        ["g++", "-std=c++20", "-fsyntax-only", f"-I{root / 'include'}", "snippet.cpp"],
        cwd=tmp_path,
        check=True,
    )
