"""Descriptions of devices and the probe for HIP; each environment in its own process."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import build_shared

import spiraltorch as st

KEYS = [
    "backend",
    "lane_width",
    "max_workgroup",
    "subgroup",
    "shared_mem_per_workgroup",
    "device",
    "available",
    "source",
    "name",
    "driver",
    "arch",
    "compute_units",
    "memory_bytes",
    "cache_bytes",
    "libraries",
    "fingerprint",
    "error",
]
NOWHERE = "/nonexistent/library.so"
HINTS = (
    "SPIRALTORCH_DEVICE",
    "SPIRALTORCH_FORCE_HIP",
    "ROCM_PATH",
    "HIP_PATH",
    "ROCM_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
)
LIBRARIES = [
    "AMDHIP64",
    "HIPRTC",
    "ROCBLAS",
    "RCCL",
    "CUDA",
    "NVRTC",
    "CUBLASLT",
    "NCCL",
    "WGPU_NATIVE",
]
GOLDEN = json.loads(
    (pathlib.Path(__file__).parents[1] / "golden" / "rank.json").read_text(encoding="utf-8")
)


def evaluate(expression, **env):
    """The value of an expression in a new process without vendors' libraries, bar those in env."""
    full = {k: v for k, v in os.environ.items() if k not in HINTS}
    full |= {f"SPIRALTORCH_LIB_{name}": NOWHERE for name in LIBRARIES}
    source = f"import json, pathlib, spiraltorch as st\nprint(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        check=False,
        env=full | env,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def build_fake(root, out, *flags):
    build_shared(out, *flags, str(root / "tests" / "fakes" / "fake_hip.cpp"))


