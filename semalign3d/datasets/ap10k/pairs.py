"""AP-10K in the layout of its correspondence benchmark (METHOD.md 1.2)."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import InputError
from .. import mirror_tables
from ..coco.objects import object_record
from ..orientation import Reading
from ..pairing import pair_of
from ..reading import Findings, read_json_object
from ..records import ImageRecord, PairRecord
from ..spair.layout import PairName, images_by_category
from ..spair.pair_lists import PairListDataset
from .dataset import KEYPOINTS


class Ap10kPairsDataset(PairListDataset):
    """The benchmark's layout: JPEGImages, ImageAnnotation and PairAnnotation by family and species.

    Parameters
    ----------
    root, hidden, name, reading : see `datasets.open_ap10k`.
    """

    def __init__(self, root: str | Path, *, hidden: bool, name: str, reading: Reading) -> None:
        super().__init__(root, name, reading)
        self._hidden = hidden

    @functools.cached_property
    def _images(self) -> dict[str, dict[str, tuple[str, ...]]]:
        images = images_by_category(self._pairs)
        missing = sorted(set(images) - set(self._families))
        if missing:
            folder = self.root / "ImageAnnotation"
            raise InputError([f"{folder}/<family>/{name}: no such folder" for name in missing])
        return images

    @functools.cached_property
    def _families(self) -> dict[str, str]:
        """{species: family}."""
        families: dict[str, str] = {}
        problems: list[str] = []
        for folder in sorted((self.root / "ImageAnnotation").glob("*/*/")):
            family = families.setdefault(folder.name, folder.parent.name)
            if family != folder.parent.name:
                problems.append(f"{folder}: the species is in family {family} as well")
        if problems:
            raise InputError(problems)
        return families

    def list_files(self) -> tuple[Path, ...]:
        """None: the names of the files under PairAnnotation tell."""
        return ()

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        return self.root / "JPEGImages" / self._family(category) / category / f"{stem}.jpg"

    def annotation_path(self, category: str, stem: str) -> Path:
        """The annotation file of a stem."""
        return self.root / "ImageAnnotation" / self._family(category) / category / f"{stem}.json"

    def _family(self, category: str) -> str:
        self.splits(category)
        return self._families[category]

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Read an image's annotation; `InputError` lists all that is wrong with it."""
        path = self.annotation_path(category, stem)
        values = read_json_object(path, ("width", "height", "keypoints"))
        return object_record(
            values,
            values,
            str(path),
            category,
            stem,
            split,
            self.image_path(category, stem),
            KEYPOINTS,
            use_hidden=self._hidden,
            reading=self._reading,
        )

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Read the pairs of a split, in the order of their names."""
        named = list(self._named(category, split))
        stems = self.splits(category)[split]
        records = {stem: self.record(category, stem, split) for stem in stems}
        for pair, path in named:
            self._check_pair(pair, path)
            yield pair_of(pair.name, records[pair.source], records[pair.target])

    def _check_pair(self, pair: PairName, path: Path) -> None:
        """The files that a pair's file names are those of its own name."""
        findings = Findings(str(path))
        keys = {"src_json_path": pair.source, "trg_json_path": pair.target}
        values = read_json_object(path, tuple(keys))
        for key, stem in keys.items():
            end = "/".join(self.annotation_path(pair.category, stem).parts[-4:])
            if not isinstance(values[key], str) or not f"/{values[key]}".endswith(f"/{end}"):
                findings.problem(f"{key}: expected .../{end}, found {values[key]!r}")
        if findings.problems:
            raise InputError(findings.problems)

    def keypoint_names(self, category: str) -> tuple[str, ...]:
        """Names of the keypoints, by id; all species have the same."""
        return KEYPOINTS

    def mirror(self, category: str) -> np.ndarray:
        """(K,) int64: the id that each keypoint becomes when the image is mirrored."""
        return mirror_tables.mirror_permutation(mirror_tables.AP_10K)
