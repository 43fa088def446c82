"""A few subsets in place of all: drawn evenly, the best of each member kept (METHOD.md 6)."""

import numpy as np


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
