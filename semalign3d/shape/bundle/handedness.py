"""Which of a shape and its mirror image the photos show (METHOD.md section 7).

Seen from far away, a shape and its mirror image look the same, turned inside out in each photo. Two
things tell them apart: depth, and the perspective of the annotations.
"""

import logging

import numpy as np
from scipy.spatial.transform import Rotation

from semalign3d.errors import InputError
from semalign3d.shape.bundle.model import TURN
from semalign3d.shape.bundle.objective import BundleObjective
from semalign3d.shape.sparse.prior import KeypointShape

logger = logging.getLogger(__name__)

_THROUGH_Z = np.array([1.0, 1.0, -1.0])
_TRIAL = 1e-5
"""Relative change of the objective at which the trial ends, within 1 % of its minimum."""
_CONTRADICTION = 0.7
_CLEARLY = 10.0
"""The annotations contradict the depth if the mirror image's loss in them is less than 0.7 of that
of the shape that fits all better, and by 10 lower. On the demo it is 0.3 to 0.4 of it with depth
turned round, 1.2 and more of it with noisy depth or wrong annotations."""


def mirrored_shape(shape: KeypointShape) -> KeypointShape:
    """The mirror image in z, which keeps x = 0 as mirror plane, the sides of it, and what is up."""
    return KeypointShape(shape.xyz * _THROUGH_Z, shape.used, shape.reasons)


def mirrored_start(
    objective: BundleObjective, free: np.ndarray, numbers: np.ndarray
) -> BundleObjective:
    """The objective started from a minimum's mirror image, turned inside out in every image.

    Keypoints keep their place in the images in parallel projection.
    """
    turned = numbers.copy()
    turned[:, TURN] = 0.0
    found = Rotation.from_rotvec(numbers[:, TURN]).as_matrix() @ objective.model.start
    rotation = _THROUGH_Z[:, None] * found * _THROUGH_Z
    other = objective.of_images(np.arange(len(numbers)), rotation, turned)
    other.free = free * _THROUGH_Z
    return other


def better_hand(
    objective: BundleObjective, free: np.ndarray, numbers: np.ndarray
) -> BundleObjective | None:
    """The objective started from the mirror image of a minimum if that is lower, else None.

    Poor depth can leave a shape's handedness to chance, or get it wrong.

    Parameters
    ----------
    objective : whose minimum was found.
    free, numbers : the minimum.

    Raises
    ------
    InputError : the annotations clearly show one of the two, and the depth maps outweigh them.
    """
    other = mirrored_start(objective, free, numbers)
    trial = other.solve(_TRIAL)
    before, after = objective.losses(free, numbers), other.losses(*trial)
    logger.info("losses in image, depth and priors: %s, of the mirror image %s", before, after)
    if after.total < before.total:
        logger.warning("the photos show the mirror image of the sparse prior: it is taken")
        other.free, other.numbers = trial
        return other
    limit = min(_CONTRADICTION * before.image, before.image - _CLEARLY)
    if after.image < limit:
        raise InputError(
            "the depth maps contradict the photos: the annotations' perspective shows the mirror "
            "image of the shape that the depth gives",
            hint="Depth must be relative inverse depth, larger where nearer: look at "
            "depth.source and its files. With bundle.enabled: false the depth alone decides.",
        )
    return None
