"""A second chance for images whose pose ended in a wrong minimum (METHOD.md section 7)."""

import logging

import numpy as np
from scipy.spatial.transform import Rotation

from semalign3d.shape.bundle.model import LOG_C, TURN
from semalign3d.shape.bundle.objective import BundleObjective

logger = logging.getLogger(__name__)

POOR = 2.5
"""An image fits poorly if its typical residual is so many times that of the other images."""
_CLEARLY = 0.5
"""By how much the loss per keypoint must fall for another pose to be taken."""


def poorly_fitted(objective: BundleObjective, free: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(n,) bool: posed images whose median reprojection error stands out."""
    typical = np.nanmedian(objective.distances(free, numbers), axis=1)
    return np.asarray(typical > POOR * np.median(typical))


def repose(
    objective: BundleObjective, free: np.ndarray, numbers: np.ndarray
) -> BundleObjective | None:
    """The objective started from better poses of poorly fitted images, None if there are none.

    From the found pose, the shape is turned by each of the 24 rotations of a cube; the images'
    numbers are optimised from there with the shape at rest, and the lowest loss is taken.

    Parameters
    ----------
    objective : whose minimum was found.
    free, numbers : the minimum.
    """
    poor = np.flatnonzero(poorly_fitted(objective, free, numbers))
    if len(poor) == 0:
        return None
    turns = Rotation.create_group("O").as_matrix().round()
    images = np.repeat(poor, len(turns))
    found = (
        Rotation.from_rotvec(numbers[images][:, TURN]).as_matrix() @ objective.model.start[images]
    )
    rotations = found @ np.tile(turns, (len(poor), 1, 1))
    start = numbers[images].copy()
    start[:, TURN] = 0.0
    start[:, LOG_C] = objective.numbers[images, LOG_C]
    trials = objective.of_images(images, rotations, start)
    best = trials.solve_numbers(free)
    losses = trials.image_losses(free, best).reshape(len(poor), len(turns))
    before = objective.image_losses(free, numbers)[poor]
    chosen = losses.argmin(axis=1)
    falls = (before - losses.min(axis=1)) / objective.seen[poor].sum(axis=1)
    better = np.flatnonzero(falls > _CLEARLY)
    logger.info("%d images fit poorly, %d of them have a better pose", len(poor), len(better))
    if len(better) == 0:
        return None
    rows = better * len(turns) + chosen[better]
    rotation = Rotation.from_rotvec(numbers[:, TURN]).as_matrix() @ objective.model.start
    again = numbers.copy()
    again[poor[better]] = best[rows]
    rotation[poor[better]] = Rotation.from_rotvec(best[rows][:, TURN]).as_matrix() @ rotations[rows]
    again[:, TURN] = 0.0
    restarted = objective.of_images(np.arange(len(numbers)), rotation, again)
    restarted.free = free
    return restarted
