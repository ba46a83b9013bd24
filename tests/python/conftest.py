import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


def load_cases():
    with open(ROOT / "tests" / "golden" / "core.json", encoding="utf-8") as file:
        return json.load(file)["cases"]


@pytest.fixture
def mammals(root):
    return root / "data" / "wordnet_mammals.tsv"
