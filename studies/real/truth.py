"""The pose that an annotated photo shows: did the search miss it, or does its energy lose?"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from semalign3d.alignment.poses.pose import Poses, project_turned
from semalign3d.datasets.records import ImageRecord
from semalign3d.geometry.rotations import rotation_vectors_to_matrices
from semalign3d.prior import Prior

_STARTS = 6
"""Training rotations that the fit starts from."""


def true_pose(prior: Prior, photo: ImageRecord) -> Poses:
    """The rigid pose whose keypoints lie nearest to the annotated ones, as one pose.

    At the training median of the focal length; least squares from some training rotations.
    """
    known, shown = prior.statistics, prior.sparse.xyz[prior.sparse.used]
    size = np.array([photo.width, photo.height])
    target = (photo.keypoints[prior.sparse.used] + 0.5 - size / 2) / size.max()
    seen = np.isfinite(target).all(axis=1)
    first = np.concatenate([np.zeros(3), target[seen].mean(axis=0)])
    first = np.append(first, np.log(np.median(known.extents)))
    chosen = np.linspace(0, len(known.rotations) - 1, min(_STARTS, len(known.rotations)))

    def pose(values: np.ndarray, start: np.ndarray) -> Poses:
        turn = rotation_vectors_to_matrices(values[None, :3]) @ start
        return Poses(turn, values[None, 3:5], values[5:], np.log([known.focal_length]))

    def away(values: np.ndarray, start: np.ndarray) -> np.ndarray:
        placed = pose(values, start)
        return (project_turned(placed.turned(shown), placed).places[0] - target)[seen].ravel()

    fits = [
        (least_squares(away, first, args=(start,), method="lm", max_nfev=500), start)
        for start in known.rotations[chosen.round().astype(int)]
    ]
    best, start = min(fits, key=lambda fit: float(fit[0].cost))
    return pose(best.x, start)
