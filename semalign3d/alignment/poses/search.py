"""Search of poses over all views, turns, sizes and places (METHOD.md section 10, 4)."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from semalign3d.alignment.poses.pose import NEAREST, Poses
from semalign3d.geometry.rotations import looking_from, sphere_directions

STRIDE = 3
"""Step of the places that are tried, in cells."""
_CHUNK = 1500


@dataclass(frozen=True)
class SearchGrid:
    """What is tried.

    Attributes
    ----------
    rotations : (R, 3, 3).
    extents : (S,) sizes of the object's unit, in units of the longest side.
    focal : focal length.
    """

    rotations: np.ndarray
    extents: np.ndarray
    focal: float


def search_grid(directions: int, rolls: int, extents: np.ndarray, focal: float) -> SearchGrid:
    """Directions over the sphere times turns in the image plane."""
    angles = 2.0 * np.pi * np.arange(rolls) / rolls
    rotations = looking_from(sphere_directions(directions), angles).reshape(-1, 3, 3)
    return SearchGrid(rotations, extents, focal)


def search_poses(
    scores: np.ndarray,
    outside: float,
    points: np.ndarray,
    grid: SearchGrid,
    unusual: np.ndarray,
    origin: np.ndarray,
    best: int,
) -> Poses:
    """The best rotations, each with its best size and place.

    Parameters
    ----------
    scores : (K, G, G) what a point at a cell is worth.
    outside : what a point outside the grid is worth.
    points : (K, 3) of the object.
    grid : what is tried.
    unusual : (R,) energies of the rotations before any photo is seen.
    origin : (2,) cell (u, v) of the image's centre.
    best : number of rotations returned.
    """
    cells = scores.shape[-1]
    turned = points @ np.swapaxes(grid.rotations, -1, -2)
    sized = grid.extents[:, None, None] * turned[:, None]
    offsets = sized[..., :2] / np.maximum(1.0 + sized[..., 2:] / grid.focal, NEAREST)
    offsets = np.rint(offsets * cells).astype(np.int64)
    value, place = _best_places(scores.astype(np.float32), outside, offsets)
    size = value.argmax(axis=1)
    rows = np.arange(len(size))
    order = np.argsort(unusual - value[rows, size], kind="stable")[:best]
    size, place = size[order], place[order, size[order]]
    steps = len(range(0, cells, STRIDE))
    v, u = np.divmod(place, steps)
    centre = (STRIDE * np.stack([u, v], axis=1) - origin) / cells
    return Poses(
        grid.rotations[order],
        centre,
        np.log(grid.extents[size]),
        np.full(len(order), np.log(grid.focal)),
    )


def _best_places(
    scores: np.ndarray, outside: float, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Highest sums of scores, and their places, for offsets (R, S, K, 2): both (R, S).

    For each point a table holds, for every offset, the scores at all places moved by it: sums
    over points are then sums of rows.
    """
    shape = offsets.shape[:2]
    reach = int(np.abs(offsets).max())
    cells = scores.shape[-1]
    framed = np.pad(scores, ((0, 0), (reach, reach), (reach, reach)), constant_values=outside)
    rows = (offsets[..., 1] + reach) * (2 * reach + 1) + offsets[..., 0] + reach
    rows = rows.reshape(-1, rows.shape[-1])
    places = len(range(0, cells, STRIDE)) ** 2
    sums = np.zeros((len(rows), places), dtype=np.float32)
    for number, map_ in enumerate(framed):
        table = sliding_window_view(map_, (cells, cells))[..., ::STRIDE, ::STRIDE]
        used, row = np.unique(rows[:, number], return_inverse=True)
        v, u = np.divmod(used, 2 * reach + 1)
        moved = table[v, u].reshape(len(used), places)
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            sums[part] += moved[row[part]]
    place = sums.argmax(axis=1)
    value = sums[np.arange(len(sums)), place]
    return value.reshape(shape), place.reshape(shape)
