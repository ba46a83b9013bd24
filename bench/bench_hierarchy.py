"""Times hierarchies' readers and closures: python bench/bench_hierarchy.py [--nodes N …]

Random recursive trees (node i hangs below a uniform one of 0 … i-1) of each size, read from an
array and from files, and WordNet's nouns. Each case runs in a process of its own: its peak of
resident memory is what the system says, the interpreter's 20 MB included.
"""

import argparse
import array
import gzip
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nodes", type=int, nargs="*", default=[1_000_000, 10_000_000])
    p.add_argument("--folder", help="for the files of a run (default: a temporary one)")
    p.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    return p.parse_args()


def recursive_tree(nodes, seed=0):
    draw = random.Random(seed).random
    parents = array.array("i", [-1])
    parents.extend(int(draw() * i) for i in range(1, nodes))
    return parents


def write_tree(nodes, path):
    parents = recursive_tree(nodes)
    with open(path, "w") as plain, gzip.open(f"{path}.gz", "wt", 6) as packed:
        for begin in range(1, nodes, 100_000):
            end = min(nodes, begin + 100_000)
            block = "".join(f"{i}\t{parents[i]}\n" for i in range(begin, end))
            plain.write(block)
            packed.write(block)


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(name, call, show):
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    print(f"{name:34} {seconds:8.2f} s  peak {peak_mb():6.0f} MB  {show(result)}", flush=True)
    return result


def run_case(kind, what):
    from spiraltorch.embed import Hierarchy

    if kind == "array":
        parents = recursive_tree(int(what))
        h = timed(f"from_parents {what}", lambda: Hierarchy.from_parents(parents), repr)
        del parents
    elif kind == "file":
        h = timed(f"read {pathlib.Path(what).name}", lambda: Hierarchy.read(what), repr)
    else:
        h = timed("wordnet_nouns", Hierarchy.wordnet_nouns, repr)
    timed("  depth", h.depth, str)
    timed("  closure", h.closure, repr)


def main():
    args = parse()
    if args.case:
        run_case(*args.case)
        return

    def case(*arguments):
        subprocess.run([sys.executable, __file__, "--case", *arguments], check=True)

    case("wordnet", "nouns")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for nodes in args.nodes:
            path = f"{folder}/{nodes}.tsv"
            write_tree(nodes, path)
            case("array", str(nodes))
            case("file", path)
            case("file", f"{path}.gz")


if __name__ == "__main__":
    main()
