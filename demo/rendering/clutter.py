"""Solids that stand around the object."""

from __future__ import annotations

import numpy as np

from demo.shapes.mesh import MeshBuilder

Mesh = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Vertices (V, 3), normals (V, 3), faces (F, 3) and part ids (F,)."""


def _solid(
    mesh: MeshBuilder, part: int, base: np.ndarray, size: float, rng: np.random.Generator
) -> None:
    """A box, ball, cylinder or cone of about ``size`` that stands at ``base`` (3,)."""
    kind = rng.integers(0, 4)
    height = size * rng.uniform(0.7, 3.0)
    if kind == 0:
        turn = rng.uniform(0.0, np.pi)
        half = np.array([size, size * rng.uniform(0.5, 1.0)]) * 0.7
        corners = np.empty((2, 2, 2, 3))
        for i, x in enumerate((-half[0], half[0])):
            for k, z in enumerate((-half[1], half[1])):
                spot = [
                    x * np.cos(turn) - z * np.sin(turn),
                    0.0,
                    x * np.sin(turn) + z * np.cos(turn),
                ]
                corners[i, 0, k] = base + spot
                corners[i, 1, k] = base + spot + np.array([0.0, height, 0.0])
        mesh.hexahedron(part, corners, 0.04 * size)
    elif kind == 1:
        angle = np.linspace(0.02, np.pi - 0.02, 14)
        around = 2 * np.pi * np.arange(24) / 24
        circle = np.stack([np.cos(around), 0 * around, np.sin(around)], axis=1)
        heights = np.stack([0 * angle, 1 - np.cos(angle), 0 * angle], axis=1)
        rings = np.sin(angle)[:, None, None] * circle + heights[:, None]
        mesh.loft(part, base + size * rings)
    else:
        top = 0.8 * size * (1.0 if kind == 2 else rng.uniform(0.1, 0.6))
        mesh.tube(part, base, base + np.array([0.0, height, 0.0]), (0.8 * size, top), 24)


def random_clutter(
    reach: float,
    forward: np.ndarray,
    ground_height: float,
    wall: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> Mesh:
    """Up to eight solids on the ground, beside and behind the object but never before it.

    Parameters
    ----------
    reach : radius of the upright cylinder round the origin that the object takes
    forward : (3,) viewing direction
    ground_height : y of the ground
    wall : a point (3,) of the backdrop and its normal (3,), which the solids stay before
    rng : source of all random numbers
    """
    mesh = MeshBuilder()
    level = forward * np.array([1.0, 0.0, 1.0])
    level = level / np.linalg.norm(level)
    side = np.cross(level, np.array([0.0, 1.0, 0.0]))
    count = int(rng.integers(0, 9)) if rng.uniform() < 0.75 else 0
    for part in range(count):
        size = rng.uniform(0.05, 0.2)
        angle = np.deg2rad(rng.uniform(-105.0, 105.0))
        away = reach + size + rng.uniform(0.0, 0.5)
        base = away * (np.cos(angle) * level + np.sin(angle) * side)
        room = float((base - wall[0]) @ wall[1]) - 1.1 * size
        base = base + wall[1] * max(-room, 0.0) * np.array([1.0, 0.0, 1.0])
        if np.linalg.norm(base) > reach + 0.8 * size:
            _solid(mesh, part, base + np.array([0.0, ground_height, 0.0]), size, rng)
    if not mesh.vertices:
        return np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), int), np.empty(0, np.int16)
    return mesh.build()
