"""Nearest neighbours among points, on the CPU or on a GPU."""

from __future__ import annotations

from array_api_compat import is_torch_array
from scipy.spatial import cKDTree

from semalign3d.arrays import Array, chunk_values, namespace

_CHUNK_VALUES = 1 << 22


class Neighbours:
    """Points (n, d), n at least 1, among which neighbours are sought where they are.

    A k-d tree on the CPU. On torch tensors all distances, a chunk of queries at a time: a GPU has
    them sooner than it would have walked a tree.
    """

    def __init__(self, points: Array) -> None:
        self._points = points
        self._tree = None if is_torch_array(points) else cKDTree(points)

    def query(self, queries: Array, count: int) -> tuple[Array, Array]:
        """Distances (m, k) of queries (m, d) to their nearest points, and which (m, k) these are.

        By increasing distance; k is `count`, or n if there are fewer points.
        """
        count = min(count, len(self._points))
        if self._tree is not None:
            distance, near = self._tree.query(queries, k=list(range(1, count + 1)))
            return distance, near
        xp = namespace(self._points, queries)
        size = max(chunk_values(self._points, _CHUNK_VALUES) // len(self._points), 1)
        starts = range(0, max(len(queries), 1), size)
        parts = [self._nearest(queries[start : start + size], count) for start in starts]
        distance, near = (xp.concat(column) for column in zip(*parts, strict=True))
        return distance, near

    def _nearest(self, queries: Array, count: int) -> tuple[Array, Array]:
        """Distances and numbers of one chunk of tensors."""
        xp = namespace(queries)
        # The faster way over a matrix product is inexact for points close to each other.
        mode = "donot_use_mm_for_euclid_dist"
        distances = xp.cdist(queries, self._points, compute_mode=mode)
        found = xp.topk(distances, count, dim=1, largest=False, sorted=True)
        return found.values, found.indices
