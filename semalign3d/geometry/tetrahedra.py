"""Barycentric coordinates of points in many tetrahedra (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semalign3d.geometry.shapes import require_finite, require_shape


@dataclass(frozen=True)
class Tetrahedra:
    """Tetrahedra ready for barycentric coordinates.

    Attributes
    ----------
    corners : (T, 4) int64
        Numbers of the corner points.
    maps : (4, 4, T) float64
        The barycentric coordinates of x that belong to corner c are (x, 1) @ maps[c].
    centroids : (T, 3) float64
    """

    corners: np.ndarray
    maps: np.ndarray
    centroids: np.ndarray

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Barycentric coordinates (4, n, T) of points (n, 3); the 4 add up to 1."""
        return np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self.maps

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, rows: slice | np.ndarray) -> Tetrahedra:
        return Tetrahedra(self.corners[rows], self.maps[..., rows], self.centroids[rows])


def all_tetrahedra(count: int) -> np.ndarray:
    """All 4-subsets (T, 4) int64 of 0 .. count - 1."""
    return np.array(list(combinations(range(count), 4)), dtype=np.int64).reshape(-1, 4)


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
    size = np.sqrt(np.square(p - centroids[:, None]).sum(axis=2).mean(axis=1))
    local = np.concatenate(
        [(p - centroids[:, None]) / size[:, None, None], np.ones((len(kept), 4, 1))], axis=2
    )
    inverse = np.linalg.inv(local).transpose(2, 1, 0)
    linear = inverse[:, :3] / size
    offset = inverse[:, 3] - np.einsum("cdt,td->ct", linear, centroids)
    maps = np.concatenate([linear, offset[:, None]], axis=1)
    return Tetrahedra(kept, maps, centroids), solid
