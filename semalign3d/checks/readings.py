"""How annotations may be meant that make no sense as they stand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .labels import Labels

SOUND, ODD = 0.9, 3
"""Share of the odd photos that a reading must fit, and how many of these there must be."""
AGREE = 0.2
"""Relative difference of the factors of x and y."""
_LARGEST = 64.0
"""Factor of a copy that somebody may have labelled."""
_SIMPLE = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class Reading:
    """What labels seem to be that make no sense as they stand.

    Attributes
    ----------
    text : what they seem to be.
    fits : in how many photos they make sense so, and only so.
    """

    text: str
    fits: int


def reading_of_boxes(labels: Labels) -> Reading | None:
    """How boxes may be meant; None where they make sense, or nothing else does."""
    odd = _odd(labels)
    if odd.sum() < ODD:
        return None
    return _best(
        odd, ((text, _sound(labels, boxes, labels.points)) for text, boxes in _box_readings(labels))
    )


def reading_of_points(labels: Labels) -> Reading | None:
    """How keypoints may be meant that do not lie in their boxes; None if nothing else fits."""
    odd = _odd(labels)
    if odd.sum() < ODD:
        return None
    readings = _point_readings(labels, odd)
    return _best(odd, ((text, _sound(labels, labels.boxes, points)) for text, points in readings))


def _odd(labels: Labels) -> np.ndarray:
    """(N,) bool: photos with a box and keypoints that do not fit each other, or the photo."""
    judged = labels.boxed & (labels.labelled & ~labels.at_origin).any(axis=1)
    return np.asarray(judged & ~_sound(labels, labels.boxes, labels.points))


def _best(odd: np.ndarray, readings: Iterator[tuple[str, np.ndarray]]) -> Reading | None:
    """The reading that makes sense of most of the odd photos, if of nearly all of them."""
    found = [Reading(text, int(sound[odd].sum())) for text, sound in readings]
    best = max(found, key=lambda reading: reading.fits)
    return best if best.fits >= SOUND * odd.sum() else None


def _box_readings(labels: Labels) -> Iterator[tuple[str, np.ndarray]]:
    low, high = labels.boxes[:, :2], labels.boxes[:, 2:]
    size = high - low
    yield (
        "corners (x1, y1, x2, y2) that are read as (x, y, width, height)",
        np.concatenate([low, size], axis=1),
    )
    yield (
        "(x, y, width, height) that are read as corners (x1, y1, x2, y2)",
        np.concatenate([low, low + high], axis=1),
    )
    yield (
        "centre, width and height; the first two numbers must be the upper left corner",
        np.concatenate([low - size / 2, low + size / 2], axis=1),
    )
    whole = np.tile(labels.sizes, 2)
    yield "shares of the photo's width and height, not pixels", labels.boxes * whole
    yield "percent of the photo's width and height, not pixels", labels.boxes * whole / 100.0


def _point_readings(labels: Labels, odd: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    corner, size = labels.boxes[:, None, :2], labels.boxes[:, None, 2:] - labels.boxes[:, None, :2]
    sides = labels.sizes[:, None]
    yield "x and y swapped", labels.points[..., ::-1]
    yield (
        "y counted from the photo's lower edge",
        np.array([0, 1]) * sides + labels.points * (1, -1),
    )
    yield "pixels from the box's corner, not from the photo's", labels.points + corner
    yield "shares of the photo's sides, not pixels", labels.points * sides
    yield "percent of the photo's sides, not pixels", labels.points * sides / 100.0
    yield "shares of the box's sides, not pixels", labels.points * size + corner
    factor = _common_factor((_middles(labels.points) / (corner + size / 2)[:, 0])[odd])
    if factor is not None:
        way, times = ("large", factor) if factor > 1.0 else ("small", 1.0 / factor)
        yield f"those of a copy {times:.3g} times as {way}, unlike boxes", labels.points / factor


def _sound(labels: Labels, boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) bool: photos whose box lies inside and holds all but a tenth of the keypoints."""
    there = np.isfinite(points).all(axis=2) & ~labels.at_origin
    with np.errstate(invalid="ignore"):
        inside = there & ~labels.outside_boxes(points, boxes) & ~labels.outside_photo(points)
        sound = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (labels.beyond_photo(boxes) == 0.0)
    return np.asarray(sound & (inside.sum(axis=1) >= 0.9 * there.sum(axis=1)))


