"""Failures of WebGPU, on a stand-in for wgpu-native; each environment in its own process."""

import json
import os
import subprocess
import sys

import pytest
from conftest import build_shared

NOWHERE = "/nonexistent/library.so"
VARIABLES = ("SPIRALTORCH_DEVICE", "SPIRALTORCH_STRICT", "SPIRALTORCH_WGPU_SOFTWARE")
NO_LIBRARY = {"SPIRALTORCH_LIB_WGPU_NATIVE": NOWHERE}

# Shows warnings and errors as data; `attempt` is what happens instead of an error.
PRELUDE = """
import json, pathlib, sys, warnings
import spiraltorch as st

def attempt(f):
    try:
        return f()
    except Exception as e:
        return [type(e).__name__, str(e)]

def given(f):
    with warnings.catch_warnings(record=True) as all:
        warnings.simplefilter("always")
        f()
    return [[w.category.__name__, str(w.message)] for w in all]

def show(*values):
    print(json.dumps(values))

t = st.Tensor(1, 3, [1.0, 2.0, 3.0])
"""


def run(source, **env):
    """What a program shows, in a new process without vendors' libraries, bar those in env."""
    full = {k: v for k, v in os.environ.items() if k not in VARIABLES and "FAKE_WGPU" not in k}
    full |= {f"SPIRALTORCH_LIB_{name}": NOWHERE for name in ("CUDA", "AMDHIP64")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELUDE + source],
        capture_output=True,
        text=True,
        check=False,
        env=full | env,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def build(root, tmp_path_factory):
    """Builds a variant of the fake; its environment."""
    folder = tmp_path_factory.mktemp("fake")
    sources = sorted(str(path) for path in (root / "tests" / "fakes" / "wgpu").glob("*.cpp"))
    includes = ["-I", str(root / "third_party")]

    def make(*flags):
        out = folder / f"libfake_wgpu{''.join(flags)}.so"
        if not out.exists():
            build_shared(out, "-std=c++20", *flags, *includes, *sources)
        return {"SPIRALTORCH_LIB_WGPU_NATIVE": str(out)}

    return make


@pytest.fixture(scope="module")
def fake(build):
    return build()


def two_adapters(*kinds):
    return {"FAKE_WGPU_ADAPTERS": ";".join(f"{kind}:Fake {i}" for i, kind in enumerate(kinds))}


def test_an_adapter_describes_itself(fake):
    adapters = two_adapters("vulkan:software", "d3d12:integrated")
    first, second, names = run(
        "show(*map(st.describe_device, ['wgpu', 'wgpu:1']), [d['device'] for d in st.devices()])",
        **fake,
        **adapters,
        FAKE_WGPU_SUBGROUP="16",
        FAKE_WGPU_LIMITS="threads=1024;shared=49152",
    )
    assert names == ["cpu", "wgpu", "wgpu:1"]
    assert (first["name"], first["arch"]) == ("Fake 1", "integrated")  # hardware first
    assert (second["name"], second["arch"]) == ("Fake 0", "software")
    assert first["driver"] == "D3D12, fake driver 1.2; wgpu-native 29.0.0.1"
    assert first["available"] is True and first["source"] == "queried" and first["error"] is None
    assert (first["lane_width"], first["subgroup"]) == (16, True)
    assert (first["max_workgroup"], first["shared_mem_per_workgroup"]) == (1024, 49152)
    assert first["libraries"] == {"libwgpu_native": "29.0.0.1"}
    assert first["fingerprint"] != second["fingerprint"]


def test_words_travel(fake):
    there = "u = t.to('wgpu'); show(u.device, u.tolist(), u.to('cpu').tolist())"
    assert run(there, **fake) == ["wgpu", [[1, 2, 3]], [[1, 2, 3]]]


FALLBACK = """
def use():
    session = st.SpiralSession(device="wgpu")
    places.extend([t.to("wgpu").device, t.to("WGPU").device, session.device])
places = []
show(given(use), places, given(lambda: st.describe_device("wgpu")))
"""


@pytest.mark.parametrize(
    "env, reason",
    [
        (NO_LIBRARY, NOWHERE),
        ({"FAKE_WGPU_ADAPTERS": "0"}, "no adapter"),
        ({"FAKE_WGPU_ADAPTERS": "vulkan:software:Slow"}, "only a software adapter (Slow)"),
    ],
)
def test_an_absent_device_becomes_the_cpu_with_one_warning(fake, env, reason):
    shown, places, describing = run(FALLBACK, **fake | env)
    assert places == ["cpu"] * 3 and describing == []
    assert [category for category, _ in shown][:1] == ["RuntimeWarning"]
    named = [message for _, message in shown if "'wgpu'" in message]
    assert len(named) == 1 and reason in named[0]


@pytest.mark.parametrize(
    "flag, reason", [("-DFAKE_WGPU_OLD", "22.1.0.0"), ("-DFAKE_WGPU_NO_EVENTS", "is missing")]
)
def test_a_library_that_does_not_fit(build, flag, reason):
    shown, places, _ = run(FALLBACK, **build(flag))
    assert places == ["cpu"] * 3
    assert reason in shown[0][1]


@pytest.mark.parametrize("how", ["env", "global", "session"])
def test_strict_mode(how):
    env = {"SPIRALTORCH_STRICT": "1"} if how == "env" else {}
    source = {
        "env": "show(attempt(lambda: t.to('wgpu')), t.tolist())",
        "global": "st.set_strict(True); show(attempt(lambda: t.to('wgpu')), t.tolist())",
        "session": "show(attempt(lambda: st.SpiralSession('wgpu', strict=True)), t.tolist())",
    }[how]
    (name, message), words = run(source, **NO_LIBRARY, **env)
    assert name == "DeviceError" and "'wgpu'" in message and NOWHERE in message
    assert words == [[1, 2, 3]]


