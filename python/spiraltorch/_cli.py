"""The command `spiraltorch`. It reads arguments and prints; the work is the library's."""

import argparse
import json
import signal
import sys
import time

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class Progress:
    """A bar on a terminal, else one line an epoch, on standard error."""

    def __init__(self):
        self.terminal = sys.stderr.isatty()
        self.stopped = False

    def stop(self, *_):
        self.stopped = True

    def __call__(self, p):
        line = (
            f"epoch {p.epoch}/{p.epochs}  loss {p.loss:.4f}  "
            f"{p.pairs_per_second:,.0f} pairs/s  {p.seconds_left:.0f} s left"
        )
        if self.terminal:
            filled = 24 * p.epoch // p.epochs
            bar = "#" * filled + "." * (24 - filled)
            end = "\n" if p.epoch == p.epochs or self.stopped else ""
            print(f"\r[{bar}] {line}   ", end=end, file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr)
        return not self.stopped


def read_hierarchy(path):
    from .embed import Hierarchy

    return Hierarchy.from_csv(path)


def figures(result):
    return {
        "map": result.map,
        "mean_rank": result.mean_rank,
        "nodes": result.nodes,
        "pairs": result.pairs,
        "per_depth": {
            depth: {"map": level.map, "mean_rank": level.mean_rank, "nodes": level.nodes}
            for depth, level in result.per_depth.items()
        },
    }


def print_figures(result, args):
    if args.json:
        print(json.dumps(figures(result)))
        return
    print(f"MAP        {result.map:.4f}")
    print(f"mean rank  {result.mean_rank:.4f}")
    print(f"nodes      {result.nodes}   pairs {result.pairs}")


def train(args, hierarchy):
    """The embedding, and whether its training ran to the end."""
    from .embed import HierarchyEmbedding

    progress = Progress()
    before = signal.signal(signal.SIGINT, progress.stop)
    try:
        if args.resume:
            embedding = HierarchyEmbedding.load(args.resume)
            return embedding, embedding.resume(hierarchy, progress)
        embedding = HierarchyEmbedding(
            dim=args.dim,
            curvature=args.curvature,
            epochs=args.epochs,
            batch=args.batch,
            lr=args.lr,
            negatives=args.negatives,
            burn_in=args.burn_in,
            init=args.init,
            seed=args.seed,
            device=args.device,
            threads=args.threads,
        )
        return embedding, embedding.fit(hierarchy, progress)
    finally:
        signal.signal(signal.SIGINT, before)


def command_embed(args):
    hierarchy = read_hierarchy(args.edges)
    start = time.perf_counter()
    embedding, finished = train(args, hierarchy)
    seconds = time.perf_counter() - start
    embedding.save(args.out)
    if not finished:
        print(f"interrupted; go on with --resume {args.out}", file=sys.stderr)
        return EXIT_INTERRUPTED
    print(
        f"{len(embedding)} nodes in {embedding.dim} dimensions, {embedding.epochs_done} epochs, "
        f"{seconds:.1f} s: {args.out}",
        file=sys.stderr,
    )
    if args.eval:
        print_figures(embedding.evaluate(hierarchy), args)
    elif args.json:
        print(json.dumps({"out": args.out, "seconds": seconds}))
    return EXIT_DONE


def command_eval(args):
    from .embed import HierarchyEmbedding

    embedding = HierarchyEmbedding.load(args.embedding)
    print_figures(embedding.evaluate(read_hierarchy(args.edges)), args)
    return EXIT_DONE


def command_nearest(args):
    from .embed import HierarchyEmbedding

    found = HierarchyEmbedding.load(args.embedding).nearest(args.name, args.k)
    if args.json:
        print(json.dumps([{"name": name, "distance": d} for name, d in found]))
        return EXIT_DONE
    for name, distance in found:
        print(f"{distance:8.4f}  {name}")
    return EXIT_DONE


