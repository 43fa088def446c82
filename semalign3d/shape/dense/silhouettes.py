"""Points that the photos show to lie beside the object (for METHOD.md section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import distance_transform_edt

from semalign3d.arrays import Array, beside, namespace, to_numpy
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import with_mirror_images
from semalign3d.geometry.frames import Similarity, similarity_procrustes
from semalign3d.geometry.plane import on_a_line
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.cameras.estimation import Cameras

_MISFIT = 1.0 / 3.0
"""A photo of which so many of all points lie outside counts nothing: something else covers the
object, or its mask or pose is wrong."""
_KEYPOINTS = 0.2
"""A photo whose mask misses so many of its own keypoints counts nothing."""
_SIDES = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
"""From an image, and from its mirror image, to the image."""
_SMOOTHING = 1e-9
"""Of the interpolation, so that it is defined for equal keypoints."""
_CELLS = 512
"""A silhouette is looked up in at most so many cells along its longer side."""
_RIM = 0.1
"""Cells around a silhouette's box, in shares of the longer side."""


@dataclass(frozen=True)
class Silhouette:
    """An image's object as seen by its camera.

    Attributes
    ----------
    mask : (H, W) bool.
    keypoints : (K, 3) in camera coordinates, NaN where unseen.
    p : inverse focal length, f in units of the longest side.
    principal : (2,) principal point, pixels.
    """

    mask: np.ndarray
    keypoints: np.ndarray
    p: float
    principal: np.ndarray


def silhouettes_of(cameras: Cameras, masks: Iterable[np.ndarray]) -> Iterator[Silhouette]:
    """Silhouettes of the cameras' images from their masks (H, W) bool, in the cameras' order."""
    for number, mask in zip(range(len(cameras.stems)), masks, strict=True):
        yield Silhouette(
            mask,
            cameras.keypoints_xyz[number],
            float(cameras.p[number]),
            cameras.principal_px[number],
        )


def outside_silhouettes(
    points: Array,
    silhouettes: Iterable[Silhouette],
    keypoints: np.ndarray,
    mirror: np.ndarray | None,
    *,
    margin: float = 0.01,
) -> Array:
    """Share of the photos and mirror images in which points of the prior lie beside the object.

    The prior's keypoints go where a photo has them, or, unseen ones, where the similarity that
    fits best takes them; points follow by smooth interpolation of the keypoints' displacements.
    A photo counts the less, the more of all points lie outside in it, and the more of its own
    keypoints: these show how good its mask is.

    Parameters
    ----------
    points
        (n, 3) in the prior's frame.
    silhouettes
        Of the images, one at a time; those that share fewer than 4 keypoints with the prior, or
        only keypoints on a line, do not count.
    keypoints
        (K, 3) of the prior, NaN where unused.
    mirror
        (K,) mirror table, or None: no mirror images.
    margin
        By how much a point must lie outside, in units of the prior's frame.

    Returns
    -------
    Array
        (n,) in [0, 1], where the points are; 1 if no photo counts: then nothing speaks for any of
        them. What lies outside the image or behind the camera does not lie outside the silhouette.

    Raises
    ------
    ValueError
        If shapes differ, or the margin is below 0.
    """
    require_shape("keypoints", keypoints, (None, 3))
    if not 0.0 <= margin < np.inf:
        raise ValueError(f"margin: expected a length from 0 up, found {margin}")
    if len(points) == 0:
        return points[:, 0]
    xp = namespace(points)
    used = np.isfinite(keypoints).all(axis=1)
    follow = beside(_followers(to_numpy(points), keypoints[used]), points)
    total, outside = 0.0, xp.zeros_like(points[:, 0])
    for silhouette in silhouettes:
        require_shape("silhouettes.keypoints", silhouette.keypoints, keypoints.shape)
        if not silhouette.mask.any():
            continue
        outline = _Outline(silhouette)
        for side, seen in enumerate(with_mirror_images(silhouette.keypoints[None], mirror)[0]):
            shared = used & np.isfinite(seen).all(axis=1)
            if shared.sum() < MIN_KEYPOINTS or on_a_line(keypoints[shared]):
                continue
            pose = similarity_procrustes(keypoints[shared], seen[shared])
            moved = np.where(shared[:, None], seen - pose.apply(keypoints), 0.0)[used]
            carried = _posed(pose, points) + follow @ beside(moved, points)
            flip, gap = beside(_SIDES[side], points), margin * pose.scale
            off = outline.missed(carried * flip, gap)
            weight = _rest(off, _MISFIT)
            weight *= _rest(outline.missed(beside(seen[shared], points) * flip, gap), _KEYPOINTS)
            outside = outside + weight * off
            total += weight
    return outside / total if total > 0.0 else xp.ones_like(outside)


