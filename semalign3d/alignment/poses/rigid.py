"""Poses refined in perspective, the object rigid, all at once (METHOD.md section 10, 5)."""

from dataclasses import replace

import numpy as np

from semalign3d.alignment.poses.descent import Adam
from semalign3d.alignment.poses.photo_energy import PhotoEnergy, PhotoSlopes
from semalign3d.alignment.poses.pose import Poses
from semalign3d.alignment.poses.visibility import ViewPrior, Visibility
from semalign3d.geometry.rotations import angles_between, rotation_vectors_to_matrices

_RATES = {"rotation": 0.06, "centre": 0.02, "log_extent": 0.04, "log_focal": 0.03}
"""First steps: radians, units of the longest side, logs."""
_DISTINCT = np.deg2rad(30.0)
_VISIBILITY_EVERY = 10


def refine_rigid(
    poses: Poses,
    points: np.ndarray,
    energy: PhotoEnergy,
    visibility: Visibility,
    views: ViewPrior,
    steps: int,
) -> tuple[Poses, np.ndarray]:
    """Poses after a descent, and their energies (H,), in order of energy.

    Parameters
    ----------
    poses : H starts.
    points : (k, 3) used keypoints of the object.
    energy : the photo's.
    visibility : of the prior's points.
    views : takes part in the order only, as it changes little over a descent.
    steps : of the descent.
    """
    descent = Adam(_RATES, steps)
    for step in range(steps):
        if step % _VISIBILITY_EVERY == 0:
            seen = visibility(poses.directions())
        turned = poses.turned(points)
        poses = _moved(poses, turned, energy(turned, poses, seen, step / steps), descent)
    total = pose_energy(poses, points, energy, visibility, views)
    order = np.argsort(total, kind="stable")
    return poses.take(order), total[order]


def pose_energy(
    poses: Poses,
    points: np.ndarray,
    energy: PhotoEnergy,
    visibility: Visibility,
    views: ViewPrior,
    share: float = 1.0,
) -> np.ndarray:
    """Energies (H,) of poses: the photo's, the focal length's and the view's."""
    directions = poses.directions()
    of_photo = energy(poses.turned(points), poses, visibility(directions), share).terms.sum(axis=0)
    of_focal, _ = energy.camera.focal_energy(poses.log_focal)
    return np.asarray(of_photo + of_focal + views(poses.rotation))


def _moved(poses: Poses, turned: np.ndarray, slopes: PhotoSlopes, descent: Adam) -> Poses:
    moves = descent.step(
        {
            "rotation": np.cross(turned, slopes.turned).sum(axis=1),
            "centre": slopes.centre,
            "log_extent": slopes.log_extent,
            "log_focal": slopes.log_focal,
        }
    )
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
