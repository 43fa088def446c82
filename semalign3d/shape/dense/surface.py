"""A surface drawn from noisy points of many views (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semalign3d.arrays import Array, beside, namespace, to_device, to_numpy
from semalign3d.errors import InputError
from semalign3d.geometry.neighbours import Neighbours
from semalign3d.geometry.subsets import farthest_points
from semalign3d.shape.dense.fusion import FusedPoints

_TURN = 0.5
"""Kernel radius between unit normals: both sides of a thin part stay apart."""
_NEIGHBOURS = 100
_ROUNDS = 3
_CHUNK = 4096
_RANK = 20
_NEIGHBOURS_PER_POINT = 20
_CANDIDATES_PER_POINT = 8
_DOUBT = 0.03
"""Share of the photos outside whose silhouettes a point lies that doubles the doubt about it."""
_MOST_DOUBT = 3.0
"""However many photos show a point to lie outside: a part that many instances lack, but others show
densely, stays."""


@dataclass(frozen=True)
class SurfacePoints:
    """Points on a surface, both arrays in the same place.

    Attributes
    ----------
    xyz : (n, 3) float64
    normals : (n, 3) float64, of length one.
    """

    xyz: Array
    normals: Array

    def take(self, chosen: Array) -> SurfacePoints:
        """Some of the points, by a mask (n,) or by numbers, wherever these are."""
        there = beside(chosen, self.xyz)
        return SurfacePoints(self.xyz[there], self.normals[there])

    def to(self, device: str | None) -> SurfacePoints:
        """The same on a device, see `arrays.to_device`."""
        return SurfacePoints(to_device(self.xyz, device), to_device(self.normals, device))

    def __len__(self) -> int:
        return len(self.xyz)


def draw_surface(
    fused: FusedPoints,
    outside: Array,
    rng: np.random.Generator,
    *,
    points: int,
    first: np.ndarray,
    outliers: float,
    radius: float,
) -> tuple[SurfacePoints, FusedPoints]:
    """Evenly spread points of the surface that the fused points lie around.

    Points that lie further from others than their neighbours do are dropped, above all those
    outside of the photos' silhouettes, see `outliers_of`. A selection of the rest, denser where the
    points are sparse, is moved onto the surface; of these, farthest points are taken. So a wing or
    leg that few pixels show gets as many points for its area as a broad seat.

    Parameters
    ----------
    fused
        Points of all images, at least one; all is computed where they are.
    outside
        (P,) for each of them the share of the photos outside of whose silhouettes it lies, see
        `outside_silhouettes`.
    rng
        Chooses the selections.
    points
        Points to draw, at most.
    first
        (m, 3) places that are points already, such as the keypoints.
    outliers
        Limit of `outliers_of`.
    radius
        Of the kernel that the surface is smoothed with, in the units of the points.

    Returns
    -------
    tuple[SurfacePoints, FusedPoints]
        The surface, and the fused points that were not dropped.
    """
    # In an order of their own, so that the numbers do not depend on that of the images.
    order = np.lexsort(to_numpy(fused.xyz).T)
    fused = fused.take(order)
    found = neighbour_distances(fused.xyz, rng, _NEIGHBOURS_PER_POINT * points)
    gap, usual = map(to_numpy, found)
    kept = ~outliers_of(gap, usual, to_numpy(outside)[order], outliers)
    fused, area = fused.take(kept), np.square(gap[kept])
    count = min(_CANDIDATES_PER_POINT * points, len(fused))
    chosen = np.sort(rng.choice(len(fused), size=count, replace=False, p=area / area.sum()))
    candidates = project_to_surface(fused, chosen, radius)
    return candidates.take(farthest_points(candidates.xyz, points, first)), fused


def neighbour_distances(points: Array, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Distance (n,) of points (n, 3) to their 20th neighbour, and its mean (n,) over neighbours.

    A point off the surface lies further from others than they do from each other; on a part that
    few pixels show, all do. Neighbours are sought in a random selection of `count` points, so
    that distances do not depend on the number of images. Equal points are a tiny distance apart.
    """
    xp = namespace(points)
    selection = beside(np.sort(rng.permutation(len(points))[:count]), points)
    distance, near = Neighbours(points[selection]).query(points, _RANK)
    gap = xp.clip(distance[:, -1], min=1e-9)
    return gap, xp.mean(gap[selection][near], axis=1)


