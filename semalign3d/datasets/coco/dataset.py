"""Any COCO-keypoint file and a folder of photos: own categories (METHOD.md 1.2)."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...seeds import generator
from ..names import SPLITS, as_written, did_you_mean, require_split, some_of
from ..orientation import AS_ANNOTATED, Reading
from ..pairing import all_pairs
from ..records import ImageRecord, PairRecord, Remark
from .file import HINT, CocoFile
from .mirror_entries import NO_MIRROR, Entry, mirror_from_entries
from .mirror_names import half_remarks, sides_from_names
from .objects import coco_record, read_sound_file

Chosen = float | Sequence[str]
"""A share of the images, or the names of some."""


class CocoDataset:
    """A COCO-keypoint file, and the photos that it names.

    Parameters
    ----------
    root : folder of the photos.
    annotations : the JSON file.
    val, test : the images of these splits, a category's others being for training: a share, drawn
        by the seed, or a list of file names (with or without ending).
    mirror : which keypoints swap in a mirror image: pairs and single ones, by name or id; "none":
        not known; None: told by names with left and right.
    hidden : whether keypoints that are labelled but hidden (v = 1) count as seen.
    seed : of the shares.
    name : how the dataset is called in results.
    reading : of the photos.
    """

    def __init__(
        self,
        root: str | Path,
        annotations: str | Path,
        *,
        val: Chosen = 0.1,
        test: Chosen = 0.2,
        mirror: Sequence[Entry] | str | None = None,
        hidden: bool = False,
        seed: int = 0,
        name: str = "coco",
        reading: Reading = AS_ANNOTATED,
    ) -> None:
        self.root = Path(root)
        self.name = name
        self._annotations = Path(annotations)
        self._chosen = {"test": test, "val": val}
        self._mirror = mirror
        self._hidden = hidden
        self._seed = seed
        self._reading = reading

    @functools.cached_property
    def _file(self) -> CocoFile:
        if not self.root.is_dir():
            raise InputError(f"{self.root}: no such folder; dataset.root is that of the photos")
        return read_sound_file(self._annotations, self.root)

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories that have keypoints and annotated photos.

        Raises
        ------
        InputError : there is none; says of each category why not.
        """
        if not self._file.names:
            reasons = [f"{self._annotations}: {why}" for why in self._file.categories.why_none()]
            raise InputError(reasons, hint=HINT)
        return tuple(sorted(self._file.names))

    def unusable(self) -> dict[str, str]:
        """Categories without keypoint names or labelled keypoints, or with faults."""
        return {**self._file.categories.unlabelled, **self._file.categories.faulty}

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test.

        Raises
        ------
        InputError : no such category (lists those that exist), or names in the lists of val and
            test that no image has, or that are in both.
        """
        left = self._stems(category)
        order = sorted(left, key=lambda stem: self._draw(category, stem))
        found: dict[str, tuple[str, ...]] = {}
        for split, chosen in self._chosen.items():
            if isinstance(chosen, int | float):
                count = round(chosen * len(left))
                taken = [stem for stem in order if stem not in found.get("test", ())][:count]
            else:
                taken = self._listed(split, chosen, category)
            found[split] = tuple(sorted(taken))
        both = sorted(set(found["test"]) & set(found["val"]))
        if both:
            raise InputError(f"dataset.val and dataset.test: both hold {', '.join(both)}")
        rest = set(left) - set(found["test"]) - set(found["val"])
        return {split: found.get(split, tuple(sorted(rest))) for split in SPLITS}

    def _draw(self, category: str, stem: str) -> float:
        """A random number of the image's own, so that a new image hardly moves the others."""
        return float(generator(self._seed, "split", category, stem).random())

    def _stems(self, category: str) -> list[str]:
        self._file.require(category)
        return sorted(self._file.objects[category])

    def _listed(self, split: str, names: Sequence[str], category: str) -> list[str]:
        """Stems of the category that a list names; it may name any photo of the file."""
        known: dict[str, set[str]] = {}
        for photo in self._file.photos:
            for name in (photo.stem, photo.name, str(photo.path), photo.path.name, photo.path.stem):
                known.setdefault(as_written(name), set()).add(photo.stem)
        found = {name: known.get(as_written(name), set()) for name in names}
        problems = [
            f"dataset.{split}: no image {name!r} in {self._annotations}{did_you_mean(name, known)}"
            for name, stems in found.items()
            if not stems
        ] + [
            f"dataset.{split}: {name!r} could be {some_of(sorted(stems))}"
            for name, stems in found.items()
            if len(stems) > 1 and name not in stems
        ]
        if problems:
            raise InputError(problems)
        wanted = {name if name in stems else min(stems) for name, stems in found.items()}
        return [stem for stem in self._file.objects[category] if stem in wanted]

    def list_files(self) -> tuple[Path, ...]:
        """The JSON file."""
        return (self._annotations,)

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        found = self._file.objects.get(category, {}).get(stem)
        if not found:
            raise InputError(f"{self._annotations}: category {category} has no image {stem!r}")
        return self.root / found[0].photo.path

    def annotation_path(self, category: str, stem: str) -> Path:
        """The JSON file, which holds all annotations."""
        return self._annotations

    def remarks(self, category: str) -> tuple[Remark, ...]:
        """What was skipped in the file, and keypoints whose name has a side but no partner."""
        names = self.keypoint_names(category)
        return self._file.remarks(category) + half_remarks(category, names, self._mirror)

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """None: pairs follow from the images' annotations."""
        return ()

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Validate an image's annotations; `InputError` lists all that is wrong with them."""
        path = self.image_path(category, stem)
        return coco_record(
            self._file,
            category,
            stem,
            split,
            path,
            use_hidden=self._hidden,
            reading=self._reading,
        )

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Every image of a split with the others, see `all_pairs`."""
        stems = self.splits(category)
        require_split(split, stems)
        return all_pairs(category, stems[split], lambda stem: self.record(category, stem, split))

    def keypoint_names(self, category: str) -> tuple[str, ...]:
        """Names of the keypoints, by id."""
        self._stems(category)
        return self._file.names[category]

    def mirror(self, category: str) -> np.ndarray | None:
        """(K,) int64 mirror table, or None where it is not known."""
        names = self.keypoint_names(category)
        if self._mirror == NO_MIRROR:
            return None
        if self._mirror is None:
            return sides_from_names(names).table
        return mirror_from_entries(list(self._mirror), names)
