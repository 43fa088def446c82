"""AP-10K as it is published: COCO-keypoint files and one folder of photos (METHOD.md 1.2)."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import InputError
from .. import mirror_tables
from ..coco.file import CocoFile
from ..coco.objects import coco_record, read_sound_file
from ..names import SPLITS, first_of, require_category, require_split, shared_stems
from ..orientation import Reading
from ..pairing import all_pairs
from ..records import ImageRecord, NoRemarks, PairRecord, Remark

KEYPOINTS = (
    *("left_eye", "right_eye", "nose", "neck", "root_of_tail"),
    *("left_shoulder", "left_elbow", "left_front_paw"),
    *("right_shoulder", "right_elbow", "right_front_paw"),
    *("left_hip", "left_knee", "left_back_paw"),
    *("right_hip", "right_knee", "right_back_paw"),
)
FILE_SPLITS = {"trn": "train", "val": "val", "test": "test"}


def _check_keypoints(names: tuple[str, ...], where: str) -> None:
    if names != KEYPOINTS:
        raise InputError(
            f"{where}: expected the {len(KEYPOINTS)} keypoints {', '.join(KEYPOINTS)}, "
            f"found {len(names)}: {', '.join(names)}"
        )


class Ap10kDataset(NoRemarks):
    """The official folder: data/ with photos, annotations/ with COCO-keypoint files.

    Parameters
    ----------
    root, partition, hidden, name, reading : see `datasets.open_ap10k`.
    """

    def __init__(
        self, root: str | Path, *, partition: int, hidden: bool, name: str, reading: Reading
    ) -> None:
        self.root = Path(root)
        self.name = name
        self._partition = partition
        self._hidden = hidden
        self._reading = reading

    def list_files(self) -> tuple[Path, ...]:
        """The JSON files of the three splits."""
        return tuple(self._path(split) for split in SPLITS)

    def _path(self, split: str) -> Path:
        name = f"ap10k-{FILE_SPLITS[split]}-split{self._partition}.json"
        return self.root / "annotations" / name

    @functools.cached_property
    def _files(self) -> dict[str, CocoFile]:
        """One file a split; validated together, missing ones too."""
        problems: list[str] = []
        files: dict[str, CocoFile] = {}
        for split in SPLITS:
            try:
                files[split] = read_sound_file(self._path(split), self.root / "data")
                problems += [
                    f"{self._path(split)}: category {category!r} {fault}"
                    for category, fault in files[split].categories.faulty.items()
                ]
                for category, names in files[split].names.items():
                    _check_keypoints(names, f"{self._path(split)}: category {category!r}")
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(
                problems, hint="Give the folder of AP-10K that holds annotations and data."
            )
        return files

    @functools.cached_property
    def _species(self) -> tuple[str, ...]:
        found = {name for file in self._files.values() for name, of in file.objects.items() if of}
        return tuple(sorted(found))

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the species that have images."""
        return self._species

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test.

        Raises
        ------
        InputError : no such category (lists those that exist), or an image in two splits.
        """
        require_category(category, self.categories(), self.root)
        found = {
            split: tuple(sorted(file.objects.get(category, {})))
            for split, file in self._files.items()
        }
        problems = [
            f"{category}/{stem} is in more than one split: {', '.join(splits)}"
            for stem, splits in shared_stems(found)
        ]
        if problems:
            raise InputError(first_of(problems))
        return found

    def _split(self, category: str, stem: str) -> str:
        """The split whose file holds an image."""
        require_category(category, self.categories(), self.root)
        for split, file in self._files.items():
            if stem in file.objects.get(category, {}):
                return split
        raise InputError(f"{self.root}: category {category} has no image {stem!r}")

    def image_path(self, category: str, stem: str) -> Path:
        """The image file of a stem."""
        found = self._files[self._split(category, stem)].objects[category][stem]
        return self.root / "data" / found[0].photo.path

    def annotation_path(self, category: str, stem: str) -> Path:
        """The JSON file of the image's split."""
        return self._path(self._split(category, stem))

    def remarks(self, category: str) -> tuple[Remark, ...]:
        """What was skipped in the files of the three splits."""
        found = [remark for file in self._files.values() for remark in file.remarks(category)]
        return tuple(dict.fromkeys(found))

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """None: pairs follow from the images' annotations."""
        return ()

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Validate an image's annotations; `InputError` lists all that is wrong with them."""
        require_split(split, self._files)
        path = self.image_path(category, stem)
        return coco_record(
            self._files[split],
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
        """Names of the keypoints, by id; all species have the same."""
        return KEYPOINTS

    def mirror(self, category: str) -> np.ndarray:
        """(K,) int64: the id that each keypoint becomes when the image is mirrored."""
        return mirror_tables.mirror_permutation(mirror_tables.AP_10K)
