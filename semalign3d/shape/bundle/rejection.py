"""Annotations that are too far off to be right take no part in the end (METHOD.md section 7)."""

import logging

import numpy as np

from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.bundle.objective import BundleObjective

logger = logging.getLogger(__name__)

IMPLAUSIBLE = 8.0
"""Typical deviations beyond which an annotation is left out.

Robust losses leave a wrong annotation a small pull. Without it, 5 % wrong annotations make the
error of the demo's shapes at most 1.5 times as large, not 1.8. Objects of rare proportions come to
5 to 8 deviations: without these, too, shapes of right annotations get worse.
"""
MEDIAN_OF_RAYLEIGH = 1.17741
"""Median length of two independent normal errors of standard deviation 1."""


def implausible(objective: BundleObjective, free: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(n, K) bool: annotations further from the shape than `IMPLAUSIBLE` typical deviations.

    None of an image that would keep fewer than 4: its pose is in doubt, not they.

    Parameters
    ----------
    objective : whose minimum was found.
    free, numbers : the minimum.
    """
    distances = objective.distances(free, numbers)
    deviation = float(np.nanmedian(distances)) / MEDIAN_OF_RAYLEIGH
    far = np.nan_to_num(distances) > IMPLAUSIBLE * deviation
    far &= ((objective.shown & ~far).sum(axis=1) >= MIN_KEYPOINTS)[:, None]
    if far.any():
        logger.info("%d of %d annotations are left out", far.sum(), objective.shown.sum())
    return np.asarray(far)
