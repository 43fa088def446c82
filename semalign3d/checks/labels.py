"""The annotations of a category as arrays, and where in photo and box their points lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .images import CheckedImage

BOX_MARGIN = 0.1
"""Of the box's longer side: a keypoint this far outside does no harm."""
PHOTO_MARGIN = 0.01
"""Of the photo's longer side, likewise of boxes."""
PIXELS = 2.0
"""As much in any case."""
_FARTHEST = 1e7
"""Pixels: what lies farther out is no nearer to anything, and its square must be a number."""


@dataclass(frozen=True)
class Labels:
    """Annotations that can be read, N of K keypoints.

    Attributes
    ----------
    images : their images.
    sizes : (N, 2) width and height, pixels, as annotated.
    boxes : (N, 4) x1, y1, x2, y2, pixels.
    points : (N, K, 2) keypoints as annotated, pixels, NaN where there is none; also those that are
        left out since they are hidden or lie outside the photo.
    names : of the keypoints, by id.
    """

    images: tuple[CheckedImage, ...]
    sizes: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, images: Sequence[CheckedImage], names: Sequence[str]) -> Labels:
        """Of all images whose annotations can be used."""
        used = [(image, image.record) for image in images if image.record is not None]
        records = [record for _, record in used]
        count = max([len(names), *(len(record.keypoints) for record in records)])
        points = np.full((len(records), count, 2), np.nan)
        for row, record in zip(points, records, strict=True):
            labelled = record.keypoints if record.labelled is None else record.labelled
            row[: len(labelled)] = np.clip(labelled, -_FARTHEST, _FARTHEST)
        return cls(
            images=tuple(image for image, _ in used),
            sizes=np.array([(r.width, r.height) for r in records], dtype=float).reshape(-1, 2),
            boxes=np.array([r.box for r in records], dtype=float)
            .reshape(-1, 4)
            .clip(-_FARTHEST, _FARTHEST),
            points=points,
            names=tuple(
                " ".join([str(number), *names[number : number + 1]]) for number in range(count)
            ),
        )

    @cached_property
    def used(self) -> np.ndarray:
        """(N, K, 2) keypoints that later stages use, NaN where there is none."""
        points = np.full_like(self.points, np.nan)
        for row, image in zip(points, self.images, strict=True):
            if image.record is not None:
                row[: len(image.record.keypoints)] = image.record.keypoints
        return points

    @cached_property
    def visible(self) -> np.ndarray:
        """(N, K) bool: which keypoints later stages use."""
        return np.asarray(np.isfinite(self.used).all(axis=2))

    @cached_property
    def labelled(self) -> np.ndarray:
        """(N, K) bool: which keypoints are annotated."""
        return np.asarray(np.isfinite(self.points).all(axis=2))

    @cached_property
    def boxed(self) -> np.ndarray:
        """(N,) bool: which images have a box of their own, not the whole photo."""
        whole = np.concatenate([np.zeros_like(self.sizes), self.sizes], axis=1)
        return np.asarray(np.abs(self.boxes - whole).max(axis=1, initial=0.0) > PIXELS)

    @cached_property
    def at_origin(self) -> np.ndarray:
        """(N, K) bool: keypoints at exactly (0, 0)."""
        return np.asarray((self.points == 0.0).all(axis=2))

    def outside_photo(self, points: np.ndarray) -> np.ndarray:
        """(N, K) bool: which of other points in their place lie outside the photo; not NaN."""
        low, high = -points, points - (self.sizes[:, None] - 1.0)
        return np.asarray(np.maximum(low, high).max(axis=2) > 1.0)

    def outside_boxes(self, points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(N, K) bool: which points lie clearly outside the boxes (N, 4)."""
        margin = BOX_MARGIN * (boxes[:, 2:] - boxes[:, :2]).max(axis=1) + PIXELS
        away = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:]).max(axis=2)
        return np.asarray(away > margin[:, None])

    def beyond_photo(self, boxes: np.ndarray) -> np.ndarray:
        """(N,) pixels by which boxes leave the photo, 0 where it is no matter."""
        over = np.maximum(-boxes[:, :2], boxes[:, 2:] - self.sizes).max(axis=1)
        allowed = np.maximum(PHOTO_MARGIN * self.sizes.max(axis=1), PIXELS)
        return np.where(over > allowed, over, 0.0)

    def said(self, row: int, ids: np.ndarray) -> str:
        """An image with some of its keypoints, such as: a.jpg (3 left_ear, 4 right_ear)."""
        names = [self.names[number] for number in np.flatnonzero(ids)[:3]]
        more = int(ids.sum()) - len(names)
        return f"{self.images[row].name} ({', '.join(names)}{f' and {more} more' * (more > 0)})"
