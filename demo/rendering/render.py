"""Pictures of scenes with their truth.

``cast`` shoots the rays and keeps what they met; ``shade`` turns that into colours and can be
called again with another appearance, which needs no new ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.rendering.appearance import Appearance
from demo.rendering.casting import cast
from demo.rendering.scene import Scene
from demo.rendering.shading import Kind, shade

__all__ = ["Render", "cast", "develop", "keypoint_visibility", "project", "render"]

VISIBILITY_TOLERANCE = 0.04
"""Largest distance of a visible keypoint from a surface seen at its pixel, in object diagonals."""


@dataclass(frozen=True)
class Render:
    """A picture with its truth, all of the same height and width.

    Attributes
    ----------
    rgb : (H, W, 3) uint8
    depth : (H, W) float32, along the optical axis, in object diagonals
    mask : (H, W) bool, the object
    canonical : (H, W, 3) float32 canonical coordinates of the object's surface, NaN elsewhere
    template : (H, W, 3) float32 the same surface point on the category's mean shape, NaN elsewhere
    part : (H, W) int16 part id of the object, -1 elsewhere
    normal : (H, W, 3) float32 unit normals in camera coordinates, towards the camera
    """

    rgb: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    canonical: np.ndarray
    template: np.ndarray
    part: np.ndarray
    normal: np.ndarray


def _shrink(picture: np.ndarray, samples: int) -> np.ndarray:
    """Mean over blocks of ``samples`` x ``samples`` pixels of (H, W, 3)."""
    rows, columns = picture.shape[0] // samples, picture.shape[1] // samples
    return picture.reshape(rows, samples, columns, samples, 3).mean(axis=(1, 3))


def render(scene: Scene, samples: int = 1, appearance: Appearance | None = None) -> Render:
    """A picture of a scene with its truth.

    Parameters
    ----------
    scene : the scene
    samples : rays a pixel along each axis for the colours; the truth takes the pixel's centre
    appearance : replaces the scene's own
    """
    look = scene.appearance if appearance is None else appearance
    centre = cast(scene)
    colours = shade(centre if samples == 1 else cast(scene, samples), look)
    if samples > 1:
        colours = _shrink(colours, samples)
    return Render(
        rgb=develop(colours, look.noise, scene),
        depth=centre.depth,
        mask=centre.kind == Kind.OBJECT,
        canonical=centre.canonical,
        template=centre.template,
        part=np.where(centre.kind == Kind.OBJECT, centre.part, -1).astype(np.int16),
        normal=centre.normal @ scene.camera.rotation.T.astype(np.float32),
    )


def develop(colours: np.ndarray, noise: float, scene: Scene) -> np.ndarray:
    """8-bit display colours (H, W, 3) of linear ones, with the sensor's noise.

    The noise is drawn from a generator seeded by the scene's own numbers, so that a scene always
    gives the same picture.
    """
    seed = np.frombuffer(scene.camera.translation.tobytes(), dtype=np.uint32)
    rng = np.random.default_rng(seed)
    display = 255 * np.clip(colours, 0, 1) ** (1 / 2.2)
    grain = noise * rng.standard_normal(colours.shape, dtype=np.float32)
    return np.clip(np.rint(display + grain), 0, 255).astype(np.uint8)


def project(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Pixel coordinates (..., 2) of canonical points (..., 3)."""
    return scene.camera.project(points)


def keypoint_visibility(scene: Scene, canonical: np.ndarray, radius: int = 2) -> np.ndarray:
    """Which of the instance's keypoints are seen, (K,) bool.

    A keypoint is seen if it lies inside the image and the surface shown within ``radius`` pixels of
    its projection passes within ``VISIBILITY_TOLERANCE`` of it.

    Parameters
    ----------
    scene : the scene
    canonical : (H, W, 3) canonical coordinates of the object's surface, NaN elsewhere
    radius : pixels
    """
    height, width = canonical.shape[:2]
    on_object = np.isfinite(canonical).all(axis=2)
    pixels = project(scene, scene.instance.keypoints)
    seen = np.zeros(len(pixels), dtype=bool)
    for index, (x, y) in enumerate(pixels):
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            continue
        column, row = round(float(x)), round(float(y))
        rows = slice(max(row - radius, 0), row + radius + 1)
        columns = slice(max(column - radius, 0), column + radius + 1)
        near = canonical[rows, columns][on_object[rows, columns]]
        if len(near):
            gap = np.linalg.norm(near - scene.instance.keypoints[index], axis=1).min()
            seen[index] = gap <= VISIBILITY_TOLERANCE
    return seen
