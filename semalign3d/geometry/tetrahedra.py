"""Barycentric coordinates of points in many tetrahedra or prisms (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semalign3d.geometry.shapes import require_finite, require_shape

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
    """

    corners: np.ndarray
    maps: np.ndarray
    centroids: np.ndarray
    prisms: bool = False

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Barycentric coordinates (4, n, T) of points (n, 3); the 4 add up to 1."""
        return np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self.maps

    def outside(self, coordinates: np.ndarray) -> np.ndarray:
        """By how much coordinates (4, ...) are out of their range; not positive inside."""
        if not self.prisms:
            return -coordinates.min(axis=0)
        over = np.abs(coordinates[3]) - _HEIGHT
        return np.maximum(-coordinates[:3].min(axis=0), over)

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, rows: slice | np.ndarray) -> Tetrahedra:
        return Tetrahedra(
            self.corners[rows], self.maps[..., rows], self.centroids[rows], self.prisms
        )


def all_tetrahedra(count: int) -> np.ndarray:
    """All 4-subsets (T, 4) int64 of 0 .. count - 1."""
    return np.array(list(combinations(range(count), 4)), dtype=np.int64).reshape(-1, 4)


def all_triangles(count: int) -> np.ndarray:
    """All 3-subsets (T, 3) int64 of 0 .. count - 1."""
    return np.array(list(combinations(range(count), 3)), dtype=np.int64).reshape(-1, 3)


def relative_volumes(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Volume over that of a regular tetrahedron with the same root mean square edge.

    Parameters
    ----------
    points
        (K, 3).
    corners
        (T, 4) numbers of points.

    Returns
    -------
    np.ndarray
        (T,) in [0, 1]: 1 for regular tetrahedra, 0 for flat ones.
    """
    p = points[corners]
    edges = p[:, 1:] - p[:, :1]
    determinant = np.abs(np.einsum("td,td->t", np.cross(edges[:, 0], edges[:, 1]), edges[:, 2]))
    squares = np.square(p[:, :, None] - p[:, None]).sum(axis=(1, 2, 3)) / 12.0
    regular = np.power(squares, 1.5) / np.sqrt(2.0)
    return np.divide(determinant, regular, out=np.zeros(len(p)), where=regular > 0.0)


def tetrahedra_of(
    points: np.ndarray, corners: np.ndarray, *, flat: float = 0.01
) -> tuple[Tetrahedra, np.ndarray]:
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
    tuple[Tetrahedra, np.ndarray]
        The others, and which they are, (T,) bool.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    require_shape("corners", corners, (None, 4))
    solid = relative_volumes(points, corners) >= flat
    kept = corners[solid]
    p = points[kept]
    # In units of each tetrahedron's size, so that the inverse is as exact as the shape allows.
    centroids = p.mean(axis=1)
    size = _sizes(p, centroids)
    local = np.concatenate(
        [(p - centroids[:, None]) / size[:, None, None], np.ones((len(kept), 4, 1))], axis=2
    )
    return Tetrahedra(kept, _maps(local, size, centroids), centroids), solid


def relative_areas(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Area over that of an equilateral triangle with the same root mean square edge.

    Parameters
    ----------
    points
        (K, 3).
    corners
        (T, 3) numbers of points.

    Returns
    -------
    np.ndarray
        (T,) in [0, 1]: 1 for equilateral triangles, 0 for points on a line.
    """
    p = points[corners]
    edges = p[:, 1:] - p[:, :1]
    area = np.linalg.norm(np.linalg.cross(edges[:, 0], edges[:, 1]), axis=1)
    squares = np.square(p[:, :, None] - p[:, None]).sum(axis=(1, 2, 3)) / 6.0
    equilateral = squares * np.sqrt(0.75)
    return np.divide(area, equilateral, out=np.zeros(len(p)), where=equilateral > 0.0)


def prisms_over(
    points: np.ndarray, normal: np.ndarray, corners: np.ndarray, *, flat: float = 0.01
) -> Tetrahedra:
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
    kept = corners[relative_areas(points, corners) >= flat]
    p = points[kept]
    centroids = p.mean(axis=1)
    size = _sizes(p, centroids)
    # In homogeneous coordinates, places end with 1 and directions with 0.
    up = np.broadcast_to(normal, (len(kept), 1, 3))
    vectors = np.concatenate([p - centroids[:, None], up], axis=1) / size[:, None, None]
    last = np.broadcast_to(np.array([1.0, 1.0, 1.0, 0.0])[:, None], (len(kept), 4, 1))
    numbers = np.concatenate([kept, np.full((len(kept), 1), len(points))], axis=1)
    maps = _maps(np.concatenate([vectors, last], axis=2), size, centroids)
    return Tetrahedra(numbers, maps, centroids, prisms=True)


def _sizes(p: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Root mean square distance (T,) of corners (T, c, 3) from their centroids (T, 3)."""
    return np.asarray(np.sqrt(np.square(p - centroids[:, None]).sum(axis=2).mean(axis=1)))


def _maps(local: np.ndarray, size: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Maps (4, 4, T) to coordinates between corners that are given in homogeneous coordinates.

    Parameters
    ----------
    local
        (T, 4, 4) corners from the centroids (T, 3), in units of the sizes (T,).
    """
    inverse = np.linalg.inv(local).transpose(2, 1, 0)
    linear = inverse[:, :3] / size
    offset = inverse[:, 3] - np.einsum("cdt,td->ct", linear, centroids)
    return np.concatenate([linear, offset[:, None]], axis=1)
