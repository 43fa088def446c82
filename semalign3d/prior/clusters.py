"""k-means clusters of points in space (METHOD.md section 8)."""

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.geometry.shapes import require_finite, require_shape


def k_means(
    points: np.ndarray,
    count: int,
    rng: np.random.Generator,
    *,
    max_iterations: int = 20,
    tolerance: float = 1e-4,
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's algorithm from randomly chosen points.

    The same numbers come out whatever the number of threads.

    Parameters
    ----------
    points
        (n, 3) finite.
    count
        Number of clusters; all points are centres if there are no more.
    rng
        Chooses the first centres.
    max_iterations
        At most so many rounds.
    tolerance
        Ends when no centre moves by more than this share of the points' bounding-box diagonal.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Centres (k, 3), k at most `count`, and the centre (n,) of each point. Centres that lost
        all their points are left out.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    if count < 1:
        raise ValueError(f"count: expected at least 1 cluster, found {count}")
    if len(points) <= count:
        return np.array(points), np.arange(len(points))
    centres = points[np.sort(rng.choice(len(points), size=count, replace=False))]
    enough = tolerance * float(np.linalg.norm(np.ptp(points, axis=0)))
    labels = cKDTree(centres).query(points)[1]
    for _ in range(max_iterations):
        moved, filled = _means(points, labels, centres)
        shift = float(np.linalg.norm(moved - centres, axis=1).max())
        centres = moved[filled]
        labels = cKDTree(centres).query(points)[1]
        if shift <= enough:
            break
    used, labels = np.unique(labels, return_inverse=True)
    return centres[used], labels


def _means(
    points: np.ndarray, labels: np.ndarray, centres: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean point of each cluster (its old centre if it is empty), and which are not empty."""
    size = np.bincount(labels, minlength=len(centres))
    totals = [np.bincount(labels, axis, minlength=len(centres)) for axis in points.T]
    filled = size > 0
    means = np.stack(totals, axis=1) / np.maximum(size, 1)[:, None]
    return np.where(filled[:, None], means, centres), filled


def nearest_members(
    points: np.ndarray, centres: np.ndarray, labels: np.ndarray, most: int
) -> np.ndarray:
    """Which points (n,) are among the `most` of their cluster that lie nearest to its centre."""
    distance = np.linalg.norm(points - centres[labels], axis=1)
    order = np.lexsort((distance, labels))
    starts = np.searchsorted(labels[order], np.arange(len(centres)))
    rank = np.empty(len(points), dtype=np.int64)
    rank[order] = np.arange(len(points)) - starts[labels[order]]
    return rank < most
