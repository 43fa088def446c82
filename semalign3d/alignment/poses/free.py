"""Keypoints refined one by one, held together by the prior's energy (METHOD.md section 10, 6)."""

from dataclasses import dataclass, replace

import numpy as np

from semalign3d.alignment.poses.descent import Adam
from semalign3d.alignment.poses.photo_energy import PhotoEnergy
from semalign3d.alignment.poses.pose import Poses
from semalign3d.shape.sparse.energy import ShapeEnergy

_RATES = {"turned": 0.01, "log_focal": 0.03}
"""First steps: the object's diagonal is 1; log."""


@dataclass(frozen=True)
class FreeResult:
    """H shapes after the refinement.

    Attributes
    ----------
    turned : (H, k, 3) used keypoints in the camera's directions, before they are moved.
    poses : with the refined focal lengths.
    photo : (T, H) weighted energies, one row for each term of the photo's energy.
    shape, focal : (H,) weighted energies.
    """

    turned: np.ndarray
    poses: Poses
    photo: np.ndarray
    shape: np.ndarray
    focal: np.ndarray


def refine_free(
    poses: Poses,
    points: np.ndarray,
    photo: PhotoEnergy,
    seen: np.ndarray,
    shape: "WeightedShape",
    steps: int,
) -> FreeResult:
    """Places of the keypoints after a descent from H rigid poses.

    Parameters
    ----------
    poses : H starts; rotation, place and size are kept, as moving the keypoints does the same.
    points : (k, 3) used keypoints of the object.
    photo : the photo's energy.
    seen : (H, n) probabilities that the prior's points are seen.
    shape : the prior's energy.
    steps : of the descent.
    """
    turned = poses.turned(points)
    descent = Adam(_RATES, steps)
    for step in range(steps):
        slopes = photo(turned, poses, seen, step / steps)
        gradient = slopes.turned + shape(turned)[1]
        moves = descent.step({"turned": gradient, "log_focal": slopes.log_focal})
        turned = turned + moves["turned"]
        poses = replace(poses, log_focal=poses.log_focal + moves["log_focal"])
    terms = photo(turned, poses, seen, 1.0).terms
    focal, _ = photo.camera.focal_energy(poses.log_focal)
    return FreeResult(turned, poses, terms, shape(turned)[0], focal)


@dataclass(frozen=True)
class WeightedShape:
    """The prior's energy of shapes, by a weight.

    Attributes
    ----------
    energy : of K keypoints.
    used : (K,) bool, the k keypoints that have a place.
    weight : of the energy.
    """

    energy: ShapeEnergy
    used: np.ndarray
    weight: float

    def __call__(self, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) and gradients (H, k, 3) of shapes (H, k, 3)."""
        energies, gradients = np.zeros(len(shapes)), np.zeros_like(shapes)
        placed = np.zeros((len(self.used), 3))
        for number, points in enumerate(shapes):
            placed[self.used] = points
            energies[number], gradient = self.energy.value_and_gradient(placed)
            gradients[number] = gradient[self.used]
        return self.weight * energies, self.weight * gradients
