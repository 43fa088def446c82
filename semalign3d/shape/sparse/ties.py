"""Which keypoints photos can tie together, by visibilities alone (METHOD.md 1.5, 6 and 7)."""

import numpy as np

from semalign3d.shape.sparse.embedding import well_connected

_BLOCK = 256
"""Edges at a time: a row has K (K - 1) / 2 numbers."""


def placeable(visible: np.ndarray, min_images: int, mirror: np.ndarray | None) -> np.ndarray:
    """Keypoints (K,) bool that photos (N, K) bool can tie together.

    As the sparse stage does, short of relations that it drops for their values: an edge is known
    if a chain of pairs of edges, each seen whole in `min_images` photos or their mirror images,
    ties it to most others; a keypoint has a place if it has 3 known edges to others of their kind.

    Parameters
    ----------
    mirror : (K,) mirror table; None: no mirror images take part.
    """
    count = visible.shape[1]
    i, j = np.triu_indices(count, 1)
    views = [visible] if mirror is None else [visible, visible[:, mirror]]
    edges = [view[:, i] & view[:, j] for view in views]
    known = _largest_group(edges, max(min_images, 1))
    lengths = np.full((count, count), np.nan)
    lengths[i[known], j[known]] = lengths[j[known], i[known]] = 1.0
    return well_connected(lengths)


def _largest_group(edges: list[np.ndarray], least: int) -> np.ndarray:
    """(E,) bool, the largest group of edges that pairs tie together; empty if no pair does.

    Parameters
    ----------
    edges : (N, E) bool, seen in the photos, and in their mirror images.
    least : photos that must see both edges of a pair.
    """
    seen = [rows.astype(np.float32) for rows in edges]
    if len(seen) == 2:
        # A photo that sees a pair both ways counts once.
        seen.append(seen[0] * seen[1])
    signs = (1.0, 1.0, -1.0)
    total = sum(sign * rows.sum(axis=0) for sign, rows in zip(signs, seen, strict=False))
    group = np.where(np.asarray(total) >= least, -1, -2)
    for number in range(len(group)):
        waiting = [number] if group[number] == -1 else []
        while waiting:
            block, waiting = waiting[:_BLOCK], waiting[_BLOCK:]
            group[block] = number
            together = sum(
                sign * (rows[:, block].T @ rows) for sign, rows in zip(signs, seen, strict=False)
            )
            found = np.flatnonzero((np.asarray(together) >= least).any(axis=0) & (group == -1))
            group[found] = number
            waiting += found.tolist()
    sizes = np.bincount(group[group >= 0], minlength=1)
    return (group == np.argmax(sizes)) & (sizes.max() > 1)
