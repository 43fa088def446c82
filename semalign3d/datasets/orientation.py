"""Which way round a photo is read that its EXIF data ask viewers to turn (docs/howto/photos.md)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ..errors import InputError
from ..files.images import Size, image_size, stored_photo
from ..limits import MAX_MEGAPIXELS
from .records import ImageRecord, Remark

Exif = Literal["auto", "stored", "turned"]
MARGIN = 1.0
"""Pixels that a label may lie outside its photo."""


@dataclass(frozen=True)
class Reading:
    """How the photos of a dataset are read.

    Attributes
    ----------
    exif : `stored`: pixels as they are stored; `turned`: as EXIF data ask viewers to turn them;
        `auto`: as the annotated size says, stored where it says nothing.
    max_megapixels : larger photos are refused.
    """

    exif: Exif = "auto"
    max_megapixels: float = MAX_MEGAPIXELS

    def __post_init__(self) -> None:
        if self.exif not in get_args(Exif):
            expected = ", ".join(get_args(Exif))
            raise InputError(f"dataset.exif: expected {expected}, found {self.exif!r}")


AS_ANNOTATED = Reading()
"""How photos are read where nothing else is said."""


@dataclass(frozen=True)
class View:
    """A photo as its annotation means it.

    Attributes
    ----------
    size : (W, H) of the photo as it is read.
    turned : whether it is read as its EXIF data turn it.
    remarks : doubts about that.
    """

    size: Size
    turned: bool = False
    remarks: tuple[Remark, ...] = ()


def view_of(path: Path, size: Size, labels: np.ndarray, exif: Exif) -> View:
    """Decide which way round a photo is read.

    Parameters
    ----------
    path : the photo; where it is missing or no image, nothing is decided.
    size : (W, H) as annotated. Some tools write that of the stored pixels and show them turned.
    labels : (n, 2), pixels (x, y): keypoints and corners of the box.
    exif : what the configuration says.

    Raises
    ------
    InputError : the labels leave the photo as it is stored and fit it as it is turned.
    """
    try:
        stored, orientation = stored_photo(path)
    except InputError:
        return View(size)
    if orientation == 1 or exif == "stored":
        return View(size)
    turned = image_size(path, turned=True)
    if exif == "turned":
        return View(turned if size == stored else size, turned=True)
    if size != stored:
        return View(size, turned=size == turned)
    if stored != turned and not _fit(labels, stored) and _fit(labels, turned):
        raise InputError(
            f"{path}: its EXIF data turn it in viewers, to {turned[0]} x {turned[1]} pixels; its "
            f"labels fit that, and leave the {stored[0]} x {stored[1]} pixels that are stored and "
            "annotated: set dataset.exif: turned (or stored, if the labels are wrong)"
        )
    text = (
        f"{path}: its EXIF data turn it in viewers, and its annotated size fits both ways: read as "
        "it is stored. If it was labelled as viewers turn it, set dataset.exif: turned, else stored"
    )
    return View(size, remarks=(Remark("warning", text),))


def unlabelled(
    path: str | Path, category: str, *, turned: bool, max_megapixels: float = MAX_MEGAPIXELS
) -> ImageRecord:
    """The record of a photo without annotation: no keypoint, and the whole photo as its box.

    Parameters
    ----------
    turned : whether it is read as its EXIF data turn it, if they do.

    Raises
    ------
    InputError : missing, or no image.
    """
    turned = turned and stored_photo(path)[1] > 1
    width, height = image_size(path, turned=turned)
    return ImageRecord(
        category=category,
        stem=Path(path).stem,
        split="",
        path=Path(path),
        width=width,
        height=height,
        box=(0.0, 0.0, float(width), float(height)),
        keypoints=np.empty((0, 2)),
        turned=turned,
        max_megapixels=max_megapixels,
    )


def _fit(labels: np.ndarray, size: Size) -> bool:
    """Whether all labels (n, 2) lie in a photo."""
    return bool(np.all((labels >= -MARGIN) & (labels <= np.array(size) + MARGIN)))
