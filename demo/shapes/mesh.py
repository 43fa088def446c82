"""Surfaces from which the demo's objects are put together: rounded hexahedra and lofts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_ROUNDING = (0.0, 0.4)
"""Extra grid lines between a box's face and the end of its rounded edge (share of radius)."""


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted normals (F, 3) of triangles, not normalised."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of ``vectors`` (N, 3) scaled to length 1; zero rows stay zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3): the area-weighted mean of the normals of each vertex's triangles."""
    normals = _face_normals(vertices, faces)
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, faces[:, corner], normals)
    return _unit(total)


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    """Triangles (F, 3) of a grid of ``rows`` x ``columns`` vertices, row by row."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    first = np.stack([a, b, c], -1).reshape(-1, 3)
    return np.concatenate([first, np.stack([a, c, d], -1).reshape(-1, 3)])


def rounded_cube(half: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A box with rounded edges, centred at the origin.

    Parameters
    ----------
    half : (3,) half lengths
    radius : radius of the edges, cut to the smallest half length

    Returns
    -------
    vertices (V, 3), unit normals (V, 3), faces (F, 3) wound outwards
    """
    radius = min(radius, 0.999 * float(half.min()))
    lines = []
    for length in half:
        edge = np.concatenate([-length + radius * np.asarray(_ROUNDING), [-length + radius]])
        lines.append(np.concatenate([edge, -edge[::-1]]))
    points, faces, offset = [], [], 0
    for axis in range(3):
        u, v = lines[(axis + 1) % 3], lines[(axis + 2) % 3]
        for sign in (-1.0, 1.0):
            grid = np.empty((len(u), len(v), 3))
            grid[..., axis] = sign * half[axis]
            grid[..., (axis + 1) % 3], grid[..., (axis + 2) % 3] = u[:, None], v[None, :]
            triangles = _grid_faces(len(u), len(v))
            faces.append((triangles if sign > 0 else triangles[:, ::-1]) + offset)
            points.append(grid.reshape(-1, 3))
            offset += grid.shape[0] * grid.shape[1]
    surface = np.concatenate(points)
    inner = np.clip(surface, radius - half, half - radius)
    normals = _unit(surface - inner)
    return inner + radius * normals, normals, np.concatenate(faces)


@dataclass
class MeshBuilder:
    """Collects surfaces into one triangle mesh with a part id a triangle."""

    vertices: list[np.ndarray] = field(default_factory=list)
    normals: list[np.ndarray] = field(default_factory=list)
    faces: list[np.ndarray] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)
    _count: int = 0

    def add(self, part: int, vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray) -> None:
        """Append a surface: vertices (V, 3), unit normals (V, 3), faces (F, 3)."""
        self.vertices.append(vertices)
        self.normals.append(normals)
        self.faces.append(faces + self._count)
        self.parts.append(np.full(len(faces), part, dtype=np.int16))
        self._count += len(vertices)

    def hexahedron(self, part: int, corners: np.ndarray, radius: float) -> None:
        """A rounded block with given corners.

        Parameters
        ----------
        part : part id
        corners : (2, 2, 2, 3), indexed by the low or high end of the block's own x, y and z
        radius : radius of the edges, in the units of ``corners``
        """
        edges = np.stack(
            [np.mean(np.diff(corners, axis=axis), axis=(0, 1, 2)) for axis in range(3)]
        )
        half = np.linalg.norm(edges, axis=1) / 2
        local, normals, faces = rounded_cube(half, radius)
        weight = 0.5 + 0.5 * local / half
        vertices = np.zeros_like(local)
        for i in (0, 1):
            for j in (0, 1):
                for k in (0, 1):
                    share = np.prod(np.abs(weight - (1 - np.array([i, j, k]))), axis=1)
                    vertices += share[:, None] * corners[i, j, k]
        jacobian = edges / (2 * half[:, None])
        self.add(part, vertices, _unit(normals @ np.linalg.inv(jacobian).T), faces)

    def box(self, part: int, low: np.ndarray, high: np.ndarray, radius: float) -> None:
        """An axis-parallel rounded box from corner ``low`` (3,) to corner ``high`` (3,)."""
        ends = np.stack([low, high])
        i, j, k = np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")
        corners = np.stack([ends[i, 0], ends[j, 1], ends[k, 2]], axis=-1)
        self.hexahedron(part, corners, radius)

    def beam(
        self,
        part: int,
        start: np.ndarray,
        end: np.ndarray,
        section: tuple[float, ...],
        radius: float,
    ) -> None:
        """A mostly vertical block from ``start`` to ``end`` (both (3,), centres of its ends).

        ``section`` gives the width in x and in z at the start, then at the end.
        """
        corners = np.empty((2, 2, 2, 3))
        for j, (centre, wx, wz) in enumerate(
            [(start, section[0], section[1]), (end, section[2], section[3])]
        ):
            for i, sx in enumerate((-0.5, 0.5)):
                for k, sz in enumerate((-0.5, 0.5)):
                    corners[i, j, k] = centre + np.array([sx * wx, 0.0, sz * wz])
        self.hexahedron(part, corners, radius)

    def loft(self, part: int, rings: np.ndarray, cap_part: int | None = None) -> None:
        """A skin over closed rings (R, S, 3), with flat caps at both ends.

        ``cap_part`` is the part id of the first ring's cap (the loft's own without it).
        """
        count, sides = rings.shape[:2]
        vertices = rings.reshape(-1, 3)
        closed = _grid_faces(count, sides + 1)
        row, column = closed // (sides + 1), closed % (sides + 1) % sides
        faces = row * sides + column
        self.add(part, vertices, vertex_normals(vertices, faces), faces)
        for ring, outward, cap in (
            (rings[0], rings[0] - rings[1], cap_part),
            (rings[-1], rings[-1] - rings[-2], None),
        ):
            points = np.concatenate([ring, ring.mean(axis=0, keepdims=True)])
            around = np.arange(sides)
            fan = np.stack([around, (around + 1) % sides, np.full(sides, sides)], axis=1)
            normal = _unit(_face_normals(points, fan).sum(axis=0, keepdims=True))
            if float(normal[0] @ outward.mean(axis=0)) < 0:
                normal, fan = -normal, fan[:, ::-1]
            self.add(part if cap is None else cap, points, np.repeat(normal, len(points), 0), fan)

    def tube(
        self,
        part: int,
        start: np.ndarray,
        end: np.ndarray,
        radii: tuple[float, float],
        sides: int = 14,
    ) -> None:
        """A round bar from ``start`` to ``end`` (both (3,)) with a radius at each end."""
        axis = _unit((end - start)[None])[0]
        first = _unit(np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])[None])[0]
        second = np.cross(axis, first)
        angle = 2 * np.pi * np.arange(sides) / sides
        circle = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
        self.loft(part, np.stack([start + radii[0] * circle, end + radii[1] * circle]))

    def build(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Vertices (V, 3), normals (V, 3), faces (F, 3) and part ids (F,) of all surfaces."""
        return (
            np.concatenate(self.vertices),
            np.concatenate(self.normals),
            np.concatenate(self.faces),
            np.concatenate(self.parts),
        )
