"""The view in a real browser: headless Chromium, from Debian's packages."""

import importlib.util
import json
import math
import struct
import subprocess
import sys
import zlib

import pytest
from conftest import ROOT

from spiraltorch.embed import Hierarchy, HierarchyEmbedding

spec = importlib.util.spec_from_file_location("webdriver", ROOT / "tools" / "webdriver.py")
webdriver = importlib.util.module_from_spec(spec)
spec.loader.exec_module(webdriver)

in_browser = pytest.mark.skipif(webdriver.missing() is not None, reason=str(webdriver.missing()))
HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<!--<script>",
    "<img src=x onerror='window.broken = 1'>",
    'quote" back\\slash',
    "日本語 \u2028 🐘",
]
ENTER, ARROW_DOWN, ARROW_LEFT, ESCAPE = "\ue007", "\ue015", "\ue012", "\ue00c"


def written(points, edges, path, **options):
    """A view of given points: `points` are names with coordinates in the unit disk."""
    values = [x for point in points.values() for x in point]
    dim = len(next(iter(points.values())))
    start = HierarchyEmbedding(dim=dim, epochs=1, burn_in=0)
    start.fit(Hierarchy.from_edges(edges))
    start.save(path.with_suffix(".safetensors"))
    raw = path.with_suffix(".safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + length])["__metadata__"]
    data = struct.pack(f"<{len(values)}f", *values)
    metadata["names"] = json.dumps(list(points))
    header = {"dtype": "F32", "shape": [len(points), dim], "data_offsets": [0, len(data)]}
    text = json.dumps({"__metadata__": metadata, "vectors": header}).encode()
    text += b" " * (-len(text) % 8)
    path.with_suffix(".safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    embedding = HierarchyEmbedding.load(path.with_suffix(".safetensors"))
    embedding.view(path, Hierarchy.from_edges(edges), **options)
    return embedding


def pixels(png):
    """Rows of (red, green, blue) of an 8-bit PNG without interlacing."""
    at, packed = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    assert depth == 8 and colour in (2, 6)
    step = 3 if colour == 2 else 4
    raw, stride, before, rows = zlib.decompress(packed), width * step, bytearray(width * step), []
    for y in range(height):
        kind = raw[y * (stride + 1)]
        line = bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        unfilter(kind, line, before, step)
        rows.append([tuple(line[i : i + 3]) for i in range(0, stride, step)])
        before = line
    return rows


def unfilter(kind, line, above, step):
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = left + above[i] - corner
        nearest = min((left, above[i], corner), key=lambda v: abs(guess - v))
        line[i] = (line[i] + (0, left, above[i], (left + above[i]) // 2, nearest)[kind]) & 255


POINTS = {
    "root": (0.1, 0.05),
    "left": (-0.6, 0.1),
    "right": (0.55, -0.3),
    "left.leaf": (-0.9, 0.2),
    "right.leaf": (0.8, -0.5),
    "rim": (math.sqrt(1 - 2e-5) * 0.6, math.sqrt(1 - 2e-5) * 0.8),
}
EDGES = [("left", "root"), ("right", "root"), ("left.leaf", "left"), ("right.leaf", "right"),
         ("rim", "root")]  # fmt: skip


def distance(p, q):
    square = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2
    return math.acosh(1 + 2 * square / ((1 - p[0] ** 2 - p[1] ** 2) * (1 - q[0] ** 2 - q[1] ** 2)))


@pytest.fixture(scope="module")
def browser():
    with webdriver.Browser((1000, 800)) as opened:
        yield opened


@pytest.fixture
def small(browser, tmp_path):
    written(POINTS, EDGES, tmp_path / "view.html", title="Small & <fine>")
    show(browser, tmp_path / "view.html")
    return browser


def show(browser, path):
    browser.log("browser")
    browser.log("performance")
    browser.open(path.as_uri())
    at_rest(browser)


def at_rest(browser):
    script = "const s = window.spiraltorchView?.state(); return s && !s.flying && !s.drawing"
    browser.wait(script)


def two_frames(browser):
    """What the page hears of its surroundings, it hears before a frame."""
    wait = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    browser.cdp("Runtime.evaluate", expression=wait, awaitPromise=True)
    at_rest(browser)


def state(browser):
    return browser.run("return window.spiraltorchView.state()")


def position(browser, name):
    return browser.run("return window.spiraltorchView.position(arguments[0])", name)


def distances(browser):
    script = """
        const names = arguments[0];
        return names.flatMap((a) => names.map((b) => window.spiraltorchView.distance(a, b)))"""
    return browser.run(script, list(POINTS))


def check_distances(browser):
    """What the page shows after its isometry against the embedding's own points."""
    want = [distance(POINTS[a], POINTS[b]) for a in POINTS for b in POINTS]
    assert distances(browser) == pytest.approx(want, rel=2e-3, abs=1e-6)


@in_browser
def test_it_loads_without_errors_and_without_a_network(small):
    assert small.log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in small.log("performance")]
    urls = [
        m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"
    ]
    assert urls and all(url.startswith(("file:", "data:")) for url in urls)
    assert small.run("return document.title") == "Small & <fine>"
    assert small.run("return document.getElementById('title').textContent") == "Small & <fine>"
    # The one root is in the middle, and every node where its coordinates say.
    assert position(small, "root")["disk"][:2] == pytest.approx([0, 0], abs=1e-6)
    assert state(small)["centre"] == pytest.approx(POINTS["root"], abs=1e-6)
    check_distances(small)


@in_browser
def test_search_flies_to_a_node(small):
    small.type("/")
    small.type("LEAF")
    shown = "return [...document.querySelectorAll('#matches li')].map((li) => li.textContent)"
    assert small.run(shown) == ["left.leaf", "right.leaf"]
    small.type(ARROW_DOWN + ENTER)
    at_rest(small)
    assert state(small)["selected"] == "right.leaf"
    assert position(small, "right.leaf")["disk"][:2] == pytest.approx([0, 0], abs=1e-6)
    assert state(small)["centre"] == pytest.approx(POINTS["right.leaf"], abs=1e-6)
    assert small.run("return document.getElementById('card-name').textContent") == "right.leaf"
    check_distances(small)
    small.run("document.getElementById('search').value = ''")
    small.type("nothing of this name" + ENTER)
    assert state(small)["selected"] == "right.leaf"
    small.run("document.getElementById('disk').focus()")
    small.type("0")
    at_rest(small)
    assert state(small)["selected"] is None
    assert state(small)["centre"] == pytest.approx(POINTS["root"], abs=1e-6)


@in_browser
def test_a_node_at_the_rim_reaches_the_centre(small):
    small.run("window.spiraltorchView.select('rim')")
    at_rest(small)
    assert position(small, "rim")["disk"] == pytest.approx([0, 0, 1], abs=1e-6)
    check_distances(small)


@in_browser
def test_dragging_is_an_isometry(small):
    small.run("window.spiraltorchView.setScale(1)")
    x, y = position(small, "left")["screen"]
    before = position(small, "left")["disk"]
    small.drag(
        (round(x), round(y)), (round(x) + 60, round(y) - 40), (round(x) + 150, round(y) - 90)
    )
    at_rest(small)
    after = position(small, "left")
    assert after["screen"] == pytest.approx([round(x) + 150, round(y) - 90], abs=2)
    assert math.dist(before[:2], after["disk"][:2]) > 0.2
    check_distances(small)
    assert state(small)["zoom"] == 1 and state(small)["selected"] is None
    # A long way in many steps, and back to the start.
    for _ in range(12):
        small.drag((700, 200), (300, 600), (350, 150), (600, 650))
    check_distances(small)
    small.run("window.spiraltorchView.reset()")
    at_rest(small)
    assert position(small, "root")["disk"][:2] == pytest.approx([0, 0], abs=1e-6)
    assert position(small, "left")["disk"] == pytest.approx(before, abs=1e-6)


@in_browser
def test_the_point_under_the_pointer_follows_it_where_distances_are_shrunk(small):
    small.run("window.spiraltorchView.setScale(0.4)")
    x, y = map(round, position(small, "right")["screen"])
    small.drag((x, y), (x + 1, y - 2), (x + 30, y - 60), (x + 45, y - 120))
    at_rest(small)
    assert position(small, "right")["screen"] == pytest.approx([x + 45, y - 120], abs=2)
    check_distances(small)


@in_browser
def test_the_wheel_zooms_about_the_pointer(small):
    before = position(small, "left")
    x, y = map(round, before["screen"])
    small.wheel(x, y, -400)
    at_rest(small)
    after = position(small, "left")
    assert state(small)["zoom"] == pytest.approx(math.exp(0.0018 * 300))
    assert after["screen"] == pytest.approx(before["screen"], abs=2)
    assert after["disk"] == before["disk"]
    ratio = math.dist(position(small, "rim")["screen"], after["screen"]) / 300
    small.run("document.getElementById('disk').focus()")
    small.type("+-" + ARROW_LEFT)
    at_rest(small)
    assert state(small)["zoom"] == pytest.approx(math.exp(0.0018 * 300)) and ratio > 1
    assert position(small, "left")["disk"] != after["disk"]
    check_distances(small)


@in_browser
def test_hovering_names_and_clicking_selects(small):
    x, y = map(round, position(small, "right")["screen"])
    small.hover(x, y)
    tip = "const t = document.getElementById('tooltip'); return t.hidden ? null : t.textContent"
    assert small.run(tip) == "right"
    small.drag((x, y))
    at_rest(small)
    assert state(small)["selected"] == "right"
    small.type(ESCAPE)
    assert state(small)["selected"] is None
    small.hover(20, 700)
    assert small.run(tip) is None


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_has_content(small, scheme):
    feature = [{"name": "prefers-color-scheme", "value": scheme}]
    small.cdp("Emulation.setEmulatedMedia", features=feature)
    two_frames(small)
    rows = pixels(small.screenshot())
    assert (len(rows[0]), len(rows)) == (1000, 800)
    corner, middle = rows[-60][3], rows[300][500]
    assert (sum(corner) > 600) == (scheme == "light")
    assert (sum(middle) > 600) == (scheme == "light")
    inked = sum(math.dist(p, middle) > 60 and math.dist(p, corner) > 60 for r in rows for p in r)
    assert 1500 < inked < 200_000
    for name in ("root", "left", "right"):
        x, y = map(round, position(small, name)["screen"])
        assert math.dist(rows[y][x], middle) > 60, name
    x, y = map(round, position(small, "right")["screen"])
    assert math.dist(rows[y + 120][x + 40], middle) < 60  # nothing there
    small.cdp("Emulation.setEmulatedMedia", features=[])


@in_browser
def test_hostile_names(browser, tmp_path):
    edges = [(name, HOSTILE[0]) for name in HOSTILE[1:]]
    embedding = HierarchyEmbedding(dim=2, epochs=5, burn_in=0)
    hierarchy = Hierarchy.from_edges(edges)
    embedding.fit(hierarchy)
    embedding.view(tmp_path / "view.html", hierarchy, title=HOSTILE[0])
    show(browser, tmp_path / "view.html")
    assert browser.log("browser") == []
    for name in HOSTILE:
        browser.run("window.spiraltorchView.select(arguments[0])", name)
        at_rest(browser)
        assert browser.run("return document.getElementById('card-name').textContent") == name
    assert browser.run("return window.broken === undefined && document.title") == HOSTILE[0]


@in_browser
def test_a_projection_keeps_distances_from_the_root(browser, tmp_path, mammals):
    hierarchy = Hierarchy.from_csv(mammals)
    embedding = HierarchyEmbedding(dim=5, epochs=3, burn_in=0)
    embedding.fit(hierarchy)
    embedding.view(tmp_path / "view.html", hierarchy)
    show(browser, tmp_path / "view.html")
    assert "Projection of 5 dimensions" in browser.run("return document.body.innerText")
    for name in ("dog.n.01", "whale.n.02", "homo.n.02"):
        script = "return spiraltorchView.distance('mammal.n.01', arguments[0])"
        want = embedding.distance("mammal.n.01", name)
        assert browser.run(script, name) == pytest.approx(want, rel=1e-4)
    assert browser.run("return spiraltorchView.nodes") == 1182
    branches = browser.run("return [...document.querySelectorAll('#legend button')].length")
    assert branches == 8
    times = browser.run("return spiraltorchView.measure(20)")
    assert len(times) == 20 and min(times) > 0


@in_browser
def test_without_a_hierarchy_there_are_points_only(browser, tmp_path):
    embedding = HierarchyEmbedding(dim=2, epochs=2, burn_in=0, curvature=-0.25)
    embedding.fit(Hierarchy.from_edges(EDGES))
    embedding.view(tmp_path / "view.html")
    show(browser, tmp_path / "view.html")
    assert browser.run("return [spiraltorchView.nodes, spiraltorchView.edges]") == [6, 0]
    assert state(browser)["centre"] == pytest.approx([0, 0], abs=1e-6)
    script = "return spiraltorchView.distance('left', 'rim')"  # in the embedding's own unit
    assert browser.run(script) == pytest.approx(embedding.distance("left", "rim"), rel=1e-4)


@in_browser
def test_the_screenshot_tool(tmp_path, root):
    written(POINTS, EDGES, tmp_path / "view.html")
    tool = [sys.executable, root / "tools" / "screenshot_view.py", "--size", "600", "500"]
    options = ["--select", "left", "--scale", "0.5", "--scheme", "dark"]
    subprocess.run([*tool, *options, tmp_path / "view.html", tmp_path / "view.png"], check=True)
    rows = pixels((tmp_path / "view.png").read_bytes())
    assert (len(rows[0]), len(rows)) == (600, 500) and sum(rows[-5][3]) < 200


def test_views_that_cannot_be_written(tmp_path):
    embedding = HierarchyEmbedding(dim=2, epochs=1, burn_in=0)
    with pytest.raises(ValueError, match="expected a fitted"):
        embedding.view(tmp_path / "view.html")
    embedding.fit(Hierarchy.from_edges(EDGES))
    with pytest.raises(IndexError, match="elsewhere"):
        embedding.view(tmp_path / "view.html", Hierarchy.from_edges([("root", "elsewhere")]))
    with pytest.raises(OSError):
        embedding.view(tmp_path / "absent" / "view.html")
    with pytest.raises(TypeError):
        embedding.view(3)
    assert not list(tmp_path.iterdir())
    points = POINTS | {"left": (math.nan, 0.0)}
    with pytest.raises(ValueError, match="'left'"):
        written(points, EDGES, tmp_path / "bad.html")
