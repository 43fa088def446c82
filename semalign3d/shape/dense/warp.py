"""Points carried from one set of keypoints to another (METHOD.md section 8).

Between keypoints that lie in a plane there are no tetrahedra: points are carried by prisms over
triangles of keypoints, and the plane's normal is one more corner (`semalign3d.geometry.plane`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from semalign3d.arrays import (
    Array,
    beside,
    chunk_values,
    group_sums,
    namespace,
    to_numpy,
)
from semalign3d.errors import InputError
from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.plane import Plane, plane_coordinates, plane_of
from semalign3d.geometry.tetrahedra import (
    Tetrahedra,
    all_tetrahedra,
    all_triangles,
    prisms_over,
    relative_areas,
    relative_volumes,
    tetrahedra_of,
)
from semalign3d.shape.dense.neighbourhoods import neighbourhoods

_CHUNK_VALUES = 1 << 19


@dataclass(frozen=True)
class Anchoring:
    """Points given by the tetrahedra between anchors, so that they follow when the anchors move.

    Attributes
    ----------
    tetrahedra : (n, m, 4) int64
        Numbers of the anchors at the corners; K for the normal of anchors in a plane.
    barycentric : (n, m, 4) float64
        Coordinates of the point in each tetrahedron; those of anchors add up to 1.
    weights : (n, m) float64
        Weight of each tetrahedron; they add up to 1. Unused places have weight 0.
    plane : Plane or None
        Of anchors in a plane: how its normal follows them.
    """

    tetrahedra: np.ndarray
    barycentric: np.ndarray
    weights: np.ndarray
    plane: Plane | None = None

    def follow(self, anchors: np.ndarray) -> np.ndarray:
        """Places (n, 3) of the points for anchors (K, 3)."""
        shares = self.weights[..., None] * self.barycentric
        return np.einsum("nmc,nmcd->nd", shares, corners_of(anchors, self.plane)[self.tetrahedra])


def corners_of(anchors: np.ndarray, plane: Plane | None) -> np.ndarray:
    """What points follow: anchors (..., K, 3) and, if they lie in a plane, its normal."""
    return anchors if plane is None else plane.corners(anchors)


def warp_weights(
    points: Array,
    keypoints: np.ndarray,
    targets: np.ndarray,
    *,
    tolerance: float = 0.1,
    flat: float = 0.01,
    plane: Plane | None = None,
) -> tuple[Array, Array]:
    """Weights of keypoints with which points follow from a view to the prior.

    Each point has barycentric coordinates in the tetrahedra of the view's keypoints. Those that
    contain it are weighted by the inverse distance to their centroid; the weighted mean of the
    point's images under the prior's tetrahedra is linear in the prior's keypoints, and these are
    the factors. Tetrahedra that are nearly flat in the view or in the prior take no part.

    Several priors may be given at once, such as one and its mirror image: the weights hold for
    all of them, and a tetrahedron or keypoint that is missing in one takes no part.

    Parameters
    ----------
    points
        (n, 3) camera coordinates; the weights are computed where they are.
    keypoints
        (K, 3) of the view in camera coordinates, NaN where unseen.
    targets
        (K, 3) the prior's keypoints, NaN where unused, or (m, K, 3) those of m priors.
    tolerance
        By how much a barycentric coordinate may leave [0, 1] in a tetrahedron that contains the
        point.
    flat
        Smallest relative volume of a tetrahedron, see `relative_volumes`; with a plane, the
        smallest relative area of a triangle.
    plane
        Of keypoints in a plane. Its normal takes part as keypoint K.

    Returns
    -------
    tuple[Array, Array]
        Weights (n, K), each row adding up to 1, and which points lie in a tetrahedron (n,) bool;
        rows of the others are 0. With a plane (n, K + 1), those of the keypoints adding up to 1.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("keypoints", keypoints, (None, 3))
    require_shape("targets", targets, (-1, len(keypoints), 3))
    priors = np.reshape(targets, (-1, len(keypoints), 3))
    shared = np.flatnonzero(np.isfinite([keypoints, *priors]).all(axis=(0, 2)))
    xp = namespace(points)
    columns = len(keypoints) + (plane is not None)
    weights = beside(np.zeros((len(points), columns)), points)
    for rows, ids in neighbourhoods(points, keypoints, shared):
        corners = beside(ids if plane is None else np.append(ids, len(keypoints)), points)
        tetrahedra = _solid(points, keypoints, priors, ids, flat, plane)
        local = _summed_coordinates(points[rows], tetrahedra, len(corners), tolerance)
        weights[rows[:, None], corners] = local
    total = xp.sum(weights[:, : len(keypoints)], axis=1)
    inside = total > 0.0
    return weights / xp.where(inside, total, 1.0)[:, None], inside


def _solid(
    points: Array,
    keypoints: np.ndarray,
    priors: np.ndarray,
    shared: np.ndarray,
    flat: float,
    plane: Plane | None,
) -> Tetrahedra:
    """Tetrahedra or prisms between the shared keypoints that are flat nowhere, for points."""
    if plane is None:
        subsets, measure = all_tetrahedra(len(shared)), relative_volumes
    else:
        subsets, measure = all_triangles(len(shared)), relative_areas
    corners = beside(subsets, points)
    for prior in priors:
        corners = corners[measure(beside(prior[shared], points), corners) >= flat]
    between = beside(keypoints[shared], points)
    if plane is None:
        return tetrahedra_of(between, corners, flat=flat)[0]
    return prisms_over(between, plane.normal(keypoints), corners, flat=flat)


