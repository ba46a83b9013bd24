"""Link prediction on WordNet's mammals: who is an ancestor of whom, for pairs never shown.

A PoincareEmbedding trained with RiemannianAdam by the ranking loss of Nickel & Kiela (2017): the
cross-entropy of minus the distances of a node from its ancestor and from nodes not linked to it.
Nine tenths of the transitive closure (1,182 nodes, 6,542 pairs) are shown; each held-out ancestor
is ranked by its distance among all nodes that are not linked to the descendant. The same in flat
space stands beside it. Measured, 60 epochs, seed 0, chance 590:

    Poincaré ball, 5 dimensions: mean rank 28.7, mean reciprocal rank 0.547
    flat space, 5 dimensions: mean rank 142.7, mean reciprocal rank 0.050

    python examples/mammals_links.py
"""

import pathlib
import random
import sys
import time

import spiraltorch as st
from spiraltorch import nn, optim

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "wordnet_mammals.tsv"
DIM, NEGATIVES, BATCH = 5, 20, 64


def closure(pairs):
    """What follows from the pairs by transitivity: a node's known ancestors, and itself."""
    linked = {}
    for u, v in pairs:
        linked.setdefault(u, {u}).add(v)
    grown = True
    while grown:
        grown = False
        for own in linked.values():
            more = set().union(*(linked.get(v, ()) for v in own)) - own
            grown = grown or bool(more)
            own |= more
    return linked


def load(seed):
    """Node count, and the closure's pairs: shown and held out."""
    lines = [line.split("\t")[:2] for line in DATA.read_text(encoding="utf-8").splitlines() if line]
    names = sorted({name for line in lines for name in line})
    number = {name: i for i, name in enumerate(names)}
    linked = closure([(number[a], number[b]) for a, b in lines])
    pairs = [(u, v) for u in sorted(linked) for v in sorted(linked[u]) if u != v]
    random.Random(seed).shuffle(pairs)
    cut = len(pairs) * 9 // 10
    return len(names), pairs[:cut], pairs[cut:]


class Distances(nn.Module):
    """Rows [u, v, w, …] of node numbers to minus the distances of u from v, w, …"""

    def __init__(self, count, hyperbolic):
        super().__init__()
        self.table = nn.PoincareEmbedding(count, DIM) if hyperbolic else nn.Embedding(count, DIM)
        self.ball = st.PoincareBall(-1.0) if hyperbolic else None

    def distances(self, a, b):
        if self.ball is not None:
            return self.ball.dist(a, b)
        difference = a - b
        return ((difference * difference).sum(1) + 1e-12).sqrt()

    def forward(self, rows):
        width = rows.cols
        points = self.table(rows).reshape(rows.rows * width, DIM)
        places = range(rows.rows * width)
        u = points.index_select([i - i % width for i in places if i % width])
        others = points.index_select([i for i in places if i % width])
        return self.distances(u, others).reshape(rows.rows, width - 1).scale(-1.0)


class Pairs:
    """Batches with fresh negatives in each pass: nodes that the shown pairs do not lead to."""

    def __init__(self, count, pairs, seed):
        self.random = random.Random(seed)
        self.count, self.pairs = count, list(pairs)
        self.linked = closure(pairs)

    def negative(self, u):
        while True:
            w = self.random.randrange(self.count)
            if w not in self.linked[u]:
                return w

    def __iter__(self):
        self.random.shuffle(self.pairs)
        for i in range(0, len(self.pairs), BATCH):
            rows = [
                [u, v, *(self.negative(u) for _ in range(NEGATIVES))]
                for u, v in self.pairs[i : i + BATCH]
            ]
            yield st.Tensor.from_rows(rows), st.Tensor(len(rows), 1)  # the true ancestor is class 0


def mean_rank(model, count, shown, held):
    """Mean rank, and mean reciprocal rank, of held-out ancestors among nodes not linked."""
    linked = {}
    for u, v in [*shown, *held]:
        linked.setdefault(u, {u}).add(v)
    table = model.parameters()[0]
    ranks = []
    with st.no_grad():
        for u, v in held:
            d = model.distances(table.index_select([u] * count), table).data()
            ranks.append(1 + sum(d[w] < d[v] for w in range(count) if w not in linked[u]))
    return sum(ranks) / len(ranks), sum(1 / r for r in ranks) / len(ranks)


def run(hyperbolic, epochs=60, seed=0):
    st.manual_seed(seed)
    count, shown, held = load(seed)
    model = Distances(count, hyperbolic)
    trainer = st.ModuleTrainer(
        optimizer=optim.RiemannianAdam(model.parameters(), lr=0.03 if hyperbolic else 0.1),
        scheduler=optim.CosineLR(epochs, floor=0.02),
    )
    start = time.perf_counter()
    trainer.fit(model, nn.CrossEntropy(), Pairs(count, shown, seed), epochs, progress=False)
    seconds = time.perf_counter() - start
    return *mean_rank(model, count, shown, held), seconds


def main(epochs=60):
    for name, hyperbolic in (("Poincaré ball", True), ("flat space", False)):
        rank, reciprocal, seconds = run(hyperbolic, epochs)
        print(
            f"{name}, {DIM} dimensions: held-out ancestors have mean rank {rank:.1f},"
            f" mean reciprocal rank {reciprocal:.3f} ({epochs} epochs, {seconds:.0f} s)"
        )


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
