"""Shooting a scene's rays: what each pixel meets, and the light that arrives there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.rendering.lighting import Tracer, light_arriving, source_directions
from demo.rendering.scene import Plane, Scene
from demo.rendering.shading import GBuffer, Kind

_EXTENT = 30.0
"""Half the side of ground and backdrop, in object diagonals."""
_SUN_RAYS = 2
_SUN_SPREAD = 0.05
"""Half the width of the sun (tangent): it gives the shadows soft edges."""
_SKY_RAYS = 4
_SKY_SPREAD = 2.0
_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class _World:
    """All triangles of a scene, the solid ones (object and clutter) first.

    ``vertices``, ``normals``, ``template`` (V, 3); ``faces`` (F, 3), ``kinds`` and ``parts`` (F,);
    the first ``solid`` faces throw shadows.
    """

    vertices: np.ndarray
    normals: np.ndarray
    template: np.ndarray
    faces: np.ndarray
    kinds: np.ndarray
    parts: np.ndarray
    solid: int


def _square(plane: Plane) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A large square on a plane: corners (4, 3), normals (4, 3), faces (2, 3), part ids (2,)."""
    u, v = plane.axes[0] * _EXTENT, plane.axes[1] * _EXTENT
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = np.stack([plane.origin + a * u + b * v for a, b in signs])
    normals = np.repeat(plane.axes[2:], 4, axis=0)
    return corners, normals, np.array([[0, 1, 2], [0, 2, 3]]), np.full(2, -1, np.int16)


def _assemble(scene: Scene) -> _World:
    """One mesh of object, clutter, ground and backdrop, in this order."""
    it = scene.instance
    pieces = (
        (it.vertices, it.normals, it.faces, it.parts),
        scene.clutter,
        _square(scene.ground),
        _square(scene.backdrop),
    )
    kinds = (Kind.OBJECT, Kind.CLUTTER, Kind.GROUND, Kind.BACKDROP)
    starts = np.cumsum([0] + [len(piece[0]) for piece in pieces])
    template = np.zeros((starts[-1], 3))
    template[: len(it.template)] = it.template
    return _World(
        np.concatenate([piece[0] for piece in pieces]),
        np.concatenate([piece[1] for piece in pieces]),
        template,
        np.concatenate([piece[2] + n for piece, n in zip(pieces, starts[:-1], strict=True)]),
        np.repeat([int(k) for k in kinds], [len(p[2]) for p in pieces]).astype(np.uint8),
        np.concatenate([piece[3] for piece in pieces]),
        len(it.faces) + len(scene.clutter[2]),
    )


def _rays(scene: Scene, samples: int) -> np.ndarray:
    """World directions (H, W, 3) with unit depth of the rays through a scene's pixels."""
    camera = scene.camera
    scale = camera.focal * max(camera.width, camera.height)
    local = np.ones((camera.height * samples, camera.width * samples, 3))
    for axis, count in ((0, camera.width), (1, camera.height)):
        pixels = (np.arange(count * samples) + 0.5) / samples - 0.5
        line = (pixels - count / 2) / scale
        local[..., axis] = line[None, :] if axis == 0 else line[:, None]
    return local @ camera.rotation


def _facing(normals: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Unit normals (N, 3), turned against the rays' directions (N, 3)."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    unit[np.einsum("ij,ij->i", unit, directions.astype(np.float32)) > 0] *= -1
    return unit


def cast(scene: Scene, samples: int = 1) -> GBuffer:
    """What the rays through a scene's pixels meet.

    Parameters
    ----------
    scene : the scene
    samples : rays a pixel along each axis; the buffers are that many times larger
    """
    world, origin, rays = _assemble(scene), scene.camera.centre, _rays(scene, samples)
    shape, directions = rays.shape[:2], rays.reshape(-1, 3)
    hits = Tracer(world.vertices, world.faces).hits(origin, directions)
    missed, triangle = hits["primID"] < 0, np.maximum(hits["primID"], 0)
    u, v = hits["u"][:, None], hits["v"][:, None]
    a, b, c = world.faces[triangle].T

    def interpolate(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32)
        return (1 - u - v) * values[a] + u * values[b] + v * values[c]

    def image(values: np.ndarray) -> np.ndarray:
        return values.reshape(*shape, *values.shape[1:])

    kind = np.where(missed, Kind.BACKDROP, world.kinds[triangle]).astype(np.uint8)
    depth = np.where(missed, np.inf, hits["tfar"]).astype(np.float32)
    position = image(origin + np.where(missed, _EXTENT, hits["tfar"])[:, None] * directions)
    normal = image(_facing(interpolate(world.normals), directions))
    blocker = Tracer(world.vertices, world.faces[: world.solid])
    sun = source_directions(scene.light, _SUN_RAYS, _SUN_SPREAD)
    sky = source_directions(_UP, _SKY_RAYS, _SKY_SPREAD)
    blank = np.where(kind == Kind.OBJECT, 0.0, np.nan).astype(np.float32)[:, None]
    return GBuffer(
        depth=image(depth),
        kind=image(kind),
        part=image(np.where(missed, -1, world.parts[triangle]).astype(np.int16)),
        position=position.astype(np.float32),
        normal=normal,
        view=rays.astype(np.float32),
        canonical=position.astype(np.float32) + image(blank),
        template=image(interpolate(world.template) + blank),
        sun=light_arriving(blocker, position, normal, sun),
        sky=light_arriving(blocker, position, normal, sky),
        light=scene.light,
        ground=_local(scene.ground, position),
        backdrop=_local(scene.backdrop, position),
    )


def _local(plane: Plane, position: np.ndarray) -> np.ndarray:
    """Coordinates (H, W, 2) within a plane of positions (H, W, 3)."""
    return ((position - plane.origin) @ plane.axes[:2].T).astype(np.float32)
