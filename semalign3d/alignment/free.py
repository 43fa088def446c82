"""Keypoints refined one by one, held together by the prior's energy (METHOD.md section 10, 6)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.alignment.descent import Adam
from semalign3d.alignment.fields import Fields
from semalign3d.alignment.pose import Poses, project_turned
from semalign3d.alignment.rigid import Camera, evidence
from semalign3d.prior.energy import ShapeEnergy

_RATES = {"turned": 0.01, "log_focal": 0.03}
"""First steps: the object's diagonal is 1; log."""


@dataclass(frozen=True)
class FreeEvidence:
    """What the photo says of one kind of points.

    Attributes
    ----------
    fields : likelihood ratios of n points, from the most to the least blurred.
    follow : (n, k) weights with which the points follow the k used keypoints.
    seen : (H, n) probabilities that they are seen.
    weight : of their energies.
    """

    fields: list[Fields]
    follow: np.ndarray
    seen: np.ndarray
    weight: float


@dataclass(frozen=True)
class FreeResult:
    """Shapes after the refinement.

    Attributes
    ----------
    turned : (H, k, 3) used keypoints in the camera's directions, before they are moved.
    poses : with the refined focal lengths.
    keypoints, surface, shape, focal : (H,) energies, weighted.
    """

    turned: np.ndarray
    poses: Poses
    keypoints: np.ndarray
    surface: np.ndarray
    shape: np.ndarray
    focal: np.ndarray


class FreeRefinement:
    """Descent on the keypoints' places in H poses of one photo.

    Parameters
    ----------
    camera : the photo's.
    keypoints, surface : what the photo says of the k used keypoints and of surface points.
    shape : the prior's energy.
    used : (K,) bool, keypoints that have a place.
    shape_weight : of that energy.
    """

    def __init__(
        self,
        camera: Camera,
        keypoints: FreeEvidence,
        surface: FreeEvidence,
        shape: ShapeEnergy,
        used: np.ndarray,
        shape_weight: float,
    ) -> None:
        self._camera = camera
        self._kinds = (keypoints, surface)
        self._shape = shape
        self._used = used
        self._shape_weight = shape_weight

    def run(self, poses: Poses, points: np.ndarray, steps: int) -> FreeResult:
        """Refine from rigid poses of the used keypoints (k, 3)."""
        turned = poses.turned(points)
        descent = Adam(_RATES, steps)
        for step in range(steps):
            share = step / steps
            gradient, by_focal = self._photo_gradient(turned, poses, share)
            gradient = gradient + self._shape_weight * self._shape_energy(turned)[1]
            moves = descent.step({"turned": gradient, "log_focal": by_focal})
            turned = turned + moves["turned"]
            log_focal = poses.log_focal + moves["log_focal"]
            poses = Poses(poses.rotation, poses.centre, poses.log_extent, log_focal)
        return self._result(turned, poses)

    def _photo_gradient(
        self, turned: np.ndarray, poses: Poses, share: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gradients by the keypoints (H, k, 3) and the log focal lengths (H,)."""
        total = np.zeros_like(turned)
        by_focal = self._camera.focal_energy(poses.log_focal)[1]
        for kind in self._kinds:
            projection = project_turned(kind.follow @ turned, poses)
            level = kind.fields[int(share * len(kind.fields))]
            _, slopes = evidence(level, self._camera, projection, kind.seen)
            by_points = projection.back_to_points(kind.weight * slopes)
            total += kind.follow.T @ by_points
            by_focal = by_focal + projection.back_to_log_focal(by_points)
        return total, by_focal

    def _shape_energy(self, turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) and gradients (H, k, 3)."""
        energies, gradients = np.zeros(len(turned)), np.zeros_like(turned)
        placed = np.zeros((len(self._used), 3))
        for number, points in enumerate(turned):
            placed[self._used] = points
            energies[number], gradient = self._shape.value_and_gradient(placed)
            gradients[number] = gradient[self._used]
        return energies, gradients

    def _result(self, turned: np.ndarray, poses: Poses) -> FreeResult:
        keypoints, surface = (self._evidence(kind, turned, poses) for kind in self._kinds)
        shape = self._shape_weight * self._shape_energy(turned)[0]
        focal, _ = self._camera.focal_energy(poses.log_focal)
        return FreeResult(turned, poses, keypoints, surface, shape, focal)

    def _evidence(self, kind: FreeEvidence, turned: np.ndarray, poses: Poses) -> np.ndarray:
        """Energies (H,), weighted."""
        projection = project_turned(kind.follow @ turned, poses)
        energy, _ = evidence(kind.fields[-1], self._camera, projection, kind.seen)
        return np.asarray(kind.weight * energy.sum(axis=1))
