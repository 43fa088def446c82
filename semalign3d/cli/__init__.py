"""The command line: `semalign3d <command>`, one module a command.

A command's module offers `add_parser(commands)`, which sets `run` (arguments -> exit code) as a
default of its parser.
"""

import argparse
import logging
import sys
from collections.abc import Sequence

from ..errors import InputError
from ..files.store import DamagedFileError
from . import check, init, match

COMMANDS = (init, check, match)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error of the input is shown as its message, and the exit code is 1."""
    parser = argparse.ArgumentParser(
        prog="semalign3d", description="3D shape priors of object categories from annotated photos."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in COMMANDS:
        module.add_parser(commands)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return int(given.run(given))
    except (InputError, DamagedFileError, OSError) as error:
        print(f"semalign3d: {error}", file=sys.stderr)
        return 1
