"""Random scenes: one object before a backdrop, with ground, clutter, light and a camera.

World coordinates are the object's canonical ones (x its left, y up, z its front). The backdrop
lies a finite way behind the object, as in a studio: depth is finite wherever it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.appearance import Appearance, random_appearance
from demo.shapes import Instance, build_instance, random_instance
from demo.shapes.mesh import MeshBuilder

FILL = (0.62, 0.88)
"""Share of the image that the object's box takes, in the direction where it is largest."""
DISTANCE = {"chair": (1.6, 2.9), "aeroplane": (1.3, 2.3)}
"""Distance that the camera aims at, in object diagonals; the focal length follows from it."""
STANDING = 2.0
"""Lowest elevation from which an object on the ground is seen, in degrees."""
FOCAL = (1.0, 2.2)
"""Bounds of the focal length in units of the longest side."""


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
    clutter: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    light: np.ndarray
    appearance: Appearance


def elevation_range(category: str) -> tuple[float, float]:
    """Lowest and highest elevation of a category's views, in degrees."""
    return (-10.0, 60.0) if category == "aeroplane" else (STANDING, 45.0)


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
        rng.uniform(0.0, 360.0) if azimuth is None else azimuth,
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
    level = forward * (1.0, 0.0, 1.0)
    swing = np.deg2rad(rng.uniform(-25.0, 25.0))
    level = level / np.linalg.norm(level)
    side = np.cross(up, level)
    facing = -(np.cos(swing) * level + np.sin(swing) * side)
    return ground, Plane(behind * level, np.stack([np.cross(up, facing), up, facing]))


def _solid(
    mesh: MeshBuilder, part: int, base: np.ndarray, size: float, rng: np.random.Generator
) -> None:
    """A box, ball, cylinder or cone of about ``size`` that stands at ``base`` (3,)."""
    kind = rng.integers(0, 4)
    height = size * rng.uniform(0.7, 3.0)
    if kind == 0:
        turn = rng.uniform(0.0, np.pi)
        half = np.array([size, size * rng.uniform(0.5, 1.0)]) * 0.7
        corners = np.empty((2, 2, 2, 3))
        for i, x in enumerate((-half[0], half[0])):
            for k, z in enumerate((-half[1], half[1])):
                spot = [
                    x * np.cos(turn) - z * np.sin(turn),
                    0.0,
                    x * np.sin(turn) + z * np.cos(turn),
                ]
                corners[i, 0, k] = base + spot
                corners[i, 1, k] = base + spot + np.array([0.0, height, 0.0])
        mesh.hexahedron(part, corners, 0.04 * size)
    elif kind == 1:
        angle = np.linspace(0.02, np.pi - 0.02, 14)
        around = 2 * np.pi * np.arange(24) / 24
        circle = np.stack([np.cos(around), 0 * around, np.sin(around)], axis=1)
        rings = [
            size * np.sin(a) * circle + base + (0.0, size * (1 - np.cos(a)), 0.0) for a in angle
        ]
        mesh.loft(part, np.array(rings))
    else:
        top = 0.8 * size * (1.0 if kind == 2 else rng.uniform(0.1, 0.6))
        mesh.tube(part, base, base + np.array([0.0, height, 0.0]), (0.8 * size, top), 24)


def _random_clutter(
    instance: Instance, camera: Camera, ground: Plane, backdrop: Plane, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Up to eight solids on the ground, beside and behind the object but never before it."""
    mesh = MeshBuilder()
    level = camera.rotation[2] * (1.0, 0.0, 1.0)
    level = level / np.linalg.norm(level)
    side = np.cross(level, (0.0, 1.0, 0.0))
    reach = float(np.linalg.norm(instance.vertices[:, [0, 2]], axis=1).max())
    count = int(rng.integers(0, 9)) if rng.uniform() < 0.75 else 0
    for part in range(count):
        size = rng.uniform(0.05, 0.2)
        angle = np.deg2rad(rng.uniform(-105.0, 105.0))
        away = reach + size + rng.uniform(0.0, 0.5)
        base = away * (np.cos(angle) * level + np.sin(angle) * side)
        room = float((base - backdrop.origin) @ backdrop.axes[2]) - 1.1 * size
        base = base + backdrop.axes[2] * max(-room, 0.0) * (1.0, 0.0, 1.0)
        if np.linalg.norm(base) > reach + 0.8 * size:
            _solid(mesh, part, base + np.array([0.0, ground.origin[1], 0.0]), size, rng)
    if not mesh.vertices:
        return np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), int), np.empty(0, np.int16)
    return mesh.build()


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
) -> Scene:
    """A random scene of a category; every part of it is drawn from ``rng``.

    Parameters
    ----------
    category : one of ``demo.shapes.CATEGORIES``
    rng : source of all random numbers
    width, height : image size in pixels
    azimuth, elevation : degrees; drawn from ``rng`` where not given
    """
    instance = random_instance(category, rng)
    airborne = category == "aeroplane" and (
        bool(rng.uniform() < 0.5) or (elevation is not None and elevation < STANDING)
    )
    if "gear" in instance.style:
        style = {**instance.style, "gear": 0 if airborne else 1}
        instance = build_instance(category, instance.parameters, style)
    camera = _random_camera(instance, (width, height), rng, azimuth, elevation, airborne)
    ground, backdrop = _planes(instance, camera, rng, airborne)
    clutter = _random_clutter(instance, camera, ground, backdrop, rng)
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
