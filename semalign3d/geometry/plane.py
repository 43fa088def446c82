"""Keypoints in a plane, and the direction out of it (METHOD.md section 8).

Points beside a plane are no combination of points in it. For flat sets of keypoints, such as a
bottle's outline or a screen's corners, the plane's normal takes part as one more corner. It is made
from the keypoints alone, and turns and grows with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semalign3d.geometry.arguments import require_shape

FLAT = 0.1
"""Thickness over length below which keypoints count as flat.

In an image, their depths are wrong by a few per cent of the object's size. Keypoints thinner than
that are in front of each other by chance, and tetrahedra between them are turned inside out. The
demo's bottle has 0.01 (found as 0.02 from 24 images, 0.06 from 8), the aeroplane 0.21, the chair
0.66.
"""
_LINE = 0.1
"""Width over length below which keypoints count as on a line: no direction is normal to them, and
nothing tells how they are turned about it."""


@dataclass(frozen=True)
class Plane:
    """How the normal of K keypoints in a plane follows them.

    The normal has the length of what is 1 long among the keypoints that the plane was made from:
    of a prior, the bounding-box diagonal.

    Attributes
    ----------
    axes : (2, K) float64
        Each row adds up to 0. Rows times keypoints are the two vectors along the plane, of unit
        length and at right angles where the plane was made; where the keypoints have moved, those
        that fit best. Their vector product over the square root of its length is the normal.
        Columns of keypoints that take no part are 0.
    """

    axes: np.ndarray

    def normal(self, keypoints: np.ndarray) -> np.ndarray:
        """The normal (..., 3) of keypoints (..., K, 3); those that take no part may be NaN."""
        area = np.linalg.cross(*self._along(keypoints))
        return area / np.sqrt(_length(area))

    def corners(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints and the normal after them (..., K + 1, 3)."""
        return np.concatenate([keypoints, self.normal(keypoints)[..., None, :]], axis=-2)

    def slopes(self, keypoints: np.ndarray, by_normal: np.ndarray) -> np.ndarray:
        """Gradient (..., K, 3) by the keypoints of what has the gradient (..., 3) by the normal."""
        first, second = self._along(keypoints)
        area = np.linalg.cross(first, second)
        length = _length(area)
        along = np.sum(by_normal * area, axis=-1, keepdims=True) / length**2
        by_area = (by_normal - 0.5 * along * area) / np.sqrt(length)
        by_axes = np.stack([np.linalg.cross(second, by_area), np.linalg.cross(by_area, first)], -2)
        return np.asarray(self.axes.T @ by_axes)

    def of(self, used: np.ndarray) -> Plane:
        """The plane for those of the keypoints alone that are used, (K,) bool."""
        return Plane(self.axes[:, used])

    def _along(self, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two vectors (..., 3) along the plane."""
        part = self.axes.any(axis=0)
        vectors = self.axes[:, part] @ keypoints[..., part, :]
        return vectors[..., 0, :], vectors[..., 1, :]


def _length(vectors: np.ndarray) -> np.ndarray:
    """Lengths (..., 1) of vectors (..., 3), above 0."""
    return np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.finfo(np.float64).tiny)


def plane_coordinates(keypoints: np.ndarray) -> np.ndarray | None:
    """Coordinates (K, 2) of keypoints (K, 3) in their plane; None if they are not flat.

    The axes are the principal ones, by decreasing spread, each with its largest component positive.
    Keypoints that are NaN have none and play no part.
    """
    require_shape("keypoints", keypoints, (None, 3))
    used = np.isfinite(keypoints).all(axis=1)
    if used.sum() < 3:
        return None
    centred = keypoints - keypoints[used].mean(axis=0)
    spread, axes = np.linalg.svd(centred[used])[1:]
    if spread[-1] >= FLAT * spread[0]:
        return None
    along = axes[:2]
    largest = np.take_along_axis(along, np.abs(along).argmax(axis=1)[:, None], axis=1)
    return np.asarray(centred @ (along * np.sign(largest)).T)


def plane_of(coordinates: np.ndarray) -> Plane | None:
    """The plane of keypoints by their coordinates (K, 2) in it, NaN where they take no part.

    None if those that do lie on a line.
    """
    require_shape("coordinates", coordinates, (None, 2))
    used = np.isfinite(coordinates).all(axis=1)
    if used.sum() < 3:
        return None
    if on_a_line(coordinates[used]):
        return None
    axes = np.zeros((2, len(coordinates)))
    axes[:, used] = np.linalg.pinv(coordinates[used] - coordinates[used].mean(axis=0))
    return Plane(axes)


def on_a_line(points: np.ndarray) -> bool:
    """Whether points (n, d) lie on a line, or in one place; n and d at least 2."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] < _LINE * spread[0] or spread[0] == 0.0)
