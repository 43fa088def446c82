"""Object points of all views carried to the prior's keypoints (METHOD.md section 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from semalign3d.arrays import Array, beside, namespace, to_device
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import mirror_or_identity
from semalign3d.geometry.normals import surface_normals
from semalign3d.geometry.plane import plane_coordinates, plane_of
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.dense.warp import warp_weights

TOLERANCE = 0.25
"""By how much a barycentric coordinate may leave [0, 1]."""
GRAZING = 0.15
"""Smallest cosine between a surface and the view at which its points are taken."""


@dataclass(frozen=True)
class ViewPoints:
    """Sampled object points of an image in camera space.

    Attributes
    ----------
    xyz : (n, 3) float64
        Points in camera coordinates.
    keypoints : (K, 3) float64
        The image's keypoints in camera coordinates, NaN where unseen.
    """

    xyz: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True)
class FusedPoints:
    """Points of all images and their mirror images, carried to the prior's keypoints.

    All arrays are in the same place.

    Attributes
    ----------
    xyz : (P, 3) float64
        Places in the prior's frame.
    normals : (P, 3) float64
        Unit normals of the surface there, on the side that was seen.
    image : (P,) int64
        Number of the image, in the order given.
    side : (P,) int64
        0 for the image, 1 for its mirror image.
    row : (P,) int64
        Row of the point in the image's `ViewPoints.xyz`.
    """

    xyz: Array
    normals: Array
    image: Array
    side: Array
    row: Array

    def take(self, chosen: Array) -> "FusedPoints":
        """Some of the points, by a mask (P,) or by numbers, wherever these are."""
        there = beside(chosen, self.xyz)
        return FusedPoints(*(array[there] for array in self._arrays()))

    def to(self, device: str | None) -> "FusedPoints":
        """The same on a device, see `arrays.to_device`."""
        return FusedPoints(*(to_device(array, device) for array in self._arrays()))

    def _arrays(self) -> tuple[Array, ...]:
        return self.xyz, self.normals, self.image, self.side, self.row

    def __len__(self) -> int:
        return len(self.xyz)


def fuse_points(
    views: Iterable[ViewPoints],
    keypoints: np.ndarray,
    mirror: np.ndarray | None,
    *,
    per_view: int = 2000,
    tolerance: float = TOLERANCE,
    flat: float = 0.03,
    grazing: float = GRAZING,
    device: str | None = None,
) -> FusedPoints:
    """Points of all views and their mirror images, warped to the prior's keypoints.

    A point of a mirrored view has the same barycentric coordinates between mirrored keypoints, so
    it goes where the same weights take it between the prior's mirrored keypoints.

    If the prior's keypoints lie in a plane, its normal takes part as one more keypoint, in each
    image made from those that the image shows.

    Parameters
    ----------
    views
        Points of each image, one image at a time; an image brings none if it shares fewer than 4
        keypoints with the prior, or these lie in a plane where the prior's do not, or on a line.
    keypoints
        (K, 3) of the prior, NaN where unused.
    mirror
        (K,) mirror table, or None: no mirror images.
    per_view
        At most so many points of an image are warped, evenly taken from its rows.
    tolerance, flat
        Of the warp, see `warp_weights`.
    grazing
        Points whose surface is seen at a smaller cosine than this are dropped: most of them belong
        to no surface, but lie between an outline and what is behind it.
    device
        Where it is computed, see `arrays.compute_device`.

    Returns
    -------
    FusedPoints
        As NumPy arrays.

    Raises
    ------
    ValueError
        If there are no views, or shapes differ.
    """
    require_shape("keypoints", keypoints, (None, 3))
    table = mirror_or_identity(mirror, len(keypoints))
    if per_view < 1:
        raise ValueError(f"per_view: expected at least 1 point, found {per_view}")
    carry = _Carry(keypoints, None if mirror is None else table, tolerance, flat)
    parts = []
    for number, view in enumerate(views):
        require_shape("views.keypoints", view.keypoints, (len(table), 3))
        points = to_device(view.xyz, device)
        rows, normals = facing(points, per_view, grazing)
        sides, inside = carry(points[rows], view.keypoints)
        rows, normals = rows[inside], normals[inside]
        parts.append(_carried(number, rows, points[rows], normals, sides).to(None))
    if not parts:
        raise ValueError("views: expected at least one, found none")
    columns = ("xyz", "normals", "image", "side", "row")
    return FusedPoints(*(np.concatenate([getattr(p, name) for p in parts]) for name in columns))


class _Carry:
    """Carries points of views to the prior and, with a mirror table, to its mirror image.

    Parameters
    ----------
    keypoints : (K, 3) of the prior, NaN where unused.
    table : (K,) mirror table or None.
    tolerance, flat : see `warp_weights`.
    """

    def __init__(
        self, keypoints: np.ndarray, table: np.ndarray | None, tolerance: float, flat: float
    ) -> None:
        self._targets = np.stack([keypoints] if table is None else [keypoints, keypoints[table]])
        self._flat = plane_coordinates(keypoints)
        self._warp = partial(warp_weights, tolerance=tolerance, flat=flat)

    def __call__(self, points: Array, seen: np.ndarray) -> tuple[Array, Array]:
        """Places (S, m, 3) on S sides of those points (n, 3) that go along; which they are (n,).

        `seen` (K, 3) are the keypoints where the points are, NaN where unseen.
        """
        if self._flat is None:
            weights, inside = self._warp(points, seen, self._targets)
            return weights[inside] @ beside(np.nan_to_num(self._targets), points), inside
        shared = np.asarray(np.isfinite([seen, *self._targets]).all(axis=(0, 2)))
        plane = plane_of(np.where(shared[:, None], self._flat, np.nan))
        if plane is None or shared.sum() < MIN_KEYPOINTS:
            none = np.zeros(len(points), dtype=bool)
            return beside(np.zeros((len(self._targets), 0, 3)), points), beside(none, points)
        weights, inside = self._warp(points, seen, self._targets, plane=plane)
        corners = plane.corners(self._targets)
        # Mirroring turns a vector product round: the same weights lead to the other side of the
        # mirrored keypoints' plane.
        corners[1:, -1] *= -1.0
        return weights[inside] @ beside(np.nan_to_num(corners), points), inside


def facing(points: Array, most: int, grazing: float) -> tuple[Array, Array]:
    """Rows (m,) of camera points (n, 3) whose surface faces the camera, and normals (m, 3) there.

    At most `most` rows, evenly taken from all, less those that are seen at a cosine below
    `grazing`.
    """
    xp = namespace(points)
    rows = beside(evenly(len(points), most), points)
    normals = surface_normals(points)[rows]
    ahead = points[rows]
    cosine = -xp.einsum("nd,nd->n", normals, ahead) / xp.linalg.vector_norm(ahead, axis=1)
    return rows[cosine >= grazing], normals[cosine >= grazing]


def _carried(number: int, rows: Array, points: Array, normals: Array, sides: Array) -> FusedPoints:
    """Points (n, 3) of an image with their normals, carried to S sides (S, n, 3)."""
    xp = namespace(points)
    row = xp.concat([rows] * len(sides))
    return FusedPoints(
        xp.reshape(sides, (-1, 3)),
        xp.concat([_carried_normals(points, normals, side) for side in sides]),
        xp.full_like(row, number),
        xp.concat([xp.full_like(rows, side) for side in range(len(sides))]),
        row,
    )


def evenly(count: int, most: int) -> np.ndarray:
    """At most `most` of the rows 0 .. count - 1, evenly spaced, int64."""
    if count <= most:
        return np.arange(count)
    return (np.arange(most) * count + count // 2) // most


def _carried_normals(points: Array, normals: Array, moved: Array) -> Array:
    """Unit normals (n, 3) under the affine map that takes points (n, 3) nearest to moved ones.

    Normals map by the inverse transpose; the pseudo-inverse keeps it finite where the points are
    few or lie in a plane.
    """
    if len(points) == 0:
        return normals
    xp = namespace(points)
    centred = points - xp.mean(points, axis=0)
    linear = xp.linalg.pinv(centred) @ (moved - xp.mean(moved, axis=0))
    turned = normals @ xp.linalg.pinv(linear).T
    length = xp.linalg.vector_norm(turned, axis=1, keepdims=True)
    return xp.where(length > 0.0, turned / xp.where(length > 0.0, length, 1.0), normals)


def points_per_view(most: int, images: int, mirror: np.ndarray | None) -> int:
    """Points of each image so that all images and mirror images bring `most` together."""
    return max(most // (max(images, 1) * (1 if mirror is None else 2)), 1)


def silent_because(seen: np.ndarray, keypoints: np.ndarray) -> str:
    """Why an image with keypoints (K, 3), NaN where unseen, brings no point to the prior's."""
    shared = int(np.isfinite(seen + keypoints).all(axis=1).sum())
    if shared < MIN_KEYPOINTS:
        return f"it shares {shared} keypoints with the prior, {MIN_KEYPOINTS} are needed"
    return "no object point lies between its keypoints, or these are too flat (dense.flat)"
