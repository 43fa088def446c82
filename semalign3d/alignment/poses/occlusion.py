"""Points of a surface that lie behind others in a photo."""

import numpy as np
from scipy.spatial import cKDTree

_DEEPER = 0.08
"""How far behind another point, in object diagonals, a point must be to be hidden by it."""


def point_spacing(points: np.ndarray) -> float:
    """Median distance of points (n, 3) from their nearest neighbours."""
    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1])) if len(points) > 1 else 0.0


def hidden_points(xyz: np.ndarray, places: np.ndarray, radius: float) -> np.ndarray:
    """Which points have another one well in front of them, nearly in the same place of the photo.

    Parameters
    ----------
    xyz : (n, 3) camera coordinates, in object diagonals.
    places : (n, 2) where they are in the photo.
    radius : how near another point must be there, about the spacing of the points.

    Returns
    -------
    np.ndarray
        (n,) bool.
    """
    near = np.square(places[:, None] - places).sum(axis=-1) < radius**2
    front = np.where(near, xyz[:, 2], np.inf).min(axis=1, initial=np.inf)
    return np.asarray(xyz[:, 2] - front > _DEEPER)
