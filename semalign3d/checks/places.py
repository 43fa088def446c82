"""Where labels lie: outside the photo or the box, at (0, 0), in other units, on another copy."""

import numpy as np

from . import readings
from .labels import Labels
from .report import Finding, Level, counted, of_photos

MOST = 0.5
"""Share of the keypoints or photos from which on a fault is the whole dataset's."""


def judge_places(labels: Labels) -> list[Finding]:
    """All findings; where labels are in other units or on another copy, this alone."""
    if len(labels.images) == 0:
        return []
    meant = _units(labels)
    return [
        *(meant or [*_outside_photo(labels), *_boxes(labels), *_outside_box(labels)]),
        *_at_origin(labels),
        *_same_labels(labels),
    ]


def _units(labels: Labels) -> list[Finding]:
    """Labels that are no pixels of these photos at all."""
    every = of_photos(len(labels.images), len(labels.images))
    if readings.are_shares(labels):
        text = f"{every}: all keypoints lie between 0 and 1, as shares of the photo's sides do"
        advice = "Keypoints must be pixels: multiply them by the photo's width and height."
        return [Finding("error", "labels-normalised", text, (), advice)]
    if readings.are_percent(labels):
        text = f"{every}: all keypoints lie between 0 and 100, as percent of the photo's sides do"
        advice = "Keypoints must be pixels: export them as COCO keypoints, or scale them."
        return [Finding("error", "labels-percent", text, (), advice)]
    factor = readings.factor_of_copy(labels)
    if factor is None or readings.reading_of_points(labels) is not None:
        return []
    level: Level = "error" if factor > 1.0 else "warning"
    reach = np.nan_to_num(labels.points, nan=-np.inf).max(axis=1)
    items = tuple(
        f"{image.name} (labels reach {x:.0f}, {y:.0f} of {w:.0f} x {h:.0f})"
        for image, (x, y), (w, h) in zip(labels.images, reach, labels.sizes, strict=True)
        if np.isfinite(x)
    )
    start = of_photos(len(items), len(labels.images))
    text = f"{start}: {readings.copy_text(factor)} (a common factor of about {factor:.3g})"
    advice = f"Give the photos that were labelled, or divide keypoints and boxes by {factor:.3g}."
    return [Finding(level, "labels-of-a-copy", text, items, advice)]


def _outside_photo(labels: Labels) -> list[Finding]:
    """Keypoints that are left out since the photo ends before."""
    with np.errstate(invalid="ignore"):
        outside = labels.labelled & labels.outside_photo(labels.points)
    count, every = int(outside.sum()), int(labels.labelled.sum())
    if not count:
        return []
    rows = np.flatnonzero(outside.any(axis=1))
    advice = "Keypoints must be pixels of the photo as it is stored, from its upper left corner."
    return [
        Finding(
            "error" if count >= MOST * every else "warning",
            "keypoint-outside-photo",
            f"{of_photos(len(rows), len(labels.images))}: {count} of "
            f"{counted(every, 'labelled keypoint')} lie outside the photo and are left out",
            tuple(labels.said(int(row), outside[row]) for row in rows),
            advice,
        )
    ]


def _boxes(labels: Labels) -> list[Finding]:
    """Boxes that leave the photo, and how else they may be meant."""
    over = labels.beyond_photo(labels.boxes)
    rows = np.flatnonzero(over)
    meant = readings.reading_of_boxes(labels)
    total = len(labels.images)
    parts, kind = [], "box-outside-photo"
    if len(rows):
        share = np.median(over[rows] / labels.sizes[rows].max(axis=1))
        parts.append(
            f"{of_photos(len(rows), total)}: the box leaves the photo (median "
            f"{100 * share:.0f} % of its longer side)"
        )
    elif meant is not None:
        parts, kind = (
            [f"{of_photos(meant.fits, total)}: the box misses its keypoints"],
            "box-misses-keypoints",
        )
    if meant is not None:
        parts.append(f"in {meant.fits} the boxes fit as {meant.text}")
    if not parts:
        return []
    items = tuple(
        f"{labels.images[row].name} ({over[row]:.0f} pixels beyond "
        f"{labels.sizes[row, 0]:.0f} x {labels.sizes[row, 1]:.0f})"
        for row in rows
    )
    advice = (
        "Matches are judged against the box's size, and some depth sources cut it out: mend the "
        "boxes."
    )
    return [Finding("warning", kind, "; ".join(parts), items, advice)]


def _outside_box(labels: Labels) -> list[Finding]:
    """Keypoints that lie clearly outside the box, and how else they may be meant."""
    with np.errstate(invalid="ignore"):
        outside = labels.outside_boxes(labels.points, labels.boxes)
        outside &= labels.labelled & labels.boxed[:, None] & ~labels.at_origin
        outside &= ~labels.outside_photo(labels.points)
    rows = np.flatnonzero(outside.any(axis=1))
    if readings.reading_of_boxes(labels) is not None:
        return []
    meant = readings.reading_of_points(labels)
    if not len(rows) and meant is None:
        return []
    total = len(labels.images)
    text = (
        f"{of_photos(len(rows), total)}: {counted(int(outside.sum()), 'keypoint')} lie outside the "
        "box by more than a tenth of its longer side"
    )
    level: Level = "warning"
    if meant is not None:
        text += f"; in {counted(meant.fits, 'photo')} the keypoints fit as {meant.text}"
        level = "error" if meant.fits >= MOST * total else "warning"
    items = tuple(labels.said(int(row), outside[row]) for row in rows)
    advice = "Look whether keypoints and box are those of one object."
    return [Finding(level, "keypoint-outside-box", text, items, advice)]


def _at_origin(labels: Labels) -> list[Finding]:
    """Keypoints that a tool wrote as (0, 0) since they were not placed."""
    rows = np.flatnonzero(labels.at_origin.any(axis=1))
    if not len(rows):
        return []
    return [
        Finding(
            "warning",
            "keypoint-at-origin",
            f"{of_photos(len(rows), len(labels.images))}: "
            f"{counted(int(labels.at_origin.sum()), 'keypoint')} at (0, 0) marked as labelled",
            tuple(labels.said(int(row), labels.at_origin[row]) for row in rows),
            "Tools write (0, 0) for keypoints that nobody placed: set their v to 0, or place them.",
        )
    ]


def _same_labels(labels: Labels) -> list[Finding]:
    """Photos with exactly the keypoints of another one: labels that were not moved."""
    seen: dict[bytes, int] = {}
    items = []
    for row in np.flatnonzero(labels.labelled.sum(axis=1) >= 3):
        first = seen.setdefault(labels.points[row].tobytes(), int(row))
        photos = labels.images[first].photo, labels.images[row].photo
        same = all(photos) and photos[0].digest == photos[1].digest  # type: ignore[union-attr]
        if first != row and not same:
            items.append(f"{labels.images[row].name} (as {labels.images[first].name})")
    if not items:
        return []
    return [
        Finding(
            "warning",
            "same-labels",
            f"{of_photos(len(items), len(labels.images))} have exactly the keypoints of another "
            "photo",
            tuple(items),
            "Labels that a tool copied must be moved to where the keypoints are.",
        )
    ]
