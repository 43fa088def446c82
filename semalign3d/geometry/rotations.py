"""Rotations that cover all views of an object, and small steps between them."""

import numpy as np

from semalign3d.geometry.arguments import require_shape


def sphere_directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3) spread evenly over the sphere, by the Fibonacci spiral."""
    number = np.arange(count)
    height = 1.0 - (2.0 * number + 1.0) / count
    angle = number * np.pi * (3.0 - np.sqrt(5.0))
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], axis=1)


def looking_from(directions: np.ndarray, rolls: np.ndarray) -> np.ndarray:
    """Rotations into camera frames (x right, y down, z forward) that look at an object.

    Parameters
    ----------
    directions
        (n, 3) unit vectors from the object to the camera.
    rolls
        (m,) turns about the camera's axis in radians; with 0 the object's y points up in the
        image.

    Returns
    -------
    np.ndarray
        (n, m, 3, 3) proper rotations.
    """
    require_shape("directions", directions, (None, 3))
    forward = -np.asarray(directions, dtype=np.float64)
    steep = np.abs(forward[:, 1:2]) > 0.999
    up = np.where(steep, [0.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    upright = np.stack([right, np.cross(forward, right), forward], axis=1)
    cosine, sine, zero = np.cos(rolls), np.sin(rolls), np.zeros_like(rolls)
    turns = np.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, zero + 1.0], axis=-1)
    return np.asarray(turns.reshape(-1, 3, 3) @ upright[:, None])


def rotation_vectors_to_matrices(vectors: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about the axes (..., 3) by their lengths in radians (Rodrigues)."""
    require_shape("vectors", vectors, (-1, 3))
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1)
    cross = cross.reshape(*x.shape, 3, 3)
    # sin(a) / a and (1 - cos(a)) / a^2 without division by zero.
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.square(np.sinc(angle / (2.0 * np.pi)))
    return np.eye(3) + first * cross + second * (cross @ cross)


def angles_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (...) in radians of the rotations that lead from first (..., 3, 3) to second."""
    trace = np.einsum("...ij,...ij->...", first, second)
    return np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))
