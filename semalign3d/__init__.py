"""3D shape priors of object categories from annotated photos, and matches from the priors."""

from importlib import import_module
from typing import Any

__all__ = ["Prior"]


def __getattr__(name: str) -> Any:
    """`semalign3d.Prior`, loaded when it is first asked for.

    By its name, not by an import statement: every module imports this one, and would seem to
    depend on the prior's code (`semalign3d.pipeline.code`). Type checkers read `__init__.pyi`.
    """
    if name == "Prior":
        return import_module("semalign3d.prior").Prior
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
