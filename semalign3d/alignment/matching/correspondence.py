"""Where the geometry expects a query point in the other photo (METHOD.md section 10, 8)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.alignment.settings import MatchingSettings

_NEIGHBOURS = 12
"""Points of the prior that a query moves with."""
_WIDTH = 1.0
"""Least width in cells of the window about the query in which they count."""
_KEYPOINT_BONUS = 2.0
"""Log odds for keypoints, which queries often are and which are placed best."""
_EVIDENCE = 0.5
"""Weight of the query's descriptor against its place: descriptors of neighbours are alike."""
_UNSEEN = 0.01


@dataclass(frozen=True)
class Correspondence:
    """Points of the prior that m queries belong to, and where these lead.

    Attributes
    ----------
    points : (m, k) numbers of the points.
    weights : (m, k), each row adding up to 1.
    places : (m, 2) cells in the target photo where the queries are expected.
    """

    points: np.ndarray
    weights: np.ndarray
    places: np.ndarray

    def take(self, rows: np.ndarray) -> "Correspondence":
        """Some of the queries, by numbers."""
        return Correspondence(self.points[rows], self.weights[rows], self.places[rows])


def corresponding_places(
    surface: np.ndarray,
    is_keypoint: np.ndarray,
    evidence: np.ndarray,
    queries: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    visibility: np.ndarray,
    settings: MatchingSettings,
) -> Correspondence:
    """Expected places of queries in the target photo.

    Parameters
    ----------
    surface : (n, 3) the prior's points in its frame.
    is_keypoint : (n,) bool.
    evidence : (m, n) log likelihood ratios of the queries' descriptors.
    queries : (m, 2) cells in the source photo.
    source, target : (n, 2) cells of the points in the two photos.
    visibility : (n,) probabilities that the source photo shows them.
    settings : see `MatchingSettings`.
    """
    away = np.square(queries[:, None] - source).sum(axis=-1)
    fit = _EVIDENCE * evidence - away / (2.0 * settings.sigma**2)
    fit += np.log(np.maximum(visibility, _UNSEEN)) + _KEYPOINT_BONUS * is_keypoint
    best = fit.argmax(axis=1)
    if not settings.interpolate:
        return Correspondence(best[:, None], np.ones((len(best), 1)), target[best])
    apart = np.square(surface[best][:, None] - surface).sum(axis=-1)
    points = np.argsort(apart, axis=1, kind="stable")[:, :_NEIGHBOURS]
    near = np.take_along_axis(away, points, axis=1)
    width = np.maximum(np.median(near, axis=1, keepdims=True), _WIDTH**2)
    weights = np.exp(-near / (2.0 * width)) * np.maximum(visibility[points], _UNSEEN)
    weights /= weights.sum(axis=1, keepdims=True)
    return Correspondence(points, weights, _moved(queries, source[points], target[points], weights))


def _moved(
    queries: np.ndarray, source: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Queries (m, 2) moved by the affine maps that fit points (m, k, 2) and weights (m, k) best.

    Least squares with a weak pull to the points' mean displacement scaled evenly: few or
    collinear points say little about the map.
    """
    from_mean = np.einsum("mk,mkd->md", weights, source)
    to_mean = np.einsum("mk,mkd->md", weights, target)
    before, after = source - from_mean[:, None], target - to_mean[:, None]
    weighted = weights[..., None] * before
    square = np.einsum("mki,mkj->mij", weighted, before)
    cross = np.einsum("mki,mkj->mij", weighted, after)
    pull = 0.25 * np.eye(2)
    factors = np.linalg.solve(square + pull, cross)
    return to_mean + np.einsum("md,mde->me", queries - from_mean, factors)
