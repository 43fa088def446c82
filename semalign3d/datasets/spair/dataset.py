"""SPair-71k and every dataset in its layout (METHOD.md 1.1)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import InputError
from .. import mirror_tables
from ..names import SPLITS
from ..orientation import AS_ANNOTATED, Reading
from ..records import ImageRecord, PairRecord
from .annotations import read_image_annotation, read_pair_annotation
from .pair_lists import PairListDataset


class SpairDataset(PairListDataset):
    """A folder with JPEGImages, ImageAnnotation, and PairAnnotation or Layout.

    Parameters
    ----------
    root, name, reading : see `PairListDataset`.
    """

    def __init__(
        self, root: str | Path, name: str = "spair-71k", reading: Reading = AS_ANNOTATED
    ) -> None:
        super().__init__(root, name, reading)

    def list_files(self) -> tuple[Path, ...]:
        """The lists of pairs; what is under PairAnnotation is read where they are missing."""
        return tuple(self.root / "Layout" / "large" / f"{split}.txt" for split in SPLITS)

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        return self.root / "JPEGImages" / category / f"{stem}.jpg"

    def annotation_path(self, category: str, stem: str) -> Path:
        """The annotation file of a stem."""
        return self.root / "ImageAnnotation" / category / f"{stem}.json"

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Read an image's annotation; `InputError` lists all that is wrong with it."""
        ids = mirror_tables.listed_ids(self._table(category))
        path, image_path = self.annotation_path(category, stem), self.image_path(category, stem)
        return read_image_annotation(path, image_path, category, split, ids, self._reading)

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Read the pairs of a category and split, one after the other, in the order of names."""
        named = list(self._named(category, split))
        ids = mirror_tables.listed_ids(self._table(category))
        for pair, path in named:
            yield read_pair_annotation(path, pair, split, ids)

    def mirror(self, category: str) -> np.ndarray:
        """(K,) int64: the id that each keypoint becomes when the image is mirrored."""
        return mirror_tables.mirror_permutation(self._table(category))

    def keypoint_names(self, category: str) -> tuple[str, ...]:
        """SPair-71k numbers its keypoints."""
        return ()

    def _table(self, category: str) -> mirror_tables.Table:
        if category not in mirror_tables.SPAIR:
            raise InputError(
                f"no keypoint mirror table for category {category!r}; "
                f"there are tables for: {', '.join(mirror_tables.SPAIR)}"
            )
        return mirror_tables.SPAIR[category]
