"""The examples run; their figures are taken by hand and stand in their headers."""

import os
import subprocess
import sys

import pytest


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
