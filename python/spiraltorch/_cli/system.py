"""Commands about data and machine: `wordnet`, `devices`, `tune`."""

from .shared import EXIT_DONE, check_folder, print_json


def command_wordnet(args):
    from ..embed import Hierarchy

    check_folder(args.out)
    hierarchy = Hierarchy.wordnet_nouns(args.database)
    if args.subtree:
        hierarchy = hierarchy.subtree(args.subtree)
    hierarchy.write_tsv(args.out)
    counts = {"nodes": len(hierarchy), "edges": len(hierarchy.edges), "out": args.out}
    if args.json:
        print_json(counts)
    else:
        print(f"{counts['nodes']} nodes, {counts['edges']} edges: {args.out}")
    return EXIT_DONE


def command_devices(args):
    from .. import backends, devices

    found = devices()
    if args.json:
        print_json({"backends": backends(), "devices": found})
        return EXIT_DONE
    for d in found:
        facts = [d["arch"], f"{d['compute_units']} {'cores' if d['device'] == 'cpu' else 'units'}"]
        if d["memory_bytes"]:
            facts.append(f"{d['memory_bytes'] / 2**30:.0f} GiB")
        print(f"{d['device']:8} {d['name']}  {', '.join(filter(None, facts))}")
    return EXIT_DONE


def command_tune(args):
    from .._core import _tune

    report = _tune(args.device, args.budget, args.reset)
    if args.json:
        print_json(report)
        return EXIT_DONE
    print(
        f"{report['problems']} problems measured, {report['entries']} size classes where another "
        f"algorithm beats the rules: {report['path']}"
    )
    return EXIT_DONE


def add_commands(commands):
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
