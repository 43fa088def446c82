"""Photos of a random symmetric shape with any number of keypoints: annotation, mask and depth.

The object is a set of balls: one at each keypoint, and rows of them from each keypoint to its two
nearest. That is no picture of a real category; it has a surface, thin parts and occlusion, so that
every stage of the geometry does its ordinary work.
"""

from dataclasses import dataclass

import numpy as np

from demo.rendering.camera import Camera, frame_object

SIZE = (500, 375)
"""Width and height of the photos in pixels."""
RADIUS = 0.03
"""Of the balls, in units of the shape's bounding-box diagonal."""
SPREAD = 0.15
"""By how much the instances' proportions differ."""


@dataclass(frozen=True)
class View:
    """A photo.

    Attributes
    ----------
    pixels : (K, 2) projected keypoints.
    visible : (K,) bool.
    depth : (H, W) along the optical axis, the background behind the object.
    mask : (H, W) bool.
    azimuth : degrees.
    """

    pixels: np.ndarray
    visible: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    azimuth: float


def skeleton(shape: np.ndarray, balls: int = 8) -> np.ndarray:
    """Centres of the balls as weights (n, K) of the keypoints, so that they follow an instance."""
    distance = np.linalg.norm(shape[:, None] - shape, axis=2)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, 1:3]
    share = np.linspace(0.0, 1.0, balls)[:, None]
    unit = np.eye(len(shape))
    rows = [
        (1.0 - share) * unit[i] + share * unit[j] for i in range(len(shape)) for j in nearest[i]
    ]
    return np.concatenate(rows)


def photograph(
    shape: np.ndarray, weights: np.ndarray, turn: float, visible: float, rng: np.random.Generator
) -> View:
    """A photo of an instance of the shape.

    Parameters
    ----------
    shape : (K, 3) keypoints.
    weights : from `skeleton`.
    turn : share of a full turn that the camera stands round the object.
    visible : share of the keypoints that are annotated, at least 5: those that lie furthest in
        front of what hides them, give or take.
    rng : of the instance's proportions and the camera.
    """
    instance = shape * (1.0 + SPREAD * rng.uniform(-1.0, 1.0, size=3))
    azimuth, focal = 360.0 * turn, rng.uniform(1.0, 2.0)
    angles = (azimuth, rng.uniform(0.0, 45.0), rng.uniform(-5.0, 5.0))
    place = rng.uniform(-1.0, 1.0, size=2)
    camera = frame_object(instance, SIZE, focal, angles, rng.uniform(0.5, 0.85), place)
    depth, mask = _render(weights @ instance, camera)
    pixels = camera.project(instance)
    column, row = np.clip(np.rint(pixels).astype(int), 0, np.array(SIZE) - 1).T
    behind = camera.to_camera(instance)[:, 2] - depth[row, column]
    count = max(min(5, len(shape)), round(visible * len(shape)))
    seen = np.zeros(len(shape), dtype=bool)
    seen[np.argsort(behind + 0.02 * rng.normal(size=len(shape)), kind="stable")[:count]] = True
    return View(pixels, seen, depth, mask, azimuth)


def relative_inverse_depth(depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a depth network gives: inverse depth (H, W), affine per image, 2 % noise."""
    inverse = 1.0 / depth
    spread = inverse.max() - inverse.min()
    noisy = inverse - inverse.min() + 0.02 * spread * rng.normal(size=depth.shape)
    return (rng.uniform(2.0, 30.0) * np.maximum(noisy, 0.0)).astype(np.float32)


def _render(centres: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth (H, W) and mask (H, W) of balls about centres (n, 3), each drawn in its own window."""
    distances = camera.to_camera(centres)[:, 2]
    behind = float(distances.max()) + 1.0
    depth = np.full((camera.height, camera.width), behind)
    reaches = camera.focal * camera.width * RADIUS / distances
    for (x, y), z, reach in zip(camera.project(centres), distances, reaches, strict=True):
        top, left = max(int(y - reach), 0), max(int(x - reach), 0)
        window = depth[top : int(y + reach) + 2, left : int(x + reach) + 2]
        rows = top + np.arange(window.shape[0])[:, None]
        columns = left + np.arange(window.shape[1])
        inside = 1.0 - ((columns - x) ** 2 + (rows - y) ** 2) / reach**2
        surface = np.where(inside > 0.0, z - RADIUS * np.sqrt(np.maximum(inside, 0.0)), behind)
        np.minimum(window, surface, out=window)
    return depth, depth < behind
