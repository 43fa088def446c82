"""Which relations are fitted where there are too many (METHOD.md section 6).

The number of relations grows with K^4, the unknowns of a shape with K. Above a budget, relations
are drawn so that all keypoints take part equally often. Of those drawn, each edge (of edge pairs)
or pair of keypoints (of triangles) keeps the ones that the views determine best.
"""

from collections.abc import Callable

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.subsets import best_of_each, even_subsets
from semalign3d.shape.relations.measures import (
    RelationIndex,
    all_edges,
    all_pairs,
    all_triangles,
    edge_directions,
    pair_values,
    triangle_values,
)

DRAWN = 4
"""How many relations are drawn for each that is taken."""
PER_EDGE = 2
"""Edge pairs for each edge, whatever the budget: fewer leave the lengths of some edges open."""
_CHUNK = 1 << 12


def choose_relations(
    views: np.ndarray,
    images: np.ndarray,
    rng: np.random.Generator,
    *,
    budget: int = 8192,
    min_images: int = 4,
) -> RelationIndex:
    """About `budget` edge pairs and as many triangles, or all relations where there are no more.

    Parameters
    ----------
    views
        (M, K, 3) keypoints in camera coordinates, NaN where unseen.
    images
        (M,) number of the image that a view shows.
    rng
        Of the draws; not used where all are taken.
    budget
        At least 1. It is raised to `PER_EDGE` times the number of edges.
    min_images
        Relations that fewer images see are left out of the choice.

    Raises
    ------
    ValueError
        If shapes differ, or the budget is below 1.
    """
    require_shape("views", views, (None, None, 3))
    require_shape("images", images, (len(views),))
    if budget < 1:
        raise ValueError(f"budget: expected at least 1, found {budget}")
    count = views.shape[1]
    edges = all_edges(count)
    most = max(budget, PER_EDGE * len(edges))
    judge = _Judge(images, min_images)
    points = np.ascontiguousarray(np.moveaxis(views, 0, 2))
    few_pairs = len(edges) * (len(edges) - 1) // 2 <= most
    few_triangles = count * (count - 1) * (count - 2) * (count - 3) // 6 <= most
    return RelationIndex(
        edges,
        all_pairs(count) if few_pairs else _pairs(points, edges, most, judge, rng),
        all_triangles(count) if few_triangles else _triangles(points, most, judge, rng),
    )


class _Judge:
    """How well the views determine relations."""

    def __init__(self, images: np.ndarray, min_images: int) -> None:
        self._shows = (images[:, None] == np.unique(images)).astype(np.float32)
        self._least = max(min_images, 1)

    def __call__(self, rows: np.ndarray, values: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Variance of the means over the images (n,) of n relations; infinite if too few see it.

        `values` gives the (m, parameters, M) of m rows, NaN in views that don't see a relation.
        """
        starts = range(0, len(rows), _CHUNK)
        return np.concatenate([self._cost(values(rows[s : s + _CHUNK])) for s in starts])

    def _cost(self, values: np.ndarray) -> np.ndarray:
        seen = np.isfinite(values).all(axis=1)
        number = np.maximum(seen.sum(axis=1), 1)
        known = np.where(seen[:, None], values, 0.0)
        mean = known.sum(axis=2) / number[:, None]
        apart = np.where(seen[:, None], known - mean[..., None], 0.0)
        variance = np.square(apart).sum(axis=(1, 2)) / number
        images = (seen.astype(np.float32) @ self._shows > 0.0).sum(axis=1)
        return np.where(images >= self._least, variance / np.maximum(images, 1), np.inf)


def _pairs(
    points: np.ndarray, edges: np.ndarray, budget: int, judge: _Judge, rng: np.random.Generator
) -> np.ndarray:
    """At most `budget` edge pairs (R, 2) of points (K, 3, M)."""
    drawn = even_subsets(len(edges), 2, DRAWN * budget, rng)
    directions, lengths = edge_directions(points, edges)
    costs = judge(drawn, lambda rows: np.stack(pair_values(directions, lengths, rows), axis=1))
    return drawn[best_of_each(costs, drawn, budget)]


def _triangles(
    points: np.ndarray, budget: int, judge: _Judge, rng: np.random.Generator
) -> np.ndarray:
    """At most `budget` triangles and vertices (T, 4) of points (K, 3, M)."""
    drawn = even_subsets(len(points), 4, DRAWN * budget, rng)
    covered = drawn[:, [0, 0, 0, 1, 1, 2]] * len(points) + drawn[:, [1, 2, 3, 2, 3, 3]]
    shift = rng.integers(4, size=(len(drawn), 1))
    drawn = np.take_along_axis(drawn, (shift + np.arange(4)) % 4, axis=1)
    costs = judge(drawn, lambda rows: triangle_values(points, rows))
    return drawn[best_of_each(costs, covered, budget)]
