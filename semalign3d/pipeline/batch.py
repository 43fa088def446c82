"""A batch of per-image files: compute what is stale, keep what is not, lose nothing."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from tqdm import tqdm

from semalign3d.files import store

logger = logging.getLogger(__name__)


class ImageBatch:
    """The per-image outputs of one job.

    Every file carries a stamp: a digest of all that made it. A file whose stamp is the
    wanted one is kept. New files are written to a staging folder beside the outputs and
    moved in place when the whole batch is done, since Snakemake removes the outputs of a
    failed job: what was computed before a failure is found there by the next try.

    Parameters
    ----------
    outputs : paths of the files, one per stem.
    stamps : stem -> wanted stamp.

    Attributes
    ----------
    stale : the stems to compute.
    staged : stems whose whole new file waits in the staging folder.
    """

    def __init__(self, outputs: list[str], stamps: Mapping[str, str]) -> None:
        self.outputs = {Path(path).stem: Path(path) for path in outputs}
        self.stamps = dict(stamps)
        self.staged = {
            stem
            for stem in self.outputs
            if store.stamp_of(self._staging_path(stem)) == self.stamps[stem]
        }
        self.stale = [
            stem
            for stem, path in sorted(self.outputs.items())
            if stem not in self.staged and store.stamp_of(path) != self.stamps[stem]
        ]

    @staticmethod
    def existing(path: str | Path) -> Mapping[str, Any]:
        """Attributes of a whole file of an earlier run; none if it is missing or damaged."""
        if store.verify(path) is not None:
            return {}
        with store.open_checked(path) as file:
            return store.attributes(file)

    def _staging_path(self, stem: str) -> Path:
        path = self.outputs[stem]
        return path.parent / ".staged" / path.name

    def progress(self) -> Iterator[str]:
        """The stale stems, with a progress bar where somebody watches."""
        for stem in tqdm(self.stale, unit="image", disable=None):
            logger.info("computing %s", stem)
            yield stem

    @contextmanager
    def create(self, stem: str, **attributes: Any) -> Iterator[h5py.File]:
        """Open the new file of a stem for writing, whole or not at all."""
        stamp = self.stamps[stem]
        with store.create(self._staging_path(stem), stamp=stamp, **attributes) as file:
            yield file
        self.staged.add(stem)

    def finish(self, marker: str) -> str:
        """Move the new files in place; returns a line that says what was done.

        `marker` is touched last: files that are newer than it were changed by somebody else.
        """
        for stem in self.staged:
            os.replace(self._staging_path(stem), self.outputs[stem])
        Path(marker).touch()
        kept = len(self.outputs) - len(self.stale)
        return f"{len(self.stale)} of {len(self.outputs)} images computed, {kept} kept"