def test_software_adapters_count_on_demand(fake):
    env = {"FAKE_WGPU_ADAPTERS": "vulkan:software:Slow", "SPIRALTORCH_WGPU_SOFTWARE": "1"}
    source = "show(t.to('wgpu').device, st.describe_device()['device'])"
    assert run(source, **fake, **env) == ["wgpu", "wgpu"]


def test_mps_is_the_first_adapter_on_metal(fake):
    adapters = two_adapters("vulkan:discrete", "metal:integrated", "metal:discrete")
    source = """
caps = st.describe_device("mps")
show(caps, t.to("mps").device, st.SpiralSession(device="mps").device)
"""
    caps, device, session = run(source, **fake, **adapters)
    assert device == session == caps["device"] == "wgpu:1"
    assert caps["backend"] == "wgpu" and caps["name"] == "Fake 1"
    assert caps["driver"].startswith("Metal, ")


def test_mps_without_an_adapter_on_metal(fake):
    source = """
caps = st.describe_device("mps")
shown = given(lambda: (t.to("mps"), t.to("mps")))
st.set_strict(True)
show(caps, shown, attempt(lambda: t.to("mps")), t.to("wgpu").device)
"""
    caps, shown, (name, message), device = run(source, **fake)
    assert caps["available"] is False and caps["source"] == "template"
    assert caps["error"] == "no Metal adapter"
    assert caps["libraries"] == {"libwgpu_native": "29.0.0.1"}
    assert len(shown) == 1 and "'mps'" in shown[0][1] and "no Metal adapter" in shown[0][1]
    assert name == "DeviceError" and "no Metal adapter" in message
    assert device == "wgpu"


def test_a_device_that_cannot_be_opened(fake):
    (name, message), caps = run(
        "show(attempt(lambda: t.to('wgpu')), st.describe_device('wgpu'))",
        **fake,
        FAKE_WGPU_FAIL="AdapterRequestDevice:0:validation:the driver is asleep",
    )
    assert name == "DeviceError" and "the driver is asleep" in message
    assert caps["available"] is False and "the driver is asleep" in caps["error"]


def test_a_kernel_that_does_not_compile(fake):
    (name, message), words, again = run(
        "u = t.to('wgpu'); show(attempt(u.exp), u.tolist(), u.exp().device)",
        **fake,
        FAKE_WGPU_SUBGROUP="0",  # the first shader is the one that is asked for
        FAKE_WGPU_FAIL="DeviceCreateShaderModuleTrusted:1:validation:unknown type at 3",
    )
    assert name == "DeviceError" and "[exp]" in message and "unknown type at 3" in message
    assert words == [[1, 2, 3]] and again == "wgpu"


def test_a_device_lost_in_mid_run(fake):
    source = """
u = t.to("wgpu")
first, second = attempt(u.tolist), attempt(u.exp)
caps = st.describe_device("wgpu")
del u
show(first, second, caps["error"], t.tolist(), t.to("wgpu:1").tolist())
"""
    first, second, described, words, other = run(
        source,
        **fake,
        FAKE_WGPU_ADAPTERS="2",
        FAKE_WGPU_SUBGROUP="0",
        FAKE_WGPU_FAIL="QueueSubmitForIndex:1:lost:the driver was reset",
    )
    for name, message in (first, second):
        assert name == "DeviceError" and "is lost (the driver was reset)" in message
    assert "the driver was reset" in described
    assert words == other == [[1, 2, 3]]


def test_memory_that_is_not_there(fake):
    source = """
big = st.Tensor.zeros(1024, 5120)
over = attempt(lambda: big.to("wgpu"))
full = attempt(lambda: st.Tensor.zeros(1024, 1024).to("wgpu"))
show(over, full, t.to("wgpu").tolist())
"""
    over, full, words = run(
        source,
        **fake,
        FAKE_WGPU_LIMITS="buffer=16777216",
        FAKE_WGPU_SUBGROUP="0",
        # The first buffer holds parameters; the one for the tensor is tried twice.
        FAKE_WGPU_FAIL="DeviceCreateBuffer:2:memory:no room;DeviceCreateBuffer:3:memory:no room",
    )
    assert over[0] == full[0] == "OutOfMemory"
    assert "got 20971520" in over[1] and "at most 16777216" in over[1]
    assert "got 4194304" in full[1] and "no room" in full[1]
    assert words == [[1, 2, 3]]


def test_a_forked_child(fake):
    source = """
import os
u = t.to("wgpu")
out, into = os.pipe()
child = os.fork()
if child == 0:
    os.write(into, json.dumps([attempt(u.tolist), t.tolist()]).encode())
    os._exit(0)
os.waitpid(child, 0)
show(json.loads(os.read(out, 10000)), u.tolist())
"""
    ((name, message), host), words = run(source, **fake)
    assert name == "DeviceError" and "forked" in message
    assert host == words == [[1, 2, 3]]


def test_importing_opens_no_library(fake):
    mapped = "'libfake_wgpu' in pathlib.Path('/proc/self/maps').read_text()"
    source = f"before = {mapped}; st.describe_device('wgpu'); show(before, {mapped})"
    assert run(source, **fake) == [False, True]
