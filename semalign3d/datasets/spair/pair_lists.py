"""Datasets whose pairs have names that tell category, source and target (METHOD.md 1.1, 1.2)."""

import functools
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ..names import require_category, require_split
from ..orientation import Reading
from ..records import NoRemarks
from .layout import PairName, images_by_category, read_pair_names


class PairListDataset(NoRemarks):
    """A folder with lists of pairs, or one file a pair under PairAnnotation/<split>.

    Parameters
    ----------
    root : that folder. Nothing is read before it is asked for.
    name : how the dataset is called in results.
    reading : of the photos.
    """

    def __init__(self, root: str | Path, name: str, reading: Reading) -> None:
        self.root = Path(root)
        self.name = name
        self._reading = reading

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
        """Sorted names of the categories that occur in pairs."""
        return tuple(sorted(self._images))

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test, by the pairs that they occur in.

        Raises
        ------
        InputError : no such category (lists those that exist), or damaged lists.
        """
        require_category(category, self._images, self.root)
        return dict(self._images[category])

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """The annotation files of a split's pairs, in the order of their names."""
        return tuple(path for _, path in self._named(category, split))

    def _named(self, category: str, split: str) -> Iterator[tuple[PairName, Path]]:
        """A split's pairs with their files, in the order of their names."""
        self.splits(category)
        require_split(split, self._pairs)
        for pair in self._pairs[split]:
            if pair.category == category:
                yield pair, self.root / "PairAnnotation" / split / f"{pair.name}.json"
