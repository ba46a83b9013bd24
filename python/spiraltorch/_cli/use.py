"""Commands that use an embedding: `eval`, `nearest`, `view`."""

import os

from .shared import (
    EXIT_DONE,
    check_folder,
    figures,
    load,
    print_figures,
    print_json,
    read_hierarchy,
    whole,
)


def evaluation(args):
    if args.links and args.sample is not None:
        args.usage_error("--sample: not with --links, whose edges are few")
    embedding, hierarchy = load(args.embedding), read_hierarchy(args.edges)
    if args.links:
        return embedding.evaluate_links(hierarchy, read_hierarchy(args.links))
    if args.sample is None:
        return embedding.evaluate(hierarchy)
    return embedding.evaluate(hierarchy, sample=args.sample)


def command_eval(args):
    result = evaluation(args)
    if args.json:
        print_json(figures(result))
        return EXIT_DONE
    print_figures(result)
    if args.per_depth:
        print("depth      nodes      MAP  mean rank")
        for depth, level in result.per_depth.items():
            print(f"{depth:5} {level.nodes:10} {level.map:8.4f} {level.mean_rank:10.4f}")
    return EXIT_DONE


def command_nearest(args):
    found = load(args.embedding).nearest(args.name, args.k)
    if args.json:
        print_json([{"name": name, "distance": d} for name, d in found])
        return EXIT_DONE
    for name, distance in found:
        print(f"{distance:8.4f}  {name}")
    return EXIT_DONE


def command_view(args):
    check_folder(args.out)
    embedding = load(args.embedding)
    hierarchy = read_hierarchy(args.edges) if args.edges else None
    embedding.view(args.out, hierarchy, args.title)
    facts = {"out": os.path.abspath(args.out), "nodes": len(embedding), "dim": embedding.dim}
    facts["edges"] = len(hierarchy.edges) if hierarchy else 0
    if args.json:
        print_json(facts)
    else:
        print(f"{facts['nodes']} nodes, {facts['edges']} edges: {args.out}")
    return EXIT_DONE


def add_commands(commands):
    c = commands.add_parser("eval", help="reconstruction or link prediction of an embedding")
    c.add_argument("embedding")
    c.add_argument("edges", help="what it was trained on")
    c.add_argument("--links", metavar="TEST", help="rank these held-out edges instead")
    c.add_argument("--sample", metavar="N", type=whole, help="a quick look at N nodes")
    c.add_argument("--per-depth", action="store_true", help="the figures of each depth, too")
    c.set_defaults(run=command_eval)
    c = commands.add_parser("nearest", help="nearest neighbours of a node")
    c.add_argument("embedding")
    c.add_argument("name")
    c.add_argument("-k", type=whole, default=10)
    c.set_defaults(run=command_nearest)
    c = commands.add_parser("view", help="the Poincaré disk as one HTML file")
    c.add_argument("embedding")
    c.add_argument("--out", required=True, help="where to write the page (.html)")
    c.add_argument("--edges", help="edge list: draws edges, sizes and branches")
    c.add_argument("--title", help="heading of the page")
    c.set_defaults(run=command_view)