def _rest(off: Array, most: float) -> float:
    """What is left of 1 if some of the points (n,) are off: 0 if `most` of them or more are."""
    return max(1.0 - float(namespace(off).mean(off)) / most, 0.0)


def _followers(points: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Weights (n, K) that interpolate the displacements of keypoints (K, 3) at points (n, 3).

    By the kernel -r and a constant: smooth, and defined for keypoints in a plane, too. Keypoints in
    one place count half each.
    """
    interpolate = RBFInterpolator(
        keypoints, np.eye(len(keypoints)), kernel="linear", degree=0, smoothing=_SMOOTHING
    )
    return np.asarray(interpolate(points))


def _posed(pose: Similarity, points: Array) -> Array:
    """`Similarity.apply` where the points are."""
    return points @ beside(pose.scale * pose.rotation.T, points) + beside(pose.translation, points)


class _Outline:
    """Distances from a silhouette, on a grid of bounded size around it."""

    def __init__(self, silhouette: Silhouette) -> None:
        rows, columns = np.nonzero(silhouette.mask)
        low = np.array([rows.min(), columns.min()])
        size = np.array([rows.max(), columns.max()]) + 1 - low
        step = int(-(-size.max() // _CELLS))
        rim = step * int(np.ceil(_RIM * size.max() / step))
        box = silhouette.mask[low[0] : low[0] + size[0], low[1] : low[1] + size[1]]
        cells = np.pad(box, [(rim, rim + -length % step) for length in size])
        count = np.array(cells.shape) // step
        # A cell is the object's if any of its pixels is: thin parts stay.
        object_cells = cells.reshape(count[0], step, count[1], step).any(axis=(1, 3))
        self._pixels = step * distance_transform_edt(~object_cells)
        self._step = step
        self._first = (low - rim)[::-1] + 0.5 * (step - 1)
        self._size = silhouette.mask.shape[::-1]
        self._per_length = max(self._size) / silhouette.p
        self._principal = np.asarray(silhouette.principal, dtype=np.float64)

    def missed(self, points: Array, gap: float) -> Array:
        """1 where camera points (n, 3) lie beside the silhouette by more than a gap, else 0; (n,)
        float64."""
        xp = namespace(points)
        return xp.astype(self.distance(points) > gap, xp.float64)

    def distance(self, points: Array) -> Array:
        """Distance (n,) of camera points (n, 3) from the silhouette, at their depth.

        0 outside the image and behind the camera: nothing is known there.
        """
        xp = namespace(points)
        z = xp.where(points[:, 2] > 0.0, points[:, 2], xp.nan)
        pixels = points[:, :2] / z[:, None] * self._per_length + beside(self._principal, points)
        known = xp.isfinite(z)
        for axis, length in enumerate(self._size):
            known = known & (pixels[:, axis] > -0.5) & (pixels[:, axis] < length - 0.5)
        pixels = xp.where(known[:, None], pixels, 0.0)
        cells = (pixels - beside(self._first, points)) / self._step
        grid = beside(self._pixels, points)
        last = beside(np.array(grid.shape[::-1]) - 1.0, points)
        nearest = xp.clip(xp.round(cells), xp.zeros_like(last), last)
        beyond = self._step * xp.linalg.vector_norm(cells - nearest, axis=1)
        column, row = (xp.astype(nearest[:, axis], xp.int64) for axis in (0, 1))
        # Within the grid, the distance to the cell's middle is what the grid is coarse by.
        far = grid[row, column] + xp.where(beyond > self._step, beyond, 0.0)
        return xp.where(known, far * z / self._per_length, 0.0)
