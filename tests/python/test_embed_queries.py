import math

import numpy as np
import pytest

from spiraltorch import nn
from spiraltorch.embed import Hierarchy, HierarchyEmbedding

TREE = [(str(i), str((i - 1) // 2)) for i in range(1, 60)]


@pytest.fixture(scope="module")
def tree():
    return Hierarchy.from_edges(TREE)


@pytest.fixture(scope="module")
def trained(tree):
    e = HierarchyEmbedding(dim=3, epochs=4, burn_in=1, seed=1)
    e.fit(tree)
    return e


def distances(e):
    """Between all rows, in double, by the formula."""
    x = np.array(e.to_poincare().tolist())
    gap = 1 - (x**2).sum(1)
    squares = ((x[:, None] - x[None]) ** 2).sum(2)
    return np.arccosh(1 + 2 * squares / gap[:, None] / gap[None])


def figures(e, hits, known=None):
    """Mean rank and MAP of {row: rows}, `known` rows left out of a row's ranking."""
    d = distances(e)
    ranks, precisions = [], []
    for u, mine in hits.items():
        out = {u} | set(mine) | set((known or {}).get(u, ()))
        others = np.delete(d[u], list(out))
        closer = [int((others < d[u, v]).sum()) for v in sorted(mine, key=lambda v: d[u, v])]
        ranks += [c + 1 for c in closer]
        precisions.append(np.mean([(i + 1) / (c + i + 1) for i, c in enumerate(closer)]))
    return np.mean(ranks), np.mean(precisions)


def links(e, h):
    out = {}
    for child, parent, _ in h.edges:
        out.setdefault(e.index(h.nodes[child]), []).append(e.index(h.nodes[parent]))
    return out


def test_reconstruction(tree, trained):
    result = trained.evaluate(tree)
    rank, precision = figures(trained, links(trained, tree.closure()))
    assert result.mean_rank == pytest.approx(rank) and result.map == pytest.approx(precision)
    assert result.nodes == 59 and not result.sampled
    assert sum(level.pairs for level in result.per_depth.values()) == result.pairs
    part = trained.evaluate(tree, sample=10, seed=4)
    assert part.sampled and part.nodes == 10
    assert part.map == trained.evaluate(tree, sample=10, seed=4).map
    assert trained.evaluate(tree, sample=59).map == result.map
    with pytest.raises(ValueError, match="sample: got 0"):
        trained.evaluate(tree, sample=0)


def test_link_prediction(tree, trained):
    closure = tree.closure()
    named = [(closure.nodes[c], closure.nodes[p]) for c, p, _ in closure.edges]
    train = Hierarchy.from_edges([e for i, e in enumerate(named) if i % 3])
    test = Hierarchy.from_edges(named[::3])
    result = trained.evaluate_links(train, test)
    rank, precision = figures(trained, links(trained, test), links(trained, train))
    assert result.mean_rank == pytest.approx(rank) and result.map == pytest.approx(precision)
    assert result.pairs == len(test.edges)
    with pytest.raises(ValueError, match="which train has as well"):
        trained.evaluate_links(train, train)
    with pytest.raises(IndexError, match="'x'"):
        trained.evaluate_links(train, Hierarchy.from_edges([("x", "0")]))


def test_neighbours(trained):
    d = distances(trained)
    np.fill_diagonal(d, np.inf)
    found = trained.nearest_many(trained.names, 4)
    assert found.indices.shape() == (60, 4)
    want = np.sort(d, axis=1)[:, :4]
    assert np.array(found.distances.tolist()) == pytest.approx(want, rel=1e-5)
    got = np.take_along_axis(d, np.array(found.indices.tolist()), axis=1)
    assert got == pytest.approx(want, rel=1e-5)
    one = trained.nearest_many(["7"], 4).indices.tolist()[0]
    assert [trained.names[i] for i in one] == [n for n, _ in trained.nearest("7", 4)]
    with pytest.raises(ValueError, match="names: got none"):
        trained.nearest_many([], 4)
    with pytest.raises(ValueError, match="k: got 60, expected 1 to 59"):
        trained.nearest_many(["7"], 60)


def test_guesses_and_scores(trained):
    d = distances(trained)
    norms = np.linalg.norm(np.array(trained.to_poincare().tolist()), axis=1)
    u = trained.index("33")
    order = [int(v) for v in np.argsort(d[u]) if norms[v] < norms[u]][:5]
    guesses = trained.ancestors_guess("33", 5)
    assert [trained.index(name) for name, _ in guesses] == order
    assert [far for _, far in guesses] == pytest.approx(d[u, order], rel=1e-5)
    inner = trained.names[int(norms.argmin())]
    assert trained.ancestors_guess(inner) == []
    v = trained.index("0")
    for alpha in (1000.0, 0.0, 3.5):
        want = -(1 + alpha * (norms[v] - norms[u])) * d[u, v]
        assert trained.score("33", "0", alpha) == pytest.approx(want, rel=1e-5)
    assert trained.score("33", "0") == trained.score("33", "0", 1000.0)
    with pytest.raises(ValueError):
        trained.score("33", "0", math.nan)


def test_models_and_modules(trained):
    x = np.array(trained.to_poincare().tolist())
    assert trained.to_poincare().tolist() == trained.vectors.tolist()
    square = (x**2).sum(1, keepdims=True)
    want = np.hstack([1 + square, 2 * x]) / (1 - square)
    assert np.array(trained.to_lorentz().tolist()) == pytest.approx(want, rel=1e-6)
    module = trained.to_module(name="places")
    assert isinstance(module, nn.PoincareEmbedding)
    assert module.weight.tolist() == trained.vectors.tolist()
    assert [name for name, _ in module.named_parameters()] == ["places::weight"]
    assert module.forward([[7], [3]]).tolist() == [x[7].tolist(), x[3].tolist()]
    a, b = trained.names[7], trained.names[3]
    assert module.distance(7, 3) == pytest.approx(trained.distance(a, b), rel=1e-5)
    twin = nn.PoincareEmbedding.from_pretrained(trained.vectors, curvature=-1.0)
    assert twin.weight.tolist() == trained.vectors.tolist() and twin.curvature() == -1.0


def test_word2vec(tmp_path, trained):
    """As gensim's KeyedVectors.load_word2vec_format reads it: split at single spaces."""
    trained.export_word2vec(tmp_path / "e.txt")
    header, *lines = (tmp_path / "e.txt").read_bytes().decode().split("\n")
    assert header == "60 3" and lines.pop() == ""
    parts = [line.rstrip().split(" ") for line in lines]
    assert [p[0] for p in parts] == trained.names
    assert np.float32([p[1:] for p in parts]).tolist() == trained.vectors.tolist()
    spaced = HierarchyEmbedding(dim=2, epochs=1, burn_in=0)
    spaced.fit(Hierarchy.from_edges([("golden retriever", "dog")]))
    with pytest.raises(ValueError, match="golden retriever"):
        spaced.export_word2vec(tmp_path / "s.txt")
    assert not (tmp_path / "s.txt").exists()
    spaced.export_word2vec(tmp_path / "s.txt", space="_")
    assert (tmp_path / "s.txt").read_text().split("\n")[1].startswith("golden_retriever ")
