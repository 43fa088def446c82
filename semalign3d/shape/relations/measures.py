"""Relations between the keypoints of a shape, unchanged by similarity transforms (METHOD.md 6).

Two kinds:

- edge pairs: the cosine between two edges, and the ratio `|e1| / (|e1| + |e2|)` of their lengths;
- triangle and vertex (a, b, c; v): a frame at a with x along ab, z along ab x ac, y = z x x,
  and the cosines of the direction from a to v with x, y and z. The sign of the z cosine carries
  the handedness.

Arrays of many copies of a shape keep the copies on the last axis, so that a gather of relations
moves whole rows.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semalign3d.arrays import Array, namespace, to_device
from semalign3d.geometry.arguments import require_shape


@dataclass(frozen=True)
class RelationIndex:
    """Relations between K keypoints as index arrays.

    Attributes
    ----------
    edges : (E, 2) int64
        Keypoint ids of each edge, E = K (K - 1) / 2, the first below the second; the edge
        vector runs from the first to the second.
    pairs : (R, 2) int64
        Edge numbers of each edge pair; E (E - 1) / 2 if they are all there.
    triangles : (T, 4) int64
        Keypoint ids (a, b, c, v): cyclic shifts of 4-subsets, 4 (K choose 4) in all.
    """

    edges: Array
    pairs: Array
    triangles: Array

    def on(self, device: str | None) -> "RelationIndex":
        """The same on a device, see `arrays.to_device`."""
        return RelationIndex(
            to_device(self.edges, device),
            to_device(self.pairs, device),
            to_device(self.triangles, device),
        )


def all_edges(count: int) -> np.ndarray:
    """Edges (E, 2) int64 between `count` keypoints, the lower id first."""
    if count < 0:
        raise ValueError(f"count: expected a number of keypoints, found {count}")
    return np.stack(np.triu_indices(count, k=1), axis=1).astype(np.int64)


def all_pairs(count: int) -> np.ndarray:
    """Edge numbers (R, 2) int64 of all pairs of edges between `count` keypoints."""
    edges = count * (count - 1) // 2
    return np.stack(np.triu_indices(edges, k=1), axis=1).astype(np.int64)


def all_triangles(count: int) -> np.ndarray:
    """Keypoint ids (T, 4) int64 of all triangles and vertices: 4 cyclic shifts of each 4-subset."""
    subsets = np.array(list(combinations(range(count), 4)), dtype=np.int64).reshape(-1, 4)
    shifts = (np.arange(4)[:, None] + np.arange(4)) % 4
    return subsets[:, shifts].reshape(-1, 4)


def relation_index(count: int) -> RelationIndex:
    """All relations between `count` keypoints."""
    return RelationIndex(all_edges(count), all_pairs(count), all_triangles(count))


def edge_directions(points: Array, edges: Array) -> tuple[Array, Array]:
    """Unit vectors and lengths of edges.

    Parameters
    ----------
    points
        (K, 3, S): K keypoints in S copies.
    edges
        (E, 2) keypoint ids.

    Returns
    -------
    tuple[Array, Array]
        Unit vectors (E, 3, S), lengths (E, S). An edge of length zero has the vector zero.
    """
    require_shape("points", points, (None, 3, None))
    vectors = points[edges[:, 1]] - points[edges[:, 0]]
    return _normalised(vectors)


def pair_values(directions: Array, lengths: Array, pairs: Array) -> tuple[Array, Array]:
    """Cosines in [-1, 1] and length ratios in [0, 1] of edge pairs.

    Parameters
    ----------
    directions, lengths
        From `edge_directions`: (E, 3, S) and (E, S).
    pairs
        (R, 2) edge numbers.

    Returns
    -------
    tuple[Array, Array]
        Cosines (R, S), ratios (R, S).
    """
    xp = namespace(directions)
    first, second = pairs[:, 0], pairs[:, 1]
    cosines = xp.einsum("rds,rds->rs", directions[first], directions[second])
    lengths1 = lengths[first]
    total = lengths1 + lengths[second]
    ratios = lengths1 / xp.where(total > 0.0, total, 1.0)
    return xp.clip(cosines, -1.0, 1.0), ratios


def triangle_frames(points: Array, corners: Array) -> Array:
    """Frames at the first corner of triangles.

    Parameters
    ----------
    points
        (K, 3, S): K keypoints in S copies.
    corners
        (F, 3) keypoint ids (a, b, c).

    Returns
    -------
    Array
        (F, 3, 3, S): axes x, y, z, their components, copies. Flat triangles have the axes y and
        z zero.
    """
    xp = namespace(points)
    origin = points[corners[:, 0]]
    x, _ = _normalised(points[corners[:, 1]] - origin)
    z, _ = _normalised(xp.linalg.cross(x, points[corners[:, 2]] - origin, axis=1))
    return xp.stack([x, xp.linalg.cross(z, x, axis=1), z], axis=1)


def triangle_values(points: Array, triangles: np.ndarray) -> Array:
    """Cosines of triangle and vertex relations.

    Parameters
    ----------
    points
        (K, 3, S): K keypoints in S copies.
    triangles
        (T, 4) keypoint ids (a, b, c, v).

    Returns
    -------
    Array
        (T, 3, S) cosines in [-1, 1] of the direction from a to v with x, y and z.
    """
    require_shape("points", points, (None, 3, None))
    corners, frame_of = distinct_rows(triangles[:, :3], len(points))
    return vertex_cosines(points, triangles, triangle_frames(points, corners)[frame_of])


def vertex_cosines(points: Array, triangles: Array, frames: Array) -> Array:
    """Cosines (T, 3, S) of the directions from a to v with the axes of frames (T, 3, 3, S)."""
    xp = namespace(points)
    direction, _ = _normalised(points[triangles[:, 3]] - points[triangles[:, 0]])
    return xp.clip(xp.einsum("tads,tds->tas", frames, direction), -1.0, 1.0)


def distinct_rows(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of ids below `count`, and for each row the number of its distinct one."""
    width = rows.shape[1]
    code = np.ravel_multi_index(tuple(rows.T), (max(count, 1),) * width)
    distinct, number = np.unique(code, return_inverse=True)
    columns = np.unravel_index(distinct, (max(count, 1),) * width)
    return np.stack(columns, axis=1).astype(np.int64), number


def _normalised(vectors: Array) -> tuple[Array, Array]:
    """Vectors (n, 3, S) of length one, those of length zero stay zero; and their lengths (n, S)."""
    xp = namespace(vectors)
    lengths = xp.sqrt(xp.einsum("eds,eds->es", vectors, vectors))
    return vectors / xp.where(lengths > 0.0, lengths, 1.0)[:, None], lengths
