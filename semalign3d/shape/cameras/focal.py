"""Focal lengths of all training views at once (METHOD.md section 4)."""

import logging
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import minimize

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import mirror_or_identity, with_mirror_images
from semalign3d.geometry.subsets import best_of_each, even_subsets

logger = logging.getLogger(__name__)

MOST_TRIPLES = 8192
"""Triples of keypoints that the focal lengths are found from; up to 33 keypoints, all of them."""
_DRAWN = 4
"""How many triples are drawn for each that is taken."""


@dataclass(frozen=True)
class _Samples:
    """Each triple (i; j, k) in every view that sees it, for triples that two images or more see.

    The edge ij of a sample is q a1 + b1 long when squared, ik is q a2 + b2, and their dot product
    is q a12 + b12, where q = p^2 of the image.

    Attributes
    ----------
    image, triple : (n,) int64
    first, second : (2, n) float64
        (a1, b1) and (a2, b2).
    product : (2, n) float64
        (a12, b12).
    weight : (n,) float64
        Weight of the triple over the number of its samples.
    triples : int
    """

    image: np.ndarray
    triple: np.ndarray
    first: np.ndarray
    second: np.ndarray
    product: np.ndarray
    weight: np.ndarray
    triples: int


def estimate_focal(
    rays: np.ndarray,
    mirror: np.ndarray | None,
    *,
    given: np.ndarray | None = None,
    initial: float = 0.2,
    tie: float = 0.03,
    max_iterations: int = 300,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Inverse focal lengths that make the views' keypoints most alike.

    Minimises the sum over triples (i; j, k) of the variance, across the views that see the
    triple, of the cosine of the angle at i and of the ratio |ij| / (|ij| + |ik|). Each image
    takes part with its mirror image (if there is a mirror table), which has the same p. L-BFGS over
    log p.

    The views' log p are tied weakly to their common mean: `tie` times the share of a typical view
    in the sum, times the squared difference. A view with few keypoints, whose own p is hardly
    determined, thus ends near the mean; the mean itself is free. Given ones stay as they are and
    take part in all of it.

    Parameters
    ----------
    rays
        (N, K, 3) keypoints of the images back-projected with p = 1, NaN where unseen.
    mirror
        (K,) mirror table, or None: no mirror images.
    given
        (N,) p of the views of which it is known, NaN for the others; None if none is.
    initial
        Start value of every other p.
    tie
        Strength of the tie to the common mean, see above.
    max_iterations
        Of L-BFGS.
    rng
        Draws triples where there are more than `MOST_TRIPLES`; None: one of seed 0.

    Returns
    -------
    np.ndarray
        p (N,) float64, positive. Images that share no triple with another have the mean (in
        logarithms) of those that do, or `initial` if there are none.

    Raises
    ------
    ValueError
        If a shape differs, a seen keypoint is not in front of the camera, or a given p is not
        positive.
    """
    require_shape("rays", rays, (None, None, 3))
    if np.any(rays[..., 2] <= 0.0) or np.isinf(rays).any():
        raise ValueError("rays: expected finite points in front of the camera, or NaN")
    count = len(rays)
    known = np.zeros(count, dtype=bool)
    p = np.full(count, float(initial))
    if given is not None:
        require_shape("given", given, (count,))
        known = ~np.isnan(given)
        p[known] = given[known]
        if not np.all((p > 0.0) & (p < np.inf)):
            raise ValueError(f"given: expected positive numbers or NaN, found {given}")
    if known.all():
        return p
    samples = _collect(np.asarray(rays, dtype=np.float64), mirror, rng or np.random.default_rng(0))
    if samples.triples == 0:
        logger.warning("no keypoint triple is seen by two images: focal lengths stay at the start")
        return p
    share = np.bincount(samples.image, samples.weight, minlength=count)
    informed = np.flatnonzero(share > 0.0)
    strength = tie * float(np.median(share[informed]))

    def objective(log_p: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = _variance(samples, np.exp(log_p))
        apart = np.zeros(count)
        apart[informed] = log_p[informed] - log_p[informed].mean()
        slope = np.where(known, 0.0, slope + 2.0 * strength * apart)
        return value + strength * float(apart @ apart), slope

    result = minimize(
        objective,
        np.log(p),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations, "maxcor": 20, "ftol": 1e-12, "gtol": 1e-8},
    )
    log_p = np.full(count, result.x[informed].mean())
    log_p[informed] = result.x[informed]
    logger.info("focal lengths: %d steps, %s", result.nit, result.message)
    return np.where(known, p, np.exp(log_p))


def _triples(
    seen: np.ndarray, table: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One triple (i, j, k), j < k, of each mirror pair of triples, and how many it stands for.

    All of them, or about `MOST_TRIPLES`: of those drawn, each pair of keypoints keeps the ones
    that most images show.

    Parameters
    ----------
    seen
        (M, K) bool, keypoints seen in the views.
    table
        (K,) mirror table.
    """
    count = len(table)
    if count * (count - 1) * (count - 2) // 2 <= 2 * MOST_TRIPLES:
        triples = _all_triples(count)
        return _one_of_each(triples, table)
    drawn = even_subsets(count, 3, _DRAWN * MOST_TRIPLES, rng)
    covered = drawn[:, [0, 0, 1]] * count + drawn[:, [1, 2, 2]]
    apex = rng.integers(3, size=len(drawn))
    rows = np.arange(len(drawn))
    ends = np.stack([drawn[rows, (apex + 1) % 3], drawn[rows, (apex + 2) % 3]], axis=1)
    triples = np.column_stack([drawn[rows, apex], np.sort(ends, axis=1)])
    shown = np.zeros(len(drawn), dtype=np.int64)
    for view in seen:
        shown += view[drawn].all(axis=1)
    costs = np.where(shown >= 2, 1.0 / np.maximum(shown, 1), np.inf)
    chosen = best_of_each(costs, covered, MOST_TRIPLES)
    return _one_of_each(triples[chosen], table)


def _all_triples(count: int) -> np.ndarray:
    """All (i, j, k) of different ids below `count` with j < k."""
    pairs = np.array(list(combinations(range(count), 2)), dtype=np.int64).reshape(-1, 2)
    apex = np.repeat(np.arange(count), len(pairs))
    triples = np.column_stack([apex, np.tile(pairs, (count, 1))])
    return triples[(triples[:, 1:] != triples[:, :1]).all(axis=1)]


def _one_of_each(triples: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of triples and their mirror images one each, and for how many it stands, 1 or 2."""
    image = table[triples]
    image[:, 1:].sort(axis=1)
    size = (len(table),) * 3
    code = np.ravel_multi_index(tuple(triples.T), size)
    image_code = np.ravel_multi_index(tuple(image.T), size)
    distinct = np.unique(np.minimum(code, image_code), return_index=True)[1]
    kept = np.where((code <= image_code)[:, None], triples, image)[distinct]
    return kept, np.where(code == image_code, 1.0, 2.0)[distinct]


def _collect(rays: np.ndarray, mirror: np.ndarray | None, rng: np.random.Generator) -> _Samples:
    """Samples of the triples in the images and their mirror images."""
    table = mirror_or_identity(mirror, rays.shape[1])
    views = np.concatenate(list(np.moveaxis(with_mirror_images(rays, mirror), 1, 0)))
    seen = np.isfinite(views).all(axis=2)
    triples, weight = _triples(seen, table, rng)
    view, triple = np.nonzero(seen[:, triples].all(axis=2))
    image = view % max(len(rays), 1)
    images = np.zeros((len(triples), len(rays)), dtype=bool)
    images[triple, image] = True
    shared = images.sum(axis=1) >= 2
    kept = shared[triple]
    view, triple, image = view[kept], triple[kept], image[kept]
    i, j, k = triples[triple].T
    edge1, edge2 = views[view, j] - views[view, i], views[view, k] - views[view, i]
    count = np.bincount(triple, minlength=len(triples))
    return _Samples(
        image=image,
        triple=triple,
        first=_across_and_along(edge1, edge1),
        second=_across_and_along(edge2, edge2),
        product=_across_and_along(edge1, edge2),
        weight=weight[triple] / count[triple],
        triples=int(shared.sum()),
    )


def _across_and_along(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Dot products (2, n) of vectors (n, 3): of the parts across the optical axis, and along it."""
    return np.stack([np.einsum("nd,nd->n", u[:, :2], v[:, :2]), u[:, 2] * v[:, 2]])


def _variance(samples: _Samples, p: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum over the triples of the variances, and its gradient with respect to log p (N,)."""
    q = np.square(p)[samples.image]
    square1 = np.maximum(q * samples.first[0] + samples.first[1], 1e-300)
    square2 = np.maximum(q * samples.second[0] + samples.second[1], 1e-300)
    # Relative change of the squared lengths with log p, halved: that of the lengths.
    growth1 = q * samples.first[0] / square1
    growth2 = q * samples.second[0] / square2
    length1, length2 = np.sqrt(square1), np.sqrt(square2)
    area = length1 * length2
    cosine = (q * samples.product[0] + samples.product[1]) / area
    cosine_slope = 2.0 * q * samples.product[0] / area - cosine * (growth1 + growth2)
    ratio = length1 / (length1 + length2)
    ratio_slope = ratio * (1.0 - ratio) * (growth1 - growth2)
    total, slope = 0.0, np.zeros(len(q))
    for value, value_slope in ((cosine, cosine_slope), (ratio, ratio_slope)):
        mean = _means(samples, value)
        apart = samples.weight * (value - mean[samples.triple])
        total += float(apart @ (value - mean[samples.triple]))
        slope += 2.0 * apart * value_slope
    return total, np.bincount(samples.image, slope, minlength=len(p))


def _means(samples: _Samples, values: np.ndarray) -> np.ndarray:
    """Mean of the samples of each triple; 0 where a triple has none."""
    total = np.bincount(samples.triple, values)
    count = np.bincount(samples.triple)
    return total / np.maximum(count, 1)
