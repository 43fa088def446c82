"""Keypoints of one shape as all images see them, with derivatives (METHOD.md section 7).

An image sees the point X of the prior's frame at P = R X, with D = 1 + k P_z, as

    u = (P_xy / g + v) / D          ray, in units of the longest side
    m = (b + c) / D - c             relative inverse depth d / max(d)

1 / g is the size in the image of an object of length one, k = 1 / (its distance in lengths of the
object), p = g k the inverse focal length, v where the frame's origin is seen, b the relative depth
there and c the depth offset. These numbers are hardly correlated, unlike translation, scale and
focal length; and the model does not change when the shape is scaled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from semalign3d.arrays import Array, beside, namespace, to_device
from semalign3d.geometry.cameras import mirror_or_identity
from semalign3d.geometry.frames import has_mirror_plane

TURN = slice(0, 3)
SHIFT = slice(3, 5)
LOG_G, LOG_K, LEVEL, LOG_C = 5, 6, 7, 8
PARAMETERS = 9
"""Numbers of an image: rotation vector before the start's rotation, v, log g, log k, b, log c."""

_SMALL_ANGLE = 1e-8


@dataclass(frozen=True)
class Residuals:
    """Seen minus measured, in standard deviations, and derivatives, on the device of the model.

    Attributes
    ----------
    values : (N, K, 3) of ray x, ray y and relative inverse depth; any number where unseen.
    by_image : (N, K, 3, 9) derivatives with respect to the image's numbers.
    by_point : (N, K, 3, 3) derivatives with respect to the point in the prior's frame.
    """

    values: Array
    by_image: Array
    by_point: Array


@dataclass(frozen=True)
class ImageModel:
    """What is measured in N images, and how precisely.

    Attributes
    ----------
    rays : (N, K, 2) keypoints in units of the longest side, from the image's centre.
    depth : (N, K) relative inverse depth.
    ray_sigma, depth_sigma : (N,) standard deviations of the two.
    start : (N, 3, 3) rotations that the rotation vectors are applied to.
    """

    rays: Array
    depth: Array
    ray_sigma: Array
    depth_sigma: Array
    start: np.ndarray

    def on(self, device: str | None) -> ImageModel:
        """The same on a device, see `arrays.to_device`; rotations are made on the CPU."""
        return replace(
            self,
            rays=to_device(self.rays, device),
            depth=to_device(self.depth, device),
            ray_sigma=to_device(self.ray_sigma, device),
            depth_sigma=to_device(self.depth_sigma, device),
        )

    def residuals(self, xyz: np.ndarray, numbers: np.ndarray) -> Residuals:
        """Residuals of a shape (K, 3) under the images' numbers (N, 9), NumPy arrays both."""
        xp, turn = namespace(self.rays), numbers[:, TURN]
        rotation = beside(Rotation.from_rotvec(turn).as_matrix() @ self.start, self.rays)
        jacobian = beside(_left_jacobian(turn), self.rays)[:, None]
        xyz, numbers = beside(xyz, self.rays), beside(numbers, self.rays)
        placed = xyz @ rotation.mT
        g, k, c = xp.exp(numbers[:, [LOG_G, LOG_K, LOG_C]]).T[:, :, None]
        height = numbers[:, LEVEL, None] + c
        near = 1.0 / (1.0 + k * placed[..., 2])
        across = placed[..., :2] / g[..., None]
        rays = (across + numbers[:, None, SHIFT]) * near[..., None]
        depth = height * near - c
        values = xp.concat([rays - self.rays, (depth - self.depth)[..., None]], axis=2)

        by_placed = beside(np.zeros((*values.shape, 3)), values)
        by_placed[..., 0, 0] = by_placed[..., 1, 1] = near / g
        by_placed[..., :2, 2] = -rays * (k * near)[..., None]
        by_placed[..., 2, 2] = -height * k * near**2
        by_image = beside(np.zeros((*values.shape, PARAMETERS)), values)
        by_image[..., TURN] = by_placed @ (-_cross(placed) @ jacobian)
        by_image[..., 0, SHIFT.start] = by_image[..., 1, SHIFT.start + 1] = near
        by_image[..., :2, LOG_G] = -across * near[..., None]
        by_image[..., LOG_K] = by_placed[..., 2] * placed[..., 2:]
        by_image[..., 2, LEVEL] = near
        by_image[..., 2, LOG_C] = c * (near - 1.0)

        sigma = xp.stack([self.ray_sigma, self.ray_sigma, self.depth_sigma], axis=1)[:, None]
        by_point = by_placed @ rotation[:, None]
        return Residuals(values / sigma, by_image / sigma[..., None], by_point / sigma[..., None])


NO_OFFSET = float(np.log(1e-20))
"""log c where depth came without offset: float64 cannot tell c from 0."""
_SURE = 1e6
"""Inverse variance of a given log p among others that are found."""


