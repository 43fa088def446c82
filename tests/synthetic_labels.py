"""Annotations of one symmetric object from all sides, right or changed by a test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from semalign3d.checks.images import CheckedImage
from semalign3d.checks.labels import Labels
from semalign3d.datasets.records import ImageRecord

SIDES = np.array(
    [
        *([0.4, 0.5, 0.0], [0.4, -0.5, 0.0], [0.45, 0.5, 0.5], [0.45, -0.5, 0.55]),
        *([0.35, -0.55, 1.2], [0.2, 0.3, 0.6]),
    ]
)
"""Keypoints of the right side, x to the right, y to the front, z up."""
SHAPE = np.concatenate([SIDES, SIDES * (-1, 1, 1), [[0.0, 0.6, 0.3], [0.0, -0.6, 0.8]]])
MIRROR = np.array([*range(6, 12), *range(6), 12, 13])
NAMES = (
    *(f"{side}_{number}" for side in ("right", "left") for number in range(6)),
    *("front", "back"),
)
SIZES = ((640, 480), (480, 640), (500, 500), (800, 450))
Change = Callable[[np.ndarray], np.ndarray]


def seen_from(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (K, 2) of the keypoints, x to the right and y down, and which are visible (K,)."""
    a, e = np.deg2rad([azimuth, elevation])
    towards = np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    across = np.array([-np.cos(a), np.sin(a), 0.0])
    down = np.cross(across, towards)
    middle = SHAPE.mean(axis=0)
    depth = 1.0 - 0.15 * (SHAPE - middle) @ towards
    places = np.stack([(SHAPE - middle) @ across, (SHAPE - middle) @ down], axis=1) / depth[:, None]
    outwards = (SHAPE - middle) / np.linalg.norm(SHAPE - middle, axis=1, keepdims=True)
    return places, outwards @ towards > -0.35


def keypoints(count: int, seed: int = 0) -> list[np.ndarray]:
    """Keypoints (K, 2) in pixels of as many photos of `SIZES` in turn, NaN where hidden."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        width, height = SIZES[number % len(SIZES)]
        azimuth = 360.0 * np.mod(0.618034 * number + rng.uniform(-0.02, 0.02), 1.0)
        places, visible = seen_from(azimuth, rng.uniform(8.0, 40.0))
        places = places + rng.normal(0.0, 0.015, places.shape)
        size = rng.uniform(0.35, 0.45) * min(width, height)
        middle = np.array([width, height]) * rng.uniform(0.45, 0.55, 2)
        found.append(np.where(visible[:, None], places * size + middle, np.nan))
    return found


def box_of(points: np.ndarray) -> np.ndarray:
    """The box (x1, y1, x2, y2) around visible keypoints, a little larger."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    return np.concatenate([low - 6.0, high + 6.0])


def checked_images(
    count: int = 24,
    *,
    points: Change = lambda points: points,
    boxes: Change = lambda box: box,
    seed: int = 0,
    training: float = 0.8,
) -> list[CheckedImage]:
    """Images whose labels are changed before they are read as readers do."""
    images = []
    for number, right in enumerate(keypoints(count, seed)):
        width, height = SIZES[number % len(SIZES)]
        labelled = points(right.copy())
        last = np.array([width, height]) - 1.0
        with np.errstate(invalid="ignore"):
            inside = ((labelled >= -1.0) & (labelled <= last + 1.0)).all(axis=1)
        kept = np.where(inside[:, None], np.clip(labelled, 0.0, last), np.nan)
        name = f"{number:03d}.jpg"
        split = "trn" if number < training * count else "test"
        box = tuple(map(float, boxes(box_of(right))))
        record = ImageRecord(
            "chair", name[:3], split, Path(name), width, height, box, kept, labelled=labelled
        )
        images.append(CheckedImage(name, name[:3], split, Path(name), record, None))
    return images


def labels(count: int = 24, **changes) -> Labels:
    """The labels of such images."""
    return Labels.of(checked_images(count, **changes), NAMES)


def with_record(image: CheckedImage, **changes) -> CheckedImage:
    """An image with a changed record."""
    assert image.record is not None
    return replace(image, record=replace(image.record, **changes))
