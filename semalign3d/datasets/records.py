"""What every dataset offers: images with keypoints, pairs of them, splits and mirror tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from ..files.digest import file_digest
from ..files.images import read_image
from ..limits import MAX_MEGAPIXELS

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ImageRecord:
    """An annotated image.

    Attributes
    ----------
    category, stem, split : names; the stem is the file name without folder and ending.
    path : the image file (it may not exist; the checks stage reports that).
    width, height : of the photo as it is read, pixels.
    box : (x1, y1, x2, y2) of the object, pixels.
    keypoints : (K, 2) float64, pixels (x, y); NaN where not seen.
    notes : what was changed or left out of the annotation, one text each.
    turned : whether the photo is read as its EXIF data turn it.
    max_megapixels : a larger photo is refused.
    remarks : doubts about the photo.
    labelled : (K, 2) float64, pixels: keypoints as annotated, those left out among them; NaN where
        there is none. None: as `keypoints`.
    hidden : ids of the keypoints that were left out since they are labelled as hidden.
    """

    category: str
    stem: str
    split: str
    path: Path
    width: int
    height: int
    box: Box
    keypoints: np.ndarray
    notes: tuple[str, ...] = ()
    turned: bool = False
    max_megapixels: float = MAX_MEGAPIXELS
    remarks: tuple["Remark", ...] = ()
    labelled: np.ndarray | None = None
    hidden: tuple[int, ...] = ()

    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the photo, the way round that keypoints and box mean.

        Raises
        ------
        InputError : missing, no image, or too large; names the file.
        """
        return read_image(self.path, turned=self.turned, max_megapixels=self.max_megapixels)

    def identity(self) -> list[Any]:
        """What makes the pixels, for stamps.

        Raises
        ------
        FileNotFoundError : no such photo.
        """
        return [file_digest(self.path), *(["turned"] if self.turned else [])]

    @property
    def visible(self) -> np.ndarray:
        """(K,) bool: which keypoints are seen."""
        return np.isfinite(self.keypoints).all(axis=1)


class PairFlags(NamedTuple):
    """How much the two images of a pair differ, as the dataset grades it."""

    viewpoint: int
    scale: int
    truncation: int
    occlusion: int


@dataclass(frozen=True)
class PairRecord:
    """Two images of a category and the keypoints that both show.

    Attributes
    ----------
    name, category, split : names.
    source, target : stems of the two images.
    source_keypoints, target_keypoints : (n, 2) float64, pixels (x, y).
    ids : (n,) int64, keypoint ids; -1 for a point that is no keypoint of the category.
    target_box : (x1, y1, x2, y2) of the object in the target image, pixels.
    flags : grades of difference; None where the dataset does not grade its pairs.
    """

    name: str
    category: str
    split: str
    source: str
    target: str
    source_keypoints: np.ndarray
    target_keypoints: np.ndarray
    ids: np.ndarray
    target_box: Box
    flags: PairFlags | None


@dataclass(frozen=True)
class Remark:
    """What a dataset skipped, guessed or doubts in a whole category.

    Attributes
    ----------
    level : a warning where the result may suffer, a note where nothing is lost.
    text : what, where, and what to do.
    """

    level: Literal["warning", "note"]
    text: str


class NoRemarks:
    """The default of datasets that read all that they find."""

    def remarks(self, category: str) -> tuple[Remark, ...]:
        """None."""
        return ()

    def unusable(self) -> dict[str, str]:
        """None."""
        return {}


class Dataset(Protocol):
    """A folder of annotated images in some layout."""

    @property
    def name(self) -> str: ...

    @property
    def root(self) -> Path: ...

    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories."""
        ...

    def splits(self, category: str) -> dict[str, tuple[str, ...]]:
        """Sorted stems of the splits trn, val and test."""
        ...

    def list_files(self) -> tuple[Path, ...]:
        """Files that say which images there are, in which split; not all of them need exist."""
        ...

    def image_path(self, category: str, stem: str) -> Path: ...

    def annotation_path(self, category: str, stem: str) -> Path:
        """The file with the image's annotation, which may hold those of many."""
        ...

    def keypoint_names(self, category: str) -> tuple[str, ...]:
        """K names by id; empty where the dataset gives none."""
        ...

    def record(self, category: str, stem: str, split: str) -> ImageRecord:
        """Read and validate an image's annotation; `InputError` lists all its problems."""
        ...

    def remarks(self, category: str) -> tuple[Remark, ...]:
        """What was skipped, guessed or is doubted in a category; notes on images are in records."""
        ...

    def unusable(self) -> dict[str, str]:
        """{name: why} of categories that the dataset names and that cannot be used."""
        ...

    def pair_files(self, category: str, split: str) -> tuple[Path, ...]:
        """Files of their own that a split's pairs are read from; not all of them need exist."""
        ...

    def pairs(self, category: str, split: str) -> Iterator[PairRecord]:
        """Read the pairs of a split, in the order of their names."""
        ...

    def mirror(self, category: str) -> np.ndarray | None:
        """(K,) int64: the id that each keypoint becomes when the image is mirrored.

        None where it is not known: then no mirror images may be used.
        """
        ...
