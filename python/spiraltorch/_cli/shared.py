"""What several commands need."""

import argparse
import json
import math
import os

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class Failure(Exception):
    """What stops a command and is no error of the library's."""


def whole(text):
    """A whole number that 64 bits hold."""
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise argparse.ArgumentTypeError(f"got {text}, expected a number of at most 64 bits")
    return value


def seed(text):
    value = int(text)
    if not 0 <= value < 2**64:
        raise argparse.ArgumentTypeError(f"got {text}, expected 0 to 2^64 - 1")
    return value


def read_hierarchy(path):
    from ..embed import Hierarchy

    return Hierarchy.read(path)


def load(path):
    from ..embed import HierarchyEmbedding

    return HierarchyEmbedding.load(path)


def check_folder(path):
    """Before the work, not after it."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise Failure(f"--out: got '{path}', expected a file in a folder that can be written")


def figures(result):
    return {
        "map": result.map,
        "mean_rank": result.mean_rank,
        "nodes": result.nodes,
        "pairs": result.pairs,
        "sampled": result.sampled,
        "per_depth": {
            depth: {"map": level.map, "mean_rank": level.mean_rank, "nodes": level.nodes}
            for depth, level in result.per_depth.items()
        },
    }


def print_figures(result):
    print(f"MAP        {result.map:.4f}")
    print(f"mean rank  {result.mean_rank:.4f}")
    drawn = "   (a sample)" if result.sampled else ""
    print(f"nodes      {result.nodes}   pairs {result.pairs}{drawn}")


def print_json(value):
    """One object a line; numbers that JSON lacks become null."""
    print(json.dumps(without_nan(value), ensure_ascii=False))


def without_nan(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    return [without_nan(v) for v in value] if isinstance(value, list) else value
