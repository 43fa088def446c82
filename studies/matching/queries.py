"""Query points of pairs of photos with their true matches: keypoints, and points of the surface."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from demo.annotations import mask_box
from semalign3d.datasets.records import PairRecord
from studies.matching.photos import TruePhoto

SAME_PLACE = 0.01
"""Largest distance on the mean shape, in object diagonals, of two pixels that show one place."""
SURFACE_POINTS = 200
_TRIED = 10
"""Pixels of the source that are looked for in the target, for each point that is wanted."""


def _pair(
    source: TruePhoto, target: TruePhoto, points: np.ndarray, truth: np.ndarray, ids: np.ndarray
) -> PairRecord:
    x1, y1, x2, y2 = (float(v) for v in mask_box(target.mask))
    return PairRecord(
        name=f"{source.stem}-{target.stem}",
        category=source.category,
        split="test",
        source=source.stem,
        target=target.stem,
        source_keypoints=points,
        target_keypoints=truth,
        ids=ids,
        target_box=(x1, y1, x2, y2),
        flags=None,
    )


def keypoint_pair(source: TruePhoto, target: TruePhoto) -> PairRecord:
    """The keypoints that both photos show."""
    ids = np.flatnonzero(np.isfinite(source.keypoints + target.keypoints).all(axis=1))
    return _pair(source, target, source.keypoints[ids], target.keypoints[ids], ids)


def surface_pair(
    source: TruePhoto, target: TruePhoto, count: int, rng: np.random.Generator
) -> PairRecord:
    """Up to `count` random pixels of the source's object whose place the target shows too.

    Their match is the target's pixel that is nearest on the mean shape, if it is the same place
    (`SAME_PLACE`).
    """
    pixels, places = _object_pixels(source)
    others, seen = _object_pixels(target)
    tried = rng.permutation(len(pixels))[: _TRIED * count]
    gaps, nearest = cKDTree(seen).query(places[tried], distance_upper_bound=SAME_PLACE)
    shown = np.flatnonzero(np.isfinite(gaps))[:count]
    truth = others[nearest[shown]]
    return _pair(source, target, pixels[tried[shown]], truth, np.full(len(shown), -1))


def _object_pixels(photo: TruePhoto) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 2) of the object and their places (n, 3) on the mean shape."""
    rows, columns = np.nonzero(photo.mask)
    pixels = np.stack([columns, rows], axis=1).astype(np.float64)
    return pixels, photo.template[rows, columns].astype(np.float64)
