"""tools/check_tree.py finds what it is there to find."""

import importlib.util
import pathlib

import pytest


@pytest.fixture(scope="module")
def check(root):
    spec = importlib.util.spec_from_file_location("check_tree", root / "tools" / "check_tree.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "path, text, expected",
    [
        ("src/base/a.cpp", '#include "spiraltorch/tensor/tensor.hpp"', "may not include 'tensor'"),
        ("src/tensor/a.cpp", '#include "ops/launch.hpp"', "may not include 'ops'"),
        ("src/session/a.cpp", '#include "zspace/checks.hpp"', "private header"),
        ("include/spiraltorch/ops/a.hpp", '#include "ops/launch.hpp"', "private header"),
        ("python/src/a.cpp", '#include "ops/launch.hpp"', "private header"),
        ("src/backend/cpu/a.cpp", '#include "backend/cuda/x.hpp"', "may not include 'cuda'"),
        ("src/attic/a.cpp", "", "unknown layer"),
        ("src/base/a.cpp", "\n" * 900, "limit 800"),
        ("src/base/a.cpp", "// TO" + "DO: later", "unfinished work"),
    ],
)
def test_findings(check, path, text, expected):
    found = list(check.problems(pathlib.Path(path), text))
    assert len(found) == 1 and expected in found[0]


def test_unlisted_sources_and_clean_files(check):
    lists = {pathlib.Path("src/base/CMakeLists.txt"): "target_sources(x PRIVATE listed.cpp)"}
    assert list(check.unlisted(pathlib.Path("src/base/other.cpp"), lists.get))
    assert not list(check.unlisted(pathlib.Path("src/base/listed.cpp"), lists.get))
    good = '#include "spiraltorch/base/error.hpp"\n#include "ops/launch.hpp"\n'
    assert not list(check.problems(pathlib.Path("src/ops/a.cpp"), good))
