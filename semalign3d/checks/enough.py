"""Whether the annotations suffice for a prior, as far as they alone tell."""

from dataclasses import replace

import numpy as np

from ..limits import FEW_PHOTOS, MIN_KEYPOINTS
from ..shape.sparse.ties import placeable
from .labels import Labels
from .report import Finding, Level, counted

MOST = 0.5
MIN_IMAGES = 4
"""Training photos that a prior needs in any case."""
LINE = 0.02
"""Spread across a line over that along it."""
HIDDEN_ADVICE = (
    "Many tools write v = 1 for every keypoint: if these are visible, set dataset.hidden to true."
)


def judge_amount(
    labels: Labels, images: dict[str, int], min_images: int, mirror: np.ndarray | None
) -> list[Finding]:
    """All findings.

    Parameters
    ----------
    images : {split: number of images}.
    min_images : photos that must see a relation (`relations.min_images`).
    mirror : (K,) mirror table, or None: no mirror images.
    """
    if not labels.images:
        return []
    count = labels.points.shape[1]
    if count < MIN_KEYPOINTS:
        text = (
            f"the category has {counted(count, 'keypoint')}; a prior needs {MIN_KEYPOINTS} or more"
        )
        advice = "Label more places of the object: 8 to 30, not all in one plane."
        return [Finding("error", "few-keypoints", text, (), advice)]
    visible = labels.visible
    training = np.array([image.split == "trn" for image in labels.images])
    found = _training(labels, visible[training], min_images, mirror)
    hidden = _hidden(labels)
    if hidden and any(finding.level == "error" for finding in found):
        with_hidden = placeable((visible | labels.labelled)[training], min_images, mirror)
        if with_hidden.sum() >= MIN_KEYPOINTS:
            return [replace(hidden[0], level="error")]
    return [
        *hidden,
        *found,
        *_scarce(labels, visible, training),
        *_line(labels, visible & training[:, None]),
        *_tests(images),
    ]


def _hidden(labels: Labels) -> list[Finding]:
    """Keypoints left out as hidden, where most are."""
    hidden = [len(image.record.hidden) if image.record else 0 for image in labels.images]
    count, every = sum(hidden), int(labels.labelled.sum())
    if count < MOST * every or not count:
        return []
    items = (
        f"{image.name} ({number})"
        for image, number in zip(labels.images, hidden, strict=True)
        if number
    )
    return [
        Finding(
            "warning",
            "mostly-hidden",
            f"{count} of {counted(every, 'labelled keypoint')} are marked as hidden (v = 1) and "
            "left out",
            tuple(items),
            HIDDEN_ADVICE,
        )
    ]


def _training(
    labels: Labels, visible: np.ndarray, min_images: int, mirror: np.ndarray | None
) -> list[Finding]:
    """Whether enough training photos show enough keypoints together."""
    placed = placeable(visible, min_images, mirror)
    enough = int((visible.sum(axis=1) >= MIN_KEYPOINTS).sum())
    posed = int((visible[:, placed].sum(axis=1) >= MIN_KEYPOINTS).sum())
    if placed.sum() < MIN_KEYPOINTS or posed < 2:
        return [_too_few(visible, placed, enough, min_images, mirror)]
    found = []
    if enough < FEW_PHOTOS:
        text = (
            f"{counted(enough, 'training photo')} with {MIN_KEYPOINTS} or more visible keypoints: "
            f"fewer than {FEW_PHOTOS} make a poor prior, if any"
        )
        advice = "Label more photos, 20 or more, or keep fewer back for validation and test."
        found.append(Finding("warning", "few-photos", text, (), advice))
    left = np.flatnonzero(~placed & (labels.labelled.any(axis=0)))
    if len(left):
        level: Level = "warning" if len(left) >= MOST * len(placed) else "note"
        seen = visible.sum(axis=0)
        items = tuple(f"{labels.names[i]} ({seen[i]})" for i in left)
        text = (
            f"{counted(len(left), 'keypoint')} find no place in the prior, as fewer than "
            f"{min_images} training photos show them together with others"
        )
        found.append(Finding(level, "keypoint-without-place", text, items))
    return found


def _too_few(
    visible: np.ndarray,
    placed: np.ndarray,
    enough: int,
    min_images: int,
    mirror: np.ndarray | None,
) -> Finding:
    text = (
        f"no prior can be made: {enough} of {counted(len(visible), 'training photo')} show "
        f"{MIN_KEYPOINTS} or more keypoints, and only {placed.sum()} of "
        f"{counted(len(placed), 'keypoint')} are seen often enough together with others"
    )
    advice = f"Label {FEW_PHOTOS} photos or more, each with {MIN_KEYPOINTS} keypoints or more."
    lower = next((n for n in range(min_images - 1, 1, -1) if _suffices(visible, n, mirror)), 0)
    if lower and enough >= MIN_IMAGES:
        advice += f" With relations.min_images: {lower} a prior could be tried, a poor one."
    return Finding("error", "no-prior", text, (), advice)


def _suffices(visible: np.ndarray, min_images: int, mirror: np.ndarray | None) -> bool:
    return int(placeable(visible, min_images, mirror).sum()) >= MIN_KEYPOINTS


def _line(labels: Labels, visible: np.ndarray) -> list[Finding]:
    """Keypoints that lie on one line in nearly every training photo: nothing turns in space."""
    rows = np.flatnonzero(visible.sum(axis=1) >= MIN_KEYPOINTS)
    if not len(rows):
        return []
    flat = [_flatness(labels.points[row][visible[row]]) for row in rows]
    if np.mean(np.array(flat) < LINE) < 0.9:
        return []
    text = f"the keypoints lie on one line in {counted(len(rows), 'training photo')}"
    advice = "Label places that are spread over the whole object."
    return [Finding("error", "keypoints-on-a-line", text, (), advice)]


def _flatness(points: np.ndarray) -> float:
    """Spread of points (n, 2) across the line through them, over that along it."""
    along, across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return float(across / along) if along > 0.0 else 0.0


def _tests(images: dict[str, int]) -> list[Finding]:
    if images.get("test", 0) >= 2:
        return []
    text = f"{counted(images.get('test', 0), 'test photo')}: the evaluation needs 2 or more"
    return [Finding("note", "no-test-photos", text)]


def _scarce(labels: Labels, visible: np.ndarray, training: np.ndarray) -> list[Finding]:
    """Training photos with too few keypoints for bundle refinement and dense fusion."""
    seen = visible.sum(axis=1)
    rows = np.flatnonzero(training & (seen < MIN_KEYPOINTS))
    if not len(rows):
        return []
    few = tuple(
        f"{labels.images[row].name} ({counted(int(seen[row]), 'visible keypoint')})" for row in rows
    )
    text = (
        f"{len(few)} of {counted(int(training.sum()), 'training photo')} are left out of the "
        f"fusion, for which {MIN_KEYPOINTS} visible keypoints are needed"
    )
    level: Level = "warning" if len(few) >= MOST * training.sum() else "note"
    return [Finding(level, "few-visible-keypoints", text, few)]
