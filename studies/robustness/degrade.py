"""Masks and keypoint annotations made worse by a given amount."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_opening, distance_transform_edt, gaussian_filter

DISPLACEMENT = 0.2
"""How far displaced keypoints lie from their places, in longest sides of the box."""
_WOBBLE = 8.0
"""Width of the bulges of a mask that is off, in pixels."""
_FARTHEST = 80.0
_ACCURACY = 1e-3


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks (H, W) bool."""
    return float((first & second).sum() / max((first | second).sum(), 1))


def mask_of_overlap(mask: np.ndarray, iou: float, rng: np.random.Generator) -> np.ndarray:
    """A mask (H, W) bool that overlaps another one by `iou`, as a poor network's may.

    At random it has lost its thin parts, is too small, too large, or neither; then its outline is
    moved by smooth bulges, to and fro, until the overlap is reached.

    Parameters
    ----------
    mask : (H, W) bool, not empty
    iou : in (0, 1)
    rng : source of all random numbers
    """
    field = gaussian_filter(rng.standard_normal(mask.shape), _WOBBLE)
    field = field / field.std() + rng.choice([-1.0, 0.0, 1.0])
    start = _without_thin_parts(mask, iou) if rng.uniform() < 0.5 else mask
    height = distance_transform_edt(start) - distance_transform_edt(~start)
    low, high = 0.0, _FARTHEST
    while high - low > _ACCURACY:
        middle = (low + high) / 2
        if overlap(mask, height + middle * field > 0.0) > iou:
            low = middle
        else:
            high = middle
    found = height + low * field > 0.0
    return np.asarray(found if found.any() else start)


def _without_thin_parts(mask: np.ndarray, iou: float) -> np.ndarray:
    """The mask opened as far as the overlap allows."""
    best, opened = mask, mask
    iterations = 0
    while opened.any() and overlap(mask, opened) >= iou:
        best, iterations = opened, iterations + 1
        opened = binary_opening(mask, iterations=iterations)
    return best


def spoil_keypoints(
    keypoints: np.ndarray,
    boxes: np.ndarray,
    sizes: np.ndarray,
    mirror: np.ndarray,
    share: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Annotations of which a share is wrong: half swapped left and right, half displaced.

    A swapped keypoint exchanges its place with its mirror keypoint, or, where that is not seen,
    takes its name.

    Parameters
    ----------
    keypoints : (N, K, 2) pixels, NaN where not seen
    boxes : (N, 4) x1, y1, x2, y2
    sizes : (N, 2) widths and heights of the images
    mirror : (K,) mirror table
    share : of the seen keypoints, in [0, 1]
    rng : source of all random numbers

    Returns
    -------
    keypoints (N, K, 2), and which of them are wrong (N, K) bool
    """
    spoilt, bad = np.array(keypoints), np.zeros(keypoints.shape[:2], dtype=bool)
    seen = np.isfinite(keypoints).all(axis=2)
    wanted = round(share * seen.sum() / 2)
    order = rng.permutation(np.argwhere(seen))
    for image, number in order:
        other = mirror[number]
        if bad.sum() >= wanted:
            break
        if other == number or bad[image, [number, other]].any():
            continue
        spoilt[image, [number, other]] = spoilt[image, [other, number]]
        bad[image, [number, other]] = np.isfinite(spoilt[image, [number, other]]).all(axis=1)
    good = rng.permutation(np.argwhere(np.isfinite(spoilt).all(axis=2) & ~bad))
    for image, number in good[:wanted]:
        angle = rng.uniform(0.0, 2.0 * np.pi)
        length = DISPLACEMENT * float(np.max(boxes[image, 2:] - boxes[image, :2]))
        shift = length * np.array([np.cos(angle), np.sin(angle)])
        spoilt[image, number] = np.clip(spoilt[image, number] + shift, 0.0, sizes[image] - 1.0)
        bad[image, number] = True
    return spoilt, bad
