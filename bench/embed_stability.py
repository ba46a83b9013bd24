"""Seeds and steps of the mammals' embedding, dim 5: python bench/embed_stability.py [--jobs N]

For each step 100 seeds with the defaults otherwise: how many end with an error or a coordinate that
is not finite, and the spread of MAP and mean rank, which shows a collapse. Each fit has one thread.
The exit status is 1 if any was not finite.
"""

import argparse
import math
import multiprocessing
import pathlib
import statistics
import sys
import time

from spiraltorch import Error
from spiraltorch.embed import Hierarchy, HierarchyEmbedding

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "wordnet_mammals.tsv"
STEPS = (0.005, 0.016, 0.05, 0.16, 0.5)  # a tenth to ten times the default


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seeds", type=int, default=100)
    p.add_argument("--steps", type=float, nargs="*", default=STEPS)
    p.add_argument("--epochs", type=int, help="after burn-in (default: the library's)")
    p.add_argument("--jobs", type=int, default=1)
    return p.parse_args()


def fit(job):
    """MAP and mean rank; None where a number is not finite."""
    step, seed, epochs = job
    hierarchy = Hierarchy.from_csv(DATA)
    embedding = HierarchyEmbedding(dim=5, lr=step, seed=seed, epochs=epochs, threads=1)
    try:
        embedding.fit(hierarchy)
        result = embedding.evaluate(hierarchy)
    except Error as e:
        print(f"lr {step}, seed {seed}: {e}", flush=True)
        return None
    coordinates = (x for row in embedding.vectors.tolist() for x in row)
    if not all(math.isfinite(x) for x in (*coordinates, result.map, result.mean_rank)):
        return None
    return result.map, result.mean_rank


def main():
    args = parse()
    bad = 0
    with multiprocessing.get_context("spawn").Pool(args.jobs) as pool:
        for step in args.steps:
            start = time.perf_counter()
            results = pool.map(fit, [(step, seed, args.epochs) for seed in range(args.seeds)], 1)
            good = [r for r in results if r is not None]
            bad += len(results) - len(good)
            line = f"lr {step:<6} {len(good)} of {len(results)} finite"
            for name, values in zip(("MAP", "mean rank"), zip(*good, strict=True), strict=False):
                low, middle, high = min(values), statistics.median(values), max(values)
                line += f", {name} {low:.4f} / {middle:.4f} / {high:.4f}"
            print(
                f"{line} (least / median / most), {time.perf_counter() - start:.0f} s", flush=True
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
