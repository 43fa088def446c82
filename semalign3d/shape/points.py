"""Object points of the training images in camera space (METHOD.md 8)."""

from dataclasses import dataclass

import numpy as np

from ..geometry.cameras import back_project
from ..geometry.keypoints import sample_pixels
from .cameras.estimation import Cameras


@dataclass(frozen=True)
class ObjectPoints:
    """Sampled object pixels of an image, back-projected.

    Attributes
    ----------
    xyz : (n, 3) points in camera space.
    pixels : (n, 2) where they were sampled, (x, y).
    keypoints_xyz : (K, 3) the image's keypoints in camera space, NaN where not seen.
    """

    xyz: np.ndarray
    pixels: np.ndarray
    keypoints_xyz: np.ndarray


def sample_points(
    cameras: Cameras,
    stem: str,
    mask: np.ndarray,
    inverse_depth: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> ObjectPoints:
    """Sample up to `count` pixels of an image's mask (H, W) and back-project them.

    Parameters
    ----------
    cameras : of the training images.
    stem : one of theirs.
    mask : (H, W) bool, eroded, so that no pixel of the background is taken.
    inverse_depth : (H, W) relative inverse depth, larger is nearer.
    count : at most so many points.
    rng : of the image.
    """
    number = cameras.stems.index(stem)
    pixels = sample_pixels(mask, count, rng)
    z = cameras.depth(number, inverse_depth)[pixels[:, 1], pixels[:, 0]]
    size = (int(cameras.sizes[number, 0]), int(cameras.sizes[number, 1]))
    p, principal_px = float(cameras.p[number]), cameras.principal_px[number]
    return ObjectPoints(
        back_project(pixels, z, size, p, principal_px), pixels, cameras.keypoints_xyz[number]
    )


def no_points(cameras: Cameras) -> ObjectPoints:
    """What an image without a camera has: no points, no keypoints."""
    unseen = np.full((cameras.keypoints_xyz.shape[1], 3), np.nan)
    return ObjectPoints(np.zeros((0, 3)), np.zeros((0, 2), dtype=np.int64), unseen)
