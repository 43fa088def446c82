"""Where in a photo points of a prior may be, by their descriptors (METHOD.md section 10)."""

from dataclasses import dataclass, replace

import numpy as np

from semalign3d.alignment.statistics.collect import AlignmentStatistics

KEYPOINT_LIMIT = 6.0
"""Bound of a keypoint's log likelihood ratio: no single descriptor decides a pose."""
SURFACE_LIMIT = 4.0
"""The same of surface points, of which many say the same."""
_COMPETING_LIMIT = 8.0
"""The same where points compete for a place: wider, for all of a neighbourhood may fit well."""
_SMALLEST_VARIANCE = 1e-4


@dataclass(frozen=True)
class PointLikelihood:
    """Log likelihood ratios of n points: a cosine at the point against one anywhere.

    Attributes
    ----------
    descriptors : (n, C) float32, of length one.
    on_mean, on_variance, off_mean, off_variance : (n,) of the cosine, see `AlignmentStatistics`.
    deviation : (n,) of the cosine over a training image.
    limit : (n,) bound of the log likelihood ratio.
    """

    descriptors: np.ndarray
    on_mean: np.ndarray
    on_variance: np.ndarray
    off_mean: np.ndarray
    off_variance: np.ndarray
    deviation: np.ndarray
    limit: np.ndarray

    def take(self, points: np.ndarray) -> "PointLikelihood":
        """Some of the points, by numbers (m,)."""
        return PointLikelihood(*(getattr(self, name)[points] for name in self.__dataclass_fields__))

    def competing(self) -> "PointLikelihood":
        """The same with a wider limit: which of the points a place shows, if it shows one."""
        return replace(self, limit=np.full(len(self.limit), _COMPETING_LIMIT))

    def log_ratios(self, cosines: np.ndarray) -> np.ndarray:
        """Log likelihood ratios (n, ...) of cosines (n, ...)."""
        shape = (-1,) + (1,) * (cosines.ndim - 1)
        m1, v1, m0, v0, limit = (
            values.reshape(shape).astype(cosines.dtype)
            for values in (
                self.on_mean,
                self.on_variance,
                self.off_mean,
                self.off_variance,
                self.limit,
            )
        )
        below = np.minimum(cosines - m1, 0.0)
        above = np.maximum(cosines - m0, 0.0)
        ratios = above * above / (2.0 * v0) - below * below / (2.0 * v1) + 0.5 * np.log(v0 / v1)
        return np.clip(ratios, -limit, limit)


def point_likelihood(statistics: AlignmentStatistics, keypoint: np.ndarray) -> PointLikelihood:
    """The points' likelihoods from training statistics.

    The variance at a point rests on few views: it is averaged half and half with its mean over
    keypoints or surface points, and points that fewer than two images see take the means.

    Parameters
    ----------
    statistics : of n points.
    keypoint : (n,) id of the keypoint that a point is, -1 for surface points.
    """
    is_keypoint = keypoint >= 0
    on_mean, on_variance = statistics.on_mean.copy(), statistics.on_variance.copy()
    for group in (is_keypoint, ~is_keypoint):
        known = group & np.isfinite(on_mean)
        source = known if known.any() else np.isfinite(on_mean)
        variance = on_variance[source].mean()
        on_variance[known] = 0.5 * (on_variance[known] + variance)
        on_mean[group & ~known], on_variance[group & ~known] = on_mean[source].mean(), variance
    return PointLikelihood(
        statistics.descriptors.astype(np.float32),
        on_mean,
        np.maximum(on_variance, _SMALLEST_VARIANCE),
        statistics.off_mean,
        np.maximum(statistics.off_variance, _SMALLEST_VARIANCE),
        statistics.map_deviation,
        np.where(is_keypoint, KEYPOINT_LIMIT, SURFACE_LIMIT),
    )


def cosine_maps(descriptors: np.ndarray, centred_map: np.ndarray) -> np.ndarray:
    """Cosines (n, G, G) float32 of points' descriptors (n, C) with a centred map (G, G, C)."""
    grid = centred_map.shape[0]
    return (descriptors @ centred_map.reshape(grid * grid, -1).T).reshape(-1, grid, grid)


def spread_factors(cosines: np.ndarray, inside: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Factors (n,) that give cosine maps (n, G, G) the deviation (n,) of training images."""
    found = cosines[:, inside].std(axis=1, dtype=np.float64)
    return np.where(found > 0.0, deviation / np.maximum(found, 1e-12), 1.0)
