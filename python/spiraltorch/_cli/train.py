"""`spiraltorch embed`: training, its progress, checkpoints and interruption."""

import argparse
import os
import signal
import sys
import time

from .shared import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    check_folder,
    figures,
    load,
    print_figures,
    print_json,
    read_hierarchy,
    seed,
    whole,
)

YES_OR_NO = {"action": argparse.BooleanOptionalAction}
# Options of HierarchyEmbedding: name, type and help, and what argparse takes besides. What is not
# given is left to the library.
OPTIONS = (
    ("dim", whole, "coordinates of a point (10)"),
    ("manifold", str, "poincare (the default), lorentz or euclidean"),
    ("curvature", float, "below 0 (-1)"),
    ("epochs", whole, "after burn-in"),
    ("batch", whole, "nodes whose gradients share a snapshot"),
    ("lr", float, "step a pair"),
    ("negatives", whole, "drawn for a node or a pair"),
    ("burn_in", whole, "epochs at a fraction of the rate first"),
    ("burn_in_factor", float, "that fraction"),
    ("sampling_power", float, "burn-in negatives by degree^power; 0: uniform"),
    ("init", str, "starting points (tree)", {"choices": ["tree", "uniform"]}),
    ("init_radius", float, "of the tree's leaves, in the unit ball"),
    ("init_scale", float, "uniform: half the side of the cube"),
    ("seed", seed, "equal seeds give equal bits (0)"),
    ("device", str, "what computes (cpu)"),
    ("threads", whole, "of the host (all cores)"),
    ("dtype", str, "of the coordinates (float32)"),
    ("objective", str, "papers (the default) or focused: better ranks, another loss"),
    ("loss_power", float, "p of a pair's loss l^p/p"),
    ("local_negatives", whole, "of the negatives, from a random ancestor's subtree"),
    ("local_from", float, "part of the run without them"),
    ("mode", str, "auto, pools, hogwild or batch"),
    ("closure", None, "train on the closure (yes) or on the edges as given", YES_OR_NO),
    (
        "grouped",
        None,
        "one step a node (yes) or a pair",
        {"action": argparse.BooleanOptionalAction},
    ),
)


class Progress:
    """A bar on a terminal, else one line an epoch, on standard error; then a checkpoint if due."""

    def __init__(self, checkpoint):
        self.terminal = sys.stderr.isatty()
        self.stopped = False
        self.open = False  # a bar whose line has not ended
        self.checkpoint = checkpoint
        self.last = None

    def stop(self, *_):
        self.stopped = True

    def __call__(self, p):
        self.last = p
        line = (
            f"epoch {p.epoch}/{p.epochs}  loss {p.loss:.4f}  "
            f"{p.pairs_per_second:,.0f} pairs/s  {p.seconds_left:.0f} s left"
        )
        if self.terminal:
            filled = 24 * p.epoch // p.epochs
            bar = "#" * filled + "." * (24 - filled)
            print(f"\r[{bar}] {line}\033[K", end="", file=sys.stderr, flush=True)
            self.open = True
        else:
            print(line, file=sys.stderr, flush=True)
        self.checkpoint(p.epoch)
        return not self.stopped

    def close(self):
        if self.open:
            print(file=sys.stderr)


class Checkpoint:
    """Saves an embedding in training each so many epochs or seconds. The file is written beside its
    target and renamed, so that what a crash leaves can be resumed."""

    def __init__(self, embedding, path, every):
        self.embedding, self.path = embedding, path
        self.epochs, self.seconds = every
        self.saved = time.monotonic()

    def __call__(self, epoch):
        due = self.epochs and epoch % self.epochs == 0
        if self.seconds and time.monotonic() - self.saved >= self.seconds:
            due = True
        if due:
            self.embedding.save(self.path)
            self.saved = time.monotonic()


def interval(text):
    """(epochs, None) of "20", (None, seconds) of "30s"."""
    number = text[:-1] if text.endswith("s") else text
    value = float(number) if text.endswith("s") else int(number)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"got {text}, expected epochs (20) or seconds (30s)")
    return (None, value) if text.endswith("s") else (value, None)


def given_options(args):
    return {o[0]: getattr(args, o[0]) for o in OPTIONS if hasattr(args, o[0])}


def prepare(args):
    """The embedding to train, and the method that does it."""
    from .. import Error, set_num_threads
    from ..embed import HierarchyEmbedding

    options = given_options(args)
    if not args.resume:
        if not args.out:
            args.usage_error("the following arguments are required: --out")
        try:
            embedding = HierarchyEmbedding(**options)
        except Error as error:
            args.usage_error(str(error))
        return embedding, embedding.fit
    args.out = args.out or args.resume
    fixed = [f"--{name.replace('_', '-')}" for name in options if name != "threads"]
    if fixed:
        args.usage_error(f"not with --resume, which keeps the options: {', '.join(fixed)}")
    embedding = load(args.resume)
    if "threads" in options:
        set_num_threads(options["threads"])
    return embedding, embedding.resume


def command_embed(args):
    embedding, fit = prepare(args)
    check_folder(args.out)
    hierarchy = read_hierarchy(args.edges)
    progress = Progress(Checkpoint(embedding, args.out, args.checkpoint_every))
    start = time.perf_counter()
    before = signal.signal(signal.SIGINT, progress.stop)
    try:
        finished = fit(hierarchy, progress)
        seconds = time.perf_counter() - start
        embedding.save(args.out)
    finally:
        progress.close()
        signal.signal(signal.SIGINT, before)
    report = results(args, embedding, progress, finished, seconds)
    if not finished:
        if args.json:
            print_json(report)
        print(f"interrupted; go on with --resume {args.out}", file=sys.stderr)
        return EXIT_INTERRUPTED
    print(
        f"{len(embedding)} nodes in {embedding.dim} dimensions, {embedding.epochs_done} epochs, "
        f"{seconds:.1f} s: {args.out}",
        file=sys.stderr,
    )
    result = embedding.evaluate(hierarchy) if args.eval else None
    if args.json:
        print_json(report | ({"evaluation": figures(result)} if result else {}))
    elif result:
        print_figures(result)
    return EXIT_DONE


def results(args, embedding, progress, finished, seconds):
    last = progress.last
    return {
        "out": os.path.abspath(args.out),
        "nodes": len(embedding),
        "finished": finished,
        "epochs": embedding.epochs_done,
        "seconds": seconds,
        "loss": last.loss if last else None,
        "pairs_per_second": last.pairs_per_second if last else None,
        "options": embedding.options,
    }


def add_commands(commands):
    c = commands.add_parser("embed", help="train an embedding of an edge list")
    c.add_argument("edges", help="child and parent a line")
    c.add_argument("--out", help="where to write the embedding (safetensors)")
    c.add_argument("--resume", metavar="PATH", help="go on with this unfinished embedding, exactly")
    c.add_argument(
        "--checkpoint-every",
        metavar="N",
        type=interval,
        default=(None, None),
        help="save --out each N epochs (20) or seconds (30s)",
    )
    c.add_argument("--eval", action="store_true", help="print the reconstruction figures")
    group = c.add_argument_group("model and training; defaults depend on the number of nodes")
    for name, kind, text, *more in OPTIONS:
        extra = dict(*more) if kind is None else {"type": kind, **dict(*more)}
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, default=argparse.SUPPRESS, help=text, **extra)
    c.set_defaults(run=command_embed)