def anchor_points(
    points: Array,
    anchors: np.ndarray,
    *,
    most: int = 8,
    tolerance: float = 0.1,
    flat: float = 0.01,
) -> Anchoring:
    """Tetrahedra between anchors that hold points, or prisms if the anchors lie in a plane.

    Of the tetrahedra that contain a point the `most` with the nearest centroids are taken,
    weighted by the inverse distance. A point outside all of them gets the one that it leaves
    least.

    Parameters
    ----------
    points
        (n, 3).
    anchors
        (K, 3), NaN where unused.
    most
        Tetrahedra per point.
    tolerance, flat
        As in `warp_weights`.

    Raises
    ------
    InputError
        If all tetrahedra between the anchors are flat, or the anchors lie on a line.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    used = np.flatnonzero(np.isfinite(anchors).all(axis=1))
    coordinates = plane_coordinates(anchors)
    plane = None if coordinates is None else plane_of(coordinates)
    if coordinates is not None and plane is None:
        raise InputError(
            "anchors: expected some that are not on one line, found none",
            hint="More or other keypoints are needed.",
        )
    parts = [
        (to_numpy(rows), _anchored(points[rows], anchors, ids, plane, most, tolerance, flat))
        for rows, ids in neighbourhoods(points, anchors, used)
    ]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    found = [np.concatenate([part[n] for _, part in parts])[order] for n in range(3)]
    return Anchoring(found[0], found[1], found[2], plane)


def _anchored(
    points: Array,
    anchors: np.ndarray,
    ids: np.ndarray,
    plane: Plane | None,
    most: int,
    tolerance: float,
    flat: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners (n, most, 4), coordinates (n, most, 4) and weights (n, most) between some anchors."""
    tetrahedra = _solid(points, anchors, anchors[None], ids, flat, plane)
    if len(tetrahedra) == 0:
        raise InputError(
            "anchors: expected at least one tetrahedron that is not flat, found none",
            hint="A smaller dense.flat may help.",
        )
    corners = np.append(ids, len(anchors))
    chosen = np.zeros((len(points), most), dtype=np.int64)
    weights = np.zeros((len(points), most))
    size = max(chunk_values(points, _CHUNK_VALUES) // (4 * len(tetrahedra)), 1)
    for start in range(0, len(points), size):
        rows = slice(start, start + size)
        found = _nearest(points[rows], tetrahedra, most, tolerance)
        count = found[0].shape[1]
        chosen[rows, :count], weights[rows, :count] = map(to_numpy, found)
    maps = to_numpy(tetrahedra.maps)[:, :, chosen]
    places = np.einsum("cdnm,nd->nmc", maps[:, :3], to_numpy(points))
    places += maps[:, 3].transpose(1, 2, 0)
    return corners[to_numpy(tetrahedra.corners)[chosen]], places, weights


def _nearest(
    points: Array, tetrahedra: Tetrahedra, most: int, tolerance: float
) -> tuple[Array, Array]:
    """Numbers (n, m) of tetrahedra for points (n, 3), m at most `most`, and their weights."""
    xp = namespace(points)
    outside = tetrahedra.outside(tetrahedra.coordinates(points))
    least = xp.min(outside, axis=1, keepdims=True)
    contains = outside <= xp.maximum(least, xp.full_like(least, tolerance))
    centroids = tetrahedra.centroids
    squares = xp.sum(xp.square(points), axis=1)[:, None] + xp.sum(xp.square(centroids), axis=1)
    squares = xp.where(contains, squares - 2.0 * points @ centroids.T, math.inf)
    chosen = xp.argsort(squares, axis=1, stable=True)[:, :most]
    taken = xp.take_along_axis(contains, chosen, axis=1)
    share = xp.where(taken, _closeness(points[:, None], centroids[chosen]), 0.0)
    return chosen, share / xp.sum(share, axis=1, keepdims=True)


def _closeness(points: Array, centroids: Array) -> Array:
    """Inverse distances between points and centroids (..., 3)."""
    xp = namespace(points)
    return 1.0 / xp.clip(xp.linalg.vector_norm(points - centroids, axis=-1), min=1e-9)


def _summed_coordinates(
    points: Array, tetrahedra: Tetrahedra, count: int, tolerance: float
) -> Array:
    """`_weighted_coordinates` (n, count), in chunks of tetrahedra."""
    size = max(chunk_values(points, _CHUNK_VALUES) // (4 * max(len(points), 1)), 1)
    total = beside(np.zeros((len(points), count)), points)
    for start in range(0, len(tetrahedra), size):
        part = tetrahedra[start : start + size]
        total = total + _weighted_coordinates(points, part, count, tolerance)
    return total


def _weighted_coordinates(
    points: Array, tetrahedra: Tetrahedra, count: int, tolerance: float
) -> Array:
    """Barycentric coordinates (n, count) per corner point, summed over containing tetrahedra.

    Each tetrahedron's are weighted by the inverse distance of the point to its centroid; as those
    of keypoints add up to 1, a row adds up to the sum of its weights.
    """
    xp = namespace(points)
    coordinates = xp.reshape(tetrahedra.coordinates(points), (4, -1))
    contained = xp.nonzero(tetrahedra.outside(coordinates) <= tolerance)[0]
    point, number = contained // len(tetrahedra), contained % len(tetrahedra)
    share = _closeness(points[point], tetrahedra.centroids[number])
    summed = sum(
        group_sums(
            share * coordinates[corner, contained],
            point * count + tetrahedra.corners[number, corner],
            len(points) * count,
        )
        for corner in range(4)
    )
    return xp.reshape(summed, (-1, count))
