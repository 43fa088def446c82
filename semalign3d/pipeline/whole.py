"""Per-image files that were damaged since their job are made again."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..files import store
from ..files.system import FileSystemError
from .images import stage_files


class BatchFiles:
    """The files of every batch of a run, each batch with a marker.

    A job touches its marker when its outputs are whole; outputs that are newer were changed by
    somebody else.

    Parameters
    ----------
    batches : jobs that share a category's split.
    dry : whether the run is a dry one, which changes nothing on disk.
    """

    def __init__(self, batches: int, *, dry: bool = False) -> None:
        self._batches = batches
        self._dry = dry
        self._of_marker: dict[str, list[str]] = {}
        self._said: list[str] = []

    def marker(self, stage: str, category: str, split: str, batch: int, stems: list[str]) -> str:
        """Add a batch; returns the path of its marker, a parameter of the batch's rule.

        In a dry run, names of damaged files follow it: Snakemake then plans the job, since it has
        another parameter than the last time.
        """
        path = f"results/{stage}/{category}/.whole-{split}-{batch}of{self._batches}"
        self._of_marker[path] = stage_files(stage, category, stems)
        return " ".join([path, *self._damaged(path)]) if self._dry else path

    def stems(self) -> dict[str, dict[str, set[str]]]:
        """{stage: {category: stems}} of all batches."""
        found: dict[str, dict[str, set[str]]] = {}
        for path in (path for paths in self._of_marker.values() for path in paths):
            _, stage, category, name = path.split("/")
            found.setdefault(stage, {}).setdefault(category, set()).add(Path(name).stem)
        return found

    def remake_damaged(self) -> Iterator[str]:
        """Have Snakemake make files again that are no longer whole, and say which.

        They get a very old date, so that they are older than the script. A dry run changes
        nothing: there `marker` has seen to it.
        """
        if not self._dry:
            for marker, files in self._of_marker.items():
                for path in self._damaged(marker):
                    os.utime(path, (1, 1))
                if not self._said and any(map(os.path.exists, files)):
                    Path(marker).touch()
                yield from self._said
                self._said = []
        yield from self._said

    def _damaged(self, marker: str) -> list[str]:
        """Files of a batch that are no longer whole; notes what is to be said of them.

        Only files newer than their marker are read, so thousands of whole files cost a stat()
        each. Where the file system gives an error, nothing is known about the file.
        """
        checked = Path(marker).stat().st_mtime_ns if Path(marker).exists() else 0
        found = []
        for path in filter(os.path.exists, self._of_marker[marker]):
            try:
                changed = os.stat(path).st_mtime_ns > checked
                problem = store.verify(path) if changed else None
            except FileSystemError as error:
                self._said.append(str(error))
                continue
            if problem:
                self._said.append(f"{path} is damaged ({problem}): it will be remade.")
                found.append(path)
        return found
