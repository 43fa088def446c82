"""Views pulled onto the surface that they have in common (METHOD.md section 8)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semalign3d.arrays import Array, beside, namespace, to_numpy
from semalign3d.geometry.neighbours import Neighbours
from semalign3d.shape.dense.fusion import FusedPoints, evenly
from semalign3d.shape.dense.surface import surface_features

_ROUNDS = 2
_STEPS = 5
_LOOKED_AT = 14
"""Fused points that are looked at for each point that will be drawn."""
_NEIGHBOURS = 60
_EXTENT = 0.25
"""Length over which an affine map's linear part moves points as far as its shift does."""
_STIFFNESS = 0.07
"""Weight of the map's own size, in weights of the points that it is fitted to."""
_REJECTION = 2.0 * 1.4826
"""Gap whose weight is a quarter, in medians of the gaps: two standard deviations."""
_SUPPORT = 1e-3
"""Smallest weight of others and length of their mean normal at which a point has a gap."""


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
        Points of all images, in any order; all is computed where they are.
    points
        How many surface points will be drawn; the number looked at is in proportion.
    radius
        Of the kernel that says what is near, as in `draw_surface`.

    Returns
    -------
    FusedPoints
        In an order of their own, so that the numbers do not depend on that of the images.
    """
    xp = namespace(fused.xyz)
    fused = fused.take(np.lexsort(to_numpy(fused.xyz).T))
    view = 2 * fused.image + fused.side
    rows = beside(evenly(len(fused), _LOOKED_AT * points), view)
    for _ in range(_ROUNDS):
        seen = fused.take(rows)
        gap, normals, supported = _gaps(seen, view[rows], radius)
        xyz = xp.asarray(fused.xyz, copy=True)
        for number in xp.unique_values(view[rows[supported]]).tolist():
            chosen = supported & (view[rows] == number)
            centre = xp.mean(seen.xyz[chosen], axis=0)
            step = _affine_step(seen.xyz[chosen] - centre, normals[chosen], gap[chosen])
            own = view == number
            xyz[own] += step[0] + (xyz[own] - centre) / _EXTENT @ step[1:].T
        fused = replace(fused, xyz=xyz)
    return fused


def _gaps(fused: FusedPoints, view: Array, radius: float) -> tuple[Array, Array, Array]:
    """Heights (n,) of the other views' mean planes over those of the points' own views, the
    planes' normals (n, 3), and which points (n,) have other views' points near them."""
    xp = namespace(fused.xyz)
    features = surface_features(fused.xyz, fused.normals, radius)
    distance, near = Neighbours(features).query(features, _NEIGHBOURS)
    weights = xp.exp(-0.5 * xp.square(distance))
    own = view[near] == view[:, None]
    others, total = _shares(xp.where(own, 0.0, weights))
    mean = xp.einsum("nk,nkd->nd", others, fused.normals[near])
    length = xp.linalg.vector_norm(mean, axis=1)
    supported = (total > _SUPPORT) & (length > _SUPPORT)
    normals = mean / xp.where(supported, length, 1.0)[:, None]
    # From the view's own mean, which curvature draws inwards as it does the others'.
    between = others - _shares(xp.where(own, weights, 0.0))[0]
    offset = xp.einsum("nk,nkd->nd", between, fused.xyz[near])
    return xp.einsum("nd,nd->n", offset, normals), normals, supported


def _shares(weights: Array) -> tuple[Array, Array]:
    """Weights (n, k) that add up to 1 in each row, where they add up to anything; and sums (n,)."""
    xp = namespace(weights)
    total = xp.sum(weights, axis=1)
    return weights / xp.where(total > 0.0, total, 1.0)[:, None], total


def _affine_step(points: Array, normals: Array, gap: Array) -> Array:
    """Shift (row 0) and linear part (rows 1 to 3, per `_EXTENT`) that close gaps (n,).

    Least squares with Geman-McClure weights, on points (n, 3) from their centre.
    """
    xp = namespace(points)
    turning = normals[:, :, None] * points[:, None, :] / _EXTENT
    design = xp.concat([normals, xp.reshape(turning, (-1, 9))], axis=1)
    penalty = beside(_STIFFNESS * len(points) * np.eye(12), points)
    found = xp.zeros_like(penalty[0])
    for _ in range(_STEPS):
        left = gap - design @ found
        ordered = xp.sort(xp.abs(left))
        median = 0.5 * (ordered[(len(left) - 1) // 2] + ordered[len(left) // 2])
        scale = _REJECTION * median + 1e-9
        weighted = design / xp.square(1.0 + xp.square(left / scale))[:, None]
        found = xp.linalg.solve(weighted.T @ design + penalty, weighted.T @ gap)
    return xp.reshape(found, (4, 3))
