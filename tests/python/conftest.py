import json
import os
import pathlib
import shutil
import subprocess

import pytest

import spiraltorch as st

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


def load_cases():
    with open(ROOT / "tests" / "golden" / "core.json", encoding="utf-8") as file:
        return json.load(file)["cases"]


def build_shared(out, *arguments):
    """Compiles a stand-in for a vendor's library; skips without a compiler."""
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    subprocess.run([compiler, "-shared", "-fPIC", *arguments, "-o", str(out)], check=True)


@pytest.fixture
def wgpu(monkeypatch):
    """A WebGPU adapter, a software one too. SPIRALTORCH_TEST_WGPU=1 demands it."""
    monkeypatch.setenv("SPIRALTORCH_WGPU_SOFTWARE", "1")
    caps = st.describe_device("wgpu")
    if not caps["available"]:
        assert os.environ.get("SPIRALTORCH_TEST_WGPU") != "1", caps["error"]
        pytest.skip(caps["error"])
    return "wgpu"


@pytest.fixture(params=["cpu", "wgpu"])
def device(request):
    return request.getfixturevalue("wgpu") if request.param == "wgpu" else "cpu"


@pytest.fixture
def mammals(root):
    return root / "data" / "wordnet_mammals.tsv"