def command_wordnet(args):
    from .embed import Hierarchy

    hierarchy = Hierarchy.wordnet_nouns(args.database)
    if args.subtree:
        hierarchy = hierarchy.subtree(args.subtree)
    hierarchy.write_tsv(args.out)
    counts = {"nodes": len(hierarchy), "edges": len(hierarchy.edges), "out": args.out}
    if args.json:
        print(json.dumps(counts))
    else:
        print(f"{counts['nodes']} nodes, {counts['edges']} edges: {args.out}")
    return EXIT_DONE


def command_devices(args):
    from . import backends, devices

    found = devices()
    if args.json:
        print(json.dumps({"backends": backends(), "devices": found}))
        return EXIT_DONE
    for d in found:
        facts = [d["arch"], f"{d['compute_units']} {'cores' if d['device'] == 'cpu' else 'units'}"]
        if d["memory_bytes"]:
            facts.append(f"{d['memory_bytes'] / 2**30:.0f} GiB")
        print(f"{d['device']:8} {d['name']}  {', '.join(filter(None, facts))}")
    return EXIT_DONE


def command_tune(args):
    from ._core import _tune

    report = _tune(args.device, args.budget, args.reset)
    if args.json:
        print(json.dumps(report))
        return EXIT_DONE
    print(
        f"{report['problems']} problems measured, {report['entries']} size classes where another "
        f"algorithm beats the rules: {report['path']}"
    )
    return EXIT_DONE


def add_embed(commands):
    c = commands.add_parser("embed", help="train an embedding of an edge list")
    c.add_argument("edges", help="child and parent a line (.csv, .tsv, .txt)")
    c.add_argument("--out", required=True, help="where to write the embedding (safetensors)")
    c.add_argument("--dim", type=int, default=10)
    c.add_argument("--curvature", type=float, default=-1.0)
    c.add_argument("--epochs", type=int, help="after burn-in")
    c.add_argument("--batch", type=int, help="nodes whose gradients share a snapshot")
    c.add_argument("--lr", type=float, help="step a pair")
    c.add_argument("--negatives", type=int)
    c.add_argument("--burn-in", type=int, help="epochs at a fraction of the rate first")
    c.add_argument("--init", choices=["tree", "uniform"], default="tree")
    c.add_argument("--seed", type=int, default=0)
    c.add_argument("--device", default="cpu")
    c.add_argument("--threads", type=int)
    c.add_argument("--resume", help="go on with this unfinished embedding")
    c.add_argument("--eval", action="store_true", help="print the reconstruction figures")
    c.set_defaults(run=command_embed)


def parser():
    p = argparse.ArgumentParser(prog="spiraltorch", description="Embeds hierarchies in Z-space.")
    commands = p.add_subparsers(required=True, metavar="command")
    add_embed(commands)
    c = commands.add_parser("eval", help="reconstruction figures of an embedding")
    c.add_argument("embedding")
    c.add_argument("edges")
    c.set_defaults(run=command_eval)
    c = commands.add_parser("nearest", help="nearest neighbours of a node")
    c.add_argument("embedding")
    c.add_argument("name")
    c.add_argument("-k", type=int, default=10)
    c.set_defaults(run=command_nearest)
    c = commands.add_parser("wordnet", help="extract WordNet's nouns or a subtree as an edge list")
    c.add_argument("--subtree", help="for example mammal.n.01")
    c.add_argument("--database", help="data.noun, or its folder")
    c.add_argument("--out", required=True)
    c.set_defaults(run=command_wordnet)
    c = commands.add_parser("devices", help="what can compute here")
    c.set_defaults(run=command_devices)
    c = commands.add_parser("tune", help="measure rank selection here and keep what is faster")
    c.add_argument("--device", default="auto")
    c.add_argument("--budget", type=float, default=60.0, help="seconds")
    c.add_argument("--reset", action="store_true", help="forget what was measured before")
    c.set_defaults(run=command_tune)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="results as JSON on stdout")
    return p


def main(argv=None):
    from . import Error

    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except (Error, OSError) as error:
        print(f"spiraltorch: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
