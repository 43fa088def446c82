"""Normals of sampled surfaces."""

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.geometry.shapes import require_finite, require_shape


def surface_normals(points: np.ndarray, neighbours: int = 30) -> np.ndarray:
    """Unit normals of a surface seen by a camera at the origin, on the side that it sees.

    A point's normal is the direction in which it and its nearest neighbours vary least.

    Parameters
    ----------
    points
        (n, 3) camera coordinates, finite.
    neighbours
        Points that a normal is made from, the point itself included; all if there are fewer.

    Returns
    -------
    np.ndarray
        (n, 3) float64; the scalar product with the point is not positive.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    if neighbours < 3:
        raise ValueError(f"neighbours: expected at least 3, found {neighbours}")
    if len(points) == 0:
        return np.zeros((0, 3))
    count = min(neighbours, len(points))
    near = points[cKDTree(points).query(points, k=np.arange(1, count + 1))[1]]
    centred = near - near.mean(axis=1, keepdims=True)
    normals = np.linalg.eigh(np.einsum("nki,nkj->nij", centred, centred))[1][:, :, 0]
    away = np.einsum("nd,nd->n", normals, points) > 0.0
    return np.where(away[:, None], -normals, normals)
