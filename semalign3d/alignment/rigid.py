"""Poses refined in perspective, the object rigid, all at once (METHOD.md section 10, 5)."""

from dataclasses import dataclass, replace

import numpy as np

from semalign3d.alignment.descent import Adam
from semalign3d.alignment.fields import Fields
from semalign3d.alignment.pose import Poses, Projection, project_turned
from semalign3d.alignment.visibility import Visibility
from semalign3d.geometry.rotations import angles_between, rotation_vectors_to_matrices

_RATES = {"rotation": 0.06, "centre": 0.02, "log_extent": 0.04, "log_focal": 0.03}
"""First steps: radians, units of the longest side, logs."""
_DISTINCT = np.deg2rad(30.0)
_VISIBILITY_EVERY = 10


@dataclass(frozen=True)
class Camera:
    """What a refinement knows of the photo's camera and grid.

    Attributes
    ----------
    origin : (2,) cell (u, v) of the image's centre.
    grid : cells a side.
    focal_length : expected, in units of the longest side.
    focal_spread : standard deviation of its log.
    """

    origin: np.ndarray
    grid: int
    focal_length: float
    focal_spread: float

    def cells(self, places: np.ndarray) -> np.ndarray:
        """Cells (..., 2) of places (..., 2) in units of the longest side from the centre."""
        return places * self.grid + self.origin

    def focal_energy(self, log_focal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) of log focal lengths (H,), and their slopes."""
        error = (log_focal - np.log(self.focal_length)) / self.focal_spread
        return 0.5 * error**2, error / self.focal_spread


def evidence(
    fields: Fields, camera: Camera, projection: Projection, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Energies (H, n), -log(1 - pi + pi LR), and slopes (H, n, 2) by the projections.

    Parameters
    ----------
    fields : n maps of likelihood ratios LR.
    camera : the photo's.
    projection : of n points in H poses.
    seen : (H, n) probabilities pi.
    """
    ratio, slope = fields.read(camera.cells(projection.places))
    mixed = 1.0 - seen + seen * ratio
    return -np.log(mixed), slope * (-seen / mixed * camera.grid)[..., None]


def refine_rigid(
    poses: Poses,
    points: np.ndarray,
    fields: list[Fields],
    camera: Camera,
    visibility: Visibility,
    steps: int,
) -> tuple[Poses, np.ndarray]:
    """Poses after a descent, and their energies (H,), in order of energy.

    Parameters
    ----------
    poses : H starts.
    points : (K, 3) of the object.
    fields : likelihood ratios of the K points, from the most to the least blurred; each serves
        an equal share of the steps.
    camera : the photo's.
    visibility : of the K points.
    steps : of the descent.
    """
    descent = Adam(_RATES, steps)
    for step in range(steps):
        if step % _VISIBILITY_EVERY == 0:
            seen = visibility(poses.directions())
        level = fields[step * len(fields) // steps]
        poses = _moved(poses, descent.step(_gradients(poses, points, level, camera, seen)))
    energy = rigid_energy(poses, points, fields[-1], camera, visibility)
    order = np.argsort(energy, kind="stable")
    return poses.take(order), energy[order]


def rigid_energy(
    poses: Poses, points: np.ndarray, fields: Fields, camera: Camera, visibility: Visibility
) -> np.ndarray:
    """Energies (H,) of poses: evidence of the points and the focal length's."""
    projection = project_turned(poses.turned(points), poses)
    energy, _ = evidence(fields, camera, projection, visibility(poses.directions()))
    return np.asarray(energy.sum(axis=1) + camera.focal_energy(poses.log_focal)[0])


def _gradients(
    poses: Poses, points: np.ndarray, fields: Fields, camera: Camera, seen: np.ndarray
) -> dict[str, np.ndarray]:
    projection = project_turned(poses.turned(points), poses)
    _, slopes = evidence(fields, camera, projection, seen)
    by_points = projection.back_to_points(slopes)
    return {
        "rotation": np.cross(projection.turned, by_points).sum(axis=1),
        "centre": projection.back_to_centre(slopes),
        "log_extent": projection.back_to_log_extent(by_points),
        "log_focal": projection.back_to_log_focal(by_points)
        + camera.focal_energy(poses.log_focal)[1],
    }


def _moved(poses: Poses, moves: dict[str, np.ndarray]) -> Poses:
    return replace(
        poses,
        rotation=rotation_vectors_to_matrices(moves["rotation"]) @ poses.rotation,
        centre=poses.centre + moves["centre"],
        log_extent=poses.log_extent + moves["log_extent"],
        log_focal=poses.log_focal + moves["log_focal"],
    )


def distinct_poses(poses: Poses, most: int) -> np.ndarray:
    """Numbers of the first poses that are turned by over 30 degrees against those before them."""
    angles = angles_between(poses.rotation[:, None], poses.rotation)
    chosen: list[int] = []
    for number in range(len(angles)):
        if len(chosen) < most and np.all(angles[number, chosen] > _DISTINCT):
            chosen.append(number)
    return np.array(chosen, dtype=np.int64)
