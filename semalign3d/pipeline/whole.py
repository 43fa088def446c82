"""Per-image files that were damaged since their job are made again."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..files import store
from .images import stage_files


class BatchFiles:
    """The files of every batch of a run, each batch with a marker.

    A job touches its marker when its outputs are whole; outputs that are newer were changed by
    somebody else.

    Parameters
    ----------
    batches : jobs that share a category's split.
    """

    def __init__(self, batches: int) -> None:
        self._batches = batches
        self._of_marker: dict[str, list[str]] = {}

    def marker(self, stage: str, category: str, split: str, batch: int, stems: list[str]) -> str:
        """Add a batch; returns the path of its marker."""
        path = f"results/{stage}/{category}/.whole-{split}-{batch}of{self._batches}"
        self._of_marker[path] = stage_files(stage, category, stems)
        return path

    def stems(self) -> dict[str, dict[str, set[str]]]:
        """{stage: {category: stems}} of all batches."""
        found: dict[str, dict[str, set[str]]] = {}
        for path in (path for paths in self._of_marker.values() for path in paths):
            _, stage, category, name = path.split("/")
            found.setdefault(stage, {}).setdefault(category, set()).add(Path(name).stem)
        return found

    def date_back_damaged(self) -> Iterator[str]:
        """Give files that are no longer whole a very old date, and say which.

        Snakemake then makes them again, since they are older than the script. Only files newer
        than their marker are read, so thousands of whole files cost a stat() each.
        """
        for marker, files in self._of_marker.items():
            checked = Path(marker).stat().st_mtime_ns if Path(marker).exists() else 0
            found = [path for path in map(Path, files) if path.exists()]
            for path in [path for path in found if path.stat().st_mtime_ns > checked]:
                problem = store.verify(path)
                if problem:
                    os.utime(path, (1, 1))
                    yield f"{path} is damaged ({problem}): it will be remade."
            if found:
                Path(marker).touch()
