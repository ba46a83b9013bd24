"""The examples run; their figures are taken by hand and stand in their headers."""

import importlib.util
import math
import os
import sqlite3
import subprocess
import sys

import pytest

from spiraltorch.embed import Hierarchy


def run(root, name, *arguments):
    out = subprocess.run(
        [sys.executable, root / "examples" / name, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    return out.stdout


def percent(line):
    return float(line.split(":")[1].split("%")[0])


def test_digits_are_read_by_both_heads(root):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    first, second = run(root, "digits.py", "1").splitlines()
    assert percent(first) >= 96.5 and percent(second) >= 96.5


def test_links_of_mammals_are_found_in_the_ball(root):
    ball, flat = run(root, "mammals_links.py", "6").splitlines()
    rank = [float(line.split("mean rank ")[1].split(",")[0]) for line in (ball, flat)]
    assert rank[0] < 0.6 * rank[1] and rank[0] < 150


@pytest.fixture
def ontology(tmp_path):
    """A database of GO's form: 156 terms in three levels, each leaf below two of the middle."""
    file = tmp_path / "GO.sqlite"
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE go_term (_id INTEGER, go_id TEXT, term TEXT, ontology TEXT)")
    database.execute(
        "CREATE TABLE go_bp_parents (_id INTEGER, _parent_id INTEGER, relationship_type TEXT)"
    )
    names = {1: "all", 2: "biological_process", 3: "metabolic process", 4: "localization"}
    names |= {i: f"process {i}" for i in range(5, 158)}
    terms = [(i, f"GO:{i:07}", n, "universal" if i == 1 else "BP") for i, n in names.items()]
    database.executemany("INSERT INTO go_term VALUES (?, ?, ?, ?)", terms)
    middle, leaves = range(5, 15), range(15, 158)
    rows = [(2, 1, "isa"), (3, 2, "isa"), (4, 2, "isa"), (4, 3, "part of")]
    rows += [(i, 3 + i % 2, "isa") for i in middle]
    rows += [(i, 5 + (i + k) % 10, "isa") for i in leaves for k in (0, 2)]
    database.executemany("INSERT INTO go_bp_parents VALUES (?, ?, ?)", rows)
    database.commit()
    database.close()
    return file


def test_links_of_the_gene_ontology_are_found_in_the_ball(root, ontology):
    lines = run(root, "gene_ontology.py", ontology, "--dim", "9").splitlines()
    counts, ball, focused, flat = lines
    assert all(", 9 dimensions: " in line for line in (ball, focused, flat))
    # 156 terms: 2 + 10 + 2·143 edges; pairs 2 + 2·10 + 4·143 = 594, of which 59 are held out.
    assert counts == "156 terms, 298 is-a edges, depth 3; 535 pairs shown, 59 held out"
    precision = [float(line.split("MAP ")[1].split(" ")[0]) for line in (ball, focused, flat)]
    assert precision[0] > 0.5 > precision[2] and precision[1] > 0.5


def test_steps_for_the_gene_ontology_are_tried_below_a_term(root, ontology):
    first, *rows = run(root, "gene_ontology.py", ontology, "--tune", "--epochs", "1").splitlines()
    # Five middle terms of even number, their 72 leaves of odd number: 5·1 + 72·3 pairs.
    assert first == "below metabolic process: 78 terms, 221 pairs" and len(rows) == 14


def test_points_of_others_are_ranked_as_they_are(root):
    spec = importlib.util.spec_from_file_location("go", root / "examples" / "gene_ontology.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    hierarchy = Hierarchy.from_edges([("a", "top"), ("b", "top"), ("c", "a")])
    places = {"top": 0.2, "a": 0.3, "b": 0.1, "c": 0.5}
    points = {name: [x] + [0.0] * 9 for name, x in places.items()}
    embedding = example.with_points(hierarchy, points)
    assert embedding.distance("top", "c") == pytest.approx(2 * (math.atanh(0.5) - math.atanh(0.2)))
    # From c: a, top, b. Only for c is another (top, not linked by these edges) ranked, behind a.
    test = Hierarchy.from_edges([("c", "top")])
    result = embedding.evaluate_links(hierarchy, test)
    assert (result.mean_rank, result.map, result.pairs) == (1.0, 1.0, 1)
    points["b"][0] = 0.4  # now b is nearer to c than top is
    result = example.with_points(hierarchy, points).evaluate_links(hierarchy, test)
    assert (result.mean_rank, result.map) == (2.0, 0.5)
