"""Random scenes: one object before a backdrop, with ground, clutter, light and a camera.

World coordinates are the object's canonical ones (x its left, y up, z its front). The backdrop
lies a finite way behind the object, as in a studio: depth is finite wherever it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.rendering.appearance import Appearance, random_appearance
from demo.rendering.camera import STANDING, Camera, azimuth_range, elevation_range, frame_object
from demo.rendering.clutter import Mesh, random_clutter
from demo.shapes import VARIATION, Instance, build_instance, random_instance

FILL = (0.62, 0.88)
"""Share of the image that the object's box takes, in the direction where it is largest."""
DISTANCE = {"chair": (1.6, 2.9), "aeroplane": (1.3, 2.3), "bottle": (1.6, 2.9)}
"""Distance that the camera aims at, in object diagonals; the focal length follows from it."""
FOCAL = (1.0, 2.2)
"""Bounds of the focal length in units of the longest side."""


@dataclass(frozen=True)
class Plane:
    """A flat background: a point of it and orthonormal axes (u, v, normal) as rows."""

    origin: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True)
class Scene:
    """Everything a render needs; all random parts are already drawn.

    ``clutter`` is one mesh (vertices, normals, faces, part ids), empty without any; ``light``
    is the unit direction (3,) towards the light.
    """

    instance: Instance
    camera: Camera
    ground: Plane
    backdrop: Plane
    clutter: Mesh
    light: np.ndarray
    appearance: Appearance


def _random_camera(
    instance: Instance,
    size: tuple[int, int],
    rng: np.random.Generator,
    azimuth: float | None,
    elevation: float | None,
    airborne: bool,
) -> Camera:
    """A camera at a random place round the object (or at the given azimuth and elevation).

    What stands on the ground is shown in the lower half, so that the camera is above the ground and
    the ground at the image's lower border is not much nearer than the object.
    """
    lowest, highest = elevation_range(instance.category)
    lowest = lowest if airborne else max(lowest, STANDING)
    angles = (
        rng.uniform(*azimuth_range(instance.category)) if azimuth is None else azimuth,
        rng.uniform(lowest, highest) if elevation is None else elevation,
        float(np.clip(rng.normal(0.0, 2.5), -5.0, 5.0)),
    )
    distance, fill = rng.uniform(*DISTANCE[instance.category]), rng.uniform(*FILL)
    place = rng.uniform([-0.8, -0.6 if airborne else 0.2], [0.8, 0.6 if airborne else 0.95])
    trial = frame_object(instance.vertices, size, FOCAL[1], angles, fill, place)
    focal = float(np.clip(FOCAL[1] * distance / trial.translation[2], *FOCAL))
    return frame_object(instance.vertices, size, focal, angles, fill, place)


def _ground_below(instance: Instance, camera: Camera) -> float:
    """Height of the ground whose part at the image's lower border is about as far as the object."""
    nearest = float(camera.to_camera(instance.vertices)[:, 2].min())
    half = np.array([camera.width, camera.height]) / (
        2 * camera.focal * max(camera.width, camera.height)
    )
    steepest = min(
        float((np.array([x, half[1], 1.0]) @ camera.rotation)[1]) for x in (-half[0], half[0])
    )
    return float(camera.centre[1]) + min(0.97 * nearest * steepest, -0.25)


def _planes(
    instance: Instance, camera: Camera, rng: np.random.Generator, airborne: bool
) -> tuple[Plane, Plane]:
    """Ground and backdrop; in the air the ground lies lower and the backdrop faces the camera."""
    bottom = float(instance.vertices[:, 1].min())
    if airborne:
        bottom = min(bottom - rng.uniform(0.15, 0.5), _ground_below(instance, camera))
    turn = rng.uniform(0.0, 2 * np.pi)
    along = np.array([np.cos(turn), 0.0, np.sin(turn)])
    up = np.array([0.0, 1.0, 0.0])
    ground = Plane(np.array([0.0, bottom, 0.0]), np.stack([along, np.cross(up, along), up]))
    behind = rng.uniform(0.55, 0.9)
    forward = camera.rotation[2]
    if airborne:
        axes = camera.rotation * np.array([1.0, -1.0, -1.0])[:, None]
        return ground, Plane(behind * forward, axes)
    level = forward * np.array([1.0, 0.0, 1.0])
    swing = np.deg2rad(rng.uniform(-25.0, 25.0))
    level = level / np.linalg.norm(level)
    side = np.cross(up, level)
    facing = -(np.cos(swing) * level + np.sin(swing) * side)
    return ground, Plane(behind * level, np.stack([np.cross(up, facing), up, facing]))


def _random_light(camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Unit direction (3,) towards the light: from above, from the side or the viewer's back."""
    azimuth = np.deg2rad(camera.azimuth + rng.choice([-1.0, 1.0]) * rng.uniform(15.0, 120.0))
    height = np.deg2rad(rng.uniform(35.0, 75.0))
    return np.array(
        [np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)]
    )


def random_scene(
    category: str,
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    azimuth: float | None = None,
    elevation: float | None = None,
    spread: float = VARIATION,
) -> Scene:
    """A random scene of a category; every part of it is drawn from ``rng``.

    Parameters
    ----------
    category : one of ``demo.shapes.CATEGORIES``
    rng : source of all random numbers
    width, height : image size in pixels
    azimuth, elevation : degrees; drawn from ``rng`` where not given
    spread : largest relative change of the object's proportions
    """
    instance = random_instance(category, rng, spread)
    airborne = category == "aeroplane" and (
        bool(rng.uniform() < 0.5) or (elevation is not None and elevation < STANDING)
    )
    if "gear" in instance.style:
        style = {**instance.style, "gear": 0 if airborne else 1}
        instance = build_instance(category, instance.parameters, style)
    camera = _random_camera(instance, (width, height), rng, azimuth, elevation, airborne)
    ground, backdrop = _planes(instance, camera, rng, airborne)
    reach = float(np.linalg.norm(instance.vertices[:, [0, 2]], axis=1).max())
    wall = (backdrop.origin, backdrop.axes[2])
    clutter = random_clutter(reach, camera.rotation[2], float(ground.origin[1]), wall, rng)
    light = _random_light(camera, rng)
    return Scene(
        instance=instance,
        camera=camera,
        ground=ground,
        backdrop=backdrop,
        clutter=clutter,
        light=light,
        appearance=random_appearance(category, rng, airborne=airborne),
    )
