"""Points carried from one set of keypoints to another by tetrahedra (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semalign3d.errors import InputError
from semalign3d.geometry.shapes import require_finite, require_shape
from semalign3d.geometry.tetrahedra import (
    Tetrahedra,
    all_tetrahedra,
    relative_volumes,
    tetrahedra_of,
)

_CHUNK_VALUES = 1 << 19


@dataclass(frozen=True)
class Anchoring:
    """Points given by the tetrahedra between anchors, so that they follow when the anchors move.

    Attributes
    ----------
    tetrahedra : (n, m, 4) int64
        Numbers of the anchors at the corners.
    barycentric : (n, m, 4) float64
        Coordinates of the point in each tetrahedron; the 4 add up to 1.
    weights : (n, m) float64
        Weight of each tetrahedron; they add up to 1. Unused places have weight 0.
    """

    tetrahedra: np.ndarray
    barycentric: np.ndarray
    weights: np.ndarray

    def follow(self, anchors: np.ndarray) -> np.ndarray:
        """Places (n, 3) of the points for anchors (K, 3)."""
        shares = self.weights[..., None] * self.barycentric
        return np.einsum("nmc,nmcd->nd", shares, anchors[self.tetrahedra])


def warp_weights(
    points: np.ndarray,
    keypoints: np.ndarray,
    targets: np.ndarray,
    *,
    tolerance: float = 0.1,
    flat: float = 0.01,
) -> tuple[np.ndarray, np.ndarray]:
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
        (n, 3) camera coordinates.
    keypoints
        (K, 3) of the view in camera coordinates, NaN where unseen.
    targets
        (K, 3) the prior's keypoints, NaN where unused, or (m, K, 3) those of m priors.
    tolerance
        By how much a barycentric coordinate may leave [0, 1] in a tetrahedron that contains the
        point.
    flat
        Smallest relative volume of a tetrahedron, see `relative_volumes`.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Weights (n, K), each row adding up to 1, and which points lie in a tetrahedron (n,) bool;
        rows of the others are 0.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("keypoints", keypoints, (None, 3))
    require_shape("targets", targets, (-1, len(keypoints), 3))
    priors = np.reshape(targets, (-1, len(keypoints), 3))
    shared = np.flatnonzero(np.isfinite([keypoints, *priors]).all(axis=(0, 2)))
    corners = all_tetrahedra(len(shared))
    for prior in priors:
        corners = corners[relative_volumes(prior[shared], corners) >= flat]
    tetrahedra, _ = tetrahedra_of(keypoints[shared], corners, flat=flat)
    weights = np.zeros((len(points), len(keypoints)))
    if len(tetrahedra) == 0:
        return weights, np.zeros(len(points), dtype=bool)
    local = np.zeros((len(points), len(shared)))
    size = max(_CHUNK_VALUES // (4 * max(len(points), 1)), 1)
    for start in range(0, len(tetrahedra), size):
        local += _weighted_coordinates(
            points, tetrahedra[start : start + size], len(shared), tolerance
        )
    total = local.sum(axis=1)
    inside = total > 0.0
    weights[np.ix_(inside, shared)] = local[inside] / total[inside][:, None]
    return weights, inside


def anchor_points(
    points: np.ndarray,
    anchors: np.ndarray,
    *,
    most: int = 8,
    tolerance: float = 0.1,
    flat: float = 0.01,
) -> Anchoring:
    """Tetrahedra between anchors that hold points.

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
        If all tetrahedra between the anchors are flat.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    used = np.flatnonzero(np.isfinite(anchors).all(axis=1))
    tetrahedra, _ = tetrahedra_of(anchors[used], all_tetrahedra(len(used)), flat=flat)
    if len(tetrahedra) == 0:
        raise InputError(
            "anchors: expected at least one tetrahedron that is not flat, found none",
            hint="The keypoints lie almost in a plane: a smaller dense.flat may help.",
        )
    chosen = np.zeros((len(points), most), dtype=np.int64)
    weights = np.zeros((len(points), most))
    size = max(_CHUNK_VALUES // (4 * len(tetrahedra)), 1)
    for start in range(0, len(points), size):
        rows = slice(start, start + size)
        chosen[rows], weights[rows] = _nearest(points[rows], tetrahedra, most, tolerance)
    maps = tetrahedra.maps[:, :, chosen]
    coordinates = np.einsum("cdnm,nd->nmc", maps[:, :3], points) + maps[:, 3].transpose(1, 2, 0)
    return Anchoring(used[tetrahedra.corners[chosen]], coordinates, weights)


def _nearest(
    points: np.ndarray, tetrahedra: Tetrahedra, most: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n, most) of tetrahedra for points (n, 3), and their weights."""
    outside = -tetrahedra.coordinates(points).min(axis=0)
    contains = outside <= tolerance
    contains[np.arange(len(points)), outside.argmin(axis=1)] = True
    centroids = tetrahedra.centroids
    squares = np.square(points).sum(axis=1)[:, None] + np.square(centroids).sum(axis=1)
    squares = np.where(contains, squares - 2.0 * points @ centroids.T, np.inf)
    chosen = np.argsort(squares, axis=1, kind="stable")[:, :most]
    taken = np.take_along_axis(contains, chosen, axis=1)
    share = np.where(taken, _closeness(points[:, None], centroids[chosen]), 0.0)
    missing = most - chosen.shape[1]
    chosen, share = (np.pad(array, ((0, 0), (0, missing))) for array in (chosen, share))
    return chosen, share / share.sum(axis=1, keepdims=True)


def _closeness(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Inverse distances between points and centroids (..., 3)."""
    return 1.0 / np.maximum(np.linalg.norm(points - centroids, axis=-1), 1e-9)


def _weighted_coordinates(
    points: np.ndarray, tetrahedra: Tetrahedra, count: int, tolerance: float
) -> np.ndarray:
    """Barycentric coordinates (n, count) per corner point, summed over containing tetrahedra.

    Each tetrahedron's are weighted by the inverse distance of the point to its centroid; as they
    add up to 1, a row adds up to the sum of its weights.
    """
    coordinates = tetrahedra.coordinates(points).reshape(4, -1)
    contained = np.flatnonzero((coordinates >= -tolerance).all(axis=0))
    point, number = np.divmod(contained, len(tetrahedra))
    share = _closeness(points[point], tetrahedra.centroids[number])
    summed = np.zeros(len(points) * count)
    for corner in range(4):
        place = point * count + tetrahedra.corners[number, corner]
        values = share * coordinates[corner, contained]
        summed += np.bincount(place, values, minlength=len(summed))
    return summed.reshape(-1, count)
