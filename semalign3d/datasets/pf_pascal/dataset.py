"""PF-Pascal: .mat annotations and lists of pairs (METHOD.md 1.3)."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...files.images import image_size
from .. import mirror_tables
from ..names import SPLITS, require_category, require_split, shared_stems
from ..orientation import AS_ANNOTATED, Reading
from ..pairing import pair_of
from ..reading import Findings, image_record, whole_box
from ..records import ImageRecord, NoRemarks, PairRecord
from .files import CATEGORIES, ListedPair, read_keypoints, read_pairs

SAME_POINT = 2.0
"""Pixels between a query of a pair list and the keypoint of the .mat file that it is."""


class PfPascalDataset(NoRemarks):
    """The folder with JPEGImages, Annotations and the three lists of pairs.

    The lists share images. One that is in several belongs to the last of trn, val and test, so
    that no test image feeds a prior; its record notes it.

    Parameters
    ----------
    root : that folder.
    name : how the dataset is called in results.
    reading : of the photos.
    """

    def __init__(
        self, root: str | Path, name: str = "pf-pascal", reading: Reading = AS_ANNOTATED
    ) -> None:
        self.root = Path(root)
        self.name = name
        self._reading = reading

    def list_files(self) -> tuple[Path, ...]:
        """The three lists of pairs."""
        return tuple(self._list_file(split) for split in SPLITS)

    def _list_file(self, split: str) -> Path:
        names = {"trn": ("train", "trn")}.get(split, (split,))
        paths = [self.root / f"{name}_pairs_pf_pascal.csv" for name in names]
        return next((path for path in paths if path.is_file()), paths[0])

    @functools.cached_property
    def _pairs(self) -> dict[str, tuple[ListedPair, ...]]:
        problems: list[str] = []
        found: dict[str, tuple[ListedPair, ...]] = {}
        for split in SPLITS:
            try:
                found[split] = read_pairs(self._list_file(split))
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(
                problems,
                hint="Give the folder of PF-Pascal that holds JPEGImages, Annotations and "
                "{train,val,test}_pairs_pf_pascal.csv.",
            )
        return found

    @functools.cached_property
    def _listed(self) -> dict[str, dict[str, set[str]]]:
        """{category: {split: stems in its list}}."""
        stems: dict[str, dict[str, set[str]]] = {}
        for split, pairs in self._pairs.items():
            for pair in pairs:
                of = stems.setdefault(pair.category, {name: set() for name in SPLITS})
                of[split].update((pair.source, pair.target))
        return stems

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories that occur in the lists."""
        return tuple(sorted(self._listed))

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test.

        Raises
        ------
        InputError : no such category (lists those that exist), or damaged lists.
        """
        require_category(category, self._listed, self.root)
        listed = self._listed[category]
        later: set[str] = set()
        found: dict[str, tuple[str, ...]] = {}
        for split in reversed(SPLITS):
            found[split] = tuple(sorted(listed[split] - later))
            later |= listed[split]
        return {split: found[split] for split in SPLITS}

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        return self.root / "JPEGImages" / f"{stem}.jpg"

    def annotation_path(self, category: str, stem: str) -> Path:
        """The .mat file of a stem."""
        return self.root / "Annotations" / category / f"{stem}.mat"

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """None: pairs stand in the lists of files."""
        return ()

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Read an image's keypoints, and its size from the image; the box is the whole image.

        Raises
        ------
        InputError : lists all that is wrong with the two files.
        """
        require_category(category, self._listed, self.root)
        path, image_path = self.annotation_path(category, stem), self.image_path(category, stem)
        ids = mirror_tables.listed_ids(mirror_tables.PF_PASCAL[category])
        findings = Findings(str(path))
        positions: dict[int, tuple[float, float]] = {}
        width = height = 1
        try:
            positions = read_keypoints(path, len(ids))
        except InputError as error:
            findings.problems += error.problems
        try:
            width, height = image_size(image_path)
        except InputError as error:
            findings.problems += error.problems
        for shared, splits in shared_stems(self._listed[category]):
            if shared == stem:
                findings.note(f"in the lists of {', '.join(splits)}; it counts as {splits[-1]}")
        size, box = (width, height), whole_box(width, height)
        args = (size, box, positions, ids, findings, self._reading)
        return image_record(category, stem, split, image_path, *args)

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Read the pairs of a list, in its order; queries of val and test are those of the list.

        A query has the id of the source image's keypoint that it is.
        """
        require_split(split, self.splits(category))
        for pair in self._pairs[split]:
            if pair.category != category:
                continue
            source = self.record(category, pair.source, split)
            target = self.record(category, pair.target, split)
            if pair.points is None:
                yield pair_of(pair.name, source, target)
                continue
            yield PairRecord(
                name=pair.name,
                category=category,
                split=split,
                source=pair.source,
                target=pair.target,
                source_keypoints=pair.points[0],
                target_keypoints=pair.points[1],
                ids=_ids(pair.points[0], source.keypoints),
                target_box=target.box,
                flags=None,
            )

    def keypoint_names(self, category: str) -> tuple[str, ...]:
        """PF-Pascal numbers its keypoints."""
        return ()

    def mirror(self, category: str) -> np.ndarray:
        """(K,) int64: the id that each keypoint becomes when the image is mirrored."""
        require_category(category, CATEGORIES, self.root)
        return mirror_tables.mirror_permutation(mirror_tables.PF_PASCAL[category])


def _ids(points: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(n,) id of the keypoint (K, 2) nearest to each point (n, 2); -1 where none is near."""
    distance = np.linalg.norm(points[:, None] - keypoints[None], axis=2)
    distance = np.where(np.isnan(distance), np.inf, distance)
    return np.where(distance.min(axis=1) <= SAME_POINT, distance.argmin(axis=1), -1)
