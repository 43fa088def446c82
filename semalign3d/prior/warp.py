"""Points carried from one set of keypoints to another (METHOD.md section 8).

Between keypoints that lie in a plane there are no tetrahedra: points are carried by prisms over
triangles of keypoints, and the plane's normal is one more corner (`semalign3d.geometry.plane`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semalign3d.errors import InputError
from semalign3d.geometry.plane import Plane, plane_coordinates, plane_of
from semalign3d.geometry.shapes import require_finite, require_shape
from semalign3d.geometry.tetrahedra import (
    Tetrahedra,
    all_tetrahedra,
    all_triangles,
    prisms_over,
    relative_areas,
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
    points: np.ndarray,
    keypoints: np.ndarray,
    targets: np.ndarray,
    *,
    tolerance: float = 0.1,
    flat: float = 0.01,
    plane: Plane | None = None,
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
        Smallest relative volume of a tetrahedron, see `relative_volumes`; with a plane, the
        smallest relative area of a triangle.
    plane
        Of keypoints in a plane. Its normal takes part as keypoint K.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Weights (n, K), each row adding up to 1, and which points lie in a tetrahedron (n,) bool;
        rows of the others are 0. With a plane (n, K + 1), those of the keypoints adding up to 1.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("keypoints", keypoints, (None, 3))
    require_shape("targets", targets, (-1, len(keypoints), 3))
    priors = np.reshape(targets, (-1, len(keypoints), 3))
    shared = np.flatnonzero(np.isfinite([keypoints, *priors]).all(axis=(0, 2)))
    tetrahedra = _solid(keypoints, priors, shared, flat, plane)
    corners = shared if plane is None else np.append(shared, len(keypoints))
    weights = np.zeros((len(points), len(keypoints) + (plane is not None)))
    if len(tetrahedra) == 0:
        return weights, np.zeros(len(points), dtype=bool)
    local = np.zeros((len(points), len(corners)))
    size = max(_CHUNK_VALUES // (4 * max(len(points), 1)), 1)
    for start in range(0, len(tetrahedra), size):
        local += _weighted_coordinates(
            points, tetrahedra[start : start + size], len(corners), tolerance
        )
    total = local[:, : len(shared)].sum(axis=1)
    inside = total > 0.0
    weights[np.ix_(inside, corners)] = local[inside] / total[inside][:, None]
    return weights, inside


def _solid(
    keypoints: np.ndarray,
    priors: np.ndarray,
    shared: np.ndarray,
    flat: float,
    plane: Plane | None,
) -> Tetrahedra:
    """Tetrahedra or prisms between the shared keypoints that are flat nowhere."""
    if plane is None:
        corners, measure = all_tetrahedra(len(shared)), relative_volumes
    else:
        corners, measure = all_triangles(len(shared)), relative_areas
    for prior in priors:
        corners = corners[measure(prior[shared], corners) >= flat]
    if plane is None:
        return tetrahedra_of(keypoints[shared], corners, flat=flat)[0]
    return prisms_over(keypoints[shared], plane.normal(keypoints), corners, flat=flat)


def anchor_points(
    points: np.ndarray,
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
    tetrahedra = _solid(anchors, anchors[None], used, flat, plane)
    if len(tetrahedra) == 0:
        raise InputError(
            "anchors: expected at least one tetrahedron that is not flat, found none",
            hint="A smaller dense.flat may help.",
        )
    corners = np.append(used, len(anchors))
    chosen = np.zeros((len(points), most), dtype=np.int64)
    weights = np.zeros((len(points), most))
    size = max(_CHUNK_VALUES // (4 * len(tetrahedra)), 1)
    for start in range(0, len(points), size):
        rows = slice(start, start + size)
        chosen[rows], weights[rows] = _nearest(points[rows], tetrahedra, most, tolerance)
    maps = tetrahedra.maps[:, :, chosen]
    places = np.einsum("cdnm,nd->nmc", maps[:, :3], points) + maps[:, 3].transpose(1, 2, 0)
    return Anchoring(corners[tetrahedra.corners[chosen]], places, weights, plane)


def _nearest(
    points: np.ndarray, tetrahedra: Tetrahedra, most: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n, most) of tetrahedra for points (n, 3), and their weights."""
    outside = tetrahedra.outside(tetrahedra.coordinates(points))
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

    Each tetrahedron's are weighted by the inverse distance of the point to its centroid; as those
    of keypoints add up to 1, a row adds up to the sum of its weights.
    """
    coordinates = tetrahedra.coordinates(points).reshape(4, -1)
    contained = np.flatnonzero(tetrahedra.outside(coordinates) <= tolerance)
    point, number = np.divmod(contained, len(tetrahedra))
    share = _closeness(points[point], tetrahedra.centroids[number])
    summed = np.zeros(len(points) * count)
    for corner in range(4):
        place = point * count + tetrahedra.corners[number, corner]
        values = share * coordinates[corner, contained]
        summed += np.bincount(place, values, minlength=len(summed))
    return summed.reshape(-1, count)
