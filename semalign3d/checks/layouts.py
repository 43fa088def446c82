"""Whether photos show the object from several sides, told by where their keypoints lie."""

import numpy as np

from ..limits import FEW_PHOTOS, MIN_KEYPOINTS
from .labels import Labels
from .report import Finding

ONE_SIDE = 0.95
"""Half of all pairs of photos as similar as this: the object never turns. (From all sides: 0.7 to
0.9; faces from the front, cars from the right: 0.98.)"""
_MOST_COMPARED = 500


def judge_views(labels: Labels) -> list[Finding]:
    """Whether all photos are from about the same side."""
    step = max(len(labels.images) // _MOST_COMPARED, 1)
    alike = similarity(labels.used[::step])
    if len(alike) < FEW_PHOTOS:
        return []
    pairs = alike[np.triu_indices(len(alike), 1)]
    known = pairs[np.isfinite(pairs)]
    if len(known) < FEW_PHOTOS or np.median(known) < ONE_SIDE:
        return []
    text = (
        "all photos seem to show the object from about the same side: half of all pairs have a "
        f"correlation of {np.median(known):.2f} or more between their keypoints"
    )
    advice = "Photos from other sides will not match; label some if there are any."
    return [Finding("note", "one-side", text, (), advice)]


def similarity(points: np.ndarray) -> np.ndarray:
    """(N, N) of layouts (N, K, 2), up to place, size and rotation; NaN with few common keypoints.

    The absolute correlation of the common keypoints as complex numbers.
    """
    there = np.isfinite(points).all(axis=2)
    values = np.where(there, points[..., 0] + 1j * points[..., 1], 0.0)
    seen = there.astype(float)
    mean = values.sum(axis=1) / np.maximum(seen.sum(axis=1), 1.0)
    values = np.where(there, values - mean[:, None], 0.0)
    count = seen @ seen.T
    number = np.maximum(count, 1.0)
    means = (values @ seen.T) / number
    spread = (np.abs(values) ** 2 @ seen.T) / number - np.abs(means) ** 2
    product = (values @ values.conj().T) / number - means * means.T.conj()
    size = np.sqrt(np.maximum(spread * spread.T, np.finfo(float).tiny))
    return np.where(count >= MIN_KEYPOINTS, np.abs(product) / size, np.nan)
