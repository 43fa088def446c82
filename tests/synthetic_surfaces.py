"""Noisy points of known surfaces, as fused from many views."""

import numpy as np

from semalign3d.shape.dense.fusion import FusedPoints

NOISE = 0.01


def fused(points, normals, images=10):
    count = len(points)
    return FusedPoints(
        points, normals, np.arange(count) % images, np.zeros(count, dtype=int), np.arange(count)
    )


def noisy_sphere(count=6000, seed=0):
    """Points around a sphere of radius 0.3, and its true normals."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return fused(normals * (0.3 + NOISE * rng.normal(size=(count, 1))), normals)
