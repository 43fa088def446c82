"""A few in place of all: evenly drawn, the best of each, or far apart (METHOD.md 6 and 8)."""

import numpy as np

from semalign3d.arrays import Array, beside, namespace
from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.neighbours import Neighbours


def even_subsets(count: int, size: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """About `number` different subsets of 0 .. count - 1, in which all occur about equally often.

    Random orders of all numbers are cut into subsets.

    Returns
    -------
    np.ndarray
        (n, size) int64, rows sorted and in order; n falls below `number` as subsets recur.

    Raises
    ------
    ValueError
        If a subset has more members than there are.
    """
    if not 0 < size <= count:
        raise ValueError(f"size: expected 1 to {count}, found {size}")
    groups = count // size
    orders = np.tile(np.arange(count, dtype=np.int64), (-(-number // groups), 1))
    drawn = rng.permuted(orders, axis=1)[:, : groups * size].reshape(-1, size)
    return np.unique(np.sort(drawn, axis=1), axis=0)


def best_of_each(costs: np.ndarray, members: np.ndarray, budget: int) -> np.ndarray:
    """Rows that are cheapest for their members: first of each member, then second of each …

    Parameters
    ----------
    costs
        (n,) of rows; those of infinite cost are never taken.
    members
        (n, m) int64 numbers of what a row covers.
    budget
        At most so many rows.

    Returns
    -------
    np.ndarray
        (at most budget,) int64 numbers of rows, increasing.
    """
    finite = np.flatnonzero(np.isfinite(costs))
    width = members.shape[1]
    member, cost = members[finite].ravel(), np.repeat(costs[finite], width)
    order = np.lexsort((cost, member))
    _, start, group = np.unique(member[order], return_index=True, return_inverse=True)
    rank = np.empty(len(member), dtype=np.int64)
    rank[order] = np.arange(len(member)) - start[group]
    best = rank.reshape(-1, width).min(axis=1)
    return np.sort(finite[np.lexsort((costs[finite], best))[:budget]])


def farthest_points(points: Array, count: int, first: np.ndarray) -> np.ndarray:
    """Numbers of `count` points, each the one furthest from those before: an even sample.

    Parameters
    ----------
    points
        (n, 3) finite.
    count
        Points to choose; fewer come out if there are fewer different ones.
    first
        (m, 3) places that count as chosen before; with none, the point furthest from the mean
        comes first.

    Returns
    -------
    np.ndarray
        (at most count,) int64, in the order chosen. Each choice depends on all before, so this is
        one pass over the points per chosen point.
    """
    require_shape("points", points, (None, 3))
    require_finite("points", points)
    if len(points) == 0 or count < 1:
        return np.zeros(0, dtype=np.int64)
    xp = namespace(points)
    start = beside(first, points) if len(first) else xp.mean(points, axis=0, keepdims=True)
    gap = Neighbours(start).query(points, 1)[0][:, 0]
    chosen: list[int] = []
    while len(chosen) < count and xp.max(gap) > 0.0:
        chosen.append(int(xp.argmax(gap)))
        step = xp.linalg.vector_norm(points - points[chosen[-1]], axis=1)
        gap = xp.minimum(gap, step) if len(chosen) > 1 or len(first) else step
    return np.array(chosen, dtype=np.int64)
