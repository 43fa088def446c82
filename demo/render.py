"""Ray casting of scenes: geometry buffers first, colours after.

``cast`` shoots the rays and keeps what they met; ``shade`` turns that into a picture and can be
called again with another appearance, which needs no new ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.ndimage import uniform_filter

from demo.appearance import Appearance
from demo.scene import Plane, Scene
from demo.shading import GBuffer, Kind, shade

_EXTENT = 30.0
"""Half the side of ground and backdrop, in object diagonals."""
_SUN_SPREAD = 0.05
"""Spread of the directions towards the light: the width of the shadows' soft edges."""
_SUN_RAYS = 2
_SKY_RAYS = 4
_SKY_SPREAD = 2.0
_UP = np.array([0.0, 1.0, 0.0])
_OFFSET = 2e-3
"""How far above a surface its shadow rays start, in object diagonals."""
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


@dataclass(frozen=True)
class _World:
    """All triangles of a scene with what is interpolated over them."""

    vertices: np.ndarray
    normals: np.ndarray
    template: np.ndarray
    faces: np.ndarray
    kinds: np.ndarray
    parts: np.ndarray


def _embree(vertices: np.ndarray, faces: np.ndarray) -> tuple[EmbreeScene, TriangleMesh]:
    """An Embree scene of one mesh; the mesh object must live as long as the scene."""
    scene = EmbreeScene()
    mesh = TriangleMesh(scene, vertices.astype(np.float32), faces.astype(np.int32))
    return scene, mesh