def factor_of_copy(labels: Labels) -> float | None:
    """Times that the labels' copies are as large as the photos; None where they seem to fit.

    Objects lie about the middle of photos, on average: twice the mean place of the labels is the
    size of what was labelled. Of smaller copies this is believed only if hardly a label reaches
    beyond, which labels do in photos of small objects.
    """
    seen = labels.labelled & ~labels.at_origin
    rows = seen.any(axis=1)
    if rows.sum() < FEWEST:
        return None
    points = np.where(seen[..., None], labels.points, np.nan)[rows]
    sizes = labels.sizes[rows]
    middle = _middles(points) / sizes
    factor = _common_factor(2.0 * middle)
    if factor is None:
        return None
    reach = np.quantile(np.nanmax(points, axis=1) / sizes, 0.98, axis=0).max()
    outside = float(labels.outside_photo(labels.points)[seen].mean())
    if factor > 1.0 and outside > OUTSIDE:
        factor = max(factor, float(reach))
        fits = ~labels.outside_photo(labels.points / _simple(factor))[seen]
        return _simple(factor) if fits.mean() > 1.0 - OUTSIDE else None
    error = middle.std(axis=0) / np.sqrt(len(middle))
    clear = (0.5 - middle.mean(axis=0) > CLEAR * error).all()
    return factor if factor < SMALLER and reach < REACH * factor and clear else None


FEWEST = 6
"""Photos whose labels' mean place says something."""
OUTSIDE = 0.1
SMALLER, REACH, CLEAR = 0.75, 1.1, 4.0
"""Of smaller copies: factor at most, reach of labels in its units, standard errors from 1/2."""


def are_shares(labels: Labels) -> bool:
    """Whether all keypoints lie between 0 and 1: shares of the photo's sides, not pixels."""
    seen = labels.labelled & ~labels.at_origin
    values = labels.points[seen]
    return len(values) > 1 and bool((values >= 0.0).all() and (values <= 1.0).all())


def are_percent(labels: Labels) -> bool:
    """Whether keypoints fill 0 to 100 in both directions, in photos that are much larger."""
    seen = labels.labelled & ~labels.at_origin
    if seen.any(axis=1).sum() < FEWEST or labels.sizes.min() < 150.0:
        return False
    values = labels.points[seen]
    reach = np.quantile(values, 0.98, axis=0)
    middle = np.nanmean(_middles(labels.points), axis=0)
    return bool(
        (values >= 0.0).all()
        and (values <= 100.0).all()
        and (reach > 60.0).all()
        and (np.abs(middle - 50.0) < 15.0).all()
    )


def copy_text(factor: float) -> str:
    """Which copy labels belong to."""
    size, times = ("large", factor) if factor > 1.0 else ("small", 1.0 / factor)
    return f"the labels fit a copy {times:.3g} times as {size}"


def _middles(points: np.ndarray) -> np.ndarray:
    """(N, 2) middle of the range of each image's points (N, K, 2); NaN without points."""
    there = np.isfinite(points).all(axis=2)[..., None]
    low = np.where(there, points, np.inf).min(axis=1)
    high = np.where(there, points, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(low), (low + high) / 2.0, np.nan)


def _common_factor(factors: np.ndarray) -> float | None:
    """Of factors (N, 2) in x and y; None where the two differ, or it is about 1."""
    rows = np.isfinite(factors).all(axis=1)
    if not rows.any():
        return None
    x, y = np.median(factors[rows], axis=0)
    if min(x, y) <= 0.0 or abs(np.log(x / y)) > AGREE:
        return None
    both = float(np.sqrt(x * y))
    return _simple(both) if AGREE < abs(np.log(both)) < np.log(_LARGEST) else None


def _simple(factor: float) -> float:
    """The simple number nearby, as copies mostly have, or the factor itself."""
    near = [s for v in _SIMPLE for s in (v, 1.0 / v) if abs(np.log(factor / s)) < 0.06]
    return min(near, key=lambda s: abs(np.log(factor / s)), default=factor)
