"""Layouts of keypoints in photos, compared in two dimensions."""

import numpy as np

from ..limits import FEW_PHOTOS, MIN_KEYPOINTS
from .labels import Labels
from .report import Finding

OVERLAP = 0.5
"""Weight of which keypoints are visible, against where they lie."""
ONE_SIDE = 0.95
"""Half of all pairs of photos as similar as this: the object never turns. (From all sides: 0.7 to
0.9; faces from the front, cars from the right: 0.98.)"""
_MOST_COMPARED = 500


def judge_views(labels: Labels) -> list[Finding]:
    """Whether all photos are from about the same side."""
    step = max(len(labels.images) // _MOST_COMPARED, 1)
    points = labels.points[::step]
    if len(points) < FEW_PHOTOS:
        return []
    first, second = np.triu_indices(len(points), 1)
    alike = _alike(points, points)[0][first, second]
    known = alike[alike >= 0.0]
    if len(known) < FEW_PHOTOS or np.median(known) < ONE_SIDE:
        return []
    text = (
        "all photos seem to show the object from about the same side: half of all pairs have a "
        f"correlation of {np.median(known):.2f} or more between their keypoints"
    )
    advice = "Photos from other sides will not match; label some if there are any."
    return [Finding("note", "one-side", text, (), advice)]


def similarity(points: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, M) of layouts (n, K, 2) and (M, K, 2): up to place, size and, at a cost, rotation.

    The correlation of the common keypoints as complex numbers (its absolute value, and its real
    part, which falls with rotation, in equal parts), plus the share of keypoints in common.
    """
    alike, common, either = _alike(points, other)
    return np.asarray(alike + OVERLAP * common / np.maximum(either, 1.0))


def _alike(points: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, M) correlations, -1 with few common keypoints; numbers of common ones, and of all."""
    a, in_a = _complex(points)
    b, in_b = _complex(other)
    common = in_a @ in_b.T
    count = np.maximum(common, 1.0)
    mean_a, mean_b = (a @ in_b.T) / count, (in_a @ b.T) / count
    spread_a = (np.abs(a) ** 2 @ in_b.T) / count - np.abs(mean_a) ** 2
    spread_b = (in_a @ (np.abs(b) ** 2).T) / count - np.abs(mean_b) ** 2
    product = (a @ b.conj().T) / count - mean_a * mean_b.conj()
    correlation = product / np.sqrt(np.maximum(spread_a * spread_b, np.finfo(float).tiny))
    alike = np.maximum((np.abs(correlation) + correlation.real) / 2.0, 0.0)
    either = in_a.sum(axis=1)[:, None] + in_b.sum(axis=1) - common
    return np.where(common >= MIN_KEYPOINTS, alike, -1.0), common, either


def _complex(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, K, 2) as complex numbers about their mean, 0 where there is none, and a mask."""
    there = np.isfinite(points).all(axis=2)
    values = np.where(there, points[..., 0] + 1j * points[..., 1], 0.0)
    mean = values.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.where(there, values - mean[:, None], 0.0), there.astype(float)
