"""Left and right annotated the wrong way round, told by the other photos (METHOD.md 1.5).

With left and right swapped, a photo seems to be seen from where nobody takes photos: a chair from
below, a face from behind; or the keypoints that it shows are not those that one sees from there.
Where photos are seen from follows from the keypoints of all photos together: no network is needed.
"""

import numpy as np

from ..limits import FEW_PHOTOS, MIN_KEYPOINTS
from .factorisation import MIRRORED, SWAPPED, Factorisation, factorise, pair_gains
from .labels import Labels
from .report import Finding, of_photos

EVIDENCE, DOUBT = 1.2, 4.0
"""Log of how much likelier a photo must become by swapping; more so where photos are few: the
second number over theirs."""
VISIBILITY = 0.6
"""Weight of which keypoints are visible: those of one side vanish together."""
CONCENTRATION = 6.0
"""Of the directions that count as near: within 25 degrees, mostly."""
POOR_FIT = 0.3
"""Residual of the shape, over the keypoints' spread, above which directions say nothing. (One
shape with its variations: 0.05 to 0.1; random places: 0.5.)"""
PAIR_GAIN = 25.0
"""Fall of the squared misfits, in units of the usual one, by which a swapped pair is told. (Right
labels: up to 3, and up to 18 where parts swing by a third of the object's size.)"""
_FAR = 1e-3
_CLEAREST, _ROUNDS = 0.7, 6
_MOST_COMPARED = 1500
_CHUNK = 1 << 20


def judge_sides(labels: Labels, mirror: np.ndarray | None) -> list[Finding]:
    """Photos whose left and right look swapped; none where mirror pairs are not known."""
    if mirror is None or not len(labels.images):
        return []
    table = np.arange(labels.points.shape[1])
    table[: len(mirror)] = mirror[: len(table)]
    points, seen = labels.used, labels.visible
    low = np.where(seen[..., None], points, np.inf).min(axis=1)
    high = np.where(seen[..., None], points, -np.inf).max(axis=1)
    rows = np.flatnonzero((seen.sum(axis=1) > MIN_KEYPOINTS) & (high > low).all(axis=1))
    if len(rows) < FEW_PHOTOS or (table != np.arange(len(table))).sum() < MIN_KEYPOINTS:
        return []
    fit = factorise(points[rows], table)
    if fit.residual > POOR_FIT:
        return []
    return [*_whole_photos(labels, rows, fit, table), *_pairs(labels, rows, fit, table)]


def _whole_photos(
    labels: Labels, rows: np.ndarray, fit: Factorisation, mirror: np.ndarray
) -> list[Finding]:
    swapped, evidence = swapped_sides(fit, mirror)
    if not swapped.any():
        return []
    count = int(swapped.sum())
    text = (
        f"{of_photos(count, len(labels.images))}: left and right look annotated the wrong way "
        "round, if the other photos are right"
    )
    if 3 * count > len(rows):
        text += " (so many that the others may be the wrong ones)"
    items = tuple(
        f"{labels.images[row].name} (log evidence {found:.1f})"
        for row, found in zip(rows[swapped], evidence[swapped], strict=True)
    )
    advice = (
        "Left is the object's own left, not the viewer's: look at these photos. A view unlike all "
        "others can look so, too."
    )
    return [Finding("warning", "sides-swapped", text, items, advice)]


def _pairs(
    labels: Labels, rows: np.ndarray, fit: Factorisation, mirror: np.ndarray
) -> list[Finding]:
    """Photos in which one pair is swapped: its two keypoints fit the shape only the other way."""
    pairs, gains = pair_gains(fit, mirror)
    found = np.flatnonzero(gains.max(axis=1, initial=0.0) > PAIR_GAIN)
    if not len(found):
        return []
    ids = np.zeros((len(found), len(mirror)), dtype=bool)
    np.put_along_axis(ids, pairs[gains[found].argmax(axis=1)], True, axis=1)
    text = (
        f"{of_photos(len(found), len(labels.images))}: two keypoints look swapped left and right; "
        "the other way round they fit the shape that the photos agree on"
    )
    items = tuple(labels.said(int(rows[n]), chosen) for n, chosen in zip(found, ids, strict=True))
    return [Finding("warning", "pair-swapped", text, items, "Look at these photos.")]


def swapped_sides(fit: Factorisation, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photos that are much likelier with left and right swapped.

    The clearest ones are swapped first, then the others are looked at again.

    Parameters
    ----------
    fit : of N photos.
    mirror : (K,) mirror table.

    Returns
    -------
    tuple of (N,) bool, and (N,) log evidence that a photo as annotated is swapped.
    """
    direction, visible = fit.direction.copy(), fit.weight > 0.0
    swapped = np.zeros(len(direction), dtype=bool)
    for _ in range(_ROUNDS):
        evidence = _evidence(direction, visible, mirror)
        clear = (evidence > EVIDENCE + DOUBT / len(direction)) & (
            evidence >= _CLEAREST * evidence.max()
        )
        if not clear.any():
            break
        swapped[clear] ^= True
        direction[clear] *= SWAPPED
        visible[clear] = visible[clear][:, mirror]
    return swapped, np.where(swapped, -evidence, evidence)


def _evidence(direction: np.ndarray, visible: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """(N,) log likelihood of photos swapped less that of photos as they are."""
    bank = np.arange(0, len(direction), -(-len(direction) // _MOST_COMPARED))
    towards = np.concatenate([direction[bank], direction[bank] * MIRRORED])
    showing = np.concatenate([visible[bank], visible[bank][:, mirror]]).astype(float)
    found = np.empty(len(direction))
    step = max(_CHUNK // len(towards), 1)
    for start in range(0, len(direction), step):
        rows = np.arange(start, min(start + step, len(direction)))
        other = rows[:, None] != np.concatenate([bank, bank])
        as_is = _likelihood(direction[rows], visible[rows], towards, showing, other)
        swapped = visible[rows][:, mirror]
        found[rows] = (
            _likelihood(direction[rows] * SWAPPED, swapped, towards, showing, other) - as_is
        )
    return found


def _likelihood(
    direction: np.ndarray,
    visible: np.ndarray,
    towards: np.ndarray,
    showing: np.ndarray,
    other: np.ndarray,
) -> np.ndarray:
    """(n,) log likelihood of being seen from a direction, and of showing what is visible there.

    Parameters
    ----------
    direction, visible : (n, 3) and (n, K) bool, of photos.
    towards, showing : (M, 3) and (M, K) of all photos and their mirror images.
    other : (n, M) bool, which of these are not the photo itself.
    """
    near = np.where(other, np.exp(CONCENTRATION * (direction @ towards.T - 1.0)), 0.0)
    weight = near.sum(axis=1, keepdims=True)
    usual = showing.mean(axis=0)
    chance = np.clip((near @ showing + usual) / (weight + 1.0), 0.03, 0.97)
    shown = np.where(visible, np.log(chance), np.log(1.0 - chance)).sum(axis=1)
    return np.asarray(np.log(weight[:, 0] + _FAR) + VISIBILITY * shown)
