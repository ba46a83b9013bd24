import json

import pytest

from spiraltorch.embed import Hierarchy, HierarchyEmbedding

TREE = [(str(i), str((i - 1) // 2)) for i in range(1, 60)]


def test_hierarchies(tmp_path):
    h = Hierarchy.from_edges([("dog", "mammal"), ("cat", "mammal", 2.0), ("dog", "mammal")])
    assert h.nodes == ["dog", "mammal", "cat"]
    assert h.edges == [(0, 1, 2.0), (2, 1, 2.0)]
    assert h.report()["duplicate_edges"] == 1
    assert len(h.closure()) == 3 and h.roots() == ["mammal"] and h.leaves() == ["dog", "cat"]
    h.write_tsv(tmp_path / "h.tsv")
    assert Hierarchy.from_csv(tmp_path / "h.tsv", weight=2).edges == h.edges
    assert Hierarchy.from_parents([-1, 0, 0]).depth() == 1
    assert len(Hierarchy.from_edges([("a", "b"), ("b", "a"), ("c", "a")]).closure("collapse")) == 2
    for bad in ([("a",)], [("a", "b", 1, 2)]):
        with pytest.raises(ValueError):
            Hierarchy.from_edges(bad)
    with pytest.raises(TypeError):
        Hierarchy.from_edges("ab")
    with pytest.raises(ValueError):
        h.closure("ignore")


def test_a_split_holds_out_closure_edges():
    h = Hierarchy.from_edges(TREE)
    train, test = h.split(test=0.2, seed=3)
    assert train.nodes == test.nodes == h.nodes
    pairs = sorted(h.closure().edges)
    assert sorted(train.edges + test.edges) == pairs
    assert len(test.edges) == round(0.2 * len(pairs))
    assert {i for e in train.edges for i in e[:2]} == set(range(60))
    assert h.split(seed=3)[1].edges != h.split(seed=4)[1].edges
    assert set(h.edges) <= set(h.split(0.2, pairs="inferred")[0].edges)
    outer = {h.index(name) for name in h.roots() + h.leaves()}
    assert not outer & {i for e in h.split(0.2, pairs="inner")[1].edges for i in e[:2]}
    with pytest.raises(ValueError, match="pairs: got 'leaf'"):
        h.split(pairs="leaf")
    with pytest.raises(ValueError, match="test: got 1"):
        h.split(1)


def test_wordnet_from_python():
    assert len(Hierarchy.wordnet_nouns()) == 82115
    assert len(Hierarchy.wordnet_mammals().closure().edges) == 6542


def test_training_saving_and_loading(tmp_path):
    h = Hierarchy.from_edges(TREE)
    seen = []
    e = HierarchyEmbedding(dim=3, epochs=4, burn_in=1, seed=1)
    assert e.fit(h, lambda p: seen.append((p.epoch, p.epochs, p.loss)))
    assert [s[:2] for s in seen] == [(i, 5) for i in range(1, 6)]
    assert e.vectors.shape() == (60, 3) and len(e) == 60 and e.index("7") == h.index("7")
    result = e.evaluate(h)
    assert (
        0 < result.map <= 1 and result.mean_rank >= 1 and set(result.per_depth) == set(range(1, 6))
    )
    e.save(tmp_path / "e.safetensors")
    back = HierarchyEmbedding.load(tmp_path / "e.safetensors")
    assert back.vectors.data() == e.vectors.data() and back.names == e.names
    assert back.nearest("7", 3) == e.nearest("7", 3)
    assert e.distance("7", e.nearest("7", 1)[0][0]) == pytest.approx(e.nearest("7", 1)[0][1])
    again = HierarchyEmbedding(dim=3, epochs=4, burn_in=1, seed=1, threads=1)
    again.fit(h)
    assert again.vectors.data() == e.vectors.data()


def test_a_callback_stops_and_its_exception_arrives():
    h = Hierarchy.from_edges(TREE)
    e = HierarchyEmbedding(dim=2, epochs=5, burn_in=0)
    assert not e.fit(h, lambda p: p.epoch < 2)
    assert e.epochs_done == 2
    assert e.resume(h)
    assert e.epochs_done == 5

    def broken(p):
        raise KeyError("callback")

    with pytest.raises(KeyError):
        e.fit(h, broken)


def test_safetensors_readers_can_read_it(tmp_path):
    """The public format: header length, JSON header, data; offsets fill the rest of the file."""
    e = HierarchyEmbedding(dim=2, epochs=1, burn_in=0)
    e.fit(Hierarchy.from_edges(TREE))
    e.save(tmp_path / "e")
    raw = (tmp_path / "e").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert header["vectors"]["dtype"] == "F32" and header["vectors"]["shape"] == [60, 2]
    assert header["vectors"]["data_offsets"] == [0, len(raw) - 8 - length]
    assert all(isinstance(v, str) for v in header["__metadata__"].values())
    assert json.loads(header["__metadata__"]["names"]) == e.names


def test_a_file_saved_in_the_callback_resumes_to_the_same_bits(tmp_path):
    h = Hierarchy.from_edges(TREE)
    e = HierarchyEmbedding(dim=3, epochs=4, burn_in=1, curvature=-2.0)
    assert e.fit(h, lambda p: e.save(tmp_path / f"{p.epoch}"))
    for epoch in range(1, 6):
        back = HierarchyEmbedding.load(tmp_path / f"{epoch}")
        assert back.epochs_done == epoch
        assert back.resume(h) and back.vectors.data() == e.vectors.data()
