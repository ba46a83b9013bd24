"""Times the embedding of WordNet's nouns, dim 10: python bench/bench_embed.py [--gensim SECONDS]

Positive pairs a second by pair (50 negatives) and grouped (200), on one thread and two, pools (the
same bits for any number of threads) and hogwild; by pair with gensim's 10 negatives, on one thread;
closure, exact evaluation, peak memory; and gensim's PoincareModel (pip install gensim), with its 10
negatives and with 50. Every turn is a process of its own: instruction sets take turns, within each
the cases do, and each stretch begins with an epoch that does not count. Given are the fastest
stretch of a turn (others may use the cores), then the median of the turns, and pairs a CPU second;
ratios are those of one turn.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time

FORMS = {  # epochs timed in one go, options
    "by pair": (1, {"grouped": False, "negatives": 50}),
    "grouped": (3, {"grouped": True, "negatives": 200}),
    "by pair of 10": (1, {"grouped": False, "negatives": 10}),
}
THREADED = ("by pair", "grouped")  # on two threads too
CASES = {f"{form}, pools 1": (form, "pools", 1) for form in FORMS} | {
    f"{form}, {mode} 2": (form, mode, 2) for form in THREADED for mode in ("pools", "hogwild")
}
CHANGES = 3  # times that the cases of a turn go round
RATIOS = [
    (f"{form}: {name}", f"{form}, {above}", f"{form}, {below}")
    for form in THREADED
    for name, above, below in (
        ("two threads to one", "pools 2", "pools 1"),
        ("pools to hogwild, two threads", "pools 2", "hogwild 2"),
    )
]


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--gensim", type=float, default=0, metavar="SECONDS", help="a row (default: no)")
    p.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    return p.parse_args()


def hierarchy_of(name):
    from spiraltorch.embed import Hierarchy

    return Hierarchy.wordnet_mammals() if name == "mammals" else Hierarchy.wordnet_nouns()


def epochs_timed(embedding, hierarchy, count, pairs):
    """Goes on for 1 + count epochs; pairs a second in all but the first, and a CPU second."""
    ends = []

    def progress(_):
        ends.append((time.perf_counter(), time.process_time()))
        return len(ends) <= count

    (embedding.resume if embedding.is_fitted else embedding.fit)(hierarchy, progress)
    return [count * pairs / (last - first) for first, last in zip(ends[0], ends[-1], strict=True)]


def time_training(_):
    from spiraltorch.embed import HierarchyEmbedding

    nouns = hierarchy_of("nouns")
    pairs = len(nouns.closure().edges)
    embeddings = {
        name: HierarchyEmbedding(dim=10, mode=mode, threads=threads, **FORMS[form][1])
        for name, (form, mode, threads) in CASES.items()
    }
    rates = {name: [] for name in CASES}
    for _ in range(CHANGES):
        for name, embedding in embeddings.items():
            rates[name].append(epochs_timed(embedding, nouns, FORMS[CASES[name][0]][0], pairs))
    return {name: [max(column) for column in zip(*r, strict=True)] for name, r in rates.items()}


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def time_evaluation(_):
    from spiraltorch.embed import HierarchyEmbedding

    nouns = hierarchy_of("nouns")
    out = {"peak MB after reading": peak_mb()}
    embedding = HierarchyEmbedding(dim=10, epochs=40, burn_in=20)
    out["fit, 20 + 40 epochs, s"] = seconds(lambda: embedding.fit(nouns))
    out["peak MB after training"] = peak_mb()
    result = embedding.evaluate(nouns)
    out["exact evaluation, s"] = statistics.median(
        seconds(lambda: embedding.evaluate(nouns)) for _ in range(3)
    )
    out["peak MB after evaluation"] = peak_mb()
    out["closure, s"] = statistics.median(seconds(nouns.closure) for _ in range(3))
    return out | {"mean rank": result.mean_rank, "MAP": result.map}


class Counted(list):
    """Counts the pairs that are read, and notes when the first was."""

    reads, begin = 0, None

    def __getitem__(self, index):
        self.begin = self.begin or time.process_time()
        self.reads += 1
        return super().__getitem__(index)


def stop(*_):
    raise TimeoutError


def time_gensim(budget):
    """Pairs a CPU second of a first epoch, cut off after a quarter of the budget."""
    from gensim.models.poincare import PoincareModel

    signal.signal(signal.SIGALRM, stop)
    out = {}
    for name, negatives in (("mammals", 10), ("mammals", 50), ("nouns", 10), ("nouns", 50)):
        names = hierarchy_of(name).nodes
        edges = hierarchy_of(name).closure().edges
        pairs = [(names[child], names[parent]) for child, parent, _ in edges]
        model = PoincareModel(pairs, size=10, negative=negatives, burn_in=0)
        model.all_relations = read = Counted(model.all_relations)
        signal.setitimer(signal.ITIMER_REAL, float(budget) / 4)
        try:
            model.train(1, batch_size=10, print_every=10**9)
        except TimeoutError:
            read.reads -= 10  # those of the batch it was at
        signal.setitimer(signal.ITIMER_REAL, 0)
        spent = time.process_time() - read.begin
        out[f"gensim, {name}, {negatives} negatives"] = read.reads, spent
    return out


TIMED = {"training": time_training, "evaluation": time_evaluation, "gensim": time_gensim}


def child(case, argument="", **environment):
    command = [sys.executable, __file__, "--case", case, str(argument)]
    environment = os.environ | {"SPIRALTORCH_NUM_THREADS": "2"} | environment
    out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(out.stdout)


def spread(ratios):
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"


def show_rates(rates):
    """rates[set][turn][case]: pairs a second and a CPU second; gives the medians of the first."""
    for simd, turns in rates.items():
        for name in CASES:
            wall, cpu = (statistics.median(t[name][i] for t in turns) / 1e6 for i in (0, 1))
            print(f"{simd:7} {name:22} {wall:6.2f} M pairs/s {cpu:6.2f} M a CPU second")
        for what, above, below in RATIOS:
            print(f"{simd:7} {what:40} {spread([t[above][0] / t[below][0] for t in turns])}")
    for form in FORMS:
        name = f"{form}, pools 1"
        both = zip(rates["avx2"], rates["default"], strict=True)
        ratios = [narrow[name][1] / wide[name][1] for narrow, wide in both]
        print(f"{form}: avx2 to default, CPU seconds of one thread {spread(ratios)}")
    return {name: statistics.median(t[name][1] for t in rates["default"]) for name in CASES}


def main():
    args = parse()
    if args.case:
        print(json.dumps(TIMED[args.case[0]](args.case[1])))
        return
    rates = {"default": [], "avx2": []}
    for _ in range(args.turns):
        rates["default"].append(child("training"))
        rates["avx2"].append(child("training", SPIRALTORCH_SIMD="avx2"))
    ours = show_rates(rates)
    for name, value in child("evaluation").items():
        print(f"{name:26} {value:9.3f}")
    if args.gensim:
        ours = {form: ours[f"{form}, pools 1"] for form in FORMS}
        for name, (count, spent) in child("gensim", args.gensim).items():
            if count < 1000:  # its rejection of whole draws hardly finds an end: no rate to compare
                print(f"{name}: {count} pairs in {spent:.0f} CPU seconds")
                continue
            rate = count / spent
            print(
                f"{name}: {rate:.0f} pairs a CPU second; ours, nouns, 1 thread: "
                + ", ".join(f"{form} {own / rate:.0f}x" for form, own in ours.items())
            )


if __name__ == "__main__":
    main()
