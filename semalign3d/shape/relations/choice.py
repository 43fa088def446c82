"""Which relations are fitted where there are too many (METHOD.md section 6).

The number of relations grows with K^4, the unknowns of a shape with K. Above a budget, relations
are drawn so that all keypoints take part equally often. Of those drawn, each edge (of edge pairs)
or pair of keypoints (of triangles) keeps the ones that most images show. Their spread plays no
part: relations of little spread would make the energy stiffer than that of all relations, which
alignment weighs against the photo's.
"""

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.subsets import best_of_each, even_subsets
from semalign3d.shape.relations.measures import (
    RelationIndex,
    all_edges,
    all_pairs,
    all_triangles,
)

DRAWN = 2
"""How many relations are drawn for each that is taken."""
PER_EDGE = 2
"""Edge pairs for each edge, whatever the budget: fewer leave the lengths of some edges open."""
_CHUNK = 1 << 16


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
    judge = _Judge(np.moveaxis(views, 0, 2), images, min_images)
    few_pairs = len(edges) * (len(edges) - 1) // 2 <= most
    few_triangles = count * (count - 1) * (count - 2) * (count - 3) // 6 <= most
    return RelationIndex(
        edges,
        all_pairs(count) if few_pairs else _pairs(edges, most, judge, rng),
        all_triangles(count) if few_triangles else _triangles(count, most, judge, rng),
    )


class _Judge:
    """How many images show relations."""

    def __init__(self, points: np.ndarray, images: np.ndarray, min_images: int) -> None:
        shows = images[:, None] == np.unique(images)
        self._views = np.isfinite(points).all(axis=1).astype(np.float32)
        self._shows = shows.astype(np.float32)
        self._least = max(min_images, 1)

    def __call__(self, keypoints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Costs (n,) of relations between keypoints (n, 4): infinite where too few images see all.

        Relations that as many images see follow each other at random.
        """
        starts = range(0, len(keypoints), _CHUNK)
        images = np.concatenate([self._images(keypoints[s : s + _CHUNK]) for s in starts])
        cost = rng.uniform(size=len(images)) - images
        return np.where(images >= self._least, cost, np.inf)

    def _images(self, keypoints: np.ndarray) -> np.ndarray:
        seen = self._views[keypoints].min(axis=1)
        return (seen @ self._shows > 0.0).sum(axis=1)


def _pairs(edges: np.ndarray, budget: int, judge: _Judge, rng: np.random.Generator) -> np.ndarray:
    """At most `budget` edge pairs (R, 2)."""
    drawn = even_subsets(len(edges), 2, DRAWN * budget, rng)
    costs = judge(edges[drawn].reshape(-1, 4), rng)
    return drawn[best_of_each(costs, drawn, budget)]


def _triangles(count: int, budget: int, judge: _Judge, rng: np.random.Generator) -> np.ndarray:
    """At most `budget` triangles and vertices (T, 4) between `count` keypoints."""
    drawn = even_subsets(count, 4, DRAWN * budget, rng)
    covered = drawn[:, [0, 0, 0, 1, 1, 2]] * count + drawn[:, [1, 2, 3, 2, 3, 3]]
    chosen = drawn[best_of_each(judge(drawn, rng), covered, budget)]
    shift = rng.integers(4, size=(len(chosen), 1))
    return np.take_along_axis(chosen, (shift + np.arange(4)) % 4, axis=1)
