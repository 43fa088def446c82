"""Similarity transforms, and the canonical frame of a prior (METHOD.md section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.cameras import mirror_or_identity

_ON_A_SIDE = 0.5


@dataclass(frozen=True)
class Similarity:
    """The map x -> scale * R x + t.

    Attributes
    ----------
    scale : float
        Positive.
    rotation : (3, 3) float64
        Orthogonal; its determinant is 1 unless a reflection was allowed.
    translation : (3,) float64
    """

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) transformed; NaN stays NaN."""
        return self.scale * (np.asarray(points) @ self.rotation.T) + self.translation

    def inverse(self) -> Similarity:
        """The transform that undoes this one."""
        scale = 1.0 / self.scale
        rotation = self.rotation.T
        return Similarity(scale, rotation, -scale * (rotation @ self.translation))


def similarity_procrustes(
    source: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    allow_reflection: bool = False,
) -> Similarity:
    """Similarity that brings source points closest to target points (weighted least squares).

    Parameters
    ----------
    source, target
        (n, 3) corresponding points, finite, n at least 1.
    weights
        (n,) not negative; equal if None.
    allow_reflection
        Whether the orthogonal part may have determinant -1.

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite, no weight is positive, or the source points
        coincide.
    """
    require_shape("source", source, (None, 3))
    require_shape("target", target, (len(source), 3))
    weight = np.ones(len(source)) if weights is None else np.asarray(weights, dtype=np.float64)
    require_shape("weights", weight, (len(source),))
    for name, array in (("source", source), ("target", target), ("weights", weight)):
        require_finite(name, array)
    if np.any(weight < 0.0) or weight.sum() <= 0.0:
        raise ValueError("weights: expected none below zero and at least one above it")
    weight = weight / weight.sum()
    source_mean, target_mean = weight @ source, weight @ target
    centred = source - source_mean
    spread = float(weight @ np.square(centred).sum(axis=1))
    if spread <= 0.0:
        raise ValueError("source: expected points that do not all coincide")
    covariance = (weight[:, None] * (target - target_mean)).T @ centred
    left, singular, right = np.linalg.svd(covariance)
    signs = np.ones(3)
    if not allow_reflection and np.linalg.det(left) * np.linalg.det(right) < 0.0:
        signs[2] = -1.0
    rotation = (left * signs) @ right
    scale = float(singular @ signs) / spread
    if scale <= 0.0:
        raise ValueError("target: expected points that do not all coincide")
    return Similarity(scale, rotation, target_mean - scale * (rotation @ source_mean))


def canonical_frame(xyz: np.ndarray, used: np.ndarray, mirror: np.ndarray | None) -> Similarity:
    """Similarity into the canonical frame: the same for a shape however it was turned and scaled.

    - x is normal to the mirror plane that the mirror table gives, and the plane is x = 0; of the
      pair with the smallest id whose keypoints lie well apart, the smaller id has x > 0.
    - y is the axis of largest spread in the mirror plane, z = x cross y (a proper rotation, so
      the handedness is kept). Of y's two directions the one is taken in which the keypoint with
      the smallest id that lies well off the middle has y > 0.
    - The bounding box of the used keypoints is centred in y and z, and its diagonal is 1.

    "Well" means at least half as far as the furthest. A shape with no complete mirror pair, or
    without mirror table, gets all its axes by principal components, by decreasing spread, the signs
    of the first two fixed as y's above, its bounding box centred in x as well.

    Parameters
    ----------
    xyz
        (K, 3) keypoints; unused rows may be NaN.
    used
        (K,) bool.
    mirror
        (K,) mirror table, or None where it is not known.

    Raises
    ------
    ValueError
        If fewer than 3 keypoints are used, or they coincide.
    """
    require_shape("xyz", xyz, (None, 3))
    table = mirror_or_identity(mirror, len(xyz))
    require_shape("used", used, (len(table),))
    ids = np.flatnonzero(used)
    if len(ids) < 3:
        raise ValueError(f"used: expected at least 3 keypoints, found {len(ids)}")
    require_finite("xyz", xyz[ids])
    points = xyz[ids] - xyz[ids].mean(axis=0)
    if np.allclose(points, 0.0, atol=0.0):
        raise ValueError("xyz: expected keypoints that do not all coincide")
    pairs = _pairs(ids, table)
    normal = _mirror_normal(xyz, ids, table, pairs) if len(pairs) else None
    rotation = _axes(points, normal)
    turned = xyz @ rotation.T
    low, high = turned[ids].min(axis=0), turned[ids].max(axis=0)
    middle = (low + high) / 2.0
    if len(pairs):
        middle[0] = turned[_symmetric(ids, table), 0].mean()
    scale = 1.0 / float(np.linalg.norm(high - low))
    return Similarity(scale, rotation, -scale * middle)


def has_mirror_plane(used: np.ndarray, mirror: np.ndarray | None) -> bool:
    """Whether a mirror pair of used keypoints (K,) bool gives `canonical_frame` its plane."""
    return len(_pairs(np.flatnonzero(used), mirror_or_identity(mirror, len(used)))) > 0


def _pairs(ids: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Mirror pairs (n, 2) of which both ids are used, smaller id first."""
    both = ids[(ids < table[ids]) & np.isin(table[ids], ids)]
    return np.stack([both, table[both]], axis=1)


def _symmetric(ids: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Used ids whose mirror image is used too (single ids among them)."""
    return ids[np.isin(table[ids], ids)]


def _mirror_normal(
    xyz: np.ndarray, ids: np.ndarray, table: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """Unit normal of the plane that best maps each keypoint to its mirror image.

    With centred points Q the squared distances of Q[mirror] from the reflected Q are, up to a
    constant, 4 sum (n . Q)(n . Q[mirror]): n is the eigenvector of the smallest eigenvalue.
    """
    members = _symmetric(ids, table)
    centre = xyz[members].mean(axis=0)
    product = (xyz[members] - centre).T @ (xyz[table[members]] - centre)
    normal = np.linalg.eigh((product + product.T) / 2.0)[1][:, 0]
    sides = (xyz[pairs[:, 0]] - xyz[pairs[:, 1]]) @ normal
    return normal * _sign(sides)


def _sign(values: np.ndarray) -> float:
    """Sign of the first value that is at least half as large as the largest."""
    size = np.abs(values)
    return 1.0 if values[np.argmax(size >= _ON_A_SIDE * size.max())] >= 0.0 else -1.0


def _axes(points: np.ndarray, normal: np.ndarray | None) -> np.ndarray:
    """Rows x, y, z of a proper rotation: x is the given normal, or the axis of largest spread."""
    if normal is None:
        normal = np.linalg.eigh(points.T @ points)[1][:, 2]
        normal = normal * _sign(points @ normal)
    flat = points - np.outer(points @ normal, normal)
    across = np.linalg.svd(normal[None])[2][1:]
    second = np.linalg.eigh((flat @ across.T).T @ (flat @ across.T))[1][:, 1] @ across
    second = second * _sign(points @ second)
    return np.stack([normal, second, np.cross(normal, second)])
