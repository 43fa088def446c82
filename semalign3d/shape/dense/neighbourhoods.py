"""Some of many keypoints, to seek the tetrahedra of points between (METHOD.md section 8)."""

from collections.abc import Iterator

import numpy as np

from semalign3d.arrays import Array, beside
from semalign3d.geometry.neighbours import Neighbours
from semalign3d.geometry.subsets import farthest_points

NEIGHBOURHOOD = 14
"""Keypoints between which the tetrahedra of a point are sought: 1,001 tetrahedra."""
NEAREST = 4
"""How many of them are those nearest to the point's group; the others are far apart."""
GROUPS = 16


def neighbourhoods(
    points: Array, keypoints: np.ndarray, shared: np.ndarray
) -> Iterator[tuple[Array, np.ndarray]]:
    """Groups of points, and the keypoints between which their tetrahedra are sought.

    The number of tetrahedra grows with the fourth power of the keypoints. Above `NEIGHBOURHOOD`
    keypoints, points are grouped by the nearest of some keypoints far apart; a group gets the
    keypoints nearest to it, and for the other half those that are far apart among all.

    Parameters
    ----------
    points
        (n, 3).
    keypoints
        (K, 3), finite at the ids of `shared`.
    shared
        (S,) ids.

    Yields
    ------
    tuple[Array, np.ndarray]
        Rows of points (m,) beside them, and at most `NEIGHBOURHOOD` of the ids, increasing.
    """
    every = beside(np.arange(len(points)), points)
    if len(shared) <= NEIGHBOURHOOD:
        yield every, shared
        return
    places = keypoints[shared]
    centres = places[farthest_points(places, GROUPS, places[:0])]
    group = Neighbours(beside(centres, points)).query(points, 1)[1][:, 0]
    nearest = Neighbours(places).query(centres, NEAREST)[1]
    for number, near in enumerate(nearest):
        spread = farthest_points(places, NEIGHBOURHOOD - len(near), places[near])
        yield every[group == number], shared[np.sort(np.append(near, spread))]
