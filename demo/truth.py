"""The demo's known truth: read by tests and reports, never by the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demo.rendering.camera import azimuth_range, elevation_range, orbit_rotation
from demo.rendering.lighting import Tracer
from demo.rendering.scene import Scene
from demo.shapes import Instance, build_instance

SURFACE_POINTS = 20_000
_STYLE: dict[str, dict[str, str | int]] = {
    "chair": {"legs": "square", "back": "panel", "count": 4, "stretchers": 0, "supports": 0},
    "aeroplane": {"gear": 0},
    "bottle": {"cap": "straight", "shoulder": "round", "label": 0},
}
"""The mean shape's style: what all styles have in common, with a closed backrest."""


def mean_instance(instances: Sequence[Instance]) -> Instance:
    """The object with the mean proportions of ``instances``, in the common style."""
    names = instances[0].parameters
    mean = {name: float(np.mean([i.parameters[name] for i in instances])) for name in names}
    category = instances[0].category
    return build_instance(category, mean, _STYLE[category])


def fit_similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation (3, 3) and shift (3,) that carry ``source`` (K, 3) nearest to ``target``."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((s * sign).sum() / (a**2).sum())
    return scale, rotation, target.mean(axis=0) - scale * rotation @ source.mean(axis=0)


def _sample_surface(
    instance: Instance, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 3) and unit normals (count, 3), evenly over an object's triangles."""
    corners = instance.vertices[instance.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    chosen = rng.choice(len(area), size=count, p=area / area.sum())
    u, v = rng.uniform(size=(2, count))
    over = u + v > 1
    u[over], v[over] = 1 - u[over], 1 - v[over]
    edges = corners[chosen]
    points = edges[:, 0] + u[:, None] * (edges[:, 1] - edges[:, 0])
    points += v[:, None] * (edges[:, 2] - edges[:, 0])
    return points, cross[chosen] / area[chosen, None]


def _view_directions(azimuths: tuple[float, float], elevations: tuple[float, float]) -> np.ndarray:
    """Unit directions (N, 3) towards cameras between two azimuths and elevations in degrees."""
    turns = np.arange(azimuths[0], max(azimuths[1], azimuths[0] + 1e-9), 15.0)
    heights = np.arange(elevations[0], elevations[1] + 1e-9, 12.5)
    return np.array([-orbit_rotation(turn, e, 0.0)[2] for e in heights for turn in turns])


def _escapes(instance: Instance, points: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Which points (N, 3) of the surface a far camera in one of the directions (D, 3) sees."""
    tracer = Tracer(instance.vertices, instance.faces)
    free = np.zeros(len(points), dtype=bool)
    for direction in directions.astype(np.float32):
        left = np.flatnonzero(~free)
        starts = (points[left] + 1e-3 * direction).astype(np.float32)
        rays = np.tile(direction, (len(left), 1))
        free[left] = tracer.free(starts, rays)
    return free


def mean_surface(
    instances: Sequence[Instance], keypoints: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The surface of the mean shape, without what lies inside it.

    Parameters
    ----------
    instances : the training objects
    keypoints : (K, 3) their mean keypoints; the surface is laid over them by a similarity
    rng : source of the samples

    Returns
    -------
    points (SURFACE_POINTS, 3), and which of them the category's views can show (bool): a chair's
    views come from above, so its underside is never seen
    """
    shape = mean_instance(instances)
    points, _ = _sample_surface(shape, 2 * SURFACE_POINTS, rng)
    outside = _escapes(shape, points, _view_directions((0.0, 360.0), (-87.5, 87.5)))
    points = points[outside][:SURFACE_POINTS]
    views = azimuth_range(shape.category), elevation_range(shape.category)
    seen = _escapes(shape, points, _view_directions(*views))
    scale, rotation, shift = fit_similarity(shape.keypoints, keypoints)
    return scale * points @ rotation.T + shift, seen


def image_truth(scene: Scene, depth: np.ndarray, mask: np.ndarray, canonical: np.ndarray) -> dict:
    """What is known of one image, as arrays to save.

    ``focal`` is in units of the longest side; a canonical point X has camera coordinates
    ``rotation`` X + ``translation``; ``depth`` lies along the optical axis, in object diagonals.
    """
    camera = scene.camera
    return {
        "depth": depth.astype(np.float32),
        "mask": mask,
        "canonical": canonical.astype(np.float32),
        "focal": np.float64(camera.focal),
        "rotation": camera.rotation,
        "translation": camera.translation,
        "azimuth": np.float64(camera.azimuth),
        "elevation": np.float64(camera.elevation),
        "keypoints": scene.instance.keypoints,
    }