@dataclass(frozen=True)
class GivenNumbers:
    """Which numbers of n images came with the depth, so that nothing moves them.

    Where the focal length is given, log k follows from log g, and its own place counts for nothing;
    nor does the place of a given log c.

    Attributes
    ----------
    log_p : (n,) log g + log k where it is given; NaN where not.
    log_c : (n,) likewise.
    jacobian : (n, 9, 9) derivatives of the numbers with respect to the free ones.
    """

    log_p: np.ndarray
    log_c: np.ndarray
    jacobian: np.ndarray

    @classmethod
    def of(cls, log_p: np.ndarray, log_c: np.ndarray) -> GivenNumbers:
        """From log p and log c (n,), NaN where free."""
        jacobian = np.tile(np.eye(PARAMETERS), (len(log_p), 1, 1))
        given = ~np.isnan(log_p)
        jacobian[given, LOG_K, LOG_G] = -1.0
        jacobian[given, LOG_K, LOG_K] = 0.0
        jacobian[~np.isnan(log_c), LOG_C, LOG_C] = 0.0
        return cls(log_p, log_c, jacobian)

    def take(self, images: np.ndarray) -> GivenNumbers:
        """The same for some of the images (m,), which may repeat."""
        return GivenNumbers(self.log_p[images], self.log_c[images], self.jacobian[images])

    @property
    def counts(self) -> np.ndarray:
        """(n, 9) 1 where a number's own place is free, 0 where not."""
        return np.einsum("nii->ni", self.jacobian)

    def complete(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, 9) with the given ones in their places."""
        completed = numbers.copy()
        log_k = self.log_p - numbers[:, LOG_G]
        completed[:, LOG_K] = np.where(np.isnan(log_k), numbers[:, LOG_K], log_k)
        completed[:, LOG_C] = np.where(np.isnan(self.log_c), numbers[:, LOG_C], self.log_c)
        return completed

    def reduce(self, gradient: np.ndarray) -> np.ndarray:
        """Gradient (n, 9) with respect to the free numbers from that of all."""
        return np.einsum("nij,ni->nj", self.jacobian, gradient)

    def restrict(self, curvature: np.ndarray) -> np.ndarray:
        """Second derivatives (n, 9, 9) by the free numbers from those (9, 9) by all.

        Places that count for nothing get 1, so that the sum with others can be inverted.
        """
        unused = (1.0 - self.counts)[..., None] * np.eye(PARAMETERS)
        return np.asarray(self.jacobian.mT @ curvature @ self.jacobian + unused)

    def certainty(self) -> np.ndarray:
        """Second derivatives (n, 9, 9) that a measurement of each given log p would have."""
        log_p = np.zeros(PARAMETERS)
        log_p[[LOG_G, LOG_K]] = 1.0
        given = ~np.isnan(self.log_p)
        return np.asarray(_SURE * given[:, None, None] * np.outer(log_p, log_p))

    def with_offsets_at(self, log_c: float, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, 9) with another log c where it is given."""
        moved = numbers.copy()
        moved[:, LOG_C] = np.where(np.isnan(self.log_c), numbers[:, LOG_C], log_c)
        return moved


@dataclass(frozen=True)
class SymmetricShape:
    """Shapes symmetric about x = 0, as free coordinates of one keypoint of each mirror pair.

    Without a pair of used keypoints nothing is known of a symmetry, and all keypoints are free.

    Attributes
    ----------
    owner : (K,) int64, the keypoint whose coordinates a keypoint has.
    side : (K,) float64, 1 or -1 times its x; 0 for single ids, which lie on x = 0.
    """

    owner: np.ndarray
    side: np.ndarray

    @classmethod
    def of(cls, used: np.ndarray, mirror: np.ndarray | None) -> SymmetricShape:
        """Under a mirror table (K,), if a pair of used keypoints (K,) bool gives it a plane."""
        ids = np.arange(len(used))
        table = mirror_or_identity(mirror, len(used))
        if not has_mirror_plane(used, mirror):
            return cls(ids, np.ones(len(ids)))
        return cls(np.minimum(ids, table), np.sign(table - ids).astype(np.float64))

    def nearest(self, xyz: np.ndarray) -> np.ndarray:
        """Free coordinates (K, 3) of the symmetric shape nearest to one (K, 3), rows NaN or not.

        Where one keypoint of a pair is NaN, the other one alone says where both are.
        """
        flipped = xyz * np.stack([self.side, *np.ones((2, len(xyz)))], axis=1)
        known = np.isfinite(xyz).all(axis=1)
        total, count = np.zeros_like(xyz), np.zeros(len(xyz))
        np.add.at(total, self.owner[known], flipped[known])
        np.add.at(count, self.owner[known], 1.0)
        return total / np.maximum(count, 1.0)[:, None]

    def expand(self, free: np.ndarray) -> np.ndarray:
        """The shape (K, 3) of free coordinates (K, 3), of which owners' rows count."""
        xyz = free[self.owner]
        xyz[:, 0] *= self.side
        return xyz

    def reduce(self, gradient: np.ndarray) -> np.ndarray:
        """Gradient (K, 3) with respect to the free coordinates from that of the shape."""
        flipped = gradient * np.stack([self.side, *np.ones((2, len(gradient)))], axis=1)
        free = np.zeros_like(gradient)
        np.add.at(free, self.owner, flipped)
        return free


def _cross(vectors: Array) -> Array:
    """Matrices (..., 3, 3) of the cross product with vectors (..., 3)."""
    xp = namespace(vectors)
    x, y, z = (vectors[..., axis] for axis in range(3))
    zero = xp.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return xp.reshape(xp.stack(rows, axis=-1), (*vectors.shape, 3))


def _left_jacobian(turn: np.ndarray) -> np.ndarray:
    """How a change of rotation vectors (N, 3) turns: exp(w + dw) = exp(J dw) exp(w); (N, 3, 3)."""
    square = np.square(turn).sum(axis=1)[:, None, None]
    small = square < _SMALL_ANGLE
    safe = np.where(small, 1.0, square)
    angle = np.sqrt(safe)
    first = np.where(small, 0.5, (1.0 - np.cos(angle)) / safe)
    second = np.where(small, 1.0 / 6.0, (angle - np.sin(angle)) / (safe * angle))
    cross = _cross(turn)
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross))
