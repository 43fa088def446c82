"""Synthetic categories with any number of keypoints: known shapes, seen in perspective."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Category:
    """A category of symmetric shapes and N views of its instances.

    Attributes
    ----------
    mirror : (K,) mirror table.
    instances : (N, K, 3) shapes, x = 0 is the mirror plane.
    points : (N, K, 3) in camera coordinates, unbent: true depth, true focal length.
    rays : (N, K, 3) as the method sees them: z = 1 - 0.3 d / max(d), p = 1; NaN where unseen.
    p : (N,) true inverse focal lengths.
    """

    mirror: np.ndarray
    instances: np.ndarray
    points: np.ndarray
    rays: np.ndarray
    p: np.ndarray


def mirror_table(keypoints: int, pairs: int) -> np.ndarray:
    """Pairs (0, 1), (2, 3), ... and single ids after them."""
    table = np.arange(keypoints)
    table[: 2 * pairs] = table[: 2 * pairs].reshape(-1, 2)[:, ::-1].ravel()
    return table


def symmetric_shape(mirror: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random shape (K, 3) symmetric about x = 0, of a bounding-box diagonal near 1."""
    shape = rng.uniform([0.08, -0.35, -0.25], [0.3, 0.35, 0.25], size=(len(mirror), 3))
    ids = np.arange(len(mirror))
    second = ids > mirror
    shape[second] = shape[mirror[second]] * [-1.0, 1.0, 1.0]
    shape[ids == mirror, 0] = 0.0
    return shape


def rotation(azimuth: float, elevation: float) -> np.ndarray:
    """From an object frame with y up to a camera frame with y down, z forward."""
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    turn = np.array([[ca, 0, sa], [0, 1, 0], [-sa, 0, ca]])
    tilt = np.array([[1, 0, 0], [0, ce, -se], [0, se, ce]])
    return np.diag([1.0, -1.0, -1.0]) @ tilt @ turn


def bent_rays(points: np.ndarray, focal: float, rng: np.random.Generator) -> np.ndarray:
    """Points (K, 3) with depth replaced by 1 - 0.3 of their relative inverse depth, and p = 1."""
    inverse = 1.0 / points[:, 2]
    relative = inverse - rng.uniform(0.3, 0.7) * inverse.min()
    z = 1.0 - 0.3 * relative / relative.max()
    across = points[:, :2] / points[:, 2:] * focal
    return np.concatenate([across * z[:, None], z[:, None]], axis=1)


def category(
    seed: int,
    *,
    keypoints: int = 14,
    pairs: int = 6,
    images: int = 24,
    spread: float = 0.15,
    visible: float = 0.6,
) -> Category:
    """Instances whose proportions differ by `spread`, each seen once, at least 5 keypoints."""
    rng = np.random.default_rng(seed)
    mirror = mirror_table(keypoints, pairs)
    base = symmetric_shape(mirror, rng)
    instances, points, rays, p = [], [], [], []
    for number in range(images):
        jitter = 0.1 * spread * rng.normal(size=base.shape)
        jitter += jitter[mirror] * [-1.0, 1.0, 1.0]
        shape = base * (1.0 + spread * rng.uniform(-1.0, 1.0, size=3)) + jitter
        azimuth = 2.0 * np.pi * (number + rng.uniform()) / images
        focal = rng.uniform(1.0, 2.0)
        placed = shape @ rotation(azimuth, rng.uniform(0.0, 0.8)).T
        placed += [0.0, 0.0, focal * rng.uniform(1.2, 1.8)]
        seen = bent_rays(placed, focal, rng)
        hidden = rng.permutation(keypoints)[5:]
        seen[hidden[rng.uniform(size=len(hidden)) > visible]] = np.nan
        instances.append(shape)
        points.append(placed)
        rays.append(seen)
        p.append(1.0 / focal)
    return Category(mirror, *map(np.array, (instances, points, rays, p)))


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A proper rotation (3, 3)."""
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return q * np.sign(np.linalg.det(q))


def generators(count: int, seed: int = 0) -> list[np.random.Generator]:
    """One generator for each of `count` views."""
    return [np.random.default_rng([seed, number]) for number in range(count)]
