"""SPair-71k and every dataset in its layout (METHOD.md 1.1)."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import InputError
from . import mirror_tables
from .names import SPLITS, require_category, require_split
from .records import ImageRecord, PairRecord
from .spair_annotations import read_image_annotation, read_pair_annotation
from .spair_layout import PairName, images_by_category, read_pair_names


class SpairDataset:
    """A folder with JPEGImages, ImageAnnotation, and PairAnnotation or Layout.

    Parameters
    ----------
    root : that folder. Nothing is read before it is asked for.
    name : how the dataset is called in results.
    """

    def __init__(self, root: str | Path, name: str = "spair-71k") -> None:
        self.root = Path(root)
        self.name = name

    @functools.cached_property
    def _pairs(self) -> dict[str, tuple[PairName, ...]]:
        if not self.root.is_dir():
            raise InputError(
                f"dataset folder {self.root} does not exist",
                hint="Give the folder that holds JPEGImages, ImageAnnotation and PairAnnotation.",
            )
        return read_pair_names(self.root)

    @functools.cached_property
    def _images(self) -> dict[str, dict[str, tuple[str, ...]]]:
        return images_by_category(self._pairs)

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories that occur in the lists of pairs."""
        return tuple(sorted(self._images))

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test; reads the lists of pairs once.

        Raises
        ------
        InputError : no such category (lists those that exist), or damaged lists.
        """
        require_category(category, self._images, self.root)
        return dict(self._images[category])

    def list_files(self) -> tuple[Path, ...]:
        """The lists of pairs; what is under PairAnnotation is read where they are missing."""
        return tuple(self.root / "Layout" / "large" / f"{split}.txt" for split in SPLITS)

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        return self.root / "JPEGImages" / category / f"{stem}.jpg"

    def annotation_path(self, category: str, stem: str) -> Path:
        """The annotation file of a stem."""
        return self.root / "ImageAnnotation" / category / f"{stem}.json"

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """The annotation files of a split's pairs, in the order of their names."""
        folder = self.root / "PairAnnotation" / split
        named = self._pairs[split]
        return tuple(folder / f"{p.name}.json" for p in named if p.category == category)

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Read an image's annotation; `InputError` lists all that is wrong with it."""
        ids = mirror_tables.listed_ids(self._table(category))
        path = self.annotation_path(category, stem)
        return read_image_annotation(path, self.image_path(category, stem), category, split, ids)

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Read the pairs of a category and split, one after the other, in the order of names."""
        self.splits(category)
        require_split(split, self._pairs)
        ids = mirror_tables.listed_ids(self._table(category))
        for pair in self._pairs[split]:
            if pair.category == category:
                path = self.root / "PairAnnotation" / split / f"{pair.name}.json"
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
