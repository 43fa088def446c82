"""Left and right annotated the wrong way round, told by the layout of keypoints in other photos.

A photo with left and right swapped shows the object from where nobody takes photos: a chair from
below, a face from behind. So its keypoints lie as in no other photo, or not those are visible that
are visible in photos where they lie so; once swapped back they agree with some. No network is
needed, and no shape: photos are compared in two dimensions, each with all others and their mirror
images.
"""

import numpy as np
from scipy.special import logsumexp

from ..limits import FEW_PHOTOS, MIN_KEYPOINTS
from .labels import Labels
from .layouts import similarity
from .report import Finding, of_photos

NEAR = 0.05
"""Similarity within which photos count alike, so that many outvote a few that are as wrong."""
EVIDENCE, LEAST_EVIDENCE = 1.5, 0.03
"""Photos differ from each other the more the fewer there are: so much over their number must the
agreement grow by swapping, and so much at least."""
AGREEMENT, USUAL = 1.25, 0.1
"""Swapped, a photo must agree with its nearest ones so well, and as well as nine tenths do. (The
same layout of the same keypoints: 1.5 and a little more, random ones: 0.9.)"""
_CLEAREST, _ROUNDS = 0.7, 6
_MOST_COMPARED = 1500
_CHUNK = 1 << 18


def judge_sides(labels: Labels, mirror: np.ndarray | None) -> list[Finding]:
    """Photos whose left and right look swapped; none where mirror pairs are not known."""
    points, table = _placed(labels, mirror)
    if points is None:
        return []
    swapped, before, after = swapped_sides(points, table)
    rows = np.flatnonzero(swapped)
    if not len(rows):
        return []
    text = (
        f"{of_photos(len(rows), len(labels.images))}: left and right look annotated the wrong way "
        "round; swapped, the keypoints lie as they do in other photos"
    )
    if 3 * len(rows) > len(points):
        text += " (so many that the others may be the wrong ones)"
    items = tuple(
        f"{labels.images[row].name} (agreement {before[row]:.2f}, swapped {after[row]:.2f})"
        for row in rows
    )
    advice = (
        "Left is the object's own left, not the viewer's: look at these photos. A view unlike all "
        "others can look so, too."
    )
    return [Finding("warning", "sides-swapped", text, items, advice)]


def _placed(labels: Labels, mirror: np.ndarray | None) -> tuple[np.ndarray | None, np.ndarray]:
    """Visible keypoints (N, K, 2) and the mirror table (K,), if there is enough to compare."""
    table = np.arange(labels.points.shape[1])
    if mirror is None or not len(labels.images):
        return None, table
    table[: len(mirror)] = mirror[: len(table)]
    points = np.full_like(labels.points, np.nan)
    for row, image in zip(points, labels.images, strict=True):
        if image.record is not None:
            row[: len(image.record.keypoints)] = image.record.keypoints
    seen = np.isfinite(points).all(axis=2)
    paired = (seen & (table != np.arange(len(table)))).sum(axis=1)
    enough = (seen.sum(axis=1) >= MIN_KEYPOINTS) & (paired >= 2)
    return (points if enough.sum() >= FEW_PHOTOS else None), table


def swapped_sides(
    points: np.ndarray, mirror: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photos whose keypoints agree with others' only with left and right swapped.

    The clearest ones are swapped first, then the others are looked at again.

    Parameters
    ----------
    points : (N, K, 2) visible keypoints, pixels, NaN where there is none.
    mirror : (K,) mirror table.

    Returns
    -------
    tuple of (N,) bool, and (N,) agreement with the nearest photos as annotated, and swapped.
    """
    current, limit = points.copy(), max(EVIDENCE / len(points), LEAST_EVIDENCE)
    swapped = np.zeros(len(points), dtype=bool)
    for _ in range(_ROUNDS):
        bank = np.arange(0, len(points), -(-len(points) // _MOST_COMPARED))
        other = np.concatenate([current[bank], current[bank][:, mirror] * (-1.0, 1.0)])
        own = np.concatenate([bank, bank])
        before = _agreement(current, other, own)
        after = _agreement(current[:, mirror], other, own)
        gain = after - before
        agrees = after >= max(AGREEMENT, np.quantile(before, USUAL) - NEAR)
        clear = agrees & (gain > limit) & (gain >= _CLEAREST * gain.max(where=agrees, initial=0.0))
        if not clear.any():
            break
        swapped[clear] ^= True
        current[clear] = current[clear][:, mirror]
    return swapped, np.where(swapped, after, before), np.where(swapped, before, after)


def _agreement(points: np.ndarray, other: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(N,) similarity of photos to the nearest of others (M, K, 2), which are photos `own` (M,).

    A soft maximum: many that are nearly as near count for more than one.
    """
    found = np.empty(len(points))
    step = max(_CHUNK // len(other), 1)
    for start in range(0, len(points), step):
        rows = np.arange(start, min(start + step, len(points)))
        similar = similarity(points[rows], other)
        similar[rows[:, None] == own] = -np.inf
        found[rows] = NEAR * logsumexp(similar / NEAR, axis=1)
    return found
