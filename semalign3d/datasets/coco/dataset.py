"""Any COCO-keypoint file and a folder of photos: own categories (METHOD.md 1.2)."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...seeds import generator
from ..names import SPLITS, require_category, require_split
from ..orientation import AS_ANNOTATED, Reading
from ..pairing import all_pairs
from ..records import ImageRecord, NoRemarks, PairRecord
from .file import CocoFile, read_coco_file
from .mirror_names import Entry, mirror_from_entries, mirror_from_names
from .objects import coco_record

Chosen = float | Sequence[str]
"""A share of the images, or the names of some."""
NO_MIRROR = "none"


class CocoDataset(NoRemarks):
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
        return read_coco_file(self._annotations)

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories that have keypoints and images."""
        return tuple(sorted(name for name, images in self._file.objects.items() if images))

    def unusable(self) -> dict[str, str]:
        """Categories without keypoint names, or without an annotated photo."""
        unseen = [name for name, images in self._file.objects.items() if not images]
        return {**self._file.nameless, **dict.fromkeys(unseen, "no photo of it is annotated")}

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
        if category in self.unusable():
            raise InputError(f"{self._annotations}: {category}: {self.unusable()[category]}")
        require_category(category, self.categories(), self._annotations)
        return sorted(self._file.objects[category])

    def _listed(self, split: str, names: Sequence[str], category: str) -> list[str]:
        """Stems of the category that a list names; it may name images of other categories, too."""
        known = {
            name: entry.stem
            for images in self._file.objects.values()
            for found in images.values()
            for entry in found[:1]
            for name in (entry.stem, entry.image["file_name"])
        }
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InputError(
                [f"dataset.{split}: no image {name!r} in {self._annotations}" for name in unknown]
            )
        wanted = {known[name] for name in names}
        return [stem for stem in self._file.objects[category] if stem in wanted]

    def list_files(self) -> tuple[Path, ...]:
        """The JSON file."""
        return (self._annotations,)

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        found = self._file.objects.get(category, {}).get(stem)
        if not found:
            raise InputError(f"{self._annotations}: category {category} has no image {stem!r}")
        return self.root / found[0].image["file_name"]

    def annotation_path(self, category: str, stem: str) -> Path:
        """The JSON file, which holds all annotations."""
        return self._annotations

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
            return mirror_from_names(names)
        return mirror_from_entries(list(self._mirror), names)
