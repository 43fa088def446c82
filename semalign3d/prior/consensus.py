"""Views pulled onto the surface that they have in common (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.prior.fusion import FusedPoints, evenly
from semalign3d.prior.surface import surface_features

_ROUNDS = 2
_STEPS = 5
_LOOKED_AT = 14
"""Fused points that are looked at for each point that will be drawn."""
_NEIGHBOURS = 60
_EXTENT = 0.25
"""Length over which an affine map's linear part moves points as far as its shift does."""
_STIFFNESS = 0.07
"""Weight of the map's own size, in weights of the points that it is fitted to."""
_SUPPORT = 1e-3


def pull_together(fused: FusedPoints, *, points: int, radius: float) -> FusedPoints:
    """Fused points with each view moved onto the surface of the other views.

    Depth is off by a smooth error in each image, and the warp by another. Each view and each
    mirrored view gets a small affine map, which takes its points along the normals towards the
    mean plane of the other views' points near them (point-to-plane registration, robust, with a
    penalty on the map's size). The keypoints stay where they are, and so do the normals, which
    such small maps hardly turn.

    Parameters
    ----------
    fused
        Points of all images, in any order.
    points
        How many surface points will be drawn; the number looked at is in proportion.
    radius
        Of the kernel that says what is near, as in `draw_surface`.

    Returns
    -------
    FusedPoints
        In an order of their own, so that the numbers do not depend on that of the images.
    """
    fused = fused.take(np.lexsort(fused.xyz.T))
    view = 2 * fused.image + fused.side
    rows = evenly(len(fused), _LOOKED_AT * points)
    for _ in range(_ROUNDS):
        seen = fused.take(rows)
        gap, normals, supported = _gaps(seen, view[rows], radius)
        xyz = fused.xyz.copy()
        for number in np.unique(view[rows[supported]]).tolist():
            chosen = supported & (view[rows] == number)
            centre = seen.xyz[chosen].mean(axis=0)
            step = _affine_step(seen.xyz[chosen] - centre, normals[chosen], gap[chosen])
            own = view == number
            xyz[own] += step[0] + (xyz[own] - centre) / _EXTENT @ step[1:].T
        fused = replace(fused, xyz=xyz)
    return fused


def _gaps(
    fused: FusedPoints, view: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights (n,) of the other views' mean planes over those of the points' own views, the
    planes' normals (n, 3), and which points (n,) have other views' points near them."""
    features = surface_features(fused.xyz, fused.normals, radius)
    ranks = np.arange(1, min(_NEIGHBOURS, len(fused)) + 1)
    distance, near = cKDTree(features).query(features, k=ranks)
    weights = np.exp(-0.5 * np.square(distance))
    own = view[near] == view[:, None]
    others, total = _shares(np.where(own, 0.0, weights))
    mean = np.einsum("nk,nkd->nd", others, fused.normals[near])
    length = np.linalg.norm(mean, axis=1)
    supported = (total > _SUPPORT) & (length > _SUPPORT)
    normals = mean / np.where(supported, length, 1.0)[:, None]
    # From the view's own mean, which curvature draws inwards as it does the others'.
    between = others - _shares(np.where(own, weights, 0.0))[0]
    offset = np.einsum("nk,nkd->nd", between, fused.xyz[near])
    return np.einsum("nd,nd->n", offset, normals), normals, supported


def _shares(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, k) that add up to 1 in each row, where they add up to anything; and sums (n,)."""
    total = weights.sum(axis=1)
    return weights / np.where(total > 0.0, total, 1.0)[:, None], total


def _affine_step(points: np.ndarray, normals: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Shift (row 0) and linear part (rows 1 to 3, per `_EXTENT`) that close gaps (n,).

    Least squares with Geman-McClure weights, on points (n, 3) from their centre.
    """
    turning = normals[:, :, None] * points[:, None, :] / _EXTENT
    design = np.concatenate([normals, turning.reshape(-1, 9)], axis=1)
    penalty = _STIFFNESS * len(points) * np.eye(12)
    found = np.zeros(12)
    for _ in range(_STEPS):
        left = gap - design @ found
        scale = 2.0 * 1.4826 * np.median(np.abs(left)) + 1e-9
        weighted = design / np.square(1.0 + np.square(left / scale))[:, None]
        found = np.linalg.solve(weighted.T @ design + penalty, weighted.T @ gap)
    return np.concatenate([found[None, :3], found[3:].reshape(3, 3)])
