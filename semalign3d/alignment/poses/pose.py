"""Poses of an object before a camera, many at once, and how projections depend on them.

The object is placed so that its origin projects to `centre` and its unit there has the length
`extent`: with q = R x, a point projects to

    u = (extent q_xy + centre) / (1 + extent q_z / focal),

in units of the longest side from the image's centre. That is the pinhole camera with the object
at t = (centre, focal) / extent; with an infinite focal length it is weak perspective. Size and
place in the image are nearly independent of each other and of the focal length, so that a
descent along the gradient goes straight.
"""

from dataclasses import dataclass

import numpy as np

NEAREST = 0.2
"""Points come no nearer to the camera than this share of the distance of the object's origin."""


@dataclass(frozen=True)
class Poses:
    """H poses.

    Attributes
    ----------
    rotation : (H, 3, 3) from the object's frame to the camera's.
    centre : (H, 2) where the origin projects to, in units of the longest side.
    log_extent : (H,) log of the unit's length in the image.
    log_focal : (H,) log focal length.
    """

    rotation: np.ndarray
    centre: np.ndarray
    log_extent: np.ndarray
    log_focal: np.ndarray

    def take(self, rows: np.ndarray) -> "Poses":
        """Some of the poses, by numbers."""
        return Poses(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def turned(self, points: np.ndarray) -> np.ndarray:
        """Points (H, K, 3) of the object (K, 3) or (H, K, 3), turned but not moved."""
        return np.asarray(points @ np.swapaxes(self.rotation, -1, -2))

    def translation(self) -> np.ndarray:
        """(H, 3) place of the object's origin in camera coordinates, in the object's units."""
        focal = np.exp(self.log_focal)[:, None]
        return np.asarray(np.concatenate([self.centre, focal], axis=1)) * np.exp(
            -self.log_extent[:, None]
        )

    def directions(self) -> np.ndarray:
        """(H, 3) unit vectors from the object to the camera, in the object's frame."""
        away = -np.einsum("hji,hj->hi", self.rotation, self.translation())
        return away / np.linalg.norm(away, axis=1, keepdims=True)


@dataclass(frozen=True)
class Projection:
    """Projections of turned points, with what their gradients need.

    Attributes
    ----------
    places : (H, K, 2) in units of the longest side from the image's centre.
    depth : (H, K, 1) relative to that of the object's origin.
    near : (H, K, 1) bool, points whose depth was held at the least one.
    extent, focal : (H, 1, 1).
    """

    places: np.ndarray
    depth: np.ndarray
    near: np.ndarray
    extent: np.ndarray
    focal: np.ndarray

    def back_to_points(self, slopes: np.ndarray) -> np.ndarray:
        """Gradients (H, K, 3) by the turned points of a function with slopes (H, K, 2)."""
        across = slopes * (self.extent / self.depth)
        along = -np.sum(slopes * self.places, axis=-1, keepdims=True)
        along = np.where(self.near, 0.0, along * self.extent / (self.focal * self.depth))
        return np.concatenate([across, along], axis=-1)

    def back_to_centre(self, slopes: np.ndarray) -> np.ndarray:
        """Gradients (H, 2) by the centre."""
        return np.sum(slopes / self.depth, axis=1)


def project_turned(turned: np.ndarray, poses: Poses) -> Projection:
    """Projections of turned points (H, K, 3)."""
    extent = np.exp(poses.log_extent)[:, None, None]
    focal = np.exp(poses.log_focal)[:, None, None]
    free = 1.0 + extent * turned[..., 2:] / focal
    depth = np.maximum(free, NEAREST)
    places = (extent * turned[..., :2] + poses.centre[:, None]) / depth
    return Projection(places, depth, free < NEAREST, extent, focal)
