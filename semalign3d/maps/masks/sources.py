"""Where masks come from: SAM, or the user's files."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.records import Box, ImageRecord
from ...files.digest import file_digest
from ..sources import Device, MapSource
from .cleaning import without_specks
from .quality import MaskQuality, mask_quality
from .sam import SamMasks, identity, mask_file, read_mask_file


@dataclass(frozen=True)
class MaskCandidates:
    """Candidates for an object's mask, and the content of results/masks.

    Attributes
    ----------
    masks : (n, H, W) bool, the whole object last.
    scores : (n,) float32, the network's guess of each mask's IoU; 1 of files.
    quality : of each mask.
    agreement : (n,) with keypoints and box, see `MaskQuality`.
    """

    masks: np.ndarray
    scores: np.ndarray
    quality: MaskQuality
    agreement: np.ndarray


MaskSource = MapSource[ImageRecord, MaskCandidates]


def _candidates(photo: ImageRecord, found: np.ndarray, scores: np.ndarray) -> MaskCandidates:
    """The candidates (n, H, W) without specks, judged."""
    masks = np.stack([without_specks(mask) for mask in found])
    quality = mask_quality(masks, photo.keypoints[photo.visible], photo.box)
    return MaskCandidates(masks, scores, quality, quality.agreement)


def _annotation(photo: ImageRecord) -> list[Any]:
    """What masks are made from and judged by, besides the pixels."""
    return [photo.keypoints[photo.visible].tolist(), photo.box]


class SamImages(MaskSource):
    """Photos and their keypoints through SAM."""

    def __init__(self, model_type: str, checkpoint: str | Path, device: Device) -> None:
        self.recipe = identity(model_type, checkpoint)
        self.model_type, self.checkpoint, self.device = model_type, checkpoint, device

    @cached_property
    def network(self) -> SamMasks:
        return SamMasks(self.model_type, self.checkpoint, self.device())

    def made_from(self, photo: ImageRecord) -> list[Any]:
        return [*photo.identity(), *_annotation(photo)]

    def encode(self, photo: ImageRecord) -> MaskCandidates:
        found = self.network.predict(photo.pixels(), photo.keypoints[photo.visible])
        return _candidates(photo, *found)


class MaskFiles(MaskSource):
    """The user's masks, see `read_mask_file`."""

    recipe = "files"

    def __init__(self, root: str | Path) -> None:
        self.root = root

    def made_from(self, photo: ImageRecord) -> list[Any]:
        file = mask_file(self.root, photo.category, photo.stem)
        return [file_digest(file), *_annotation(photo)]

    def encode(self, photo: ImageRecord) -> MaskCandidates:
        size = (photo.width, photo.height)
        found = read_mask_file(self.root, photo.category, photo.stem, size, photo.box)
        return _candidates(photo, *found)


def whole_object(
    root: str | Path, category: str, stem: str, size: tuple[int, int], box: Box
) -> np.ndarray:
    """The last one of an image's masks of the user's files, (H, W) bool, without specks.

    See `read_mask_file`.
    """
    masks, _ = read_mask_file(root, category, stem, size, box)
    return without_specks(masks[-1])


def open_masks(kind: str, source: str, device: Device, *, model_type: str) -> MaskSource:
    """The source that `masks.source` names: `sam` or `files`.

    Parameters
    ----------
    source : SAM's checkpoint, or the root of the files.
    model_type : of SAM.
    """
    return SamImages(model_type, source, device) if kind == "sam" else MaskFiles(source)