def _quad(plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Corners (4, 3) and triangles (2, 3) of a large square on a plane."""
    u, v = plane.axes[0] * _EXTENT, plane.axes[1] * _EXTENT
    corners = np.stack(
        [plane.origin + a * u + b * v for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )
    return corners, np.array([[0, 1, 2], [0, 2, 3]])


def _assemble(scene: Scene) -> _World:
    """One mesh of object, clutter, ground and backdrop, in this order."""
    instance = scene.instance
    vertices, normals = [instance.vertices], [instance.normals]
    faces, kinds, parts = [instance.faces], [Kind.OBJECT], [instance.parts]
    pieces = [
        (scene.clutter[0], scene.clutter[1], scene.clutter[2], scene.clutter[3], Kind.CLUTTER)
    ]
    for plane, kind in ((scene.ground, Kind.GROUND), (scene.backdrop, Kind.BACKDROP)):
        corners, quad = _quad(plane)
        none = np.zeros(2, np.int16)
        pieces.append((corners, np.repeat(plane.axes[2:], 4, axis=0), quad, none, kind))
    count = len(instance.vertices)
    for points, directions, triangles, ids, kind in pieces:
        vertices.append(points)
        normals.append(directions)
        faces.append(triangles + count)
        kinds.append(kind)
        parts.append(ids)
        count += len(points)
    template = np.zeros((count, 3))
    template[: len(instance.template)] = instance.template
    return _World(
        np.concatenate(vertices),
        np.concatenate(normals),
        template,
        np.concatenate(faces),
        np.repeat([int(k) for k in kinds], [len(f) for f in faces]).astype(np.uint8),
        np.concatenate(parts),
    )


def _rays(scene: Scene, samples: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Origin (3,), directions (N, 3) with unit depth, and the grid's height and width."""
    camera = scene.camera
    rows, columns = camera.height * samples, camera.width * samples
    scale = camera.focal * max(camera.width, camera.height)
    x = ((np.arange(columns) + 0.5) / samples - 0.5 - camera.width / 2) / scale
    y = ((np.arange(rows) + 0.5) / samples - 0.5 - camera.height / 2) / scale
    local = np.ones((rows, columns, 3))
    local[..., 0], local[..., 1] = x[None, :], y[:, None]
    return camera.centre, local.reshape(-1, 3) @ camera.rotation, (rows, columns)


def _cone(axis: np.ndarray, angles: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Unit directions (..., 3) about ``axis`` (3,): angles round it and tangents away from it."""
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    first = np.cross(axis, helper)
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    ring = np.cos(angles)[..., None] * first + np.sin(angles)[..., None] * second
    directions = axis + tangents[..., None] * ring
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def _directions(axis: np.ndarray, rays: int, tangent: float) -> np.ndarray:
    """Directions (16, rays, 3) about ``axis``: one set for each pixel of a 4 x 4 tile."""
    tile = np.argsort(np.mod(np.arange(16) * 7, 16))[:, None]
    ray = np.arange(rays)[None, :]
    angles = 2 * np.pi * (ray / rays + tile / (16 * rays))
    radii = np.sqrt((ray + (tile * 5 % 16 + 0.5) / 16) / rays)
    return _cone(axis, angles * 1.0 + 2.4 * ray, tangent * radii)


def _light_arriving(
    blocker: EmbreeScene,
    buffers: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, int],
    directions: np.ndarray,
) -> np.ndarray:
    """Light (H, W) from directions (16, R, 3) at positions and normals (N, 3), with shadows.

    Neighbouring pixels take different directions; a small blur of the unshadowed share joins them.
    """
    position, normal = buffers
    origins = (position + _OFFSET * normal).astype(np.float32)
    rows, columns = np.divmod(np.arange(len(position)), shape[1])
    tile = 4 * (rows % 4) + columns % 4
    arriving, possible = np.zeros(len(position)), np.zeros(len(position))
    for ray in range(directions.shape[1]):
        towards = directions[tile, ray].astype(np.float32)
        cosine = np.maximum(np.einsum("ij,ij->i", normal, towards), 0)
        lit = np.flatnonzero(cosine > 0)
        possible += cosine
        if len(lit):
            free = blocker.run(origins[lit], towards[lit], query="OCCLUDED") < 0
            arriving[lit] += free * cosine[lit]
    share = np.where(possible > 0, arriving / np.maximum(possible, 1e-9), 1.0)
    share = uniform_filter(share.reshape(shape), 4)
    mean = directions.reshape(-1, 3)
    smooth = np.mean(np.maximum(normal.astype(np.float32) @ mean.T.astype(np.float32), 0), axis=1)
    return (share * smooth.reshape(shape)).astype(np.float32)


def cast(scene: Scene, samples: int = 1) -> GBuffer:
    """What the rays through a scene's pixels meet.

    Parameters
    ----------
    scene : the scene
    samples : rays a pixel along each axis; the buffers are that many times larger
    """
    world = _assemble(scene)
    origin, directions, (rows, columns) = _rays(scene, samples)
    tracer, keep = _embree(world.vertices, world.faces)
    starts = np.tile(origin.astype(np.float32), (len(directions), 1))
    hits = tracer.run(starts, directions.astype(np.float32), output=True)
    triangle = np.maximum(hits["primID"], 0)
    depth = np.where(hits["primID"] < 0, np.inf, hits["tfar"]).astype(np.float32)
    u, v = hits["u"][:, None], hits["v"][:, None]
    corner = world.faces[triangle]

    def interpolate(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32)
        return (
            (1 - u - v) * values[corner[:, 0]] + u * values[corner[:, 1]] + v * values[corner[:, 2]]
        )

    kind = np.where(hits["primID"] < 0, Kind.BACKDROP, world.kinds[triangle]).astype(np.uint8)
    position = origin + np.where(np.isfinite(depth), depth, _EXTENT)[:, None] * directions
    normal = interpolate(world.normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    away = np.einsum("ij,ij->i", normal, directions.astype(np.float32)) > 0
    normal[away] *= -1
    count = len(scene.instance.vertices) + len(scene.clutter[0])
    solid = world.faces.max(axis=1) < count
    blocker, keep_blocker = _embree(world.vertices[:count], world.faces[solid])
    shape, surface = (rows, columns), (position, normal)
    sun = _light_arriving(blocker, surface, shape, _directions(scene.light, _SUN_RAYS, _SUN_SPREAD))
    sky = _light_arriving(blocker, surface, shape, _directions(_UP, _SKY_RAYS, _SKY_SPREAD))
    del keep, keep_blocker
    on_object = kind == Kind.OBJECT

    def image(values: np.ndarray) -> np.ndarray:
        return values.reshape(*shape, *values.shape[1:])

    blank = np.where(on_object[:, None], 0.0, np.nan).astype(np.float32)
    return GBuffer(
        depth=image(depth),
        kind=image(kind),
        part=image(np.where(kind <= Kind.CLUTTER, world.parts[triangle], -1).astype(np.int16)),
        position=image(position.astype(np.float32)),
        normal=image(normal),
        view=image(directions.astype(np.float32)),
        canonical=image(position.astype(np.float32) + blank),
        template=image(interpolate(world.template) + blank),
        sun=sun,
        sky=sky,
        light=scene.light,
        ground=_local(scene.ground, position, shape),
        backdrop=_local(scene.backdrop, position, shape),
    )


def _local(plane: Plane, position: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Coordinates (H, W, 2) within a plane of positions (N, 3)."""
    return ((position - plane.origin) @ plane.axes[:2].T).astype(np.float32).reshape(*shape, 2)


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


def keypoint_visibility(scene: Scene, picture: Render, radius: int = 2) -> np.ndarray:
    """Which of the instance's keypoints are seen, (K,) bool.

    A keypoint is seen if it lies inside the image and the surface shown within ``radius`` pixels of
    its projection passes within ``VISIBILITY_TOLERANCE`` of it.
    """
    height, width = picture.mask.shape
    pixels = project(scene, scene.instance.keypoints)
    seen = np.zeros(len(pixels), dtype=bool)
    for index, (x, y) in enumerate(pixels):
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            continue
        column, row = round(float(x)), round(float(y))
        rows = slice(max(row - radius, 0), row + radius + 1)
        columns = slice(max(column - radius, 0), column + radius + 1)
        near = picture.canonical[rows, columns][picture.mask[rows, columns]]
        if len(near):
            gap = np.linalg.norm(near - scene.instance.keypoints[index], axis=1).min()
            seen[index] = gap <= VISIBILITY_TOLERANCE
    return seen
