"""Barycentric coordinates of points in many tetrahedra or prisms (METHOD.md section 8)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semalign3d.arrays import Array, beside, namespace
from semalign3d.geometry.arguments import require_finite, require_shape

_HEIGHT = 0.5
"""How far a prism reaches to either side of its triangle, in lengths of the normal."""


@dataclass(frozen=True)
class Tetrahedra:
    """Tetrahedra ready for barycentric coordinates, or prisms over triangles.

    The fourth corner of a prism is a direction, the normal of the plane of all corner points: a
    point's first three coordinates, which add up to 1, are those of a place in the triangle, the
    fourth is its height over it in lengths of the normal.

    Attributes
    ----------
    corners : (T, 4) int64
        Numbers of the corner points; the direction of prisms has the number after the last.
    maps : (4, 4, T) float64
        The barycentric coordinates of x that belong to corner c are (x, 1) @ maps[c].
    centroids : (T, 3) float64
        Of the tetrahedra, or of the triangles.
    prisms : bool

    Arrays are where the points are that they were made of.
    """

    corners: Array
    maps: Array
    centroids: Array
    prisms: bool = False

    def coordinates(self, points: Array) -> Array:
        """Barycentric coordinates (4, n, T) of points (n, 3); those of points add up to 1."""
        xp = namespace(points)
        return xp.concat([points, xp.ones_like(points[:, :1])], axis=1) @ self.maps

    def outside(self, coordinates: Array) -> Array:
        """By how much coordinates (4, ...) are out of their range; not positive inside."""
        xp = namespace(coordinates)
        if not self.prisms:
            return -xp.min(coordinates, axis=0)
        over = xp.abs(coordinates[3]) - _HEIGHT
        return xp.maximum(-xp.min(coordinates[:3], axis=0), over)

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, rows: slice | Array) -> Tetrahedra:
        return Tetrahedra(
            self.corners[rows], self.maps[..., rows], self.centroids[rows], self.prisms
        )


def all_tetrahedra(count: int) -> np.ndarray:
    """All 4-subsets (T, 4) int64 of 0 .. count - 1."""
    return np.array(list(combinations(range(count), 4)), dtype=np.int64).reshape(-1, 4)


def all_triangles(count: int) -> np.ndarray:
    """All 3-subsets (T, 3) int64 of 0 .. count - 1."""
    return np.array(list(combinations(range(count), 3)), dtype=np.int64).reshape(-1, 3)


def relative_volumes(points: Array, corners: Array) -> Array:
    """Volume over that of a regular tetrahedron with the same root mean square edge.

    Parameters
    ----------
    points
        (K, 3).
    corners
        (T, 4) numbers of points.

    Returns
    -------
    Array
        (T,) in [0, 1]: 1 for regular tetrahedra, 0 for flat ones.
    """
    xp = namespace(points)
    p = points[corners]
    edges = p[:, 1:] - p[:, :1]
    cross = xp.linalg.cross(edges[:, 0], edges[:, 1])
    determinant = xp.abs(xp.einsum("td,td->t", cross, edges[:, 2]))
    squares = xp.sum(xp.square(p[:, :, None] - p[:, None]), axis=(1, 2, 3)) / 12.0
    regular = squares**1.5 / math.sqrt(2.0)
    return _ratio(determinant, regular)


def tetrahedra_of(points: Array, corners: Array, *, flat: float = 0.01) -> tuple[Tetrahedra, Array]:
    """Tetrahedra between points, without the flat ones.

    Parameters
    ----------
    points
        (K, 3), finite.
    corners
        (T, 4) numbers of points.
    flat
        Tetrahedra of a smaller relative volume are dropped.

    Returns
    -------
    tuple[Tetrahedra, Array]
        The others, and which they are, (T,) bool.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("corners", corners, (None, 4))
    xp = namespace(points)
    solid = relative_volumes(points, corners) >= flat
    kept = corners[solid]
    p = points[kept]
    # In units of each tetrahedron's size, so that the inverse is as exact as the shape allows.
    centroids = xp.mean(p, axis=1)
    size = _sizes(p, centroids)
    local = (p - centroids[:, None]) / size[:, None, None]
    local = xp.concat([local, xp.ones_like(local[:, :, :1])], axis=2)
    return Tetrahedra(kept, _maps(local, size, centroids), centroids), solid


def relative_areas(points: Array, corners: Array) -> Array:
    """Area over that of an equilateral triangle with the same root mean square edge.

    Parameters
    ----------
    points
        (K, 3).
    corners
        (T, 3) numbers of points.

    Returns
    -------
    Array
        (T,) in [0, 1]: 1 for equilateral triangles, 0 for points on a line.
    """
    xp = namespace(points)
    p = points[corners]
    edges = p[:, 1:] - p[:, :1]
    area = xp.linalg.vector_norm(xp.linalg.cross(edges[:, 0], edges[:, 1]), axis=1)
    squares = xp.sum(xp.square(p[:, :, None] - p[:, None]), axis=(1, 2, 3)) / 6.0
    equilateral = squares * math.sqrt(0.75)
    return _ratio(area, equilateral)


def prisms_over(points: Array, normal: Array, corners: Array, *, flat: float = 0.01) -> Tetrahedra:
    """Prisms over triangles between points in a plane, without those that are nearly lines.

    Parameters
    ----------
    points
        (K, 3), finite.
    normal
        (3,) of their plane, see `Plane`.
    corners
        (T, 3) numbers of points.
    flat
        Triangles of a smaller relative area are dropped, see `relative_areas`.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("corners", corners, (None, 3))
    xp = namespace(points)
    kept = corners[relative_areas(points, corners) >= flat]
    p = points[kept]
    centroids = xp.mean(p, axis=1)
    size = _sizes(p, centroids)
    # In homogeneous coordinates, places end with 1 and directions with 0.
    up = xp.broadcast_to(beside(normal, points), (len(kept), 1, 3))
    vectors = xp.concat([p - centroids[:, None], up], axis=1) / size[:, None, None]
    ends = beside(np.array([1.0, 1.0, 1.0, 0.0])[:, None], points)
    last = xp.broadcast_to(ends, (len(kept), 4, 1))
    numbers = xp.concat([kept, xp.full_like(kept[:, :1], len(points))], axis=1)
    maps = _maps(xp.concat([vectors, last], axis=2), size, centroids)
    return Tetrahedra(numbers, maps, centroids, prisms=True)


def _sizes(p: Array, centroids: Array) -> Array:
    """Root mean square distance (T,) of corners (T, c, 3) from their centroids (T, 3)."""
    xp = namespace(p)
    return xp.sqrt(xp.mean(xp.sum(xp.square(p - centroids[:, None]), axis=2), axis=1))


def _ratio(part: Array, whole: Array) -> Array:
    """part / whole (T,), 0 where the whole is 0."""
    xp = namespace(whole)
    return xp.where(whole > 0.0, part / xp.where(whole > 0.0, whole, 1.0), 0.0)


def _maps(local: Array, size: Array, centroids: Array) -> Array:
    """Maps (4, 4, T) to coordinates between corners that are given in homogeneous coordinates.

    Parameters
    ----------
    local
        (T, 4, 4) corners from the centroids (T, 3), in units of the sizes (T,).
    """
    xp = namespace(local)
    inverse = xp.permute_dims(xp.linalg.inv(local), (2, 1, 0))
    linear = inverse[:, :3] / size
    offset = inverse[:, 3] - xp.einsum("cdt,td->ct", linear, centroids)
    return xp.concat([linear, offset[:, None]], axis=1)