def outliers_of(
    gap: np.ndarray, usual: np.ndarray, outside: np.ndarray, limit: float
) -> np.ndarray:
    """Which points (n,) lie off the surface that the others lie around, bool.

    Sparse points are outliers if their neighbours are not as sparse. How sparse they may be
    depends on the photos: a place that few of them show, such as an aeroplane's underside, has
    few points, too, but none of the photos shows it to lie outside of the object.

    Parameters
    ----------
    gap, usual
        (n,) of `neighbour_distances`.
    outside
        (n,) share of the photos in whose silhouettes the points do not lie, in [0, 1].
    limit
        Points are outliers whose gap^2 / usual is so many times the median gap; a third of it
        where 6 % of the photos or more speak against them, above 0; infinite: there are none.

    Raises
    ------
    InputError
        If all are.
    """
    if not limit > 0.0:
        raise ValueError(f"outliers: expected a number above 0, found {limit}")
    doubt = np.minimum(1.0 + outside / _DOUBT, _MOST_DOUBT)
    off = gap * gap / usual * doubt > limit * np.median(gap)
    if off.all():
        raise InputError(
            f"dense.outliers: {limit} leaves none of {len(off)} points", hint="Give a larger one."
        )
    return np.asarray(off)


def project_to_surface(fused: FusedPoints, rows: np.ndarray, radius: float) -> SurfacePoints:
    """Points of some rows (n,), moved onto the smooth surface that all points lie around.

    Each point moves along the mean normal of its neighbours until it lies in their weighted mean
    plane, a few times (moving least squares). Near means near in place and in normal: distances
    are Euclidean over (place / radius, normal / 0.5), so that a thin part's front and back do not
    mix. A point never moves along the surface, so that edges and thin parts do not shrink
    lengthwise as cluster centres do.

    Parameters
    ----------
    fused
        Points with normals.
    rows
        The points to move.
    radius
        Standard deviation of the Gaussian kernel.
    """
    if not 0.0 < radius < np.inf:
        raise ValueError(f"radius: expected a length above 0, found {radius}")
    xp = namespace(fused.xyz)
    neighbours = Neighbours(surface_features(fused.xyz, fused.normals, radius))
    there = beside(rows, fused.xyz)
    parts = [
        _projected(fused, there[start : start + _CHUNK], neighbours, radius)
        for start in range(0, len(rows), _CHUNK)
    ]
    return SurfacePoints(*(xp.concat(column) for column in zip(*parts, strict=True)))


def surface_features(points: Array, normals: Array, radius: float) -> Array:
    """Places in which near means near in place and in normal, (n, 6); see `project_to_surface`."""
    return namespace(points).concat([points / radius, normals / _TURN], axis=1)


def _projected(
    fused: FusedPoints, rows: Array, neighbours: Neighbours, radius: float
) -> tuple[Array, Array]:
    """Places (n, 3) and normals (n, 3) of some rows on the surface."""
    xp = namespace(fused.xyz)
    points, normals = fused.xyz[rows], fused.normals[rows]
    for _ in range(_ROUNDS):
        features = surface_features(points, normals, radius)
        distance, near = neighbours.query(features, _NEIGHBOURS)
        # Relative to the nearest neighbour, so that the weights of a lonely point add up.
        weights = xp.exp(-0.5 * (xp.square(distance) - xp.square(distance[:, :1])))
        weights = weights / xp.sum(weights, axis=1, keepdims=True)
        mean = xp.einsum("nk,nkd->nd", weights, fused.normals[near])
        length = xp.linalg.vector_norm(mean, axis=1, keepdims=True)
        normals = xp.where(length > 0.0, mean / xp.where(length > 0.0, length, 1.0), normals)
        gap = xp.einsum("nk,nkd->nd", weights, fused.xyz[near]) - points
        points = points + xp.einsum("nd,nd->n", gap, normals)[:, None] * normals
    return points, normals
