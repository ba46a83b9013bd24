import json
import math

import pytest

import spiraltorch
from spiraltorch.embed import Hierarchy, HierarchyEmbedding

TREE = Hierarchy.from_parents([-1] + [(i - 1) // 3 for i in range(1, 150)])
QUICK = {"dim": 4, "epochs": 12, "burn_in": 2, "seed": 6}


def fitted(hierarchy=TREE, **options):
    e = HierarchyEmbedding(**{**QUICK, **options})
    assert e.fit(hierarchy)
    return e


def bytes_of(e, path):
    e.save(path)
    return path.read_bytes()


def test_lorentz_vectors_lie_on_the_hyperboloid():
    for curvature in (-1.0, -0.5):
        ball = fitted(curvature=curvature)
        e = fitted(curvature=curvature, manifold="lorentz")
        assert e.vectors.shape() == (150, 5)
        for x in e.vectors.tolist():
            form = -(x[0] ** 2) + sum(v * v for v in x[1:])
            assert abs(form - 1 / curvature) < 4e-7 * x[0] ** 2
        assert e.distance("3", "77") == ball.distance("3", "77")
        assert e.nearest("3", 5) == ball.nearest("3", 5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_euclidean_answers_are_those_of_the_vectors(dtype):
    e = fitted(manifold="euclidean", dtype=dtype, epochs=60)
    x = e.vectors.tolist()
    assert all(math.isfinite(v) for row in x for v in row)
    plain = sorted((math.dist(x[7], x[j]), j) for j in range(150) if j != 7)
    near = e.nearest("7", 149)
    assert [d for _, d in near] == pytest.approx([d for d, _ in plain], rel=1e-5)
    for name, d in near:
        assert d == pytest.approx(math.dist(x[7], x[int(name)]), rel=1e-5)
        assert e.distance("7", name) == pytest.approx(d, rel=1e-5)
    # Mean rank over the closure's pairs, by plain loops.
    above = {}
    for child, parent, _ in TREE.closure().edges:
        above.setdefault(child, set()).add(parent)
    ranks = [
        1 + sum(w != u and w not in linked and math.dist(x[u], x[w]) < math.dist(x[u], x[v])
                for w in range(150))
        for u, linked in above.items()
        for v in linked
    ]  # fmt: skip
    assert e.evaluate(TREE).mean_rank == pytest.approx(sum(ranks) / len(ranks), rel=1e-3)


def test_euclidean_embeddings_answer_no_hyperbolic_questions(tmp_path):
    e = fitted(manifold="euclidean")
    for ask in (
        lambda: e.score("3", "0"),
        e.to_lorentz,
        e.to_poincare,
        e.to_module,
        lambda: e.ancestors_guess("3", 2),
        lambda: e.view(tmp_path / "x.html"),
    ):
        with pytest.raises(spiraltorch.Unsupported, match="euclidean"):
            ask()
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float64"},
        {"manifold": "euclidean", "dtype": "float64"},
        {"manifold": "lorentz", "curvature": -2.0},
        {"objective": "focused", "local_negatives": 9, "local_from": 0.3, "mode": "pools"},
        {"objective": "focused", "grouped": False, "mode": "pools"},
        {"closure": False},
        {"mode": "batch"},
    ],
)
def test_stopped_saved_and_resumed_is_one_run(tmp_path, options):
    whole = bytes_of(fitted(**options), tmp_path / "whole")
    part = HierarchyEmbedding(**{**QUICK, **options})
    assert not part.fit(TREE, lambda p: p.epoch < 5)
    part.save(tmp_path / "part")
    back = HierarchyEmbedding.load(tmp_path / "part")
    assert back.epochs_done == 5
    for name, value in options.items():
        assert back.options[name] == value
    assert back.resume(TREE)
    assert bytes_of(back, tmp_path / "resumed") == whole
    assert HierarchyEmbedding.load(tmp_path / "whole").evaluate(TREE).map == back.evaluate(TREE).map


def test_a_file_of_format_1_goes_on_in_batches(tmp_path):
    raw = bytes_of(fitted(mode="batch"), tmp_path / "two")
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    metadata = header["__metadata__"]
    metadata["format"] = "spiraltorch.embedding/1"
    options = json.loads(metadata["options"])
    for name in (
        "mode",
        "objective",
        "loss_power",
        "local_negatives",
        "local_from",
        "closure",
    ):
        del options[name]
    metadata["options"] = json.dumps(options)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (tmp_path / "one").write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
    back = HierarchyEmbedding.load(tmp_path / "one")
    assert back.options["mode"] == "batch" and back.options["objective"] == "papers"
    assert back.options["closure"] and back.epochs_done == 14


def test_edges_as_given_predict_held_out_links():
    train, test = TREE.split(0.2, 3)
    options = {"closure": False, "init": "uniform", "dim": 5}
    before = fitted(train, **{**options, "epochs": 1, "lr": 1e-12}).evaluate_links(train, test)
    after = fitted(train, **{**options, "epochs": 100, "lr": 0.1}).evaluate_links(train, test)
    assert math.isfinite(after.map)
    assert after.map > 3 * before.map and after.mean_rank < before.mean_rank / 3


def test_hogwild_learns():
    e = fitted(mode="hogwild", epochs=80, threads=2)
    assert e.evaluate(TREE).map > 0.8


@pytest.mark.parametrize("objective", ["papers", "focused"])
@pytest.mark.parametrize("lr", [0.01, 0.3, 5.0])
def test_any_rate_stays_in_the_ball(objective, lr):
    losses = []
    e = HierarchyEmbedding(dim=3, epochs=15, lr=lr, objective=objective)
    e.fit(TREE, lambda p: losses.append(p.loss))
    assert all(math.isfinite(x) for x in losses)
    assert all(sum(v * v for v in row) < 1 for row in e.vectors.tolist())


@pytest.mark.parametrize(
    "options",
    [
        {"device": "wgpu", "mode": "pools"},
        {"device": "wgpu", "mode": "hogwild"},
        {"device": "wgpu", "objective": "focused"},
        {"device": "wgpu", "dtype": "float64"},
        {"mode": "batch", "manifold": "euclidean"},
        {"mode": "batch", "loss_power": 2.0},
        {"mode": "batch", "local_negatives": 4},
    ],
)
def test_options_that_do_not_go_together(options):
    with pytest.raises(spiraltorch.Unsupported, match="got"):
        HierarchyEmbedding(**options)