@pytest.fixture(scope="module")
def fake_hip(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("fake") / "libfake_hip.so"
    build_fake(root, out)
    return {"SPIRALTORCH_LIB_AMDHIP64": str(out)}


def test_the_cpu_describes_itself():
    caps = st.describe_device("CPU")
    assert list(caps) == KEYS
    assert caps["backend"] == caps["device"] == "cpu"
    assert caps["available"] is True and caps["source"] == "queried"
    assert caps["subgroup"] is False and caps["shared_mem_per_workgroup"] is None
    assert caps["driver"] is None and caps["error"] is None and caps["libraries"] == {}
    assert caps["max_workgroup"] == st.num_threads()
    assert caps["lane_width"] >= 1 and caps["arch"] and caps["name"]
    assert len(caps["fingerprint"]) == 16 and int(caps["fingerprint"], 16) >= 0
    assert st.SpiralSession(device="cpu").device_caps() == caps


@pytest.mark.parametrize(
    "name, device, libraries",
    [
        ("cuda:3", "cuda:3", ["libcuda", "libnvrtc", "libcublasLt", "libnccl"]),
        ("HIP", "hip", ["libamdhip64", "libhiprtc", "librocblas", "librccl"]),
        ("wgpu", "wgpu", ["libwgpu_native"]),
        ("mps", "wgpu", ["libwgpu_native"]),
    ],
)
def test_an_absent_device_has_a_template_and_a_reason(name, device, libraries):
    caps = evaluate(f"st.describe_device({name!r})")
    assert list(caps) == KEYS
    assert caps["device"] == device and caps["backend"] == device.split(":")[0]
    assert caps["available"] is False and caps["source"] == "template"
    assert caps["error"] and caps["name"] is None and caps["memory_bytes"] is None
    assert list(caps["libraries"]) == libraries
    assert all(NOWHERE in reason for reason in caps["libraries"].values())


def test_auto_is_the_default_and_follows_the_environment():
    assert evaluate("st.describe_device()['device']") == "cpu"
    assert evaluate("st.describe_device(None)['device']") == "cpu"
    assert evaluate("st.describe_device('auto')['device']", SPIRALTORCH_DEVICE="hip:2") == "hip:2"
    assert evaluate("st.describe_device('cpu')['device']", SPIRALTORCH_DEVICE="tpu") == "cpu"


@pytest.mark.parametrize("name, expected", GOLDEN["device_strings"])
def test_device_strings(name, expected):
    if isinstance(expected, dict):
        with pytest.raises(st.InvalidArgument, match=r"cuda\[:N\]") as caught:
            st.describe_device(name)
        assert caught.value.code == "invalid_value"
        return
    kind, ordinal = expected
    kind = {"mps": "wgpu"}.get(kind, kind)
    if kind != "auto":
        device = f"{kind}:{ordinal}" if ordinal else kind
        assert st.describe_device(name)["device"] == device


@pytest.mark.parametrize("case", GOLDEN["hip_probe"], ids=lambda case: json.dumps(case["env"]))
def test_hints_of_the_environment(case, tmp_path):
    env = {
        name: str(tmp_path) + value if name in ("ROCM_PATH", "HIP_PATH") else value
        for name, value in case["env"].items()
    }
    for path in case["exists"]:
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    probe, available = evaluate("[st.hip_probe(), st.describe_device('hip')['available']]", **env)
    assert list(probe) == ["available", "initialized", "simulated", "error", "devices"]
    assert NOWHERE in probe.pop("error")
    assert probe == case["expect"]
    assert available is False


def test_a_runtime_with_devices(fake_hip):
    probe = evaluate("st.hip_probe()", **fake_hip, FAKE_HIP_DEVICES="2", HIP_VISIBLE_DEVICES="7")
    assert probe == {
        "available": True,
        "initialized": True,
        "simulated": False,
        "error": None,
        "devices": [
            {"id": 0, "name": "Fake Instinct 0", "multi_node": False},
            {"id": 1, "name": "Fake Instinct 1", "multi_node": False},
        ],
    }
    rccl = {"SPIRALTORCH_LIB_RCCL": fake_hip["SPIRALTORCH_LIB_AMDHIP64"]}
    assert evaluate("st.hip_probe()['devices'][0]['multi_node']", **fake_hip, **rccl) is True


def test_a_runtime_describes_its_devices(fake_hip):
    caps = evaluate("st.describe_device('hip:1')", **fake_hip, FAKE_HIP_DEVICES="2")
    assert list(caps) == KEYS
    assert caps["available"] is True and caps["source"] == "queried" and caps["error"] is None
    assert (caps["lane_width"], caps["max_workgroup"], caps["compute_units"]) == (64, 512, 104)
    assert (caps["name"], caps["arch"]) == ("Fake Instinct 1", "gfx90a")
    assert caps["driver"] == "driver 6.2.41134, runtime 6.3.42131"
    assert caps["libraries"]["libamdhip64"] == "6.3.42131"
    assert NOWHERE in caps["libraries"]["librocblas"]
    found = evaluate("st.devices()", **fake_hip, FAKE_HIP_DEVICES="2")
    assert [d["device"] for d in found] == ["cpu", "hip", "hip:1"]
    assert found[2] == caps


@pytest.mark.parametrize(
    "env, step",
    [
        ({"FAKE_HIP_FAIL": "hipInit:100"}, "hipInit: hipErrorNoDevice (100)"),
        ({"FAKE_HIP_FAIL": "hipGetDeviceCount:3"}, "hipGetDeviceCount: hipErrorUnknown (3)"),
        ({"FAKE_HIP_DEVICES": "0"}, "hipGetDeviceCount: no device"),
    ],
)
def test_the_failing_step_is_named(fake_hip, env, step):
    probe, caps = evaluate("[st.hip_probe(), st.describe_device('hip')]", **fake_hip, **env)
    assert probe["error"] == caps["error"] == step
    assert probe["initialized"] is caps["available"] is False
    assert caps["libraries"]["libamdhip64"] == "6.3.42131"


def test_the_command_lists_devices(fake_hip):
    done = subprocess.run(
        [sys.executable, "-m", "spiraltorch", "devices"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | fake_hip,
    )
    first, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert first.startswith("cpu ") and "cores" in first
    assert last.startswith("hip ") and "gfx90a, 104 units, 64 GiB" in last


def test_importing_opens_no_library(fake_hip):
    """The fake is mapped by the probe, not by the import."""
    mapped = "'libfake_hip' in pathlib.Path('/proc/self/maps').read_text()"
    assert evaluate(f"[{mapped}, st.hip_probe()['initialized'], {mapped}]", **fake_hip) == [
        False,
        True,
        True,
    ]


def test_libraries_beside_the_package_and_in_runtime_packages(root, tmp_path):
    """Beside the package comes first; a library that lacks a symbol names its file."""
    shutil.copytree(pathlib.Path(st.__file__).parent, tmp_path / "spiraltorch")
    packaged = tmp_path / "nvidia" / "rocm" / "lib" / "libamdhip64.so.7"
    packaged.parent.mkdir(parents=True)
    build_fake(root, packaged, "-DFAKE_HIP_NO_COUNT")
    env = {"PYTHONPATH": str(tmp_path), "SPIRALTORCH_LIB_AMDHIP64": ""}
    missing = "{}: no symbol hipGetDeviceCount"
    assert evaluate("st.hip_probe()['error']", **env) == missing.format(packaged)
    beside = tmp_path / "spiraltorch" / "libamdhip64.so.6"
    shutil.copy(packaged, beside)
    assert evaluate("st.hip_probe()['error']", **env) == missing.format(beside)
