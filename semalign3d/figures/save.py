"""Figures to files, whole or not at all."""

import os
from pathlib import Path

from matplotlib.figure import Figure

DPI = 110


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    target = Path(path)
    partial = target.with_name(f".{target.name}.partial")
    try:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
