"""First shape from the relations: edge lengths, then coordinates (METHOD.md section 7)."""

import logging

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.sparse.linalg import cg

from semalign3d.shape.relations.beta import logit_variance, mean_logit
from semalign3d.shape.relations.fitting import Relations

logger = logging.getLogger(__name__)

MIN_KNOWN_EDGES = 3
_RTOL = 1e-10


def edge_lengths(relations: Relations) -> np.ndarray:
    """Edge lengths that agree best with the length ratios.

    Each kept edge pair says log|e1| - log|e2| = expected logit of its ratio, with the weight one
    over that logit's variance; all of them are solved by weighted least squares (conjugate
    gradients). Edges that no
    chain of kept relations ties to the largest group of edges are left out.

    Returns
    -------
    np.ndarray
        (K, K) symmetric, with a geometric mean of 1 over the known edges; NaN where unknown.
    """
    count = len(relations.edges)
    rows = relations.pair_kept
    first, second = relations.pairs[rows].reshape(-1, 2).T
    alpha, beta = relations.pair_alpha[rows, 1], relations.pair_beta[rows, 1]
    lengths = np.full((relations.keypoints, relations.keypoints), np.nan)
    if len(first) == 0:
        return lengths
    weight = 1.0 / logit_variance(alpha, beta)
    pull = weight * mean_logit(alpha, beta)
    total = np.bincount(first, pull, count) - np.bincount(second, pull, count)
    degree = np.bincount(first, weight, count) + np.bincount(second, weight, count)
    ends = (np.concatenate([first, second]), np.concatenate([second, first]))
    ties = csr_array((np.tile(weight, 2), ends), shape=(count, count))
    _, group = connected_components(ties, directed=False)
    known = np.flatnonzero(group == np.argmax(np.bincount(group)))
    laplacian = (diags_array(degree) - ties).tocsr()[known][:, known]
    # Singular, as the mean of the logarithms is free; conjugate gradients stay in its range.
    scaling = diags_array(1.0 / degree[known])
    logs, left = cg(laplacian, total[known], rtol=_RTOL, maxiter=10 * len(known), M=scaling)
    if left:
        logger.warning("edge lengths: conjugate gradients did not reach their tolerance")
    i, j = relations.edges[known].T
    lengths[i, j] = lengths[j, i] = np.exp(logs - logs.mean())
    return lengths


def well_connected(lengths: np.ndarray) -> np.ndarray:
    """Keypoints (K,) bool that have at least 3 known edges to others of their kind.

    The largest such set in which every keypoint reaches every other one.
    """
    known = np.isfinite(lengths)
    used = np.ones(len(lengths), dtype=bool)
    while True:
        degree = (known & used).sum(axis=1)
        remaining = used & (degree >= MIN_KNOWN_EDGES)
        if np.array_equal(remaining, used):
            break
        used = remaining
    if not used.any():
        return used
    _, group = connected_components(known & used & used[:, None], directed=False)
    return used & (group == np.argmax(np.bincount(group[used])))


def embed(lengths: np.ndarray, *, max_iterations: int = 500) -> np.ndarray:
    """Points in space whose distances agree with known edge lengths.

    Classical multidimensional scaling, unknown distances taken as shortest paths over known ones,
    then least squares on the logarithms of the known lengths alone.

    Parameters
    ----------
    lengths
        (n, n) symmetric and positive, NaN where unknown; every point must be reachable.
    max_iterations
        Of the least squares.

    Returns
    -------
    np.ndarray
        (n, 3), centred; the handedness is arbitrary.
    """
    known = np.isfinite(lengths)
    full = np.where(known, lengths, shortest_path(np.where(known, lengths, 0.0), directed=False))
    np.fill_diagonal(full, 0.0)
    centring = np.eye(len(full)) - 1.0 / len(full)
    values, vectors = np.linalg.eigh(-0.5 * centring @ np.square(full) @ centring)
    top = np.argsort(values)[::-1][:3]
    start = vectors[:, top] * np.sqrt(np.maximum(values[top], 1e-6 * values[top[0]]))
    i, j = np.nonzero(np.triu(known, k=1))
    target = np.log(lengths[i, j])

    def stress(flat: np.ndarray) -> tuple[float, np.ndarray]:
        points = flat.reshape(-1, 3)
        vectors = points[i] - points[j]
        squares = np.maximum(np.einsum("ed,ed->e", vectors, vectors), 1e-300)
        apart = 0.5 * np.log(squares) - target
        pull = (2.0 * apart / squares)[:, None] * vectors
        gradient = np.zeros_like(points)
        np.add.at(gradient, i, pull)
        np.subtract.at(gradient, j, pull)
        return float(apart @ apart), gradient.ravel()

    result = minimize(
        stress,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations, "maxcor": 20, "ftol": 1e-9},
    )
    points = result.x.reshape(-1, 3)
    return points - points.mean(axis=0)
