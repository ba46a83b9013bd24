"""The command `spiraltorch`. It reads arguments and prints; the work is the library's."""

import argparse
import os
import sys

from . import system, train, use
from .shared import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, Failure


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, as every error is reported."""

    def error(self, message):
        complain(f"{message} (see {self.prog} --help)")
        sys.exit(EXIT_USAGE)


def parser():
    p = Parser(prog="spiraltorch", description="Embeds hierarchies in Z-space.")
    commands = p.add_subparsers(required=True, metavar="command")
    for part in (train, use, system):
        part.add_commands(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="results as JSON on stdout")
        command.set_defaults(usage_error=command.error)
    return p


def complain(error):
    print("spiraltorch:", " ".join(str(error).split()), file=sys.stderr)


def main(argv=None):
    from .. import Error

    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except BrokenPipeError:  # who read our output has gone; Python must not write there at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (Error, Failure, OSError) as error:
        complain(error)
    except MemoryError:
        complain("out of memory")
    except KeyboardInterrupt:
        complain("interrupted")
        return EXIT_INTERRUPTED
    return EXIT_FAILED
