"""The one form of all studies: python -m studies.<study> <command> [options]."""

import sys
from collections.abc import Mapping
from importlib import import_module


def run(study: str, commands: Mapping[str, str]) -> None:
    """Run the command that the command line names.

    Parameters
    ----------
    study : name of the study.
    commands : {command: module of the study}, each with `main(arguments)` and a docstring. Only
        the module that is asked for is imported.
    """
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in commands:
        known = "|".join(commands)
        print(f"usage: python -m studies.{study} {{{known}}} [options]; --help after the command")
        sys.exit(0 if name in ("-h", "--help") else 2)
    import_module(f"studies.{study}.{commands[name]}").main(arguments)
