"""Pinhole cameras and how they are placed before an object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STANDING = 2.0
"""Lowest elevation from which an object on the ground is seen, in degrees."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with its principal point at the image's centre.

    A world point X has camera coordinates R X + t (x right, y down, z forward).

    Attributes
    ----------
    width, height : pixels
    focal : focal length in units of the longest side
    rotation, translation : R (3, 3) and t (3,)
    azimuth, elevation, roll : degrees; azimuth 0 looks at the front, 90 at the object's left
    """

    width: int
    height: int
    focal: float
    rotation: np.ndarray
    translation: np.ndarray
    azimuth: float
    elevation: float
    roll: float

    @property
    def centre(self) -> np.ndarray:
        """The camera's place (3,) in the world."""
        return -self.rotation.T @ self.translation

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Camera coordinates (..., 3) of world points (..., 3)."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates (..., 2) of world points (..., 3)."""
        local = self.to_camera(points)
        scale = self.focal * max(self.width, self.height)
        centre = np.array([self.width, self.height]) / 2
        return local[..., :2] / local[..., 2:] * scale + centre


def elevation_range(category: str) -> tuple[float, float]:
    """Lowest and highest elevation of a category's views, in degrees."""
    return (-10.0, 60.0) if category == "aeroplane" else (STANDING, 45.0)


def azimuth_range(category: str) -> tuple[float, float]:
    """Lowest and highest azimuth of a category's views, in degrees.

    A bottle has no front of its own: its canonical frame turns with the view (demo.shapes.bottle).
    """
    return (0.0, 0.0) if category == "bottle" else (0.0, 360.0)


def orbit_rotation(azimuth: float, elevation: float, roll: float) -> np.ndarray:
    """World-to-camera rotation (3, 3) of a camera that looks at the object; angles in degrees."""
    a, e, r = np.deg2rad([azimuth, elevation, roll])
    away = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    down = np.cross(-away, right)
    turn = np.array([[np.cos(r), -np.sin(r), 0.0], [np.sin(r), np.cos(r), 0.0], [0.0, 0.0, 1.0]])
    return turn @ np.stack([right, down, -away])


def frame_object(
    vertices: np.ndarray,
    size: tuple[int, int],
    focal: float,
    angles: tuple[float, float, float],
    fill: float,
    place: np.ndarray,
) -> Camera:
    """The camera from which the object fills a share of the image, at a place within its margins.

    Parameters
    ----------
    vertices : (V, 3) the object
    size : width and height in pixels
    focal : in units of the longest side
    angles : azimuth, elevation, roll in degrees
    fill : largest of the box's width and height as shares of the image's
    place : (2,) in [-1, 1], where the box lies between the image's borders
    """
    width, height = size
    rotation = orbit_rotation(*angles)
    scale, extent = focal * max(size), np.array(size, dtype=float)
    local = vertices @ rotation.T
    local = local - (local.min(axis=0) + local.max(axis=0)) / 2
    offset = np.array([0.0, 0.0, 1.5 * focal])
    for _ in range(8):
        shifted = local + offset
        pixels = shifted[:, :2] / shifted[:, 2:] * scale
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        offset[2] *= 0.3 + 0.7 * float(np.max((high - low) / extent)) / fill
        free = np.maximum(0.94 * extent - (high - low), 0.0) / 2
        offset[:2] += (place * free - (low + high) / 2) / scale * offset[2]
    centre = (vertices @ rotation.T).min(axis=0) + (vertices @ rotation.T).max(axis=0)
    return Camera(width, height, focal, rotation, offset - centre / 2, *angles)
