"""Normals of sampled surfaces."""

from semalign3d.arrays import Array, namespace
from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.neighbours import Neighbours


def surface_normals(points: Array, neighbours: int = 30) -> Array:
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
    Array
        (n, 3) float64, where the points are; the scalar product with the point is not positive.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    if neighbours < 3:
        raise ValueError(f"neighbours: expected at least 3, found {neighbours}")
    if len(points) == 0:
        return points
    xp = namespace(points)
    near = points[Neighbours(points).query(points, neighbours)[1]]
    centred = near - xp.mean(near, axis=1, keepdims=True)
    normals = xp.linalg.eigh(xp.einsum("nki,nkj->nij", centred, centred))[1][:, :, 0]
    away = xp.einsum("nd,nd->n", normals, points) > 0.0
    return xp.where(away[:, None], -normals, normals)
