"""The canonical frame turned so that y points up as in the photos (METHOD.md section 9)."""

import dataclasses
import logging

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.frames import has_mirror_plane, similarity_procrustes
from semalign3d.shape.sparse.prior import SparseShape

logger = logging.getLogger(__name__)

CLEAR = 0.3
"""Smallest component of the photos' mean up direction along an axis that is taken for up."""

_MIN_KEYPOINTS = 4
_ABOUT_X = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_ABOUT_Z = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def mean_up(shape: SparseShape, views: np.ndarray) -> np.ndarray:
    """Mean over views of the photo's up direction, in the shape's frame.

    Parameters
    ----------
    shape : sparse prior of K keypoints.
    views : (M, K, 3) keypoints in camera coordinates (y down), NaN where not seen.

    Returns
    -------
    np.ndarray
        (3,); its length, up to 1, says how much the views agree. 0 if no view shows 4 keypoints.
    """
    require_shape("views", views, (None, len(shape.used), 3))
    ups = []
    for view in views:
        seen = shape.used & np.isfinite(view).all(axis=1)
        if seen.sum() >= _MIN_KEYPOINTS:
            rotation = similarity_procrustes(view[seen], shape.xyz[seen]).rotation
            ups.append(rotation @ np.array([0.0, -1.0, 0.0]))
    return np.mean(ups, axis=0) if ups else np.zeros(3)


def stand_up(shape: SparseShape, views: np.ndarray, mirror: np.ndarray | None) -> SparseShape:
    """The shape turned by quarter turns until y is the axis that points up in the photos.

    About x, which stays the normal of the mirror plane; a shape without one may turn about z, too.
    A category with no clear up direction (tools, photos from above) stays as it is.

    Parameters
    ----------
    shape : sparse prior of K keypoints in its canonical frame.
    views : (M, K, 3) keypoints in camera coordinates (y down), NaN where not seen.
    mirror : (K,) mirror table, or None where it is not known.
    """
    up = mean_up(shape, views)
    turns = [_quarter_turns(_ABOUT_X, count) for count in range(4)]
    if not has_mirror_plane(shape.used, mirror):
        turns += [_quarter_turns(_ABOUT_Z, count) for count in (1, 3)]
    heights = [float((turn @ up)[1]) for turn in turns]
    best = int(np.argmax(heights))
    if heights[best] < CLEAR:
        logger.info("no clear up direction (%.2f at most)", heights[best])
        return shape
    return dataclasses.replace(shape, xyz=shape.xyz @ turns[best].T)


def _quarter_turns(turn: np.ndarray, count: int) -> np.ndarray:
    """(3, 3) turn by 90 degrees, `count` times; entries are exactly 0, 1 and -1."""
    return np.asarray(np.linalg.matrix_power(turn, count))
