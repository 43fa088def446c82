"""How much light of a source reaches surface points: soft shadows from a few rays a pixel."""

from __future__ import annotations

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.ndimage import uniform_filter

_TILE = 4
"""Side, in pixels, of the tile whose pixels take different rays; the blur is as wide."""
_OFFSET = 2e-3
"""How far above a surface its shadow rays start, in object diagonals."""


class Tracer:
    """One mesh to shoot rays at; keeps the mesh alive as long as Embree needs it."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self.scene = EmbreeScene()
        self._mesh = TriangleMesh(self.scene, vertices.astype(np.float32), faces.astype(np.int32))

    def hits(self, origin: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
        """First hits of rays (N, 3) from one point (3,).

        ``primID`` is the triangle (-1: none), ``tfar`` how many directions far, ``u`` and ``v`` the
        weights of its second and third corner; (N,) each.
        """
        starts = np.tile(origin.astype(np.float32), (len(directions), 1))
        return self.scene.run(starts, directions.astype(np.float32), output=True)

    def free(self, starts: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Which rays (N, 3) from points (N, 3), both float32, meet nothing, (N,) bool."""
        return self.scene.run(starts, directions, query="OCCLUDED") < 0


def source_directions(axis: np.ndarray, rays: int, tangent: float) -> np.ndarray:
    """Directions (_TILE ** 2, rays, 3) of a round source: one set for each pixel of a tile.

    Parameters
    ----------
    axis : (3,) unit direction towards the source's centre
    rays : how many each pixel shoots
    tangent : of the angle between the source's centre and rim
    """
    sets = _TILE * _TILE
    tile = np.argsort(np.mod(np.arange(sets) * 7, sets))[:, None]
    ray = np.arange(rays)[None, :]
    angles = 2 * np.pi * (ray / rays + tile / (sets * rays)) + 2.4 * ray
    radii = tangent * np.sqrt((ray + (tile * 5 % sets + 0.5) / sets) / rays)
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    ring = np.cos(angles)[..., None] * first + np.sin(angles)[..., None] * second
    directions = axis + radii[..., None] * ring
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def light_arriving(
    blocker: Tracer, position: np.ndarray, normal: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """Light (H, W) float32 in [0, 1] that surfaces receive, with cosine and shadows.

    Neighbouring pixels shoot different rays; a small blur of the unshadowed share joins them.

    Parameters
    ----------
    blocker : what throws shadows
    position, normal : (H, W, 3)
    directions : as ``source_directions`` gives them
    """
    shape = position.shape[:2]
    normals = normal.reshape(-1, 3)
    origins = (position.reshape(-1, 3) + _OFFSET * normals).astype(np.float32)
    rows, columns = np.divmod(np.arange(len(origins)), shape[1])
    tile = _TILE * (rows % _TILE) + columns % _TILE
    arriving, possible = np.zeros(len(origins)), np.zeros(len(origins))
    for ray in range(directions.shape[1]):
        towards = directions[tile, ray].astype(np.float32)
        cosine = np.maximum(np.einsum("ij,ij->i", normals, towards), 0)
        lit = np.flatnonzero(cosine > 0)
        possible += cosine
        if len(lit):
            arriving[lit] += blocker.free(origins[lit], towards[lit]) * cosine[lit]
    share = np.where(possible > 0, arriving / np.maximum(possible, 1e-9), 1.0)
    share = uniform_filter(share.reshape(shape), _TILE)
    few = directions[::_TILE].reshape(-1, 3).astype(np.float32)
    smooth = np.zeros(len(origins), dtype=np.float32)
    for direction in few:
        smooth += np.maximum(normals @ direction, 0) / len(few)
    return (share * smooth.reshape(shape)).astype(np.float32)
